//! The lock against a second Postseal on the same instance.
//!
//! Owns: one lock file an instance, `flock`ed, with the holder's process id inside for the
//! message. Never: lies in Postfix's configuration or queue folder, waits, is removed (removing
//! a lock file that somebody may be opening lets two hold "the" lock).
//!
//! The file is named after the configuration directory's device and inode, so that two paths to
//! one directory (symbolic link, bind mount) are one lock. It lies in `/run/postseal`, which a
//! reboot empties together with the locks themselves. The kernel frees the lock when the holder
//! dies; the descriptor is close-on-exec, so no child keeps it.

use crate::file::failed;
use crate::{HostError, Lock};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Where lock files are unless told otherwise.
pub const LOCK_DIRECTORY: &str = "/run/postseal";

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(crate) struct InstanceLock {
    /// Closing it frees the lock.
    _file: File,
}

impl Lock for InstanceLock {}

/// Takes the lock of the instance whose configuration directory is `seen` here (`name` in
/// messages).
pub(crate) fn take(
    lock_directory: &Path,
    seen: &Path,
    name: &Path,
) -> Result<InstanceLock, HostError> {
    let directory = seen.metadata().map_err(failed("look at", name))?;
    make_folder(lock_directory)?;
    let path = lock_directory.join(format!(
        "instance-{:x}-{:x}.lock",
        directory.dev(),
        directory.ino()
    ));
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|error| denied("open", &path, error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(HostError::Locked {
                path: name.to_owned(),
                holder: holder(&mut file),
            });
        }
        Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
    }
    sign(&mut file).map_err(failed("write", &path))?;
    Ok(InstanceLock { _file: file })
}

fn make_folder(path: &Path) -> Result<(), HostError> {
    match DirBuilder::new().mode(0o755).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map_err(|error| denied("make", path, error)),
    }
}

fn denied(action: &'static str, path: &Path, error: io::Error) -> HostError {
    if error.kind() == io::ErrorKind::PermissionDenied {
        HostError::Permission(format!("{action} {}", path.display()))
    } else {
        failed(action, path)(error)
    }
}

fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// The process id that the holder wrote; none while it is still writing it.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests;
