//! Private files: keys with their chains.
//!
//! Owns: writing one in a single rename as 0600 of the running user (root), and removing it.
//! Never: leaves a moment in which somebody else could read it, touches a file that is right.

use crate::HostError;
use crate::file::{failed, sync_folder};
use postseal_planner::facts::FileLook;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const MODE: u32 = 0o600;

/// Writes `bytes` to `path`; its folder is made 0700 where missing.
pub(crate) fn install(path: &Path, bytes: &Zeroizing<Vec<u8>>) -> Result<(), HostError> {
    if is_installed(path, bytes) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    make_folder(folder)?;
    let temporary = temporary(path);
    write(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(|error| {
            // What cannot be removed now is removed by the next one.
            let _ = fs::remove_file(&temporary);
            failed("write", path)(error)
        })?;
    sync_folder(folder)
}

/// Removes `path`, and what an installation that was cut short left of it; missing is fine.
pub(crate) fn remove(path: &Path) -> Result<(), HostError> {
    for path in [&temporary(path), path] {
        match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed("remove", path)(error)),
            Ok(()) => sync_folder(path.parent().unwrap_or(Path::new("/")))?,
        }
    }
    Ok(())
}

/// Removes what installations that were cut short left in a folder: drafts of files and of maps.
/// A map's may hold keys.
pub(crate) fn sweep(folder: &Path) -> Result<(), HostError> {
    let entries = fs::read_dir(folder).map_err(failed("read", folder))?;
    for entry in entries.flatten() {
        if is_draft(&entry.file_name().to_string_lossy()) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes what an attempt to compile the map `draft` left: its files, and what `postmap` makes
/// beside them. Berkeley DB waits for ever where its `__db.NAME` of an earlier attempt stands.
pub(crate) fn sweep_draft(draft: &Path) -> Result<(), HostError> {
    let folder = draft.parent().unwrap_or(Path::new("/"));
    let draft = draft.file_name().unwrap_or_default().to_string_lossy();
    let entries = fs::read_dir(folder).map_err(failed("read", folder))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let rest = of_berkeley(&name).strip_prefix(&*draft);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// The file that `__db.NAME` is made for.
fn of_berkeley(name: &str) -> &str {
    name.strip_prefix("__db.").unwrap_or(name)
}

/// As [`temporary`] and `sni_map::draft` name them.
fn is_draft(name: &str) -> bool {
    let name = of_berkeley(name);
    let of_map = ["sni-", "policy-"]
        .iter()
        .any(|start| name.starts_with(start));
    let new = name.ends_with(".new") || name.contains(".new.");
    (of_map && new) || (name.starts_with('.') && name.ends_with(".tmp"))
}

/// Named after the file, so that what a killed process left is found; the instance's lock keeps
/// it one process's.
fn temporary(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".tmp");
    path.with_file_name(name)
}

fn is_installed(path: &Path, wanted: &[u8]) -> bool {
    let is_link = path.symlink_metadata().is_ok_and(|meta| meta.is_symlink());
    let owner = rustix::process::geteuid().as_raw();
    match crate::file::look(path) {
        FileLook::File { bytes, mode, uid } => {
            !is_link && mode == MODE && uid == owner && bytes.as_slice() == wanted
        }
        _ => false,
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(path)?;
    // The umask can have taken bits away.
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.write_all(bytes)?;
    file.sync_all()
}

pub(crate) fn make_folder(folder: &Path) -> Result<(), HostError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => sync_folder(folder.parent().unwrap_or(Path::new("/"))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed("make", folder)(error)),
    }
}

#[cfg(test)]
mod tests;
