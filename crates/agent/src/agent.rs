//! The agent's loop.
//!
//! Owns: what is done next: beat, claim, start, tell, end, copy. Never: does any of it itself.

mod answers;
mod chores;
mod copying;
mod lanes;
mod notes;
mod rules;

use crate::child::{Ended, Program, Running};
use answers::{given_up, lost, refused};
use chores::{Beside, Renewals};
use copying::Copying;
use lanes::{Lanes, Work};
use notes::Notes;
use postseal_planner::task::{Effect, Task};
use postseal_store::StoreError;
use postseal_store::desk::{Clerk, End, Heartbeat, Job, JobEvent, JobState};
use rules::Rules;
use serde_json::Value;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often it looks for what is new.
const TICK: Duration = Duration::from_millis(50);
/// The same while it has a job in hand, which somebody may be waiting for.
const BUSY: Duration = Duration::from_millis(20);
/// How often it says that it lives.
const BEAT: Duration = Duration::from_secs(2);
/// How long a job stays its own without a word.
const LEASE_MS: i64 = 30_000;
/// How long events are handed on before all else has its turn again.
const AT_A_TIME: Duration = Duration::from_millis(200);
/// How many jobs it holds at once.
const AT_ONCE: usize = 8;
/// No name of who wants a job is longer, in bytes: a user's with a token's number, and the approver's.
const LONGEST_ACTOR: usize = 200;
/// The exit code of a command that another one keeps from the instance (CLI.md).
const LOCKED: u8 = 75;
/// How long it waits for what is being carried out when it is told to end. A change that is not through by
/// then is interrupted, and puts back what is not proved.
const FAREWELL: Duration = Duration::from_secs(60);

/// Something to be told beside the jobs.
#[derive(Debug)]
pub enum Told<'a> {
    /// It works, for this instance.
    Ready(&'a str),
    /// A job begins.
    Begun {
        /// Which.
        job: u64,
        /// For whom.
        actor: &'a str,
        /// What, as words of the command line.
        words: String,
    },
    /// A job has ended.
    Ended {
        /// Which.
        job: u64,
        /// With which exit code.
        exit: u8,
    },
    /// A job of an agent that lives no more was found.
    Abandoned {
        /// Which.
        job: u64,
    },
    /// The desk could not be reached; it is tried again.
    Blind(&'a StoreError),
    /// It can be reached again.
    Sees,
}

/// Why an agent cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// This program cannot be started.
    #[error("cannot start what carries a job out")]
    Start(#[source] io::Error),
}

/// The agent of one instance. The caller sees to it that there is but one.
pub struct Agent<'a> {
    /// The desk.
    pub clerk: &'a mut dyn Clerk,
    /// What carries tasks out.
    pub program: Program,
    /// Its instance.
    pub instance: String,
    /// This run of it; no other one has the same.
    pub name: String,
    /// Its version.
    pub version: String,
    /// How often it looks for what is told by mail; never where nobody is told.
    pub look_every: Option<Duration>,
    /// Milliseconds since the epoch.
    pub now_ms: fn() -> i64,
    /// Set when it is to end.
    pub stop: &'a AtomicBool,
    /// Told of what happens.
    pub told: &'a dyn Fn(&Told<'_>),
}

/// What it has in hand.
#[derive(Default)]
struct Hands {
    lanes: Lanes,
    copying: Copying,
    notes: Notes,
    rules: Rules,
    renewals: Renewals,
    beaten: Option<Instant>,
    is_blind: bool,
    /// Whether what an earlier run left half-way was ended, and told.
    has_buried: bool,
}

impl Agent<'_> {
    /// Works until it is told to end.
    pub fn run(&mut self) -> Result<(), AgentError> {
        let mut hands = Hands::default();
        let buried = self.bury_the_dead(&mut hands)?;
        self.note_sight(&mut hands, buried);
        let beside = Beside::begin(&self.program, self.look_every);
        let mut beside = Some(beside.map_err(AgentError::Start)?);
        (self.told)(&Told::Ready(&self.instance));
        let mut ends: Option<Instant> = None;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                drop(beside.take());
                let since = *ends.get_or_insert_with(Instant::now);
                if hands.lanes.is_idle() || since.elapsed() > FAREWELL {
                    return Ok(());
                }
            }
            let seen = self.tick(&mut hands, ends.is_some())?;
            self.note_sight(&mut hands, seen);
            std::thread::sleep(match hands.lanes.is_idle() {
                true => TICK,
                false => BUSY,
            });
        }
    }

    /// One look at everything; an error of the desk is for the next one.
    fn tick(
        &mut self,
        hands: &mut Hands,
        is_ending: bool,
    ) -> Result<Result<(), StoreError>, AgentError> {
        let seen = self.beat(hands);
        let told = self.follow(hands)?;
        let buried = match hands.is_blind {
            true => Ok(()),
            false => self.bury_the_dead(hands)?,
        };
        // What was left half-way is ended before anything new begins.
        let claimed = match is_ending || hands.is_blind || !hands.has_buried {
            true => Ok(()),
            false => self.claim(hands),
        };
        let started = self.start(hands);
        let copied = match hands.is_blind {
            true => Ok(()),
            false => {
                let (changing, of) = (hands.lanes.is_changing(), &self.instance);
                hands
                    .copying
                    .step(self.clerk, &self.program, of, self.now_ms, changing)?
            }
        };
        let beside = match is_ending || hands.is_blind {
            true => Ok(()),
            false => self.look_beside(hands)?,
        };
        let seen = seen.and(buried).and(told).and(claimed).and(started);
        Ok(seen.and(copied).and(beside))
    }

    /// What goes on beside jobs: notes, renewals, the rules that pages show.
    fn look_beside(&mut self, hands: &mut Hands) -> Result<Result<(), StoreError>, AgentError> {
        let (program, instance) = (&self.program, &self.instance);
        let noted = hands.notes.step(self.clerk, program)?;
        let now_ms = (self.now_ms)();
        let due = hands.renewals.step(self.clerk, instance, now_ms);
        let handed = hands.rules.step(self.clerk, program, instance, now_ms)?;
        Ok(noted.and(due).and(handed))
    }

    fn note_sight(&self, hands: &mut Hands, seen: Result<(), StoreError>) {
        match seen {
            Err(error) if !hands.is_blind => {
                hands.is_blind = true;
                (self.told)(&Told::Blind(&error));
            }
            Err(_) => {}
            Ok(()) if hands.is_blind => {
                hands.is_blind = false;
                (self.told)(&Told::Sees);
            }
            Ok(()) => {}
        }
    }

    /// What an earlier run had claimed: what it began may stand half-way. That is ended first, and told; where the desk
    /// cannot be reached, or does not take it, as soon as it does.
    fn bury_the_dead(&mut self, hands: &mut Hands) -> Result<Result<(), StoreError>, AgentError> {
        if hands.has_buried {
            return Ok(Ok(()));
        }
        let abandoned = match self.clerk.abandoned(&self.heartbeat()) {
            Ok(abandoned) => abandoned,
            Err(error) => return Ok(Err(error)),
        };
        let mut stored = Ok(());
        // An earlier run held no more; whoever owns the desk may tell of more than anybody ends.
        let are_all = abandoned.len() <= AT_ONCE;
        if !abandoned.is_empty() {
            let end = lost(&self.recover()?);
            for job in abandoned.into_iter().take(AT_ONCE) {
                (self.told)(&Told::Abandoned { job: job.id });
                let now = (self.now_ms)();
                stored = stored.and(self.clerk.end(job.id, JobState::Lost, &end, now));
            }
        }
        hands.has_buried = stored.is_ok() && are_all;
        Ok(stored)
    }

    /// Ends what was left half-way. What an earlier run began may still go on, in a process of its own, and hold
    /// the instance's lock: it is waited for.
    fn recover(&self) -> Result<Value, AgentError> {
        let began = Instant::now();
        loop {
            let ended = self.wait_for(self.program.recover().map_err(AgentError::Start)?)?;
            let is_locked = ended.end.exit == LOCKED && began.elapsed() < FAREWELL;
            if !is_locked || self.stop.load(Ordering::Relaxed) {
                return Ok(serde_json::from_str(&ended.end.answer).unwrap_or(Value::Null));
            }
            std::thread::sleep(BEAT);
        }
    }

    fn wait_for(&self, mut running: Running) -> Result<Ended, AgentError> {
        loop {
            if let Some(ended) = running.ended().map_err(AgentError::Start)? {
                return Ok(ended);
            }
            std::thread::sleep(TICK);
        }
    }

    fn heartbeat(&self) -> Heartbeat {
        let now_ms = (self.now_ms)();
        Heartbeat {
            instance: self.instance.clone(),
            agent: self.name.clone(),
            version: self.version.clone(),
            now_ms,
            lease_ms: now_ms.saturating_add(LEASE_MS),
        }
    }

    fn beat(&mut self, hands: &mut Hands) -> Result<(), StoreError> {
        if hands.beaten.is_some_and(|last| last.elapsed() < BEAT) {
            return match hands.is_blind {
                // Not seen again before it was asked again.
                true => Err(StoreError::Locked),
                false => Ok(()),
            };
        }
        hands.beaten = Some(Instant::now());
        let beat = self.clerk.beat(&self.heartbeat())?;
        let cancelled = beat.cancel.and_then(|job| hands.lanes.cancel(job));
        match cancelled {
            Some(job) => self
                .clerk
                .end(job, JobState::Done, &given_up(), (self.now_ms)()),
            None => Ok(()),
        }
    }

    fn claim(&mut self, hands: &mut Hands) -> Result<(), StoreError> {
        // Whoever owns the desk may have it hand out the same job for ever: all else has its turn all the same.
        for _ in hands.lanes.len()..AT_ONCE {
            let Some(job) = self.clerk.claim(&self.heartbeat())? else {
                return Ok(());
            };
            match self.read(&job) {
                Ok(task) => hands.lanes.take(job, task),
                Err(end) => {
                    self.clerk
                        .end(job.id, JobState::Done, &end, (self.now_ms)())?;
                }
            }
        }
        Ok(())
    }

    /// The job's task, read as if a stranger had written it.
    fn read(&self, job: &Job) -> Result<Task, End> {
        let is_ours = job.instance == self.instance;
        let actor_is_a_word = !job.actor.is_empty()
            && job.actor.len() <= LONGEST_ACTOR
            && !job.actor.contains(char::is_control);
        match Task::read(&job.task) {
            Ok(task) if is_ours && actor_is_a_word => Ok(task),
            Ok(_) => Err(refused("job.unreadable", "the job is not for this agent")),
            Err(error) => Err(refused(error.code(), &error.to_string())),
        }
    }

    fn start(&mut self, hands: &mut Hands) -> Result<(), StoreError> {
        let mut started = Ok(());
        while let Some((job, task)) = hands.lanes.next() {
            (self.told)(&Told::Begun {
                job: job.id,
                actor: &job.actor,
                words: crate::words(&task).join(" "),
            });
            match self.program.start(&task, &job.actor) {
                Ok(running) => hands.lanes.begin(Work::new(job, task, running)),
                // Too many words, say: that is the job's affair, and no other one's.
                Err(error) => {
                    let end = refused("job.not-started", &format!("it cannot be started: {error}"));
                    let now = (self.now_ms)();
                    started = started.and(self.clerk.end(job.id, JobState::Done, &end, now));
                }
            }
        }
        started
    }

    /// Hands on what running jobs tell, and ends those that have ended.
    fn follow(&mut self, hands: &mut Hands) -> Result<Result<(), StoreError>, AgentError> {
        let mut stored = Ok(());
        let began = Instant::now();
        for work in hands.lanes.running() {
            // What is left is for the next time: a desk that takes each of them late holds nothing else up.
            while began.elapsed() < AT_A_TIME
                && let Some(document) = work.running.told_next()
            {
                work.events += 1;
                let event = JobEvent {
                    n: work.events,
                    at_ms: (self.now_ms)(),
                    document,
                };
                stored = stored.and(self.clerk.tell(work.job.id, &event));
            }
            if work.ended.is_none() {
                // What it told last is handed on before its end.
                work.ended = work.running.ended_when_told().map_err(AgentError::Start)?;
            }
        }
        for work in hands.lanes.take_ended() {
            let has_changed = work.task.effect() != Effect::Look;
            match self.end(&work) {
                Ok(()) => {}
                // It is told again until the desk has it.
                Err(error) => {
                    stored = stored.and(Err(error));
                    hands.lanes.begin(work);
                    continue;
                }
            }
            // A check of servers changes nothing, and what it saw is shown.
            if has_changed || matches!(work.task, Task::PolicyCheck { .. }) {
                hands.rules.are_due();
            }
            if has_changed {
                hands.copying.after_a_change();
            }
        }
        Ok(stored)
    }

    fn end(&mut self, work: &Work) -> Result<(), StoreError> {
        let Some(ended) = &work.ended else {
            return Ok(());
        };
        let how = match ended.is_lost {
            true => JobState::Lost,
            false => JobState::Done,
        };
        let now = (self.now_ms)();
        self.clerk.end(work.job.id, how, &ended.end, now)?;
        (self.told)(&Told::Ended {
            job: work.job.id,
            exit: ended.end.exit,
        });
        Ok(())
    }
}
