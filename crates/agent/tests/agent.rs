//! The agent's loop over a real desk; what carries tasks out is a program that answers nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use postseal_agent::{Agent, Program};
use postseal_store::desk::{
    Beat, Clerk, CopyOf, Desk as _, End, Filed, Heartbeat, Job, JobEvent, JobState, NewJob, Note,
    RuleChange, RuleRow,
};
use postseal_store::{SqliteDesk, StoreError};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::cell::{Cell, RefCell};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const MX: &str = "/etc/postfix";

/// A desk that cannot be reached at first, or that somebody else owns.
struct Unreachable {
    desk: SqliteDesk,
    /// How many calls fail.
    calls: u32,
    /// Handed out whenever a job is asked for.
    forever: Option<Job>,
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
        match &self.forever {
            Some(job) => Ok(Some(job.clone())),
            None => self.reach()?.claim(heartbeat),
        }
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

    fn change_rules(
        &mut self,
        instance: &str,
        since: &str,
        change: &RuleChange,
        mark: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        self.reach()?
            .change_rules(instance, since, change, mark, now_ms)
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
    let desk = SqliteDesk::open(folder).unwrap();
    let clerk = Unreachable {
        desk,
        calls,
        forever: None,
    };
    work_by(folder, clerk, "/bin/true".into(), seen);
}

/// The same by way of `clerk`; tasks are carried out by `program`.
fn work_by(
    folder: &Path,
    mut clerk: Unreachable,
    program: PathBuf,
    seen: impl Fn(&SqliteDesk) -> bool,
) {
    let stop = AtomicBool::new(false);
    let stop = &stop;
    scope(|scope| {
        scope.spawn(move || {
            let mut agent = Agent {
                clerk: &mut clerk,
                program: Program {
                    path: program,
                    options: Vec::new(),
                },
                instance: MX.to_owned(),
                name: "now".to_owned(),
                version: "0".to_owned(),
                look_every: Some(Duration::from_millis(500)),
                now_ms,
                stop,
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
    for _ in 0..300 {
        last = file(&mut desk, r#"{"task":"discard"}"#);
    }
    work_until(folder.path(), 0, |desk| {
        let copied = |of: &CopyOf| desk.copy(MX, of.name()).unwrap().is_some();
        let goes_on = !desk.job(last).unwrap().unwrap().state.has_ended();
        CopyOf::ALL.iter().all(copied) && goes_on
    });
}

/// A program that does the same whatever it is asked.
fn scripted(folder: &Path, script: &str) -> PathBuf {
    let program = folder.join("program");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    program
}

#[test]
fn what_tells_more_than_anybody_reads_holds_nothing_up() {
    const TOLD: usize = 1_500;
    let folder = tempfile::tempdir().unwrap();
    // It ends at once, with all of it still to be read.
    let lines = "{\"event\":1}\n".repeat(TOLD);
    std::fs::write(folder.path().join("lines"), lines).unwrap();
    let script = format!(
        "/bin/cat {}/lines >&2; echo '{{}}'",
        folder.path().display()
    );
    let program = scripted(folder.path(), &script);
    let mut desk = SqliteDesk::open(folder.path()).unwrap();
    let job = file(&mut desk, r#"{"task":"status"}"#);
    let clerk = Unreachable {
        desk: SqliteDesk::open(folder.path()).unwrap(),
        calls: 0,
        forever: None,
    };
    work_by(folder.path(), clerk, program, |desk| {
        let copied = |of: &CopyOf| desk.copy(MX, of.name()).unwrap().is_some();
        let told = || desk.events(job, 0, TOLD + 1).unwrap().len();
        desk.job(job).unwrap().unwrap().state == JobState::Done
            && told() == TOLD
            && CopyOf::ALL.iter().all(copied)
    });
}

#[test]
fn a_job_whose_words_are_too_many_ends_and_the_agent_does_not() {
    let folder = tempfile::tempdir().unwrap();
    // The words of a process take a quarter of it at most (execve(2)).
    let stack = Rlimit {
        current: Some(1024 * 1024),
        ..getrlimit(Resource::Stack)
    };
    setrlimit(Resource::Stack, stack).unwrap();
    let mut desk = SqliteDesk::open(folder.path()).unwrap();
    let name = format!("\"{}.example\"", "x".repeat(400));
    let names = vec![name; 1_000].join(",");
    let task = format!(r#"{{"task":"policy-remove","destinations":[{names}]}}"#);
    let job = file(&mut desk, &task);
    let next = file(&mut desk, r#"{"task":"status"}"#);
    work_until(folder.path(), 0, |desk| {
        let ended = |id| desk.job(id).unwrap().unwrap().end;
        let is_told = |end: End| end.answer.contains("job.not-started");
        ended(job).is_some_and(is_told) && ended(next).is_some()
    });
}

#[test]
fn no_mark_of_rules_that_somebody_put_at_the_desk_ends_the_agent() {
    let folder = tempfile::tempdir().unwrap();
    let mark = "x".repeat(300_000);
    let answer = format!(r#"{{"mark":"{mark}","same":false,"rows":0}}"#);
    std::fs::write(folder.path().join("answer"), answer).unwrap();
    let script = format!("exec /bin/cat {}/answer", folder.path().display());
    let program = scripted(folder.path(), &script);
    let mut desk = SqliteDesk::open(folder.path()).unwrap();
    let clerk = Unreachable {
        desk: SqliteDesk::open(folder.path()).unwrap(),
        calls: 0,
        forever: None,
    };
    // Each change has the rules read anew, unless their mark is that of before.
    let change = |desk: &mut SqliteDesk| file(desk, r#"{"task":"discard"}"#);
    let last = Cell::new(change(&mut desk));
    let changes = Cell::new(0);
    let desk = RefCell::new(desk);
    work_by(folder.path(), clerk, program, |seen| {
        let desk = &mut *desk.borrow_mut();
        let has_mark = desk.rules_mark(MX).unwrap().as_deref() == Some(&mark);
        if has_mark && seen.job(last.get()).unwrap().unwrap().state.has_ended() {
            last.set(change(desk));
            changes.set(changes.get() + 1);
        }
        changes.get() > 20
    });
}

#[test]
fn a_job_that_comes_again_and_again_keeps_nothing_else_from_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = SqliteDesk::open(folder.path()).unwrap();
    let job = file(&mut desk, "no task");
    let forever = desk.job(job).unwrap();
    let clerk = Unreachable {
        desk,
        calls: 0,
        forever,
    };
    // It is told to end, and does, by the end of this.
    work_by(folder.path(), clerk, "/bin/true".into(), |desk| {
        let copied = |of: &CopyOf| desk.copy(MX, of.name()).unwrap().is_some();
        CopyOf::ALL.iter().all(copied)
    });
}

#[test]
fn a_desk_that_never_answers_keeps_neither_a_mail_nor_a_watched_folder_back() {
    let folder = tempfile::tempdir().unwrap();
    let words = folder.path().join("words");
    let script = format!("echo \"$@\" >> {}", words.display());
    let program = scripted(folder.path(), &script);
    let clerk = Unreachable {
        desk: SqliteDesk::open(folder.path()).unwrap(),
        calls: u32::MAX,
        forever: None,
    };
    work_by(folder.path(), clerk, program, |_| {
        let said = std::fs::read_to_string(&words).unwrap_or_default();
        said.matches("notify check").count() > 2 && said.contains("cert watch")
    });
}
