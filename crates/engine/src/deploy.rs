//! Deploy: the newest version of a certificate, wherever an older one is bound.
//!
//! Owns: renewal as an intent of its own, on the one path. Never: carries out what somebody else
//! wishes: pending wishes stay pending, and follow to the new version.

use crate::certificates::unknown;
use crate::change::{Changed, Keep};
use crate::propose::Proposal;
use crate::{Engine, EngineError, Event, Stage};
use mailtls::Fingerprint;
use postseal_planner::{Intent, Request};
use postseal_store::OperationKind;

impl Engine<'_> {
    /// Presents the newest version of `name` where an older one is in force. Nothing to do is no
    /// error: a renewal of what is not bound waits in the store.
    pub fn deploy(&mut self, name: &str) -> Result<Changed, EngineError> {
        let _lock = self.host.lock()?;
        self.settle_what_is_open()?;
        self.refuse_while_open()?;
        let state = self.state()?;
        let newest = self.newest(name)?.ok_or_else(|| unknown(name))?;
        let leaf = newest.chain.first().ok_or_else(|| unknown(name))?;
        let fingerprint = Fingerprint::of(leaf);
        let intent = renewed(&state.desired, name, fingerprint);
        let facts = self.observe_for(Some(&intent))?;
        self.tell(Event::Stage {
            stage: Stage::Think,
        });
        let request = Request {
            intent: &intent,
            in_force: &state.desired,
            parent: state.head,
            written: &state.written,
        };
        let plan = postseal_planner::plan(&request, &facts, self.clock.now_unix())
            .map_err(EngineError::Refused)?;
        let draft = state.draft.clone();
        let proposal = Proposal {
            plan,
            facts,
            state,
            kind: OperationKind::Renewal {
                certificate: name.to_owned(),
            },
        };
        let changed = self.carry_out(proposal, &[], Keep::Now)?;
        if let Some(draft) = draft {
            let draft = renewed(&draft, name, fingerprint);
            self.store.set_draft(&self.instance, Some(&draft))?;
        }
        Ok(changed)
    }
}

/// The same intent with the newest version wherever the certificate is bound.
fn renewed(intent: &Intent, name: &str, newest: Fingerprint) -> Intent {
    let mut intent = intent.clone();
    for bound in intent
        .bindings
        .iter_mut()
        .filter(|bound| bound.name == name)
    {
        bound.fingerprint = newest;
    }
    intent
}
