//! What is due by the clock.
//!
//! Owns: that the folders of ACME clients are watched, that renewals are asked for every hour, and that the state is
//! looked at for those who are told by mail. Never: decides whether a renewal's time has come (`cert renew` does), or
//! what is told (`notify check` does).
//!
//! What needs no desk goes on in a thread of its own: whoever owns the console may have the desk answer late, wrongly or
//! never, and keeps neither a mail nor a watched folder back by that.

use super::TICK;
use crate::child::{Program, Running};
use postseal_planner::task::Task;
use postseal_store::StoreError;
use postseal_store::desk::{Clerk, NewJob};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Who files what is due.
const TIMER: &str = "agent (timer)";
/// How often renewals are asked for, milliseconds.
const HOUR_MS: i64 = 3_600_000;
/// A watch that has ended, as where no folder is remembered, begins again no sooner.
const REST: Duration = Duration::from_secs(15);

/// What goes on without the desk, until this is dropped.
pub(super) struct Beside {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Beside {
    /// Begins with it; `every` is how often it is looked for those who are told by mail.
    pub(super) fn begin(program: &Program, every: Option<Duration>) -> io::Result<Self> {
        let ends = Arc::new(AtomicBool::new(false));
        let mut watch = Kept::new(program.clone(), Program::watch, Some(REST));
        let mut look = Kept::new(program.clone(), Program::notify, every);
        let is_over = Arc::clone(&ends);
        let thread = std::thread::Builder::new().spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                watch.step();
                look.step();
                std::thread::sleep(TICK);
            }
        })?;
        Ok(Self {
            ends,
            thread: Some(thread),
        })
    }
}

/// What it has begun is interrupted.
impl Drop for Beside {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        // One that has failed has ended, too.
        drop(ended);
    }
}

/// A process that begins again some time after it has begun; where no time is said, once.
///
/// Where nobody is told by mail, it is looked once: what was told before is forgotten, and no base when somebody is told
/// again.
struct Kept {
    program: Program,
    start: fn(&Program) -> io::Result<Running>,
    every: Option<Duration>,
    running: Option<Running>,
    begun: Option<Instant>,
}

impl Kept {
    fn new(
        program: Program,
        start: fn(&Program) -> io::Result<Running>,
        every: Option<Duration>,
    ) -> Self {
        Self {
            program,
            start,
            every,
            running: None,
            begun: None,
        }
    }

    fn step(&mut self) {
        if let Some(running) = &mut self.running {
            // One that cannot be asked is not waited for.
            if !matches!(running.ended(), Ok(None)) {
                self.running = None;
            }
            return;
        }
        let is_due = match (self.begun, self.every) {
            (None, _) => true,
            (Some(last), Some(every)) => last.elapsed() > every,
            (Some(_), None) => false,
        };
        if is_due {
            self.begun = Some(Instant::now());
            // Where no process can be started now, one may be the next time; jobs tell it.
            self.running = (self.start)(&self.program).ok();
        }
    }
}

/// The renewals that are asked for.
#[derive(Default)]
pub(super) struct Renewals {
    /// The last hour in which they were.
    hour: Option<i64>,
}

impl Renewals {
    pub(super) fn step(
        &mut self,
        clerk: &mut dyn Clerk,
        instance: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let hour = now_ms.div_euclid(HOUR_MS);
        if self.hour == Some(hour) {
            return Ok(());
        }
        let Some(job) = renewal(instance, now_ms, hour) else {
            return Ok(());
        };
        clerk.due(&job)?;
        self.hour = Some(hour);
        Ok(())
    }
}

/// The renewals of an hour: an agent that starts again within it asks no second time.
fn renewal(instance: &str, now_ms: i64, hour: i64) -> Option<NewJob> {
    let renew = Task::CertRenew {
        names: Vec::new(),
        force: false,
    };
    Some(NewJob {
        instance: instance.to_owned(),
        actor: TIMER.to_owned(),
        filed_ms: now_ms,
        task: serde_json::to_string(&renew).ok()?,
        request: Some(format!("{instance} renew {hour}")),
    })
}
