//! The answerer as an unprivileged child process.
//!
//! Owns: how the sockets are handed over — the listening one as the child's standard input, a
//! pair for the commands as its standard output, which needs no unsafe code on either side —
//! and ending the child with its parent's interest. Never: decides which program the child is
//! or as whom it runs; that is in the command.

use super::commands::{CommandSolver, serve_commands};
use crate::{Bounds, Challenge, ChallengeKind, Solver, SolverError};
use std::io::{self, BufReader};
use std::net::{Shutdown, TcpListener};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the child may take to reply, and to end.
const REPLY: Duration = Duration::from_secs(10);
const END: Duration = Duration::from_secs(2);
const GLANCE: Duration = Duration::from_millis(10);

/// Answers through a child of its own, which ends when this is dropped.
#[derive(Debug)]
pub struct ListenerChild {
    child: Child,
    socket: UnixStream,
    solver: CommandSolver<UnixStream, BufReader<UnixStream>>,
}

impl ListenerChild {
    /// Starts `command`, which must come to [`serve_as_child`], with a socket that is bound
    /// already. Its environment is emptied; user, group and folder are the caller's to set.
    pub fn spawn(command: &mut Command, listener: TcpListener) -> Result<Self, SolverError> {
        Self::start(command, listener).map_err(SolverError::Listener)
    }

    fn start(command: &mut Command, listener: TcpListener) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_read_timeout(Some(REPLY))?;
        ours.set_write_timeout(Some(REPLY))?;
        let child = command
            .env_clear()
            .stdin(OwnedFd::from(listener))
            .stdout(OwnedFd::from(theirs))
            .stderr(Stdio::null())
            .spawn()?;
        // The command keeps its own copies of the sockets as long as it lives; with them open
        // the port would stay bound and the child's end would not be seen.
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let solver = CommandSolver::new(ours.try_clone()?, BufReader::new(ours.try_clone()?));
        Ok(Self {
            child,
            socket: ours,
            solver,
        })
    }
}

impl Solver for ListenerChild {
    fn kind(&self) -> ChallengeKind {
        ChallengeKind::Http01
    }

    fn present(&mut self, challenge: &Challenge, bounds: &Bounds<'_>) -> Result<(), SolverError> {
        self.solver.present(challenge, bounds)
    }

    fn clean_up(&mut self, challenge: &Challenge, bounds: &Bounds<'_>) -> Result<(), SolverError> {
        self.solver.clean_up(challenge, bounds)
    }
}

/// The same on several sockets, a child each.
#[derive(Debug)]
pub struct ListenerChildren(pub Vec<ListenerChild>);

impl Solver for ListenerChildren {
    fn kind(&self) -> ChallengeKind {
        ChallengeKind::Http01
    }

    fn present(&mut self, challenge: &Challenge, bounds: &Bounds<'_>) -> Result<(), SolverError> {
        let mut children = self.0.iter_mut();
        children.try_for_each(|child| child.present(challenge, bounds))
    }

    fn clean_up(&mut self, challenge: &Challenge, bounds: &Bounds<'_>) -> Result<(), SolverError> {
        let children = self.0.iter_mut();
        let ends = children.map(|child| child.clean_up(challenge, bounds));
        // Every one of them forgets it, even if one has ended.
        ends.fold(Ok(()), Result::and)
    }
}

impl Drop for ListenerChild {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        let until = Instant::now() + END;
        while Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(GLANCE);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the child does: answers on the sockets that it was started with, until its parent goes
/// or `life` is over.
pub fn serve_as_child(life: Duration) -> io::Result<()> {
    let listener = TcpListener::from(io::stdin().as_fd().try_clone_to_owned()?);
    let commands = UnixStream::from(io::stdout().as_fd().try_clone_to_owned()?);
    let replies = commands.try_clone()?;
    serve_commands(listener, BufReader::new(commands), replies, life)
}
