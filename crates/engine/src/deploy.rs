//! Deploy: the newest version of a certificate, wherever an older one is bound.
//!
//! Owns: renewal as an intent of its own, on the one path. Never: carries out what somebody else
//! wishes: pending wishes stay pending, and follow to the new version.

use crate::certificates::unknown;
use crate::change::{Changed, Keep};
use crate::{Engine, EngineError};
use mailtls::Fingerprint;
use postseal_host::{HostError, Lock};
use postseal_planner::{Finding, Refusal};
use postseal_store::{InstanceState, OperationKind};
use std::time::Duration;

/// How long the lock is waited for, and how often it is looked at.
const PATIENCE: Duration = Duration::from_secs(20);
const AGAIN: Duration = Duration::from_millis(200);

impl Engine<'_> {
    /// Presents the newest version of `name` where an older one is in force. Nothing to do is no
    /// error: a renewal of what is not bound waits in the store.
    pub fn deploy(&mut self, name: &str) -> Result<Changed, EngineError> {
        let _lock = self.lock_patiently()?;
        self.settle_what_is_open()?;
        self.refuse_while_open()?;
        let mut state = self.state()?;
        let newest = self.newest(name)?.ok_or_else(|| unknown(name))?;
        let leaf = newest.chain.first().ok_or_else(|| unknown(name))?;
        let fingerprint = Fingerprint::of(leaf);
        self.follow(&mut state, name, fingerprint)?;
        let intent = state.desired.renewed(name, fingerprint);
        let kind = OperationKind::Renewal {
            certificate: name.to_owned(),
        };
        let stays = Stays {
            name,
            version: newest.version,
        };
        let proposal = self
            .propose_intent(state, &intent, kind)
            .map_err(|error| stays.told(error))?;
        let looked = self.refuse_what_is_lost(&proposal, name);
        looked.map_err(|error| stays.told(error))?;
        self.carry_out(proposal, &[], Keep::Now)
            .map_err(|error| stays.told(error))
    }

    /// The lock, waited for: another command may hold it for as long as a change takes, and who
    /// renews (a hook, a timer) is not run again at once.
    fn lock_patiently(&self) -> Result<Box<dyn Lock>, EngineError> {
        let end = self.clock.monotonic() + PATIENCE;
        loop {
            match self.host.lock() {
                Err(HostError::Locked { .. })
                    if self.clock.monotonic() < end && !self.is_interrupted() =>
                {
                    self.clock.sleep(AGAIN);
                }
                other => return Ok(other?),
            }
        }
    }

    /// A pending binding of what is not in force yet takes the newest version at once. What is in
    /// force has to be proved first: the draft follows when its operation is closed.
    fn follow(
        &mut self,
        state: &mut InstanceState,
        name: &str,
        newest: Fingerprint,
    ) -> Result<(), EngineError> {
        if state.desired.binds(name) {
            return Ok(());
        }
        if let Some(draft) = &mut state.draft {
            *draft = draft.renewed(name, newest);
            self.store.set_draft(&self.instance, Some(draft))?;
        }
        Ok(())
    }
}

/// A version that could not be put in force, and stays in the store as the newest.
struct Stays<'a> {
    name: &'a str,
    version: u32,
}

impl Stays<'_> {
    /// The error, with the way out of being stuck with a version that can never work. Against
    /// published records the version is no mistake: its time has not come.
    fn told(&self, error: EngineError) -> EngineError {
        let told = |mut findings: Vec<Finding>| {
            let waits = |finding: &Finding| finding.code.starts_with("dane.");
            if let Some(first) = findings.first_mut()
                && self.version > 1
                && !waits(first)
                && !first.remedy.contains("--version")
            {
                first.remedy.push_str(&format!(
                    " Version {version} of {name} waits in the store; `postseal cert delete \
                     {name} --version {version}` drops it.",
                    name = self.name,
                    version = self.version
                ));
            }
            findings
        };
        match error {
            EngineError::Refused(refusal) => EngineError::Refused(Refusal {
                findings: told(refusal.findings),
            }),
            EngineError::Rehearsal { findings } => EngineError::Rehearsal {
                findings: told(findings),
            },
            error => error,
        }
    }
}
