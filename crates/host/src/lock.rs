//! The lock against a second Postseal on the same instance.
//!
//! Owns: one lock file an instance, `flock`ed, with the holder's process id inside for the
//! message. Never: lies in Postfix's configuration or queue folder, waits, stays when its holder
//! ends in order.
//!
//! Only the holder removes the file, while it still holds it, and whoever takes a lock looks
//! whether the file it locked is still the one that has the name: so a file that was opened just
//! before its removal never lets two hold “the” lock.
//!
//! What a killed holder leaves is a few bytes, used again by the next one of that instance. Nobody
//! sweeps what other instances left: whoever tries their locks holds them for a moment, and would
//! turn a command away that comes just then.
//!
//! The file is named after the configuration directory's device and inode, so that two paths to
//! one directory (symbolic link, bind mount) are one lock. It lies in `/run/postseal`, which a
//! reboot empties together with the locks themselves. The kernel frees the lock when the holder
//! dies; the descriptor is close-on-exec, so no child keeps it.

use crate::file::failed;
use crate::{HostError, Lock};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Where lock files are unless told otherwise.
pub const LOCK_DIRECTORY: &str = "/run/postseal";

/// A holder that ends, and its folder, may go between our steps; nobody ends this often.
const ATTEMPTS: usize = 100;

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(crate) struct InstanceLock {
    /// Closing it frees the lock.
    _file: File,
    path: PathBuf,
}

impl Lock for InstanceLock {}

impl Drop for InstanceLock {
    fn drop(&mut self) {
        // What cannot be removed is found, and used, by the next holder.
        let _ = fs::remove_file(&self.path);
        let _ = self.path.parent().map(fs::remove_dir);
    }
}

/// Takes the lock of the instance whose configuration directory is `seen` here (`name` in
/// messages).
pub(crate) fn take(
    lock_directory: &Path,
    seen: &Path,
    name: &Path,
) -> Result<InstanceLock, HostError> {
    let directory = seen.metadata().map_err(failed("look at", name))?;
    let file_name = format!("instance-{:x}-{:x}.lock", directory.dev(), directory.ino());
    let path = lock_directory.join(file_name);
    for _ in 0..ATTEMPTS {
        make_folder(lock_directory)?;
        let Some(mut file) = open(&path)? else {
            continue;
        };
        match file.try_lock() {
            Ok(()) if has_the_name(&file, &path) => {
                sign(&mut file).map_err(failed("write", &path))?;
                return Ok(InstanceLock { _file: file, path });
            }
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(HostError::Locked {
                    path: name.to_owned(),
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
        }
    }
    let error = io::Error::other("it is removed again and again");
    Err(failed("lock", &path)(error))
}

/// The lock file; `None` when its folder has just been removed.
fn open(path: &Path) -> Result<Option<File>, HostError> {
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path);
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(denied("open", path, error)),
    }
}

/// Whether the open file is still the one at `path`.
fn has_the_name(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.metadata()) {
        (Ok(ours), Ok(named)) => ours.dev() == named.dev() && ours.ino() == named.ino(),
        _ => false,
    }
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
