//! The desk through a child with the console's rights.
//!
//! Owns: the pipe: a call and a reply, a line of JSON each. Never: opens a file of the desk; trusts a
//! reply to come, or to be short.
//!
//! Whoever owns the console may stop this child, or answer in its place. So a reply is bounded and has a
//! deadline, and a child that fails is replaced by another.

use postseal_planner::whole_chain;
use postseal_store::StoreError;
use postseal_store::desk::{
    Beat, Clerk, ClerkCall, ClerkReply, End, Heartbeat, Job, JobEvent, JobState, NewJob, Note,
    RuleChange, RuleRow,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};
use std::io::{self, BufRead, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a call may take. The child itself waits five seconds for a database that is in use.
const PATIENCE: Duration = Duration::from_secs(15);
/// No call and no reply is longer, in bytes.
const LONGEST: usize = 64 * 1024 * 1024;
/// A child that has failed is not replaced sooner.
const REST: Duration = Duration::from_secs(1);

/// The desk, as the agent reaches it.
pub struct PipeClerk {
    command: Box<dyn Fn() -> Command>,
    pipe: Option<Pipe>,
    failed: Option<Instant>,
}

struct Pipe {
    child: Child,
    calls: ChildStdin,
    replies: ChildStdout,
    /// What came after the last line.
    rest: Vec<u8>,
}

impl PipeClerk {
    /// By a child that `command` starts, which [`serve`]s.
    pub fn new(command: impl Fn() -> Command + 'static) -> Self {
        Self {
            command: Box::new(command),
            pipe: None,
            failed: None,
        }
    }

    fn call(&mut self, call: &ClerkCall) -> Result<ClerkReply, StoreError> {
        let replied = self.exchange(call);
        if replied.is_err() {
            self.pipe = None;
            self.failed = Some(Instant::now());
        }
        match replied.map_err(|error| unreachable_desk(error.into()))? {
            ClerkReply::Failed { passes: true, .. } => Err(StoreError::Locked),
            ClerkReply::Failed { why, .. } => Err(unreachable_desk(why.into())),
            reply => Ok(reply),
        }
    }

    fn exchange(&mut self, call: &ClerkCall) -> io::Result<ClerkReply> {
        let pipe = match &mut self.pipe {
            Some(pipe) => pipe,
            none => {
                if self.failed.is_some_and(|when| when.elapsed() < REST) {
                    return Err(io::Error::other("its child has just failed"));
                }
                none.insert(Pipe::open((self.command)())?)
            }
        };
        let mut line = serde_json::to_vec(call)?;
        line.push(b'\n');
        let until = Instant::now() + PATIENCE;
        pipe.send(&line, until)?;
        Ok(serde_json::from_slice(&pipe.line(until)?)?)
    }

    fn done(&mut self, call: &ClerkCall) -> Result<(), StoreError> {
        match self.call(call)? {
            ClerkReply::Done => Ok(()),
            other => Err(wrong(&other)),
        }
    }
}

impl Clerk for PipeClerk {
    fn beat(&mut self, heartbeat: &Heartbeat) -> Result<Beat, StoreError> {
        match self.call(&ClerkCall::Beat(heartbeat.clone()))? {
            ClerkReply::Beat(beat) => Ok(beat),
            other => Err(wrong(&other)),
        }
    }

    fn claim(&mut self, heartbeat: &Heartbeat) -> Result<Option<Job>, StoreError> {
        match self.call(&ClerkCall::Claim(heartbeat.clone()))? {
            ClerkReply::Claimed(job) => Ok(job),
            other => Err(wrong(&other)),
        }
    }

    fn abandoned(&mut self, heartbeat: &Heartbeat) -> Result<Vec<Job>, StoreError> {
        match self.call(&ClerkCall::Abandoned(heartbeat.clone()))? {
            ClerkReply::Abandoned(jobs) => Ok(jobs),
            other => Err(wrong(&other)),
        }
    }

    fn tell(&mut self, job: u64, event: &JobEvent) -> Result<(), StoreError> {
        let event = event.clone();
        self.done(&ClerkCall::Tell { job, event })
    }

    fn end(&mut self, job: u64, how: JobState, end: &End, now_ms: i64) -> Result<(), StoreError> {
        let end = end.clone();
        self.done(&ClerkCall::End {
            job,
            how,
            end,
            now_ms,
        })
    }

    fn put_copy(
        &mut self,
        instance: &str,
        what: &str,
        document: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.done(&ClerkCall::PutCopy {
            instance: instance.to_owned(),
            what: what.to_owned(),
            document: document.to_owned(),
            now_ms,
        })
    }

    fn due(&mut self, job: &NewJob) -> Result<(), StoreError> {
        self.done(&ClerkCall::Due(job.clone()))
    }

    fn rules_mark(&mut self, instance: &str) -> Result<Option<String>, StoreError> {
        let instance = instance.to_owned();
        match self.call(&ClerkCall::RulesMark { instance })? {
            ClerkReply::Mark(mark) => Ok(mark),
            other => Err(wrong(&other)),
        }
    }

    fn begin_rules(&mut self, instance: &str, now_ms: i64) -> Result<u64, StoreError> {
        let instance = instance.to_owned();
        match self.call(&ClerkCall::BeginRules { instance, now_ms })? {
            ClerkReply::Begun(set) => Ok(set),
            other => Err(wrong(&other)),
        }
    }

    fn add_rules(&mut self, set: u64, rows: &[RuleRow]) -> Result<(), StoreError> {
        let rows = rows.to_vec();
        self.done(&ClerkCall::AddRules { set, rows })
    }

    fn show_rules(
        &mut self,
        instance: &str,
        set: u64,
        mark: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.done(&ClerkCall::ShowRules {
            instance: instance.to_owned(),
            set,
            mark: mark.to_owned(),
            now_ms,
        })
    }

    fn change_rules(
        &mut self,
        instance: &str,
        since: &str,
        change: &RuleChange,
        mark: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        let call = ClerkCall::ChangeRules {
            instance: instance.to_owned(),
            since: since.to_owned(),
            change: change.clone(),
            mark: mark.to_owned(),
            now_ms,
        };
        match self.call(&call)? {
            ClerkReply::Changed(changed) => Ok(changed),
            other => Err(wrong(&other)),
        }
    }

    fn notes(&mut self, after: u64, limit: usize) -> Result<Vec<Note>, StoreError> {
        match self.call(&ClerkCall::Notes { after, limit })? {
            ClerkReply::Notes(notes) => Ok(notes),
            other => Err(wrong(&other)),
        }
    }
}

impl Pipe {
    fn open(mut command: Command) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let calls = child.stdin.take().ok_or_else(gone)?;
        let replies = child.stdout.take().ok_or_else(gone)?;
        let pipe = Self {
            child,
            calls,
            replies,
            rest: Vec::new(),
        };
        ioctl_fionbio(&pipe.calls, true)?;
        ioctl_fionbio(&pipe.replies, true)?;
        Ok(pipe)
    }

    fn send(&mut self, mut line: &[u8], until: Instant) -> io::Result<()> {
        while !line.is_empty() {
            wait(&self.calls, PollFlags::OUT, until)?;
            match self.calls.write(line) {
                Ok(sent) => line = line.get(sent..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn line(&mut self, until: Instant) -> io::Result<Vec<u8>> {
        let mut line = std::mem::take(&mut self.rest);
        let mut seen = 0;
        loop {
            let new = line.get(seen..).unwrap_or_default();
            if let Some(end) = new.iter().position(|byte| *byte == b'\n') {
                self.rest = line.split_off(seen + end + 1);
                return Ok(line);
            }
            seen = line.len();
            if seen > LONGEST {
                return Err(io::Error::other("its reply is too long"));
            }
            wait(&self.replies, PollFlags::IN, until)?;
            let mut chunk = [0; 64 * 1024];
            match self.replies.read(&mut chunk) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => line.extend_from_slice(chunk.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// One that failed may hang.
impl Drop for Pipe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait(pipe: &impl AsFd, for_what: PollFlags, until: Instant) -> io::Result<()> {
    let left = until.saturating_duration_since(Instant::now());
    let left = Timespec::try_from(left).map_err(io::Error::other)?;
    match poll(&mut [PollFd::new(pipe, for_what)], Some(&left)) {
        Ok(0) => Err(io::ErrorKind::TimedOut.into()),
        // A signal came: who waits tries, and waits again.
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn unreachable_desk(source: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    StoreError::Database {
        action: "reach the desk",
        source,
    }
}

fn wrong(reply: &ClerkReply) -> StoreError {
    let kind = format!("{reply:?}").chars().take(40).collect::<String>();
    unreachable_desk(format!("it answers something else: {kind}").into())
}

/// The child's side: answers calls until there are no more.
pub fn serve(
    mut calls: impl BufRead,
    mut replies: impl Write,
    clerk: &mut dyn Clerk,
) -> io::Result<()> {
    loop {
        let mut line = Vec::new();
        if calls.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let call: ClerkCall = serde_json::from_slice(&line)?;
        let reply = call
            .serve(clerk)
            .unwrap_or_else(|error| ClerkReply::Failed {
                passes: matches!(error, StoreError::Locked),
                why: whole_chain(&error),
            });
        serde_json::to_writer(&mut replies, &reply)?;
        replies.write_all(b"\n")?;
        replies.flush()?;
    }
}
