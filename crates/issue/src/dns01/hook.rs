//! A program of the operator that sets TXT records.
//!
//! Owns: running it with the arguments of lego's `exec` provider (`present` or `cleanup`, the
//! record's name with a final dot, the value) and the environment of certbot's manual hooks, so
//! that existing hooks work; its deadline, and what it printed. Never: a shell, an inherited
//! environment, a hook that outlives the order.

use crate::solver::printable;
use crate::{Bounds, Challenge, ChallengeKind, Halt, Solver, SolverError};
use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The longest output that is kept for an error.
const MAX_OUTPUT: usize = 2000;
const GLANCE: Duration = Duration::from_millis(20);
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A variable of the hook's environment; its value may be a secret.
#[derive(Clone)]
pub struct HookVariable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: zeroize::Zeroizing<String>,
}

impl std::fmt::Debug for HookVariable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=…", self.name)
    }
}

/// Answers through a program.
#[derive(Clone, Debug)]
pub struct Hook {
    /// The program.
    pub program: PathBuf,
    /// A program and its arguments that start it, and end it and all that it started when this
    /// process is no more ([`keep`]); none starts it as it is.
    pub keeper: Vec<OsString>,
    /// Its arguments before `present` or `cleanup`.
    pub arguments: Vec<String>,
    /// Its environment beside PATH and the challenge.
    pub environment: Vec<HookVariable>,
    /// How long one run may take.
    pub allowed: Duration,
    /// How long the record needs until every name server shows it.
    pub settle: Duration,
}

impl Hook {
    fn run(
        &self,
        verb: &str,
        challenge: &Challenge,
        bounds: &Bounds<'_>,
    ) -> Result<(), SolverError> {
        let bounds = bounds.at_most(self.allowed);
        bounds.check()?;
        let program = || self.program.display().to_string();
        let began = Instant::now();
        let mut child =
            self.command(verb, challenge)
                .spawn()
                .map_err(|source| SolverError::HookMissing {
                    program: program(),
                    source,
                })?;
        let out = collect(child.stdout.take());
        let err = collect(child.stderr.take());
        let ended = wait(&mut child, &bounds);
        let output = format!("{} {}", out.text(), err.text());
        let status = match ended {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => status.to_string(),
            Err(Stopped::Halt(Halt::Interrupted)) => return Err(SolverError::Interrupted),
            Err(Stopped::Halt(Halt::Deadline)) => {
                return Err(SolverError::HookStuck {
                    program: program(),
                    seconds: began.elapsed().as_secs(),
                    output: output.trim().to_owned(),
                });
            }
            Err(Stopped::Io(error)) => error.to_string(),
        };
        Err(SolverError::HookFailed {
            program: program(),
            status,
            output: output.trim().to_owned(),
        })
    }

    fn command(&self, verb: &str, challenge: &Challenge) -> Command {
        let record = format!("{}.", challenge.txt_name());
        let mut command = match self.keeper.split_first() {
            None => Command::new(&self.program),
            Some((keeper, words)) => {
                let mut command = Command::new(keeper);
                command.args(words).arg(&self.program);
                command
            }
        };
        command
            .args(&self.arguments)
            .args([verb, &record, &challenge.dns_value])
            .env_clear()
            .env("PATH", PATH)
            .env("CERTBOT_DOMAIN", &challenge.name)
            .env("CERTBOT_VALIDATION", &challenge.dns_value)
            .env("CERTBOT_TOKEN", &challenge.token)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        for variable in &self.environment {
            command.env(&variable.name, variable.value.as_str());
        }
        command
    }
}

impl Solver for Hook {
    fn kind(&self) -> ChallengeKind {
        ChallengeKind::Dns01
    }

    fn present(&mut self, challenge: &Challenge, bounds: &Bounds<'_>) -> Result<(), SolverError> {
        self.run("present", challenge, bounds)?;
        Ok(bounds.sleep(self.settle)?)
    }

    fn clean_up(&mut self, challenge: &Challenge, bounds: &Bounds<'_>) -> Result<(), SolverError> {
        self.run("cleanup", challenge, bounds)
    }
}

/// The output of a hook as it comes.
struct Collected {
    kept: Arc<Mutex<Vec<u8>>>,
    thread: JoinHandle<()>,
}

enum Stopped {
    Halt(Halt),
    Io(io::Error),
}

/// Waits for the end; then nothing of its process group is left.
fn wait(child: &mut Child, bounds: &Bounds<'_>) -> Result<ExitStatus, Stopped> {
    let ended = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Ok(status),
            Ok(None) => {}
            Err(error) => break Err(Stopped::Io(error)),
        }
        if let Err(halt) = bounds.check() {
            break Err(Stopped::Halt(halt));
        }
        std::thread::sleep(GLANCE);
    };
    // A grandchild that keeps the pipes open would be waited for without end.
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    if ended.is_err() {
        let _ = child.wait();
    }
    ended
}

/// Reads all and keeps the beginning, so that a talkative hook is not stopped by a full pipe.
fn collect(from: Option<impl Read + Send + 'static>) -> Collected {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&kept);
    let thread = std::thread::spawn(move || {
        let mut part = [0; 4096];
        let Some(mut from) = from else {
            return;
        };
        while let Ok(length @ 1..) = from.read(&mut part) {
            let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let room = (MAX_OUTPUT - kept.len()).min(length);
            kept.extend_from_slice(part.get(..room).unwrap_or_default());
        }
    });
    Collected { kept, thread }
}

impl Collected {
    /// What came until now; a stranger that took the pipe along is not waited for.
    fn text(self) -> String {
        let until = Instant::now() + LAST_WORDS;
        while !self.thread.is_finished() && Instant::now() < until {
            std::thread::sleep(GLANCE);
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        printable(&String::from_utf8_lossy(&kept))
    }
}

/// What the keeper does: starts a program in the process group of its own, waits for its end, and
/// ends the whole group where its parent ends first, by whatever. Its exit code, as a shell gives
/// it.
///
/// # Errors
/// The program cannot be started.
pub fn keep(parent: u32, program: &OsStr, arguments: &[OsString]) -> io::Result<u8> {
    let mut child = Command::new(program).args(arguments).spawn()?;
    let is_there = || {
        let now = rustix::process::getppid();
        now.is_some_and(|now| u32::try_from(now.as_raw_nonzero().get()) == Ok(parent))
    };
    loop {
        if let Some(status) = child.try_wait()? {
            let by_signal = status.signal().map(|signal| signal.saturating_add(128));
            let code = status.code().or(by_signal).unwrap_or(1);
            return Ok(u8::try_from(code).unwrap_or(1));
        }
        if !is_there() {
            // This process is in it too.
            let _ = kill_process_group(rustix::process::getpgrp(), Signal::KILL);
        }
        std::thread::sleep(GLANCE);
    }
}

#[cfg(test)]
mod tests;
