//! The guard of an unconfirmed change.
//!
//! Owns: a lock file that says the guard lives, and what the guard does when its time has come.
//! Never: knows more than an operation and a deadline. The kernel frees the lock when the guard
//! dies, so that the next start sees it and rolls back.

use crate::recover::Recovery;
use crate::{Engine, EngineError};
use postseal_host::HostError;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::PathBuf;
use std::time::Duration;

/// How long a guard that was started has to take its lock.
const UP: Duration = Duration::from_secs(5);
/// Pause between two looks for it.
const PAUSE: Duration = Duration::from_millis(5);
/// How often the guard looks whether the operation is still open.
const LOOK: Duration = Duration::from_millis(500);

/// Starts guards.
pub trait Guardian {
    /// Starts a process that does [`Engine::guard`] for `operation` and outlives this one.
    fn start(&self, operation: u64) -> std::io::Result<()>;
}

impl Engine<'_> {
    /// Has `operation` guarded. The caller holds the instance's lock until the guard stands, so
    /// that nobody finds the operation without one.
    pub(crate) fn set_guard(&self, operation: u64) -> std::io::Result<()> {
        self.guardian.start(operation)?;
        let end = self.clock.monotonic() + UP;
        while self.guarded(operation) == Guarded::No {
            if self.clock.monotonic() > end {
                return Err(std::io::Error::other("it did not take its lock"));
            }
            self.clock.sleep(PAUSE);
        }
        Ok(())
    }

    /// Watches over `operation` until it is settled or its deadline passes, then rolls it back.
    /// Runs in a process of its own that survives the operator's logout.
    pub fn guard(&mut self, operation: u64) -> Result<Recovery, EngineError> {
        let file = self.guard_file(operation);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&file)
            .map_err(local)?;
        lock.try_lock().map_err(|error| local(error.into()))?;
        loop {
            let open = self.store.open(&self.instance)?;
            let Some(open) = open.filter(|open| open.id == operation) else {
                remove(&file);
                return Ok(Recovery::Nothing);
            };
            let left = open
                .new
                .confirm_by_ms
                .unwrap_or(0)
                .saturating_sub(self.clock.now_ms());
            if left <= 0 {
                break;
            }
            self.clock
                .sleep(LOOK.min(Duration::from_millis(left.unsigned_abs())));
        }
        let recovery = loop {
            match self.recover() {
                // Somebody is at work on the instance, and may not be about to undo this one.
                Err(EngineError::Host(HostError::Locked { .. })) => self.clock.sleep(LOOK),
                ended => break ended,
            }
        };
        remove(&file);
        drop(lock);
        recovery
    }

    /// Whether a guard watches over `operation`.
    pub fn guarded(&self, operation: u64) -> Guarded {
        match File::open(self.guard_file(operation)) {
            Ok(file) => match file.try_lock_shared() {
                Err(TryLockError::WouldBlock) => Guarded::Yes,
                _ => Guarded::No,
            },
            Err(_) => Guarded::No,
        }
    }

    fn guard_file(&self, operation: u64) -> PathBuf {
        self.guards.join(format!("guard-{operation}.lock"))
    }
}

/// Whether a guard lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "self-evident")]
pub enum Guarded {
    Yes,
    No,
}

fn remove(file: &PathBuf) {
    // A lock file that stays is harmless: nobody holds it.
    let _ = std::fs::remove_file(file);
}

fn local(source: std::io::Error) -> EngineError {
    EngineError::Local {
        action: "take the guard's lock",
        source,
    }
}
