//! Noted: what is done beside operations, for `history`.
//!
//! Owns: that who did what to the store of certificates is told in one way. Never: notes a wish (the
//! operation that carries it out tells), or a secret.

use crate::{Engine, EngineError};
use mailtls::Fingerprint;
use postseal_store::{Certificate, StoreError};

/// How often a busy store is tried; each time it waits by itself. What is noted is done already.
const PATIENCE: u32 = 10;

impl Engine<'_> {
    /// Notes what was done just now, in the past tense.
    pub(crate) fn note_done(&mut self, what: &str) -> Result<(), EngineError> {
        let mut tries = 1..PATIENCE;
        loop {
            let now = self.clock.now_ms();
            match self.store.audit(&self.actor, now, what) {
                Err(StoreError::Locked) if tries.next().is_some() => {}
                other => return Ok(other?),
            }
        }
    }

    /// Notes the newest version under a name: that it was `done`, and where it is from.
    pub(crate) fn note_newest(&mut self, done: &str, name: &str) -> Result<(), EngineError> {
        let Some(newest) = self.newest(name)? else {
            return Ok(());
        };
        let (version, source) = (newest.version, &newest.source);
        let leaf = leaf(&newest);
        self.note_done(&format!(
            "{done} version {version} of certificate {name} ({leaf}): {source}"
        ))
    }
}

/// A certificate in a note: as much of its fingerprint as tells it from any other.
pub(crate) fn short(leaf: &Fingerprint) -> String {
    leaf.prefix(8)
}

/// All versions, the newest first.
pub(crate) fn leaves(versions: &[Certificate]) -> String {
    let leaves: Vec<String> = versions.iter().map(leaf).collect();
    leaves.join(", ")
}

fn leaf(stored: &Certificate) -> String {
    let leaf = stored.chain.first();
    leaf.map_or_else(String::new, |leaf| short(&Fingerprint::of(leaf)))
}
