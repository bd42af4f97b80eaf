//! A file that is made for an answer.
//!
//! Owns: that it is new, and that nothing of it stays where it could not be filled. Never:
//! overwrites a file.

use crate::failure::{Exit, Failure};
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// An empty file that was not there before.
pub(super) struct NewFile {
    path: PathBuf,
    file: File,
}

impl NewFile {
    /// Makes it; refused where something is there already.
    pub(super) fn at(path: &Path) -> Result<Self, Failure> {
        match File::create_new(path) {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                file,
            }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let message = format!("{}: it is there already; nothing was made", path.display());
                Err(Failure::new(Exit::Data, "file.not-written", message).hint("Say another file."))
            }
            Err(error) => Err(failed(path, &error)),
        }
    }

    /// Fills it, down to the disk; removes it where that fails.
    pub(super) fn write(&mut self, text: &str) -> Result<(), Failure> {
        let filled = self.file.write_all(text.as_bytes());
        filled.and_then(|()| self.file.sync_all()).map_err(|error| {
            self.remove();
            failed(&self.path, &error)
        })
    }

    /// Takes it away again.
    pub(super) fn remove(&self) {
        // What cannot be removed is empty, and in the way of nothing but its own name.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{}: {error}; nothing was made", path.display());
    Failure::new(Exit::Failed, "file.not-written", message)
        .hint("Say a file in a folder that is there and can be written to.")
}
