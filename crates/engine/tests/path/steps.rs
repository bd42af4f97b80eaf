//! Every step of a change fails, or is the last one before the machine dies.
//!
//! Afterwards, and after the next start, the files are the old ones or the new ones, the journal
//! is closed, and its outcome says which.

use crate::bench::{Bench, Files, MAIN};
use postseal_engine::{Changed, EngineError, Kind, Outcome};
use postseal_planner::facts::MasterState;
use postseal_store::{OperationOutcome, Phase};
use postseal_testkit::fake_host::{FakeHost, Fault};

type Act = fn(&Bench) -> Result<Changed, EngineError>;

/// A bench at the point where `act` is to be tried, and what the files are before and after.
struct Story {
    start: Bench,
    act: Act,
    old: Files,
    new: Files,
    /// How many steps of the host a good run takes.
    steps: usize,
}

impl Story {
    fn new(start: Bench, act: Act) -> Self {
        let good = start.copy();
        good.host.revive();
        let changed = act(&good).unwrap();
        assert!(matches!(changed.outcome, Outcome::Kept { .. }));
        let steps = good.host.steps();
        let story = Self {
            old: start.files(),
            new: good.files(),
            steps,
            start,
            act,
        };
        assert_ne!(story.old, story.new);
        story
    }

    /// Every step, in every way in which it can go wrong.
    fn every_step(&self) {
        self.every_step_with(FakeHost::revive);
        self.every_step_with(FakeHost::next_process);
    }

    /// The same, with what comes after a death: a machine that starts, or only another process.
    fn every_step_with(&self, next: fn(&FakeHost)) {
        let mut ends = Ends::default();
        for fault in [Fault::Fail, Fault::DieBefore, Fault::DieAfter] {
            for n in 0..self.steps {
                let bench = self.start.copy();
                bench.host.revive();
                bench.host.fault_at(n, fault);
                let result = (self.act)(&bench);
                let call = bench.host.world().calls()[n].clone();
                self.check(
                    &bench,
                    result,
                    &format!("{fault:?} at {n} ({call})"),
                    next,
                    &mut ends,
                );
            }
        }
        assert!(
            ends.old > 0 && ends.new > 0 && ends.recovered > 0,
            "{ends:?}"
        );
    }

    fn check(
        &self,
        bench: &Bench,
        result: Result<Changed, EngineError>,
        story: &str,
        next: fn(&FakeHost),
        ends: &mut Ends,
    ) {
        let died = bench.host.world().is_dead();
        let before = bench.newest().map(|newest| newest.id);
        if died {
            // In memory the store outlives the machine; a look that the machine died in may have
            // been the last thing that was wanted of it.
            let kept = matches!(bench.outcome(), Some(OperationOutcome::Kept));
            assert!(result.is_err() || kept, "{story}");
            next(&bench.host);
        } else if bench.open().is_none() {
            self.told_as_it_is(bench, &result, story);
        }
        if bench.open().is_some() {
            ends.recovered += 1;
        }
        bench
            .recover()
            .unwrap_or_else(|error| panic!("{story}: {error}"));
        assert!(bench.open().is_none(), "{story}");
        assert!(!bench.host.world().is_locked(), "{story}");
        assert_eq!(bench.host.world().scratches(), 0, "{story}");
        assert!(bench.is_effective(), "{story}");
        assert_ne!(bench.host.world().master, MasterState::Stopped, "{story}");
        assert_eq!(bench.newest().map(|newest| newest.id), before, "{story}");
        let files = bench.files();
        if files == self.new {
            ends.new += 1;
            assert_eq!(bench.outcome(), Some(OperationOutcome::Kept), "{story}");
        } else {
            ends.old += 1;
            assert_eq!(files.main, self.old.main, "{story}: main.cf is between");
            assert_eq!(
                files.master, self.old.master,
                "{story}: master.cf is between"
            );
            assert_eq!(files.private, self.old.private, "{story}: private files");
            let newest = bench
                .newest()
                .filter(|newest| Some(newest.id) != self.head());
            let outcome = newest.map(|newest| newest.outcome.unwrap());
            assert_ne!(outcome, Some(OperationOutcome::Kept), "{story}");
        }
    }

    /// A command that returned has left the old or the new files, and says which.
    fn told_as_it_is(&self, bench: &Bench, result: &Result<Changed, EngineError>, story: &str) {
        let files = bench.files();
        match result {
            Ok(_) => assert_eq!(files, self.new, "{story}"),
            Err(error) => {
                assert_eq!(files, self.old, "{story}: {error}");
                let outcome = bench.outcome();
                match error.kind() {
                    Kind::RolledBack => {
                        let back = matches!(outcome, Some(OperationOutcome::RolledBack { .. }));
                        assert!(back, "{story}: {outcome:?}");
                    }
                    _ => {
                        let back = matches!(outcome, Some(OperationOutcome::RolledBack { .. }));
                        assert!(!back, "{story}: {error}");
                    }
                }
            }
        }
    }

    fn head(&self) -> Option<u64> {
        self.start.newest().map(|newest| newest.id)
    }
}

#[derive(Debug, Default)]
struct Ends {
    old: usize,
    new: usize,
    recovered: usize,
}

fn on() -> Bench {
    let bench = Bench::new();
    bench.turn_on();
    bench
}

fn order(story: &Story) -> Vec<String> {
    let good = story.start.copy();
    good.host.revive();
    (story.act)(&good).unwrap();
    let world = good.host.world();
    let wanted = |call: &&String| call.starts_with("publish") || *call == "reload";
    world.calls().iter().filter(wanted).cloned().collect()
}

#[test]
fn turning_on_main_cf_first() {
    let story = Story::new(on(), Bench::apply);
    assert_eq!(order(&story), ["publish Main", "publish Master", "reload"]);
    assert_eq!(story.new.private.len(), story.old.private.len() + 1);
    story.every_step();
}

/// One rule in force, others wished. At `fingerprint` no delivery is rehearsed, which a host in
/// memory cannot.
fn ruled() -> Bench {
    let main = [MAIN, b"smtp_tls_security_level = fingerprint\n"].concat();
    let bench = Bench::with_main(&main);
    bench.adopt();
    bench.rules(&["first.example encrypt"]);
    bench.apply().unwrap();
    bench.rules(&["second.example encrypt", ".third.example may"]);
    bench
}

#[test]
fn rules_for_destinations_come_in_force() {
    let story = Story::new(ruled(), Bench::apply);
    assert_eq!(order(&story), ["publish Main", "reload"]);
    story.every_step();
}

#[test]
fn rules_for_destinations_are_rolled_back() {
    let bench = ruled();
    bench.apply().unwrap();
    Story::new(bench, Bench::rollback).every_step();
}

#[test]
fn turning_off_master_cf_first() {
    let bench = on();
    bench.apply().unwrap();
    bench.turn_off();
    let story = Story::new(bench, Bench::apply);
    let expected = ["publish Master", "reload", "publish Main", "reload"];
    assert_eq!(order(&story), expected);
    story.every_step();
}

#[test]
fn rolling_back() {
    let bench = on();
    let old = bench.files();
    bench.apply().unwrap();
    let story = Story::new(bench, Bench::rollback);
    assert_eq!(story.new.main, old.main);
    assert_eq!(story.new.master, old.master);
    story.every_step();
}

#[test]
fn a_store_that_is_full_at_any_write() {
    let story = Story::new(on(), Bench::apply);
    let apply = |bench: &Bench, left| {
        bench.run_full(left, |engine| {
            engine.apply(None, &[], postseal_engine::Keep::Now)
        })
    };
    let writes = apply(&story.start.copy(), usize::MAX).writes;
    assert!(writes > 5, "{writes}");
    for left in 0..writes {
        let bench = story.start.copy();
        let error = apply(&bench, left).result.unwrap_err();
        let files = bench.files();
        match error.kind() {
            // The first is not even opened.
            Kind::Failed | Kind::RolledBack => assert_eq!(files, story.old, "{left}: {error}"),
            Kind::Undetermined => assert_eq!(files, story.new, "{left}: {error}"),
            other => panic!("{left}: {other:?} {error}"),
        }
        assert!(files == story.old || files == story.new, "{left}");
        bench.recover().unwrap();
        assert!(bench.open().is_none(), "{left}");
        assert_eq!(bench.files(), files, "{left}");
        let kept = bench.outcome() == Some(OperationOutcome::Kept);
        assert_eq!(kept, files == story.new, "{left}");
    }
}

#[test]
fn an_interrupt_before_anything_is_written_changes_nothing() {
    let bench = on();
    let old = bench.files();
    bench
        .interrupted
        .store(true, std::sync::atomic::Ordering::Relaxed);
    let error = bench.apply().unwrap_err();
    assert_eq!(error.code(), "interrupted");
    assert_eq!(bench.files(), old);
    assert!(bench.newest().is_none());
}

#[test]
fn what_the_live_wire_does_not_show_is_undone() {
    let bench = on();
    let old = bench.files();
    bench
        .wire
        .deaf
        .store(true, std::sync::atomic::Ordering::Relaxed);
    let error = bench.apply().unwrap_err();
    assert_eq!(error.kind(), Kind::RolledBack);
    assert_eq!(error.code(), "wire.starttls-not-offered");
    assert_eq!(bench.files(), old);
    assert!(bench.is_effective());
}

#[test]
fn an_operation_that_was_proved_is_kept_by_the_next_start() {
    let story = Story::new(on(), Bench::apply);
    let bench = story.start.copy();
    // Everything but the last write: the operation is proved and not closed.
    let writes = story.start.copy().run_full(usize::MAX, |engine| {
        engine.apply(None, &[], postseal_engine::Keep::Now)
    });
    let full = bench.run_full(writes.writes - 1, |engine| {
        engine.apply(None, &[], postseal_engine::Keep::Now)
    });
    assert_eq!(full.result.unwrap_err().kind(), Kind::Undetermined);
    assert_eq!(bench.open().unwrap().journal.last(), Some(&Phase::Verified));
    bench.recover().unwrap();
    assert_eq!(bench.outcome(), Some(OperationOutcome::Kept));
    assert_eq!(bench.files(), story.new);
}

#[test]
fn dead_machines_are_told_from_failed_calls() {
    let bench = on();
    bench.host.fault_at(0, Fault::DieBefore);
    let error = bench.apply().unwrap_err();
    let EngineError::Host(error) = error else {
        panic!("{error}")
    };
    assert!(FakeHost::has_died(&error));
}

#[test]
fn a_master_that_the_reload_ended_is_started_again() {
    let bench = on();
    let old = bench.files();
    bench.host.world().deadly_reload = true;
    let error = bench.apply().unwrap_err();
    assert_eq!(error.kind(), Kind::RolledBack, "{error}");
    assert_eq!(error.code(), "postfix.master-ended");
    assert_eq!(bench.files(), old);
    assert_ne!(bench.host.world().master, MasterState::Stopped);
    assert!(bench.is_effective());
}

#[test]
fn a_master_that_ended_under_a_killed_process_is_started_again() {
    let start = on();
    let old = start.files();
    let steps = {
        let good = start.copy();
        good.apply().unwrap();
        good.host.steps()
    };
    let mut started = 0;
    for fault in [Fault::DieBefore, Fault::DieAfter] {
        for n in 0..steps {
            let bench = start.copy();
            bench.host.revive();
            bench.host.world().deadly_reload = true;
            bench.host.fault_at(n, fault);
            bench.apply().unwrap_err();
            let story = format!("{fault:?} at {n}");
            bench.host.next_process();
            // The old files do not end it.
            bench.host.world().deadly_reload = false;
            started += usize::from(bench.host.world().master == MasterState::Stopped);
            bench.recover().unwrap();
            assert_ne!(bench.host.world().master, MasterState::Stopped, "{story}");
            assert_eq!(bench.files(), old, "{story}");
            assert!(bench.is_effective(), "{story}");
        }
    }
    assert!(started > 1, "{started}");
}

#[test]
fn a_postfix_that_somebody_stopped_stays_stopped() {
    let bench = on();
    let publish = {
        let good = bench.copy();
        good.host.revive();
        good.apply().unwrap();
        let world = good.host.world();
        world.calls().iter().position(|call| call == "publish Main")
    };
    bench.host.revive();
    bench.host.fault_at(publish.unwrap(), Fault::DieAfter);
    bench.apply().unwrap_err();
    bench.host.next_process();
    bench.host.world().master = MasterState::Stopped;
    bench.recover().unwrap();
    assert_eq!(bench.host.world().master, MasterState::Stopped);
    assert_eq!(bench.files().main, crate::bench::MAIN);
}
