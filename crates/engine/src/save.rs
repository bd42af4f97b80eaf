//! Several wishes as one: keys to set and to give back, certificates to bind and to unbind.
//!
//! Owns: that they are judged as they stand together, before any of them is stored. Never: puts one in
//! force.

use crate::{Engine, EngineError, Proposal, Wished};
use postseal_planner::intent::{Binding, Intent, Place, Wish};
use postseal_planner::settings;
use postseal_store::{OperationKind, TrialEnd};

/// What is wished together. Certificates are those of all servers.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Keys and values.
    pub set: Vec<(String, String)>,
    /// Keys to be given back.
    pub unset: Vec<String>,
    /// Certificates of the store to be bound, each in the place of one with the same kind of key.
    pub bind: Vec<String>,
    /// Certificates that are bound and shall be no longer.
    pub unbind: Vec<String>,
}

impl Engine<'_> {
    /// What a plan would be if all of this were wished. Nothing is stored.
    ///
    /// # Errors
    /// What is wrong with one of them, and what such a plan is refused for.
    pub fn propose_wishes(&self, wishes: &Wishes) -> Result<Proposal, EngineError> {
        self.refuse_while_open()?;
        let mut state = self.state()?;
        let wanted = state.draft.as_ref().unwrap_or(&state.desired);
        let after = wanted.with_all(&self.together(wanted, wishes)?);
        state.draft = Some(after.clone());
        let proposal = self.propose_intent(state, &after, OperationKind::Apply)?;
        self.with_what_it_leaves(proposal)
    }

    /// Wishes for all of it, where a plan can be made of it; else nothing is stored. The plan is
    /// remembered as one that was shown.
    ///
    /// # Errors
    /// As [`Engine::propose_wishes`].
    pub fn save(&mut self, wishes: &Wishes) -> Result<(Wished, Proposal), EngineError> {
        self.tried(TrialEnd::Kept, |engine| {
            let state = engine.state()?;
            let wanted = state.draft.as_ref().unwrap_or(&state.desired);
            let wished = engine.wish(&engine.together(wanted, wishes)?)?;
            Ok((wished, engine.show_plan()?))
        })
    }

    /// All of it in an order in which it does not matter which was said first: what is bound anew is
    /// compared with what stays bound.
    fn together(&self, wanted: &Intent, wishes: &Wishes) -> Result<Vec<Wish>, EngineError> {
        let version = self.host.look()?.version;
        let mut all = Vec::new();
        for (key, value) in &wishes.set {
            all.extend(settings::parse(key, value, version).map_err(EngineError::Refused)?);
        }
        for key in &wishes.unset {
            all.extend(settings::parse_unset(key).map_err(EngineError::Refused)?);
        }
        for name in &wishes.unbind {
            if wanted.bindings.iter().all(|bound| bound.name != *name) {
                return Err(EngineError::Unknown {
                    what: "bound certificate",
                    name: name.clone(),
                });
            }
            all.push(Wish::Unbind(name.clone(), None));
        }
        let stay = wanted.with_all(&all);
        let bindings = wishes.bind.iter().map(|name| self.to_all_servers(name));
        let bindings = bindings.collect::<Result<Vec<Binding>, EngineError>>()?;
        all.extend(self.binding_wishes(&stay, bindings)?);
        Ok(all)
    }

    /// The newest version of a certificate, bound to every server. One that only its own key vouches for is
    /// refused by the plan: `cert bind --allow-self-signed` says that it is meant.
    fn to_all_servers(&self, name: &str) -> Result<Binding, EngineError> {
        let view = self.certificate(name)?;
        let leaf = view.chain.first().ok_or_else(|| EngineError::Unknown {
            what: "certificate",
            name: name.to_owned(),
        })?;
        Ok(Binding {
            name: view.name.clone(),
            fingerprint: leaf.fingerprint(),
            allow_self_signed: false,
            place: Place::Server,
        })
    }
}
