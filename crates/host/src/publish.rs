//! Puts a configuration file's new bytes in place, as `postconf` would, and excludes it.
//!
//! Owns: the edit lock, the temporary file, owner, mode, extended attributes, the time set back,
//! the rename. Never: opens a configuration file for writing in place.
//!
//! `postconf -e` opens `main.cf.tmp` (no `O_EXCL`), takes an exclusive `flock` on it, asks whether
//! the path still is the locked file, truncates, writes, fsyncs and renames it over main.cf. The
//! same file and the same lock here make each wait for the other, and what a crash left behind is
//! opened, locked and truncated like anything else.
//!
//! A symbolic link stays: the lock is still `main.cf.tmp` beside the link, which is what
//! `postconf` locks; the bytes go through a second such file beside the link's target.

use crate::file::{AGE, failed, read_cf_from, set_xattrs, sync_folder, xattrs};
use crate::root::Root;
use crate::{HostError, Snapshot};
use postseal_planner::Digest;
use postseal_planner::plan::Cf;
use rustix::fs::OFlags;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown, symlink};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// `postconf` holds the edit lock for milliseconds.
const LOCK_DEADLINE: Duration = Duration::from_secs(10);
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// One of the two configuration files of one instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) root: &'a Root,
    pub(crate) config_directory: &'a Path,
    pub(crate) file: Cf,
}

/// Everything about a file but its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trim {
    uid: u32,
    gid: u32,
    mode: u32,
    xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// The file's name in a configuration directory.
pub(crate) fn name(file: Cf) -> &'static str {
    match file {
        Cf::Main => "main.cf",
        Cf::Master => "master.cf",
    }
}

impl Place<'_> {
    /// As Postfix names it.
    pub(crate) fn path(&self) -> PathBuf {
        self.config_directory.join(name(self.file))
    }

    /// Links followed, as Postfix names it.
    pub(crate) fn real(&self) -> Result<PathBuf, HostError> {
        let path = self.path();
        self.root.resolve(&path).map_err(failed("read", &path))
    }

    /// A copy of the file as it is. Never a hard link: Postfix notices a replaced map by its link
    /// count.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, HostError> {
        let path = self.path();
        let seen = self.root.at(&self.real()?);
        let file = crate::file::open_nonblocking(&seen).map_err(failed("read", &path))?;
        let bytes = read_cf_from(&file, &path)?;
        let trim = Trim::of(&file).map_err(failed("read", &path))?;
        Ok(Snapshot {
            file: self.file,
            link: self.link(),
            path,
            bytes,
            uid: trim.uid,
            gid: trim.gid,
            mode: trim.mode,
            xattrs: trim.xattrs,
        })
    }

    /// Replaces the bytes and nothing else, if they still are the `expected` ones.
    pub(crate) fn publish(&self, bytes: &[u8], expected: Digest) -> Result<(), HostError> {
        self.locked(|| {
            let real = self.root.at(&self.real()?);
            let current = self.current(&real, expected)?;
            let trim = Trim::of(&current).map_err(failed("read", &real))?;
            self.replace(&real, bytes, &trim, &current)
        })
    }

    /// Gives a snapshot back, if the bytes now are the `expected` ones. A symbolic link that
    /// somebody replaced by a file is a link again.
    pub(crate) fn restore(&self, snapshot: &Snapshot, expected: Digest) -> Result<(), HostError> {
        self.locked(|| {
            let real = self.root.at(&self.real()?);
            let current = self.current(&real, expected)?;
            let trim = Trim {
                uid: snapshot.uid,
                gid: snapshot.gid,
                mode: snapshot.mode,
                xattrs: snapshot.xattrs.clone(),
            };
            match &snapshot.link {
                Some(target) if self.link().as_ref() != Some(target) => {
                    self.relink(target, &snapshot.bytes, &trim, &current)
                }
                _ => self.replace(&real, &snapshot.bytes, &trim, &current),
            }
        })
    }

    /// Removes what a publish that was cut short left beside the file. Waits for the lock, so a
    /// `postconf` at work keeps what is its own.
    pub(crate) fn sweep(&self) -> Result<(), HostError> {
        let own = self.root.at(&self.path());
        let real = self.root.at(&self.real()?);
        for path in [temporary(&own), temporary(&real)] {
            if path.symlink_metadata().is_ok() {
                Edit::open(&path)?.discard();
            }
        }
        remove_if_there(&fresh_link(&own))
    }

    fn link(&self) -> Option<PathBuf> {
        self.root.at(&self.path()).read_link().ok()
    }

    /// Opens the file and holds it against `expected`, under the lock.
    fn current(&self, real: &Path, expected: Digest) -> Result<File, HostError> {
        let file = crate::file::open_nonblocking(real).map_err(failed("read", real))?;
        if Digest::of(&read_cf_from(&file, real)?) == expected {
            Ok(file)
        } else {
            Err(self.stale())
        }
    }

    fn stale(&self) -> HostError {
        HostError::Stale { path: self.path() }
    }

    /// Runs `work` under the lock that `postconf` takes for the same file.
    fn locked(&self, work: impl FnOnce() -> Result<(), HostError>) -> Result<(), HostError> {
        let lock = Edit::open(&temporary(&self.root.at(&self.path())))?;
        let result = work();
        // When the bytes went through this very file, it was renamed and the path is free.
        lock.discard();
        result
    }

    fn replace(
        &self,
        real: &Path,
        bytes: &[u8],
        trim: &Trim,
        current: &File,
    ) -> Result<(), HostError> {
        let own = temporary(&self.root.at(&self.path()));
        let path = temporary(real);
        let edit = if path == own {
            Edit::held(&own)?
        } else {
            Edit::open(&path)?
        };
        let done = edit
            .fill(bytes, trim)
            .and_then(|()| self.unchanged(real, current))
            .and_then(|()| fs::rename(&path, real).map_err(failed("rename", &path)));
        if done.is_err() {
            edit.discard();
        }
        done?;
        sync_folder(parent(real))
    }

    /// Writes the link's target anew and puts the link back in place of the file.
    fn relink(
        &self,
        target: &Path,
        bytes: &[u8],
        trim: &Trim,
        current: &File,
    ) -> Result<(), HostError> {
        let path = self.path();
        let seen = self.root.at(&path);
        let named = parent(&path).join(target);
        let real = self
            .root
            .at(&self.root.resolve(&named).map_err(failed("read", &named))?);
        self.unchanged(&seen, current)?;
        let edit = Edit::open(&temporary(&real))?;
        let done = edit
            .fill(bytes, trim)
            .and_then(|()| fs::rename(&edit.path, &real).map_err(failed("rename", &edit.path)));
        if done.is_err() {
            edit.discard();
        }
        done?;
        sync_folder(parent(&real))?;
        let fresh = fresh_link(&seen);
        remove_if_there(&fresh)?;
        symlink(target, &fresh).map_err(failed("make", &fresh))?;
        fs::rename(&fresh, &seen).map_err(failed("rename", &fresh))?;
        sync_folder(parent(&seen))
    }

    /// The path still is the file that was read: an editor knows nothing of the lock.
    fn unchanged(&self, real: &Path, current: &File) -> Result<(), HostError> {
        let now = real.metadata().map_err(failed("read", real))?;
        let then = current.metadata().map_err(failed("read", real))?;
        let same = now.dev() == then.dev()
            && now.ino() == then.ino()
            && now.len() == then.len()
            && now.mtime() == then.mtime()
            && now.mtime_nsec() == then.mtime_nsec();
        if same { Ok(()) } else { Err(self.stale()) }
    }
}

impl Trim {
    fn of(file: &File) -> io::Result<Self> {
        let meta = file.metadata()?;
        Ok(Self {
            uid: meta.uid(),
            gid: meta.gid(),
            mode: meta.mode() & 0o7777,
            xattrs: xattrs(file)?,
        })
    }

    /// Owner first (it clears mode bits), then the mode, then attributes (an ACL refines it).
    fn put_on(&self, file: &File) -> io::Result<()> {
        fchown(file, Some(self.uid), Some(self.gid))?;
        file.set_permissions(Permissions::from_mode(self.mode))?;
        set_xattrs(file, &self.xattrs)
    }
}

/// A temporary file, locked as `postconf` locks it.
struct Edit {
    path: PathBuf,
    file: File,
}

impl Edit {
    /// Opens and locks `path`, waiting for another holder until the deadline.
    fn open(path: &Path) -> Result<Self, HostError> {
        let end = Instant::now() + LOCK_DEADLINE;
        loop {
            let file = open_temporary(path).map_err(failed("open", path))?;
            match file.try_lock() {
                // The former holder may have renamed what was just locked.
                Ok(()) if is_at(&file, path) => {
                    return Ok(Self {
                        path: path.to_owned(),
                        file,
                    });
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(failed("lock", path)(error)),
            }
            if Instant::now() >= end {
                return Err(failed("lock", path)(io::ErrorKind::TimedOut.into()));
            }
            thread::sleep(LOCK_PAUSE);
        }
    }

    /// The file at `path` that this process has locked through another descriptor.
    fn held(path: &Path) -> Result<Self, HostError> {
        let file = open_temporary(path).map_err(failed("open", path))?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Bytes on the disk, everything else as `trim` says, and old enough.
    fn fill(&self, bytes: &[u8], trim: &Trim) -> Result<(), HostError> {
        let write = || -> io::Result<()> {
            // What a crash left may be readable by more people than the file itself.
            self.file.set_permissions(Permissions::from_mode(0o600))?;
            self.file.set_len(0)?;
            (&self.file).write_all(bytes)?;
            trim.put_on(&self.file)?;
            self.file.set_modified(SystemTime::now() - AGE)?;
            self.file.sync_all()
        };
        write().map_err(failed("write", &self.path))
    }

    /// Removes the file if it still is at its path.
    fn discard(&self) {
        if is_at(&self.file, &self.path) {
            // What cannot be removed is dealt with as a leftover next time.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// As `postconf` opens it, but never through a symbolic link.
fn open_temporary(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let meta = file.metadata()?;
    if meta.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("not a regular file"))
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.symlink_metadata()) {
        (Ok(open), Ok(named)) => open.dev() == named.dev() && open.ino() == named.ino(),
        _ => false,
    }
}

fn temporary(path: &Path) -> PathBuf {
    with(path, ".tmp")
}

/// Where a symbolic link is made before it is renamed into its place.
fn fresh_link(path: &Path) -> PathBuf {
    with(path, ".link.tmp")
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(ending);
    PathBuf::from(name)
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

fn remove_if_there(path: &Path) -> Result<(), HostError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(failed("remove", path)),
    }
}

#[cfg(test)]
mod tests;
