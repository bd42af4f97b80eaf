//! Changes that wait for a word.

use crate::bench::{Bench, Files};
use postseal_engine::{Guarded, Keep, Kind, Outcome, Recovery};
use postseal_store::OperationOutcome;
use std::fs::File;
use std::time::Duration;

const TIME: Duration = Duration::from_secs(300);

struct Awaiting {
    bench: Bench,
    old: Files,
    new: Files,
}

impl Awaiting {
    fn new() -> Self {
        let bench = Bench::new();
        bench.turn_on();
        let old = bench.files();
        let changed = bench
            .run(|engine| engine.apply(None, &[], Keep::Within(TIME)))
            .unwrap();
        assert!(matches!(
            changed.outcome,
            Outcome::Awaiting { operation: 1, .. }
        ));
        let new = bench.files();
        Self { bench, old, new }
    }

    /// The lock of a guard that lives.
    fn guard(&self) -> File {
        let file = File::create(self.bench.folder().join("guard-1.lock")).unwrap();
        file.try_lock().unwrap();
        file
    }
}

#[test]
fn confirmed_in_time_it_is_kept() {
    let story = Awaiting::new();
    let _guard = story.guard();
    assert_eq!(
        story.bench.recover().unwrap(),
        Recovery::Awaiting { operation: 1 }
    );
    assert_eq!(story.bench.run(|engine| engine.confirm()).unwrap(), 1);
    assert_eq!(story.bench.outcome(), Some(OperationOutcome::Kept));
    assert_eq!(story.bench.files(), story.new);
    let again = story.bench.run(|engine| engine.confirm()).unwrap_err();
    assert_eq!(again.kind(), Kind::Refused);
}

#[test]
fn everything_else_has_to_wait() {
    let story = Awaiting::new();
    let _guard = story.guard();
    let bench = &story.bench;
    bench.set(&[("received-header", "yes")]);
    for error in [
        bench.apply().unwrap_err(),
        bench.run(|engine| engine.release()).unwrap_err(),
        bench.run(|engine| engine.adopt_drift()).unwrap_err(),
        bench
            .run(|engine| engine.restore_drift(&[], Keep::Now))
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::Conflict, "{error}");
        assert_eq!(error.code(), "operation.awaiting-confirmation");
    }
    assert_eq!(bench.files(), story.new);
}

#[test]
fn past_its_deadline_it_is_undone_even_under_a_guard() {
    let story = Awaiting::new();
    let _guard = story.guard();
    story.bench.clock.pass(TIME);
    let recovery = story.bench.recover().unwrap();
    assert!(matches!(recovery, Recovery::Undone { operation: 1, .. }));
    assert_eq!(story.bench.files(), story.old);
    let error = story.bench.run(|engine| engine.confirm()).unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
}

#[test]
fn without_its_guard_it_is_undone_by_the_next_command() {
    let story = Awaiting::new();
    story.bench.set(&[("received-header", "yes")]);
    let files = story.old.clone();
    story.bench.recover().unwrap();
    assert_eq!(story.bench.files(), files);
    let reason = match story.bench.outcome() {
        Some(OperationOutcome::RolledBack { reason }) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason, "its guard ended before it was confirmed");
}

#[test]
fn rollback_while_it_waits_undoes_it() {
    let story = Awaiting::new();
    let _guard = story.guard();
    let changed = story.bench.rollback().unwrap();
    assert_eq!(changed.outcome, Outcome::Undone { operation: 1 });
    assert_eq!(story.bench.files(), story.old);
    assert!(story.bench.open().is_none());
}

#[test]
fn the_guard_itself_waits_and_then_rolls_back() {
    let story = Awaiting::new();
    let recovery = story.bench.run(|engine| engine.guard(1)).unwrap();
    assert!(matches!(recovery, Recovery::Undone { operation: 1, .. }));
    assert_eq!(story.bench.files(), story.old);
    let guarded = story.bench.run(|engine| engine.guarded(1));
    assert_eq!(guarded, Guarded::No);
    assert!(!story.bench.folder().join("guard-1.lock").exists());
}

#[test]
fn a_guard_of_what_is_settled_has_nothing_to_do() {
    let story = Awaiting::new();
    {
        let _guard = story.guard();
        story.bench.run(|engine| engine.confirm()).unwrap();
    }
    let recovery = story.bench.run(|engine| engine.guard(1)).unwrap();
    assert_eq!(recovery, Recovery::Nothing);
    assert_eq!(story.bench.files(), story.new);
}
