//! Recover: end an interrupted operation, one way or the other.
//!
//! Owns: reading the journal after a crash. Never: guesses. An operation that was proved is kept;
//! any other is undone; one that awaits confirmation lives as long as its guard and its deadline.

use crate::guard::Guarded;
use crate::undo::Undo;
use crate::{Engine, EngineError, Event};
use postseal_host::HostError;
use postseal_planner::Finding;
use postseal_planner::report::Verdict;
use postseal_store::{Operation, Phase};

/// What `recover` found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing was open.
    Nothing,
    /// It awaits confirmation, and its guard lives.
    Awaiting {
        /// The operation.
        operation: u64,
    },
    /// It had been proved, and is kept.
    Kept {
        /// The operation.
        operation: u64,
        /// How far it had come.
        phase: Phase,
    },
    /// The old bytes are back.
    Undone {
        /// The operation.
        operation: u64,
        /// How far it had come.
        phase: Phase,
        /// What is wrong all the same, and that Postfix was stopped and started for it.
        findings: Vec<Finding>,
    },
}

impl Engine<'_> {
    /// Ends an interrupted operation; what every start does before it changes anything.
    pub fn recover(&mut self) -> Result<Recovery, EngineError> {
        let _lock = self.host.lock()?;
        self.settle_what_is_open()
    }

    /// What every command does first: ends an interrupted operation if there is one, and leaves
    /// one alone that somebody else is working on.
    pub fn wake(&mut self) -> Result<Recovery, EngineError> {
        match self.store.open(&self.instance)? {
            None => Ok(Recovery::Nothing),
            Some(_) => match self.recover() {
                Err(EngineError::Host(HostError::Locked { .. })) => Ok(Recovery::Nothing),
                recovery => recovery,
            },
        }
    }

    /// As [`Engine::recover`], with the lock held by the caller.
    pub(crate) fn settle_what_is_open(&mut self) -> Result<Recovery, EngineError> {
        let Some(open) = self.store.open(&self.instance)? else {
            return Ok(Recovery::Nothing);
        };
        let operation = open.id;
        let phase = open.journal.last().cloned().unwrap_or(Phase::Opened);
        let recovery = match phase {
            Phase::Verified if open.new.confirm_by_ms.is_none() => {
                self.close_kept(operation, &Verdict::default())?;
                Recovery::Kept { operation, phase }
            }
            Phase::AwaitingConfirmation if self.still_guarded(&open) => {
                return Ok(Recovery::Awaiting { operation });
            }
            Phase::AwaitingConfirmation => {
                let reason = if self.is_due(&open) {
                    "not confirmed in time"
                } else {
                    "its guard ended before it was confirmed"
                };
                self.undo_stored(&open, phase, reason)?
            }
            _ => self.undo_stored(&open, phase, "interrupted before it was proved")?,
        };
        let how = match &recovery {
            Recovery::Kept { .. } => "it had been proved, and is kept",
            _ => "the old files are back",
        };
        self.tell(Event::Recovered {
            operation,
            how: how.to_owned(),
        });
        Ok(recovery)
    }

    fn undo_stored(
        &mut self,
        open: &Operation,
        phase: Phase,
        reason: &str,
    ) -> Result<Recovery, EngineError> {
        let findings = self.undo(&self.stored_undo(open, reason)?)?;
        Ok(Recovery::Undone {
            operation: open.id,
            phase,
            findings,
        })
    }

    /// Stops when an operation awaits confirmation.
    pub(crate) fn refuse_while_open(&self) -> Result<(), EngineError> {
        match self.store.open(&self.instance)? {
            None => Ok(()),
            Some(open) => Err(EngineError::Awaiting {
                operation: open.id,
                confirm_by_ms: open.new.confirm_by_ms,
            }),
        }
    }

    /// The operation that awaits confirmation, if any.
    pub(crate) fn awaiting(&self) -> Result<Option<Operation>, EngineError> {
        let open = self.store.open(&self.instance)?;
        Ok(open.filter(|open| open.journal.last() == Some(&Phase::AwaitingConfirmation)))
    }

    pub(crate) fn stored_undo(&self, open: &Operation, reason: &str) -> Result<Undo, EngineError> {
        Undo::of_stored(open, reason.to_owned()).ok_or_else(|| EngineError::Conflict {
            operation: open.id,
            reason: "its snapshots cannot be read by this version".to_owned(),
        })
    }

    fn is_due(&self, open: &Operation) -> bool {
        let by = open.new.confirm_by_ms;
        by.is_none_or(|by| by <= self.clock.now_ms())
    }

    fn still_guarded(&self, open: &Operation) -> bool {
        !self.is_due(open) && self.guarded(open.id) == Guarded::Yes
    }
}
