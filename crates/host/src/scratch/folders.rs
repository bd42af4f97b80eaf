//! The scratch instance's folders.
//!
//! Owns: making them beside the live queue with the owners and modes that Postfix wants, writing
//! files into them, removing them. Never: touches a file of the live instance.
//!
//! They lie on the live queue's file system because sockets are hard-linked from it; beside the
//! queue, or in it where it is a mount point. An `owner` file, locked while Postseal lives, tells
//! a leftover from a scratch instance in use.

use super::stage::Stage;
use crate::HostError;
use crate::file::{failed, place_cf};
use crate::postfix::Places;
use crate::publish;
use crate::queue::{self, Owners, folder};
use crate::root::Root;
use postseal_planner::plan::Cf;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What scratch folders are called.
pub(super) const PREFIX: &str = "postseal-scratch-";
/// The locked file in each.
pub(super) const OWNER: &str = "owner";

/// The folders of one scratch instance.
#[derive(Debug)]
pub(super) struct Folders {
    base: Option<TempDir>,
    /// Keeps the lock.
    _owner: File,
    /// As seen from here.
    pub(super) config: PathBuf,
    pub(super) queue: PathBuf,
    pub(super) data: PathBuf,
    pub(super) private: PathBuf,
    /// As the instance names them.
    pub(super) named_base: PathBuf,
    pub(super) named_config: PathBuf,
    pub(super) named_queue: PathBuf,
    pub(super) named_data: PathBuf,
    pub(super) named_private: PathBuf,
}

impl Folders {
    pub(super) fn make(root: &Root, places: &Places) -> Result<Self, HostError> {
        let live = places.queue_directory.as_path();
        let live = root.resolve(live).map_err(failed("read", live))?;
        let parent = parent_for(root, &live)?;
        let base = tempfile::Builder::new()
            .prefix(PREFIX)
            // The mail owner passes through; nobody lists it.
            .permissions(Permissions::from_mode(0o711))
            .tempdir_in(root.at(&parent))
            .map_err(failed("make", &parent))?;
        let seen = base.path().to_owned();
        let owner = sign(&seen).map_err(failed("write", &seen))?;
        let name = parent.join(seen.file_name().unwrap_or_default());
        let folders = Self {
            base: Some(base),
            _owner: owner,
            config: seen.join("config"),
            queue: seen.join("queue"),
            data: seen.join("data"),
            private: seen.join("private"),
            named_config: name.join("config"),
            named_base: name.clone(),
            named_queue: name.join("queue"),
            named_data: name.join("data"),
            named_private: name.join("private"),
        };
        let owners = Owners::of(&root.at(&live))?;
        folders.furnish(owners).map_err(failed("make", &seen))?;
        Ok(folders)
    }

    /// The log socket as the instance names it.
    pub(super) fn named_socket(&self) -> PathBuf {
        self.named_queue.join("public/postlog")
    }

    /// Writes both files.
    pub(super) fn write(&self, stage: &Stage) -> Result<(), HostError> {
        self.replace(Cf::Main, stage)?;
        self.replace(Cf::Master, stage)
    }

    /// Puts one file's staged bytes in place by a rename.
    pub(super) fn replace(&self, file: Cf, stage: &Stage) -> Result<(), HostError> {
        let bytes = match file {
            Cf::Main => &stage.main_cf,
            Cf::Master => &stage.master_cf,
        };
        let path = self.config.join(publish::name(file));
        place_cf(&path, bytes)
    }

    /// Removes everything.
    pub(super) fn remove(&mut self) -> Result<(), HostError> {
        match self.base.take() {
            None => Ok(()),
            Some(base) => {
                let path = base.path().to_owned();
                base.close().map_err(failed("remove", &path))
            }
        }
    }

    fn furnish(&self, owners: Owners) -> io::Result<()> {
        folder(&self.config, 0o755, None)?;
        folder(&self.private, 0o700, None)?;
        folder(&self.data, 0o700, Some((owners.mail, 0)))?;
        queue::make(&self.queue, owners)
    }
}

/// Beside the queue when that is the same file system, else in it.
fn parent_for(root: &Root, queue: &Path) -> Result<PathBuf, HostError> {
    let device = |path: &Path| {
        let meta = root.at(path).metadata();
        meta.map(|meta| meta.dev()).map_err(failed("read", path))
    };
    let parent = queue.parent().unwrap_or(queue);
    let beside = device(parent)? == device(queue)?;
    Ok(if beside { parent } else { queue }.to_owned())
}

/// Makes the `owner` file; under that name it is locked from the first moment on.
fn sign(base: &Path) -> io::Result<File> {
    let fresh = base.join("owner.new");
    let mut file = File::create_new(&fresh)?;
    file.lock()?;
    writeln!(file, "{}", std::process::id())?;
    fs::rename(fresh, base.join(OWNER))?;
    Ok(file)
}

#[cfg(test)]
mod tests;
