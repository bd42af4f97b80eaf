//! Rules tried before they are wished, and wished only while nobody has changed them.
//!
//! Owns: what they are held to, in the transaction that changes them. Never: judges a rule.

use crate::{Engine, EngineError};
use postseal_store::{RuleWish, StoreError, TrialEnd};

impl Engine<'_> {
    /// Does `work` while the rules are at a revision, where one is said; nobody else changes them meanwhile. Where it
    /// fails, nothing of it is stored.
    ///
    /// # Errors
    /// [`StoreError::RulesChanged`] where they are at another one, and what `work` fails with.
    pub fn at_revision<T>(
        &mut self,
        revision: Option<i64>,
        work: impl FnOnce(&mut Self) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let Some(revision) = revision else {
            return work(self);
        };
        self.tried(TrialEnd::Kept, |engine| {
            match engine.store.rules_revision(&engine.instance)? == revision {
                true => work(engine),
                false => Err(StoreError::RulesChanged.into()),
            }
        })
    }

    /// Stores wishes; only while what they are held to is so.
    ///
    /// # Errors
    /// [`StoreError::RulesChanged`] where it is not, and what the store fails with.
    pub(crate) fn wish_rules(&mut self, wishes: &[RuleWish]) -> Result<(), EngineError> {
        let Some(holds) = self.only_while.take() else {
            return Ok(self.store.wish_rules(&self.instance, wishes)?);
        };
        self.tried(TrialEnd::Kept, |engine| match holds(engine)? {
            true => Ok(engine.store.wish_rules(&engine.instance, wishes)?),
            false => Err(StoreError::RulesChanged.into()),
        })
    }

    /// What `work` would come to; nothing of it is stored.
    ///
    /// # Errors
    /// What `work` fails with.
    pub fn only_tried<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.tried(TrialEnd::TakenBack, work)
    }
}
