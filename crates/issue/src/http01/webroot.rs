//! Tokens in the folder of a web server.
//!
//! Owns: one file a token below `.well-known/acme-challenge`, written beside and renamed, and
//! the folders that it had to make. Never: follows a symbolic link out of the webroot; the
//! kernel holds that (`openat2`, RESOLVE_BENEATH), since the folder may belong to others.

use super::checked;
use crate::{Bounds, Challenge, ChallengeKind, Solver, SolverError};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

const FOLDERS: [&str; 2] = [".well-known", ".well-known/acme-challenge"];
/// Readable by the web server, whoever it is.
const FILE_MODE: Mode = Mode::from_raw_mode(0o644);
const FOLDER_MODE: Mode = Mode::from_raw_mode(0o755);

/// Answers through a web server that serves this folder.
#[derive(Debug)]
pub struct Webroot {
    root: PathBuf,
    /// Folders that were made here, outermost first.
    made: Vec<&'static str>,
}

impl Webroot {
    /// The folder that is served for `http://NAME/`.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            made: Vec::new(),
        }
    }

    fn open(&self) -> Result<OwnedFd, SolverError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat(CWD, &self.root, flags, Mode::empty()).map_err(|e| self.failed(e))
    }

    /// The folder of the tokens, made where it is missing.
    fn tokens(&mut self) -> Result<OwnedFd, SolverError> {
        let root = self.open()?;
        for folder in FOLDERS {
            match self.make(root.as_fd(), folder) {
                Ok(()) => self.made.push(folder),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        beneath(
            root.as_fd(),
            FOLDERS[1],
            OFlags::DIRECTORY | OFlags::RDONLY,
            Mode::empty(),
        )
        .map_err(|error| self.failed(error))
    }

    fn make(&self, root: BorrowedFd<'_>, folder: &str) -> Result<(), Errno> {
        let (parent, name) = folder.rsplit_once('/').unwrap_or((".", folder));
        let parent = beneath(
            root,
            parent,
            OFlags::DIRECTORY | OFlags::RDONLY,
            Mode::empty(),
        )?;
        rustix::fs::mkdirat(&parent, name, FOLDER_MODE)?;
        // Whatever the umask is.
        let made = beneath(
            root,
            folder,
            OFlags::DIRECTORY | OFlags::RDONLY,
            Mode::empty(),
        )?;
        rustix::fs::fchmod(&made, FOLDER_MODE)
    }

    fn write(&mut self, challenge: &Challenge) -> Result<(), SolverError> {
        let folder = self.tokens()?;
        let beside = format!(".{}.new", challenge.token);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        // Left by one that was killed.
        let _ = rustix::fs::unlinkat(&folder, &beside, AtFlags::empty());
        let written = beneath(folder.as_fd(), &beside, flags, FILE_MODE).and_then(|file| {
            rustix::fs::fchmod(&file, FILE_MODE)?;
            File::from(file)
                .write_all(challenge.key_authorization.as_bytes())
                .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
            rustix::fs::renameat(&folder, &beside, &folder, &challenge.token)
        });
        written.map_err(|error| {
            let _ = rustix::fs::unlinkat(&folder, &beside, AtFlags::empty());
            self.failed(error)
        })
    }

    fn failed(&self, error: Errno) -> SolverError {
        let path = self.root.clone();
        match error {
            Errno::XDEV => SolverError::Outside { path },
            error => SolverError::Webroot {
                path,
                source: io::Error::from(error),
            },
        }
    }
}

impl Solver for Webroot {
    fn kind(&self) -> ChallengeKind {
        ChallengeKind::Http01
    }

    fn present(&mut self, challenge: &Challenge, _: &Bounds<'_>) -> Result<(), SolverError> {
        checked(challenge)?;
        self.write(challenge)
    }

    fn clean_up(&mut self, challenge: &Challenge, _: &Bounds<'_>) -> Result<(), SolverError> {
        checked(challenge)?;
        let root = self.open()?;
        let flags = OFlags::DIRECTORY | OFlags::RDONLY;
        let removed = beneath(root.as_fd(), FOLDERS[1], flags, Mode::empty())
            .and_then(|folder| rustix::fs::unlinkat(&folder, &challenge.token, AtFlags::empty()));
        match removed {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(self.failed(error)),
        }
        // Another order may still need a folder that was made here: it goes when it is empty.
        while let Some(folder) = self.made.last() {
            if rustix::fs::unlinkat(&root, *folder, AtFlags::REMOVEDIR).is_err() {
                break;
            }
            self.made.pop();
        }
        Ok(())
    }
}

/// Opens below `folder`; a symbolic link may lead anywhere but out of it.
fn beneath(
    folder: BorrowedFd<'_>,
    path: &str,
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(folder, path, flags | OFlags::CLOEXEC, mode, resolve)
}
