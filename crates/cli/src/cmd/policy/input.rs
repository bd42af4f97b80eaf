//! The file that rules are read from.
//!
//! Owns: reading it within bounds, and until somebody interrupts. Never: what stands in it.

use crate::failure::{Exit, Failure};
use crate::session::Session;
use postseal_engine::EngineError;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::File;
use std::io::{self, Read, Stdin};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// What is read whole is no longer: some millions of rules.
const MOST: u64 = 256 << 20;
/// A line of CSV, its quoted lines included, is no longer.
const LONGEST: usize = 1 << 20;
/// How often waiting for a pipe looks whether it is to end.
const HEED: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 200_000_000,
};

/// A regular file, or standard input.
pub(crate) struct Input {
    from: From,
    name: String,
    /// Bytes of a file.
    size: Option<u64>,
    interrupted: Arc<AtomicBool>,
    fill: Fill,
    read: Arc<AtomicU64>,
    /// Bytes that a line may have.
    longest: usize,
}

enum From {
    File(File),
    Stdin(Stdin),
}

/// How much was read since a line was ended.
#[derive(Clone, Default)]
pub(super) struct Fill(Arc<AtomicUsize>);

impl Fill {
    /// A line was ended.
    pub(super) fn empty(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl Input {
    /// Opens it.
    pub(crate) fn open(file: &Path, session: &Session) -> Result<Self, Failure> {
        let name = file.display().to_string();
        let (from, size) = match file.as_os_str() == "-" {
            true => (From::Stdin(io::stdin()), None),
            false => {
                let (file, size) = regular(file).map_err(|why| unread(&name, &why))?;
                (From::File(file), Some(size))
            }
        };
        Ok(Self {
            from,
            name,
            size,
            interrupted: session.interrupted(),
            fill: Fill::default(),
            read: Arc::default(),
            longest: LONGEST,
        })
    }

    /// Bytes of a file.
    pub(super) fn size(&self) -> Option<u64> {
        self.size
    }

    /// How many bytes were read.
    pub(super) fn read_so_far(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    /// Counts what is read since a line was ended.
    pub(super) fn fill(&self) -> Fill {
        self.fill.clone()
    }

    /// Its bytes, where it is not too large to be read whole.
    pub(super) fn whole(self) -> Result<Vec<u8>, Failure> {
        self.within(MOST)
    }

    /// Its bytes, where they are no more than `most`.
    pub(crate) fn within(mut self, most: u64) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        self.longest = usize::MAX;
        let read = match self.size {
            Some(size) if size > most => Err(too_large(most)),
            _ => self.all(&mut bytes, most),
        };
        match read {
            Ok(()) => Ok(bytes),
            Err(_) if self.is_interrupted() => Err(EngineError::Interrupted.into()),
            Err(error) => Err(unread(&self.name, &error)),
        }
    }

    fn all(&mut self, bytes: &mut Vec<u8>, most: u64) -> io::Result<()> {
        self.take(most + 1).read_to_end(bytes)?;
        match bytes.len() as u64 > most {
            true => Err(too_large(most)),
            false => Ok(()),
        }
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Waits until there is something to be read.
    fn ready(&self) -> io::Result<()> {
        while !self.is_interrupted() {
            let mut fds = [PollFd::new(&self.from, PollFlags::IN)];
            match poll(&mut fds, Some(&HEED)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::Error::other("interrupted"))
    }
}

impl AsFd for From {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::File(file) => file.as_fd(),
            Self::Stdin(stdin) => stdin.as_fd(),
        }
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.ready()?;
        if self.fill.0.load(Ordering::Relaxed) > self.longest {
            return Err(io::Error::other("a line has more than 1 MiB"));
        }
        let read = rustix::io::read(&self.from, into)?;
        self.fill.0.fetch_add(read, Ordering::Relaxed);
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// A text whose last line is ended, as it is read: what is open at the end is seen as such.
pub(super) struct Ended<R> {
    from: R,
    /// The last byte, once there was one.
    last: Option<u8>,
}

impl<R> Ended<R> {
    /// `from`, with a line feed at its end.
    pub(super) fn new(from: R) -> Self {
        Self { from, last: None }
    }
}

impl<R: Read> Read for Ended<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        match (read, into.first_mut()) {
            (0, Some(first)) if self.last.is_some_and(|last| last != b'\n') => {
                *first = b'\n';
                self.last = Some(b'\n');
                Ok(1)
            }
            _ => {
                self.last = into[..read].last().copied().or(self.last);
                Ok(read)
            }
        }
    }
}

fn regular(path: &Path) -> io::Result<(File, u64)> {
    // Asked of the path, before the open: opening a FIFO waits for a writer for ever.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other(
            "it is not a regular file; - reads from standard input",
        ));
    }
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

fn too_large(most: u64) -> io::Error {
    let why = format!(
        "it has more than {} MiB, and only rules in CSV may be as long as they like: `policy import \
         --format csv`",
        most >> 20
    );
    io::Error::other(why)
}

fn unread(name: &str, error: &io::Error) -> Failure {
    let message = format!("cannot read {name}: {error}");
    Failure::new(Exit::Data, "policy.unreadable", message)
}
