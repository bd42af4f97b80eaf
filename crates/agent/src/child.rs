//! This program, started again to carry out one task.
//!
//! Owns: the process: what it is given, what it tells, how it ends. Never: waits for it; reads more of
//! it than fits in memory.

use crate::words::{input, words};
use postseal_planner::task::Task;
use postseal_store::desk::End;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

/// No answer is longer, in bytes.
const LONGEST_ANSWER: u64 = 32 * 1024 * 1024;
/// No line of progress is longer, in bytes.
const LONGEST_LINE: u64 = 256 * 1024;
/// How many events may wait to be read.
const WAITING_EVENTS: usize = 256;
/// How many pieces of rules may wait: each is as long as a line may be.
const WAITING_PIECES: usize = 4;
/// How many lines are kept of what a process says that dies.
const LAST_WORDS: usize = 10;
/// What a process that was killed by a signal would have answered (CLI.md: failed).
const FAILED: u8 = 1;

/// How this program is started.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its file.
    pub path: PathBuf,
    /// Its global options: instance, store, configuration.
    pub options: Vec<OsString>,
}

/// A task that is being carried out.
#[derive(Debug)]
pub struct Running {
    child: Child,
    events: Receiver<String>,
    /// One that was looked at and not taken.
    held: Option<String>,
    answer: Option<JoinHandle<io::Result<Vec<u8>>>>,
    last_words: Option<JoinHandle<Vec<String>>>,
}

/// What is handed over where more of the rules has changed than is cheap to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// All of them.
    All,
    /// Nothing.
    Nothing,
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// What it answered.
    pub end: End,
    /// Whether it died before it had an answer.
    pub is_lost: bool,
}

impl Program {
    /// Starts it in the name of `actor`.
    pub fn start(&self, task: &Task, actor: &str) -> io::Result<Running> {
        let mut command = self.on_behalf_of(actor);
        command.args(words(task));
        Running::start(command, input(task).to_owned())
    }

    /// Starts it to watch the folders of ACME clients, until it is interrupted.
    pub fn watch(&self) -> io::Result<Running> {
        let mut command = self.on_behalf_of("agent (watch)");
        command.args(["cert", "watch"]);
        Running::start(command, String::new())
    }

    /// Starts it to look at the state, and to tell by mail what has changed.
    pub fn notify(&self) -> io::Result<Running> {
        let mut command = self.on_behalf_of("agent (timer)");
        command.args(["notify", "check"]);
        Running::start(command, String::new())
    }

    /// Starts it to take in what happened at the console, `notes` as JSON.
    pub fn take_notes(&self, notes: String) -> io::Result<Running> {
        let mut command = self.on_behalf_of("agent");
        command.args(["audit", "take"]);
        Running::start(command, notes)
    }

    /// Starts it to hand over the rules that pages show, in pieces: where it is cheap, what is another than at a mark; else
    /// what `beyond` says.
    pub fn rules(&self, mark: Option<&str>, beyond: Beyond) -> io::Result<Running> {
        let mut command = self.on_behalf_of("agent");
        command
            .args(["policy", "rows"])
            .args(mark.map(|mark| format!("--unless={mark}")))
            .args((beyond == Beyond::Nothing).then_some("--only-changes"));
        Running::start_with(command, String::new(), WAITING_PIECES)
    }

    /// Starts it to end what an interrupted operation left.
    pub fn recover(&self) -> io::Result<Running> {
        let mut command = self.on_behalf_of("agent");
        command.arg("recover");
        Running::start(command, String::new())
    }

    /// This program with its global options, before its verb.
    fn on_behalf_of(&self, actor: &str) -> Command {
        let mut command = Command::new(&self.path);
        command
            .arg0("postseal")
            .args(&self.options)
            .arg(format!("--on-behalf-of={actor}"));
        command
    }
}

impl Running {
    fn start(command: Command, input: String) -> io::Result<Self> {
        Self::start_with(command, input, WAITING_EVENTS)
    }

    fn start_with(mut command: Command, input: String, waiting: usize) -> io::Result<Self> {
        let path =
            std::env::var_os("PATH").unwrap_or_else(|| "/usr/sbin:/usr/bin:/sbin:/bin".into());
        let mut child = command
            .env_clear()
            .env("PATH", path)
            .current_dir("/")
            // Ctrl-C at the agent's terminal is the agent's.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (told, events) = sync_channel(waiting);
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let mut stdin = child.stdin.take().ok_or_else(gone)?;
        let stdout = child.stdout.take().ok_or_else(gone)?;
        let stderr = child.stderr.take().ok_or_else(gone)?;
        // Who does not read it to the end says so in its answer.
        std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        Ok(Self {
            child,
            events,
            held: None,
            answer: Some(std::thread::spawn(move || whole(stdout))),
            last_words: Some(std::thread::spawn(move || listen(stderr, &told))),
        })
    }

    /// The next that it has told, as JSON, where there is one.
    pub fn told_next(&mut self) -> Option<String> {
        self.held.take().or_else(|| self.events.try_recv().ok())
    }

    /// How it ended, once it has and all that it told was taken.
    pub fn ended_when_told(&mut self) -> io::Result<Option<Ended>> {
        if self.held.is_some() {
            return Ok(None);
        }
        match self.events.try_recv() {
            Ok(event) => {
                self.held = Some(event);
                Ok(None)
            }
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => self.ended(),
        }
    }

    /// Asks it to stop; it puts back what is not proved.
    pub fn interrupt(&self) {
        // One that has ended in this moment needs no signal.
        let _ = kill_process(Pid::from_child(&self.child), Signal::INT);
    }

    /// How it ended, once it has; what it tells still goes unheard.
    pub fn ended(&mut self) -> io::Result<Option<Ended>> {
        loop {
            match self.events.try_recv() {
                Ok(_) => {}
                // Whoever hands its events on would wait for a reader, and be waited for.
                Err(TryRecvError::Empty) => return Ok(None),
                Err(TryRecvError::Disconnected) => break,
            }
        }
        let Some(status) = self.child.try_wait()? else {
            return Ok(None);
        };
        let answer = self.answer.take().map(JoinHandle::join);
        let said = self.last_words.take().map(JoinHandle::join);
        let answer = match answer {
            Some(Ok(answer)) => answer?,
            _ => Vec::new(),
        };
        let said = said.and_then(Result::ok).unwrap_or_default();
        Ok(Some(end(status, answer, &said)))
    }
}

/// Nobody waits for a process that is not wanted any more; it ends what it does by itself.
impl Drop for Running {
    fn drop(&mut self) {
        self.interrupt();
    }
}

fn end(status: ExitStatus, answer: Vec<u8>, said: &[String]) -> Ended {
    let is_document = serde_json::from_slice::<Value>(&answer).is_ok_and(|found| found.is_object());
    match (status.code(), String::from_utf8(answer)) {
        (Some(code), Ok(answer)) if is_document => Ended {
            end: End {
                exit: u8::try_from(code).unwrap_or(FAILED),
                answer,
            },
            is_lost: false,
        },
        (code, _) => Ended {
            end: died(code, status.signal(), said),
            is_lost: true,
        },
    }
}

/// What stands for an answer where there is none.
fn died(code: Option<i32>, signal: Option<i32>, said: &[String]) -> End {
    let how = match (code, signal) {
        (_, Some(signal)) => format!("it was killed by signal {signal}"),
        (Some(code), _) => format!("it ended with {code} and no answer"),
        (None, None) => "it ended".to_owned(),
    };
    let document = json!({
        "schema": 1,
        "changed": false,
        "error": {
            "code": "job.died",
            "message": format!("the process that carried this out has died: {how}"),
            "hint": "See the history for what became of it.",
        },
        "last_words": said,
        "findings": [],
    });
    End {
        exit: FAILED,
        answer: document.to_string(),
    }
}

fn whole(stdout: impl Read) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    let mut limited = stdout.take(LONGEST_ANSWER + 1);
    limited.read_to_end(&mut answer)?;
    if answer.len() as u64 > LONGEST_ANSWER {
        answer.clear();
        // It would wait for a reader.
        io::copy(&mut limited.into_inner(), &mut io::sink())?;
    }
    Ok(answer)
}

/// Hands events on, and keeps the last lines of everything else.
fn listen(stderr: impl Read, told: &SyncSender<String>) -> Vec<String> {
    let mut lines = BufReader::new(stderr);
    let mut last = VecDeque::new();
    loop {
        let mut line = Vec::new();
        match (&mut lines).take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return last.into(),
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let is_event =
            serde_json::from_str::<Value>(&line).is_ok_and(|found| found.get("event").is_some());
        if is_event {
            // Where nobody reads them any more, the process still goes on.
            let _ = told.send(line);
            continue;
        }
        if last.len() == LAST_WORDS {
            last.pop_front();
        }
        last.push_back(line);
    }
}
