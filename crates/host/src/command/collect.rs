//! What a program prints, collected while it runs.
//!
//! Owns: reading its pipes, bounded, so that it never waits for a reader; and what it had printed when
//! it ended, all of it, however late the reading thread was. Never: waits for what it started, which
//! may hold its output open for ever (`postfix start` → master).

use super::OUTPUT_LIMIT;
use rustix::event::{PollFd, PollFlags, poll};
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Child;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Nobody reads on for ever where something else writes on: no pipe holds more.
const IN_A_PIPE: usize = 1 << 20;

/// Both outputs of a program.
pub(super) struct Outputs {
    stdout: Option<Output>,
    stderr: Option<Output>,
    /// Hears of each that has ended.
    pub(super) ended: Receiver<()>,
}

/// One output: its pipe is read and what came is kept under one lock, so nothing is on the way between.
#[derive(Clone)]
struct Output {
    read: Arc<Mutex<Reading>>,
    /// To wait at, without the lock.
    pipe: Arc<OwnedFd>,
}

struct Reading {
    pipe: std::fs::File,
    kept: Vec<u8>,
}

/// What a look at a pipe showed.
#[derive(PartialEq, Eq)]
enum Seen {
    Bytes(usize),
    Nothing,
    End,
}

impl Outputs {
    /// Begins to read what a program prints that has just been started.
    pub(super) fn of(child: &mut Child) -> std::io::Result<Self> {
        let (sender, ended) = mpsc::channel();
        let stdout = child.stdout.take().map(OwnedFd::from);
        let stderr = child.stderr.take().map(OwnedFd::from);
        let begun = |pipe: Option<OwnedFd>| pipe.map(|pipe| Output::begin(pipe, sender.clone()));
        Ok(Self {
            stdout: begun(stdout).transpose()?,
            stderr: begun(stderr).transpose()?,
            ended,
        })
    }

    /// What the program had printed when it ended: on standard output, and on standard error.
    pub(super) fn taken(self) -> [Vec<u8>; 2] {
        [self.stdout, self.stderr]
            .map(|output| output.map_or_else(Vec::new, |output| output.taken()))
    }
}

impl Output {
    fn begin(pipe: OwnedFd, ended: Sender<()>) -> std::io::Result<Self> {
        // Of this end alone: the program's own end is another open file.
        rustix::io::ioctl_fionbio(&pipe, true)?;
        let reading = Reading {
            pipe: pipe.try_clone()?.into(),
            kept: Vec::new(),
        };
        let output = Self {
            read: Arc::new(Mutex::new(reading)),
            pipe: Arc::new(pipe),
        };
        let reader = output.clone();
        thread::spawn(move || {
            reader.read_to_end();
            // Nobody listens any more when the deadline has passed.
            let _ = ended.send(());
        });
        Ok(output)
    }

    /// Reads until nobody holds the pipe open.
    fn read_to_end(&self) {
        while is_readable(self.pipe.as_fd()) && self.step() != Seen::End {}
    }

    fn step(&self) -> Seen {
        let mut reading = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        reading.step()
    }

    fn taken(&self) -> Vec<u8> {
        let mut reading = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let mut more = IN_A_PIPE;
        while let Seen::Bytes(length) = reading.step() {
            more = more.saturating_sub(length);
            if more == 0 {
                break;
            }
        }
        std::mem::take(&mut reading.kept)
    }
}

impl Reading {
    /// Reads what is there now, keeping the first [`OUTPUT_LIMIT`] bytes of all.
    fn step(&mut self) -> Seen {
        let mut chunk = [0; 16 << 10];
        match self.pipe.read(&mut chunk) {
            Ok(0) => Seen::End,
            Ok(length) => {
                let room = OUTPUT_LIMIT.saturating_sub(self.kept.len());
                self.kept.extend_from_slice(&chunk[..length.min(room)]);
                Seen::Bytes(length)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Seen::Nothing,
            Err(error) if error.kind() == ErrorKind::Interrupted => Seen::Bytes(0),
            Err(_) => Seen::End,
        }
    }
}

/// Waits until there is something to read, or the end.
fn is_readable(pipe: BorrowedFd<'_>) -> bool {
    let mut pipes = [PollFd::from_borrowed_fd(pipe, PollFlags::IN)];
    loop {
        match poll(&mut pipes, None) {
            Ok(_) => return true,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}
