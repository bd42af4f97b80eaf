//! Paths of the instance as they are to be opened from here.
//!
//! Owns: whose links are followed. Never: opens one.

use super::PostfixHost;
use crate::HostError;
use crate::file::failed;
use std::path::{Path, PathBuf};

impl PostfixHost {
    /// The path to open for a path as Postfix names it, links followed.
    pub(super) fn seen(&self, path: &Path) -> Result<PathBuf, HostError> {
        let real = self.root.resolve(path).map_err(failed("read", path))?;
        Ok(self.root.at(&real))
    }

    pub(super) fn seen_queue(&self) -> Result<PathBuf, HostError> {
        self.seen(&self.postfix.places()?.queue_directory)
    }

    /// The folder's links are followed, the file's own is not: a rename replaces it.
    pub(super) fn seen_private(&self, path: &Path) -> Result<PathBuf, HostError> {
        let folder = path.parent().unwrap_or(Path::new("/"));
        let name = path.file_name().unwrap_or_default();
        Ok(self.seen(folder)?.join(name))
    }
}
