//! Runs one program with a deadline.
//!
//! Owns: argv with the instance's prefix, a cleared environment, bounded output, the kill of the
//! whole process group when the deadline passes. Never: a shell, an inherited `MAIL_CONFIG`, a
//! wait without an end. Postfix's commands can block (a full log socket, a sleeping
//! configuration reader), so nothing here trusts them to return.

mod collect;

use crate::HostError;
use collect::Outputs;
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, PipeWriter, Seek, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

/// More output than this is cut; `postconf` prints about 40 KiB.
const OUTPUT_LIMIT: usize = 8 << 20;
/// What an error message keeps of a program's output.
const MESSAGE_LIMIT: usize = 4096;
/// The search path that programs get; Postfix's own are called by absolute path.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// One program call, not yet made.
pub(crate) struct Call<'a> {
    prefix: &'a [String],
    program: &'a Path,
    args: Vec<OsString>,
    env: Vec<(&'static str, OsString)>,
    input: Option<&'a [u8]>,
    deadline: Duration,
    stop: Option<&'a AtomicBool>,
}

/// How a program ended and what it printed.
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(prefix: &'a [String], program: &'a Path, deadline: Duration) -> Self {
        Self {
            prefix,
            program,
            args: Vec::new(),
            env: Vec::new(),
            input: None,
            deadline,
            stop: None,
        }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name, value.as_ref().to_owned()));
        self
    }

    pub(crate) fn input(mut self, bytes: &'a [u8]) -> Self {
        self.input = Some(bytes);
        self
    }

    /// Ends the program at once when this is set.
    pub(crate) fn until(mut self, stop: &'a AtomicBool) -> Self {
        self.stop = Some(stop);
        self
    }

    /// The command line, for people.
    pub(crate) fn line(&self) -> String {
        let mut words: Vec<String> = self.prefix.to_vec();
        words.push(self.program.display().to_string());
        words.extend(self.args.iter().map(|arg| arg.display().to_string()));
        words.join(" ")
    }

    /// Starts the program in a process group of its own, for the caller to look after.
    pub(crate) fn spawn(&self) -> Result<Child, HostError> {
        self.command(Stdio::null())
            .and_then(|mut command| {
                command.stdout(Stdio::null()).stderr(Stdio::null());
                command.spawn()
            })
            .map_err(|source| self.spawn_error(source))
    }

    /// Runs the program to its end, or kills its process group at the deadline.
    pub(crate) fn run(&self) -> Result<Output, HostError> {
        self.run_to(Stdio::piped())
    }

    /// The same, while `feed` writes what it reads; what came of the feeding stands first. Another thread waits
    /// for the program, so that who feeds one that reads nothing gets an error when it is killed.
    pub(crate) fn run_fed<T>(
        &self,
        feed: impl FnOnce(PipeWriter) -> T,
    ) -> Result<(T, Output), HostError> {
        let (reader, writer) = io::pipe().map_err(|error| self.spawn_error(error))?;
        thread::scope(|scope| {
            let program = scope.spawn(|| self.run_between(Ok(reader.into()), Stdio::piped()));
            let fed = feed(writer);
            let ended = program.join();
            let output = ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok((fed, output))
        })
    }

    /// The same, with all that it prints, however much, in a file that has no name; read from its
    /// beginning.
    pub(crate) fn run_into_file(&self) -> Result<(Output, File), HostError> {
        self.run_into(tempfile::tempfile())
    }

    /// The same in memory alone (memfd_create(2)): what is secret comes to no disk.
    pub(crate) fn run_into_memory(&self) -> Result<(Output, File), HostError> {
        let made = memfd_create("postseal", MemfdFlags::CLOEXEC);
        self.run_into(made.map(File::from).map_err(Into::into))
    }

    fn run_into(&self, file: io::Result<File>) -> Result<(Output, File), HostError> {
        let file = file.and_then(|file| Ok((file.try_clone()?, file)));
        let (given, mut kept) = file.map_err(|source| self.spawn_error(source))?;
        let output = self.run_to(given.into())?;
        kept.rewind().map_err(|source| self.spawn_error(source))?;
        Ok((output, kept))
    }

    fn run_to(&self, stdout: Stdio) -> Result<Output, HostError> {
        self.run_between(self.stdin(), stdout)
    }

    fn run_between(&self, stdin: io::Result<Stdio>, stdout: Stdio) -> Result<Output, HostError> {
        let mut child = stdin
            .and_then(|stdin| self.command(stdin))
            .and_then(|mut command| {
                command.stdout(stdout).stderr(Stdio::piped());
                command.spawn()
            })
            .map_err(|source| self.spawn_error(source))?;
        let outputs = match Outputs::of(&mut child) {
            Ok(outputs) => outputs,
            Err(error) => {
                kill_group(&mut child);
                return Err(self.spawn_error(error));
            }
        };
        let Some(status) = self.wait(&mut child, &outputs)? else {
            return Err(HostError::Deadline {
                command: self.line(),
                deadline: self.deadline,
            });
        };
        let [stdout, stderr] = outputs.taken();
        Ok(Output {
            status,
            stdout,
            stderr,
        })
    }

    /// Runs the program and takes a status other than 0 as an error.
    pub(crate) fn run_ok(&self) -> Result<Output, HostError> {
        let output = self.run()?;
        if output.status.success() {
            return Ok(output);
        }
        Err(HostError::Command {
            command: self.line(),
            status: output.status.to_string(),
            output: output.message(),
        })
    }

    fn command(&self, stdin: Stdio) -> std::io::Result<Command> {
        let mut command = match self.prefix.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(self.program);
                command
            }
            None => Command::new(self.program),
        };
        command
            .args(&self.args)
            .env_clear()
            .env("LC_ALL", "C")
            .env("PATH", PATH)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(stdin)
            .process_group(0);
        Ok(command)
    }

    /// Input goes through an unlinked file: no pipe to fill, no thread to feed it.
    fn stdin(&self) -> std::io::Result<Stdio> {
        let Some(bytes) = self.input else {
            return Ok(Stdio::null());
        };
        let mut file = tempfile::tempfile()?;
        file.write_all(bytes)?;
        file.rewind()?;
        Ok(file.into())
    }

    fn wait(&self, child: &mut Child, outputs: &Outputs) -> Result<Option<ExitStatus>, HostError> {
        let end = Instant::now() + self.deadline;
        loop {
            if let Some(status) = child.try_wait().map_err(|e| self.spawn_error(e))? {
                return Ok(Some(status));
            }
            if self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                kill_group(child);
                return Err(HostError::Interrupted {
                    command: self.line(),
                });
            }
            let Some(left) = end.checked_duration_since(Instant::now()) else {
                kill_group(child);
                return Ok(None);
            };
            // Both pipes closed: the program is about to end. Else look again in a while.
            match outputs
                .ended
                .recv_timeout(left.min(Duration::from_millis(20)))
            {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    fn spawn_error(&self, source: std::io::Error) -> HostError {
        HostError::Spawn {
            command: self.line(),
            source,
        }
    }
}

impl Output {
    /// What was printed, errors first, cut to what a message can hold.
    pub(crate) fn message(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.stderr).into_owned();
        text.push_str(&String::from_utf8_lossy(&self.stdout));
        let text = text.trim();
        let cut = text
            .char_indices()
            .map(|(at, c)| at + c.len_utf8())
            .take_while(|end| *end <= MESSAGE_LIMIT)
            .last()
            .unwrap_or(0);
        text[..cut].to_owned()
    }

    /// Standard output as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// Kills a child's process group and reaps the child. The child has not been waited for, so its
/// process id cannot belong to anybody else.
pub(crate) fn kill_group(child: &mut Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // ESRCH: the group is gone already, which is what was wanted.
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let _ = child.wait();
}

#[cfg(test)]
mod tests;
