//! The agent's loop over a real desk; what carries tasks out is a program that answers nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use postseal_agent::{Agent, Program};
use postseal_store::desk::{
    Beat, Clerk, CopyOf, Desk as _, End, Filed, Heartbeat, Job, JobEvent, JobState, NewJob, Note,
    RuleRow,
};
use postseal_store::{SqliteDesk, StoreError};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const MX: &str = "/etc/postfix";

/// A desk that cannot be reached at first.
struct Unreachable {
    desk: SqliteDesk,
    /// How many calls fail.
    calls: u32,
}

impl Unreachable {
    fn reach(&mut self) -> Result<&mut SqliteDesk, StoreError> {
        match self.calls {
            0 => Ok(&mut self.desk),
            _ => {
                self.calls -= 1;
                Err(StoreError::Locked)
            }
        }
    }
}

impl Clerk for Unreachable {
    fn beat(&mut self, heartbeat: &Heartbeat) -> Result<Beat, StoreError> {
        self.reach()?.beat(heartbeat)
    }

    fn claim(&mut self, heartbeat: &Heartbeat) -> Result<Option<Job>, StoreError> {
        self.reach()?.claim(heartbeat)
    }

    fn abandoned(&mut self, heartbeat: &Heartbeat) -> Result<Vec<Job>, StoreError> {
        self.reach()?.abandoned(heartbeat)
    }

    fn tell(&mut self, job: u64, event: &JobEvent) -> Result<(), StoreError> {
        self.reach()?.tell(job, event)
    }

    fn end(&mut self, job: u64, how: JobState, end: &End, now_ms: i64) -> Result<(), StoreError> {
        self.reach()?.end(job, how, end, now_ms)
    }

    fn put_copy(
        &mut self,
        instance: &str,
        what: &str,
        document: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.reach()?.put_copy(instance, what, document, now_ms)
    }

    fn due(&mut self, job: &NewJob) -> Result<(), StoreError> {
        self.reach()?.due(job)
    }

    fn notes(&mut self, after: u64, limit: usize) -> Result<Vec<Note>, StoreError> {
        self.reach()?.notes(after, limit)
    }

    fn rules_mark(&mut self, instance: &str) -> Result<Option<String>, StoreError> {
        self.reach()?.rules_mark(instance)
    }

    fn begin_rules(&mut self, instance: &str, now_ms: i64) -> Result<u64, StoreError> {
        self.reach()?.begin_rules(instance, now_ms)
    }

    fn add_rules(&mut self, set: u64, rows: &[RuleRow]) -> Result<(), StoreError> {
        self.reach()?.add_rules(set, rows)
    }

    fn show_rules(
        &mut self,
        instance: &str,
        set: u64,
        mark: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.reach()?.show_rules(instance, set, mark, now_ms)
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

fn file(desk: &mut SqliteDesk, task: &str) -> u64 {
    let job = NewJob {
        instance: MX.to_owned(),
        actor: "ingrid".to_owned(),
        filed_ms: now_ms(),
        task: task.to_owned(),
        request: None,
    };
    match desk.file(&job).unwrap() {
        Filed::New(id) => id,
        other => panic!("{other:?}"),
    }
}

/// Has an agent work at the desk in `folder`, whose first `calls` fail, until `seen` is true.
fn work_until(folder: &Path, calls: u32, seen: impl Fn(&SqliteDesk) -> bool) {
    let stop = AtomicBool::new(false);
    scope(|scope| {
        scope.spawn(|| {
            let desk = SqliteDesk::open(folder).unwrap();
            let mut agent = Agent {
                clerk: &mut Unreachable { desk, calls },
                program: Program {
                    path: "/bin/true".into(),
                    options: Vec::new(),
                },
                instance: MX.to_owned(),
                name: "now".to_owned(),
                version: "0".to_owned(),
                look_every: None,
                now_ms,
                stop: &stop,
                told: &|_| {},
            };
            agent.run().unwrap();
        });
        let desk = SqliteDesk::open(folder).unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        while !seen(&desk) && Instant::now() < until {
            sleep(Duration::from_millis(20));
        }
        let is_seen = seen(&desk);
        stop.store(true, Ordering::Relaxed);
        assert!(is_seen);
    });
}

#[test]
fn what_an_earlier_run_left_is_ended_once_the_desk_can_be_reached() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = SqliteDesk::open(folder.path()).unwrap();
    let left = file(&mut desk, r#"{"task":"apply"}"#);
    let earlier = Heartbeat {
        instance: MX.to_owned(),
        agent: "earlier".to_owned(),
        version: "0".to_owned(),
        now_ms: now_ms(),
        lease_ms: now_ms(),
    };
    assert_eq!(desk.claim(&earlier).unwrap().unwrap().id, left);
    let next = file(&mut desk, r#"{"task":"status"}"#);
    let state = |desk: &SqliteDesk, id| desk.job(id).unwrap().unwrap().state;
    // The first call fails, as where the desk's child does not start.
    work_until(folder.path(), 1, |desk| {
        state(desk, left) == JobState::Lost && state(desk, next).has_ended()
    });
}

#[test]
fn every_copy_has_its_turn_while_change_follows_change() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = SqliteDesk::open(folder.path()).unwrap();
    // Each of them changes something, one after the other.
    let mut last = 0;
    for _ in 0..150 {
        last = file(&mut desk, r#"{"task":"discard"}"#);
    }
    work_until(folder.path(), 0, |desk| {
        let copied = |of: &CopyOf| desk.copy(MX, of.name()).unwrap().is_some();
        let goes_on = !desk.job(last).unwrap().unwrap().state.has_ended();
        CopyOf::ALL.iter().all(copied) && goes_on
    });
}
