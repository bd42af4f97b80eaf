//! Changes that wait for a word.

use crate::bench::{Bench, Files};
use postseal_engine::{Changes, Guarded, Keep, Kind, Outcome, Recovery};
use postseal_store::OperationOutcome;
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
}

#[test]
fn confirmed_in_time_it_is_kept() {
    let story = Awaiting::new();
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
    story.bench.guardian.die();
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
    let changed = story.bench.rollback().unwrap();
    assert_eq!(changed.outcome, Outcome::Undone { operation: 1 });
    assert_eq!(story.bench.files(), story.old);
    assert!(story.bench.open().is_none());
}

#[test]
fn the_guard_itself_waits_and_then_rolls_back() {
    let story = Awaiting::new();
    story.bench.guardian.die();
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
    story.bench.run(|engine| engine.confirm()).unwrap();
    story.bench.guardian.die();
    let recovery = story.bench.run(|engine| engine.guard(1)).unwrap();
    assert_eq!(recovery, Recovery::Nothing);
    assert_eq!(story.bench.files(), story.new);
}

#[test]
fn the_guard_is_up_before_anybody_else_may_look() {
    let story = Awaiting::new();
    assert!(story.bench.guardian.locked.get());
    assert!(!story.bench.host.world().is_locked());
}

#[test]
fn what_nobody_would_take_back_is_taken_back_at_once() {
    let bench = Bench::new();
    bench.turn_on();
    let old = bench.files();
    bench.guardian.refuses.set(true);
    let error = bench
        .run(|engine| engine.apply(None, &[], Keep::Within(TIME)))
        .unwrap_err();
    assert_eq!(error.kind(), Kind::RolledBack, "{error}");
    assert_eq!(error.code(), "guard.not-started");
    assert_eq!(bench.files(), old);
    assert!(bench.is_effective());
    assert!(bench.open().is_none());
}

/// Appends to main.cf, as an administrator's editor does.
fn edit(bench: &Bench, line: &str) {
    bench.host.world().main_cf.extend(line.as_bytes());
}

#[test]
fn a_hand_edit_of_ours_while_it_waits_is_drift() {
    let story = Awaiting::new();
    let bench = &story.bench;
    edit(bench, "smtpd_tls_loglevel = 3\n");
    for _ in 0..2 {
        let report = bench.run(|engine| engine.drift()).unwrap();
        assert_eq!(report.drift.len(), 1, "{report:?}");
        assert_eq!(report.drift[0].parameter, "smtpd_tls_loglevel");
        // The second time it is asked after the word was given.
        let _ = bench.run(|engine| engine.confirm());
    }
    assert!(bench.files().main.ends_with(b"smtpd_tls_loglevel = 3\n"));
    bench.set(&[("received-header", "yes")]);
    assert_eq!(bench.apply().unwrap_err().code(), "drift.unresolved");
}

#[test]
fn any_other_hand_edit_while_it_waits_is_news() {
    let story = Awaiting::new();
    let bench = &story.bench;
    edit(bench, "biff = no\n");
    bench.run(|engine| engine.confirm()).unwrap();
    let report = bench.run(|engine| engine.drift()).unwrap();
    assert!(report.drift.is_empty(), "{report:?}");
    assert_eq!(report.other_bytes, Changes::Some);
}

#[test]
fn a_hand_edit_before_it_is_undone_is_a_conflict_and_stays() {
    let story = Awaiting::new();
    let bench = &story.bench;
    edit(bench, "biff = no\n");
    let edited = bench.files();
    bench.guardian.die();
    for error in [bench.recover().unwrap_err(), bench.rollback().unwrap_err()] {
        assert_eq!(error.kind(), Kind::Conflict, "{error}");
        assert_eq!(error.code(), "operation.conflict");
    }
    assert_eq!(bench.files(), edited);
}
