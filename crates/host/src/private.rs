//! Private files: keys with their chains.
//!
//! Owns: writing one in a single rename as 0600 of the running user (root), and removing it.
//! Never: leaves a moment in which somebody else could read it, touches a file that is right.

use crate::HostError;
use crate::file::{failed, sync_folder};
use postseal_planner::facts::FileLook;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use zeroize::Zeroizing;

const MODE: u32 = 0o600;

/// Writes `bytes` to `path`; its folder is made 0700 where missing.
pub(crate) fn install(path: &Path, bytes: &Zeroizing<Vec<u8>>) -> Result<(), HostError> {
    if is_installed(path, bytes) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    make_folder(folder)?;
    let file = tempfile::Builder::new()
        .prefix(".postseal-")
        .permissions(Permissions::from_mode(MODE))
        .tempfile_in(folder)
        .map_err(failed("write", path))?;
    fill(file.as_file(), bytes).map_err(failed("write", path))?;
    file.persist(path)
        .map_err(|error| failed("rename", path)(error.error))?;
    sync_folder(folder)
}

/// Removes `path`; missing is fine.
pub(crate) fn remove(path: &Path) -> Result<(), HostError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("remove", path)(error)),
        Ok(()) => sync_folder(path.parent().unwrap_or(Path::new("/"))),
    }
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

fn fill(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    // The umask can have taken bits away.
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn make_folder(folder: &Path) -> Result<(), HostError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => sync_folder(folder.parent().unwrap_or(Path::new("/"))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed("make", folder)(error)),
    }
}

#[cfg(test)]
mod tests;
