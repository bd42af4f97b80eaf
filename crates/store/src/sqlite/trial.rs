//! Trying changes: they are seen through this store alone, and kept together or not at all.
//!
//! Owns: the one transaction around them. Never: what is tried.

use super::connection::{Doing, STEP, WRITE, Words};
use super::{SqliteStore, disk, live};
use crate::{StoreError, TrialEnd};
use sqlx::Executor;
use std::sync::PoisonError;

/// Whether what is written now is only tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Trial {
    /// It is not: what is written is durable.
    #[default]
    None,
    /// It is.
    Open,
    /// It was, and something failed. Where a disk is full SQLite may have taken everything back by
    /// itself: what would be written now would be durable, and is refused.
    Failed,
}

impl Trial {
    /// How a transaction begins and ends that would say `words` outside.
    pub(super) fn words(self, words: Words) -> Result<Words, StoreError> {
        match self {
            Self::None => Ok(words),
            Self::Open => Ok(STEP),
            Self::Failed => Err(failed()),
        }
    }

    /// Something could not be written.
    pub(super) fn fail(&mut self) {
        if *self == Self::Open {
            *self = Self::Failed;
        }
    }
}

impl SqliteStore {
    pub(super) fn trial_begins(&mut self) -> Result<(), StoreError> {
        if self.trial != Trial::None {
            return Err(failed());
        }
        self.said(WRITE.begin, "begin a trial")?;
        self.trial = Trial::Open;
        Ok(())
    }

    pub(super) fn trial_ends(&mut self, end: TrialEnd) -> Result<(), StoreError> {
        match (std::mem::take(&mut self.trial), end) {
            (Trial::None, _) => Ok(()),
            (Trial::Open, TrialEnd::Kept) => {
                let kept = self.said(WRITE.commit, "keep what was tried");
                if kept.is_err() {
                    drop(self.said(WRITE.roll_back, "end a trial"));
                }
                kept
            }
            (Trial::Open, TrialEnd::TakenBack) => self.said(WRITE.roll_back, "end a trial"),
            (Trial::Failed, end) => {
                // Perhaps nothing is left to roll back.
                drop(self.said(WRITE.roll_back, "end a trial"));
                match end {
                    TrialEnd::Kept => Err(failed()),
                    TrialEnd::TakenBack => Ok(()),
                }
            }
        }
    }

    fn said(&mut self, word: &'static str, action: &'static str) -> Result<(), StoreError> {
        let db = self.db.get_mut().unwrap_or_else(PoisonError::into_inner);
        let done = self
            .runtime
            .block_on(async { live(db).execute(word).await });
        let done = done.doing(action).map(|_| ());
        done.map_err(|error| disk::explained(error, &self.folder))
    }
}

fn failed() -> StoreError {
    StoreError::Database {
        action: "go on with a trial",
        source: "something could not be written".into(),
    }
}
