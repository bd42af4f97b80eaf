//! The answerer in another process.
//!
//! Owns: the few lines that parent and child exchange over the child's standard input and
//! output: `add TOKEN ANSWER` and `remove TOKEN`, each answered by `ok`. Never: starts the
//! process. The child ends when its input does, so it cannot outlive its parent.

use super::{Answers, checked, serve};
use crate::{Bounds, Challenge, ChallengeKind, Solver, SolverError};
use std::io::{self, BufRead, Read as _, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The longest line.
const MAX_LINE: u64 = 4096;
const OK: &str = "ok";

/// The child: answers on a socket that it inherited, until its input ends or `life` is over.
pub fn serve_commands(
    listener: TcpListener,
    mut commands: impl BufRead + Send + 'static,
    mut replies: impl Write + Send + 'static,
    life: Duration,
) -> io::Result<()> {
    let answers = Answers::default();
    let ended = Arc::new(AtomicBool::new(false));
    let (theirs, flag) = (answers.clone(), Arc::clone(&ended));
    // Not joined: reading blocks until the parent closes, which ends the process anyway.
    std::thread::spawn(move || {
        while let Ok(Some(line)) = line(&mut commands) {
            if !obey(&line, &theirs)
                || writeln!(replies, "{OK}")
                    .and_then(|()| replies.flush())
                    .is_err()
            {
                break;
            }
        }
        flag.store(true, Ordering::Relaxed);
    });
    serve(listener, &answers, &Bounds::new(0, life, &ended))
}

fn obey(line: &str, answers: &Answers) -> bool {
    let words: Vec<_> = line.split(' ').collect();
    match words[..] {
        ["add", token, answer] => answers.add(token, answer),
        ["remove", token] => answers.remove(token),
        _ => return false,
    }
    true
}

/// One line without its end, of bounded length; `None` at the end.
fn line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    if from.by_ref().take(MAX_LINE).read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(line.strip_suffix('\n').map(str::to_owned))
}

/// The parent: answers through a child that runs [`serve_commands`]. Whoever started the child
/// ends it when the order's time is up; a wait for its reply then ends too.
#[derive(Debug)]
pub struct CommandSolver<W, R> {
    commands: W,
    replies: R,
}

impl<W: Write, R: BufRead> CommandSolver<W, R> {
    /// Over the child's standard input and output.
    pub fn new(commands: W, replies: R) -> Self {
        Self { commands, replies }
    }

    fn tell(&mut self, command: &str) -> Result<(), SolverError> {
        let told = writeln!(self.commands, "{command}")
            .and_then(|()| self.commands.flush())
            .and_then(|()| line(&mut self.replies));
        match told.map_err(SolverError::Listener)?.as_deref() {
            Some(OK) => Ok(()),
            _ => Err(SolverError::Listener(io::Error::other("it has ended"))),
        }
    }
}

impl<W: Write, R: BufRead> Solver for CommandSolver<W, R> {
    fn kind(&self) -> ChallengeKind {
        ChallengeKind::Http01
    }

    fn present(&mut self, challenge: &Challenge, _: &Bounds<'_>) -> Result<(), SolverError> {
        checked(challenge)?;
        self.tell(&format!(
            "add {} {}",
            challenge.token, challenge.key_authorization
        ))
    }

    fn clean_up(&mut self, challenge: &Challenge, _: &Bounds<'_>) -> Result<(), SolverError> {
        self.tell(&format!("remove {}", challenge.token))
    }
}
