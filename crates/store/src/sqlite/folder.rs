//! The folder of the store.
//!
//! Owns: that only its owner can change it, or exchange it for another. Never: what is in the
//! files.
//!
//! Root writes here what root later acts on, so nobody else may be able to put a file, a link or
//! another folder in its place: the folder and its files belong to the user who runs this, and
//! every folder above belongs to him or root and cannot be written by others.

use super::SqliteStore;
use crate::StoreError;
use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What decides.
pub(super) const AGENT: &str = "agent.db";
/// The desk, in a folder of its own.
pub(super) const CONSOLE: &str = "console.db";
/// What opens sealed keys.
pub(super) const IDENTITY: &str = "identity";

/// The checked folder at `path`, without symbolic links; `None` when there is none.
pub(super) fn find(path: &Path) -> Result<Option<PathBuf>, StoreError> {
    match path.canonicalize() {
        Ok(folder) => check(path, &folder)
            .map(|()| Some(folder))
            .map_err(|source| cannot("use", path, source)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(cannot("use", path, source)),
    }
}

/// The checked folder at `path`, made (0700) where it is missing. Folders above are not made: a
/// missing one is more often a slip of the pen.
pub(super) fn make(path: &Path) -> Result<PathBuf, StoreError> {
    if let Some(folder) = find(path)? {
        return Ok(folder);
    }
    match make_private_folder(path) {
        // Somebody else was faster; what they made is judged like any folder that was there.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made.map_err(|source| cannot("create", path, source))?,
    }
    let gone = || cannot("use", path, io::ErrorKind::NotFound.into());
    find(path)?.ok_or_else(gone)
}

/// Whether the checked folder holds a store.
pub(super) fn holds_store(folder: &Path) -> Result<bool, StoreError> {
    if exists(folder, AGENT)? {
        return Ok(true);
    }
    holds_orphan(folder, AGENT).map(|()| false)
}

/// Whether the checked folder holds a desk.
pub(super) fn holds_desk(folder: &Path) -> Result<bool, StoreError> {
    if exists(folder, CONSOLE)? {
        return Ok(true);
    }
    holds_orphan(folder, CONSOLE).map(|()| false)
}

/// SQLite would replay a log that is left into a new database of the same name.
fn holds_orphan(folder: &Path, name: &str) -> Result<(), StoreError> {
    let log = format!("{name}-wal");
    if exists(folder, &log)? {
        let why = format!("{name} is missing, but its {log} is there");
        return Err(cannot("use", folder, io::Error::other(why)));
    }
    Ok(())
}

/// Whether `name` is in the folder, be it a dangling link.
pub(super) fn exists(folder: &Path, name: &str) -> Result<bool, StoreError> {
    let path = folder.join(name);
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(cannot("use", &path, source)),
    }
}

/// A file of the store must be a plain one, ours, and unreadable to others.
pub(super) fn check_private(path: &Path) -> Result<(), StoreError> {
    let check = || {
        let file = path.symlink_metadata()?;
        if !file.is_file() {
            return Err(io::Error::other("it is not a plain file"));
        }
        owned_by_us(&file)?;
        match file.mode() & 0o077 {
            0 => Ok(()),
            _ => Err(denied(format!(
                "others may open it (mode {:o}, not 600)",
                file.mode() & 0o777
            ))),
        }
    };
    check().map_err(|source| cannot("use", path, source))
}

impl SqliteStore {
    /// A file of the store that others may open or that is not ours, beside the one that was refused when
    /// it was opened.
    pub fn exposed(&self) -> Option<StoreError> {
        let logs = ["agent.db-wal", "agent.db-shm"];
        let files = [IDENTITY, CONSOLE].into_iter().chain(logs);
        let paths = files.map(|name| self.folder.join(name));
        let mut there = paths.filter(|path| path.symlink_metadata().is_ok());
        there.find_map(|path| check_private(&path).err())
    }
}

/// A new folder for us alone, whatever the umask.
pub(super) fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o700))
}

/// A new, empty file for us alone, whatever the umask.
pub(super) fn make_private_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// An error about a place in the folder.
pub(super) fn cannot(action: &'static str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Folder {
        action,
        path: path.to_owned(),
        source,
    }
}

/// `folder` is where `path` leads to.
fn check(path: &Path, folder: &Path) -> io::Result<()> {
    // Both ways count: what the links lead through, and the links themselves.
    out_of_reach(&std::path::absolute(path)?)?;
    out_of_reach(folder)?;
    let found = folder.symlink_metadata()?;
    if !found.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    owned_by_us(&found)?;
    match found.mode() & 0o022 {
        0 => Ok(()),
        _ => Err(writable(folder, &found)),
    }
}

/// Nobody but us and root can exchange `path` or anything above it.
fn out_of_reach(path: &Path) -> io::Result<()> {
    for above in path.ancestors() {
        let found = above.symlink_metadata()?;
        if found.uid() != 0 {
            owned_by_us(&found).map_err(|error| denied(format!("{}: {error}", above.display())))?;
        }
        // In a sticky folder (/tmp) others cannot move what is not theirs.
        let sticky = found.mode() & 0o1000 != 0;
        if found.is_dir() && found.mode() & 0o022 != 0 && !sticky {
            return Err(writable(above, &found));
        }
    }
    Ok(())
}

fn owned_by_us(found: &Metadata) -> io::Result<()> {
    let us = rustix::process::geteuid().as_raw();
    match found.uid() {
        owner if owner == us => Ok(()),
        owner => Err(denied(format!(
            "it belongs to uid {owner}, not to uid {us}"
        ))),
    }
}

fn writable(path: &Path, found: &Metadata) -> io::Error {
    denied(format!(
        "others may write to {} (mode {:o})",
        path.display(),
        found.mode() & 0o7777
    ))
}

fn denied(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}
