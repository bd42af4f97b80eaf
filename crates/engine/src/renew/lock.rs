//! The lock of whoever orders certificates.
//!
//! Owns: one file in the store's folder, `flock`ed: accounts and limits are the store's, not an
//! instance's. Never: waits. The kernel frees it when its holder dies, and no child inherits it
//! (close-on-exec). The file stays, so that nobody can lock one that has just been removed.

use crate::{Engine, EngineError};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

const NAME: &str = "ordering.lock";

impl Engine<'_> {
    /// Taken until it is dropped; [`EngineError::Ordering`] where another process has it.
    pub(crate) fn ordering_lock(&self) -> Result<File, EngineError> {
        let local = |source| EngineError::Local {
            action: "take the lock for ordering certificates",
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.guards.join(NAME))
            .map_err(local)?;
        match file.try_lock() {
            Ok(()) => {
                // For the message of the next one only.
                let _ = file.set_len(0).and_then(|()| file.rewind());
                let _ = writeln!(file, "{}", std::process::id());
                Ok(file)
            }
            Err(TryLockError::WouldBlock) => Err(EngineError::Ordering {
                holder: holder(&mut file),
            }),
            Err(TryLockError::Error(error)) => Err(local(error)),
        }
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
