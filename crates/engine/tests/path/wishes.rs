//! Wishes that change no byte, and wishes that stay pending.

use crate::bench::Bench;
use postseal_engine::{Keep, Outcome, wishes};
use postseal_planner::intent::Key;
use postseal_store::{InstanceState, OperationOutcome};
use std::sync::atomic::Ordering;

const KEPT: Option<OperationOutcome> = Some(OperationOutcome::Kept);

#[test]
fn a_wish_for_what_is_there_is_an_operation_that_a_rollback_takes_back() {
    let bench = Bench::new();
    bench
        .host
        .world()
        .main_cf
        .extend(b"smtpd_tls_loglevel = 1\n");
    bench.run(|engine| engine.init()).unwrap();
    bench.turn_on();
    bench.apply().unwrap();
    bench.set(&[("loglevel.inbound", "1")]);
    let files = bench.files();
    let calls = bench.host.world().calls().len();
    let proposal = bench.run(|engine| engine.propose()).unwrap();
    assert!(proposal.plan.is_empty() && proposal.has_news());
    let changed = bench.apply().unwrap();
    assert_eq!(changed.outcome, Outcome::Kept { operation: 2 });
    assert_eq!(bench.files(), files);
    let calls = bench.host.world().calls()[calls..].to_vec();
    assert!(calls.iter().all(|call| call != "reload"), "{calls:?}");
    let state = || bench.run(|engine| engine.wishes()).unwrap();
    assert!(state().draft.is_none());
    let log = |state: &InstanceState| state.desired.settings.contains_key(&Key::LoglevelInbound);
    assert!(log(&state()));
    // Nothing is wished: nothing is noted.
    assert_eq!(bench.apply().unwrap().outcome, Outcome::Nothing);
    assert_eq!(bench.newest().unwrap().id, 2);
    // The newest is what is undone, and the older one stays.
    let back = bench.rollback().unwrap();
    assert_eq!(back.undone, Some(2));
    assert_eq!(bench.files(), files);
    assert!(!log(&state()));
    assert_eq!(bench.rollback().unwrap().undone, Some(1));
}

#[test]
fn what_was_rolled_forth_again_is_undone_before_anything_older() {
    let bench = Bench::new();
    bench.turn_on();
    bench.apply().unwrap();
    bench.set(&[("received-header", "yes")]);
    bench.apply().unwrap();
    let files = bench.files();
    let undo = |operation| bench.run(|engine| engine.rollback(operation, &[], Keep::Now));
    assert_eq!(undo(None).unwrap().undone, Some(2));
    assert_eq!(undo(Some(3)).unwrap().undone, Some(3));
    assert_eq!(bench.files(), files);
    assert_eq!(undo(None).unwrap().undone, Some(2));
    assert_eq!(undo(None).unwrap().undone, Some(1));
}

#[test]
fn a_second_apply_has_nothing_to_do() {
    let bench = Bench::new();
    bench.turn_on();
    bench.apply().unwrap();
    let files = bench.files();
    assert_eq!(bench.apply().unwrap().outcome, Outcome::Nothing);
    assert_eq!(bench.files(), files);
    assert_eq!(bench.newest().unwrap().id, 1);
}

#[test]
fn a_wish_whose_apply_was_rolled_back_stays_pending() {
    let bench = Bench::new();
    bench.turn_on();
    bench.wire.deaf.store(true, Ordering::Relaxed);
    bench.apply().unwrap_err();
    let state = bench.run(|engine| engine.wishes()).unwrap();
    assert!(state.draft.is_some());
    bench.wire.deaf.store(false, Ordering::Relaxed);
    bench.apply().unwrap();
    let state = bench.run(|engine| engine.wishes()).unwrap();
    assert!(state.draft.is_none());
}

#[test]
fn discard_drops_the_wishes() {
    let bench = Bench::new();
    bench.turn_on();
    let discard = |bench: &Bench| bench.run(|engine| engine.discard()).unwrap();
    let first = discard(&bench);
    assert!(!wishes(&first.before, &first.after).is_empty());
    assert_eq!(first.after, first.in_force);
    let again = discard(&bench);
    assert_eq!(again.before, again.after);
    assert_eq!(bench.apply().unwrap().outcome, Outcome::Nothing);
}

#[test]
fn a_deleted_key_file_is_written_again() {
    let bench = Bench::new();
    bench.turn_on();
    bench.apply().unwrap();
    let files = bench.files();
    let key = |path: &std::path::PathBuf| path.starts_with("/etc/postfix/postseal.d");
    bench.host.world().files.retain(|path, _| !key(path));
    assert_ne!(bench.files(), files);
    let changed = bench.apply().unwrap();
    assert!(matches!(changed.outcome, Outcome::Kept { .. }));
    assert_eq!(bench.files(), files);
}

#[test]
fn drift_restore_with_nothing_to_restore_keeps_the_wishes() {
    let bench = Bench::new();
    bench.turn_on();
    let wished = bench.run(|engine| engine.wishes()).unwrap().draft;
    assert!(wished.is_some());
    let changed = bench.run(|engine| engine.restore_drift(&[], Keep::Now));
    assert_eq!(changed.unwrap().outcome, Outcome::Nothing);
    let state = bench.run(|engine| engine.wishes()).unwrap();
    assert_eq!(state.draft, wished);
}

#[test]
fn what_is_only_noted_is_kept_or_still_wished_whichever_write_fails() {
    let bench = Bench::new();
    bench.turn_on();
    bench.apply().unwrap();
    bench
        .host
        .world()
        .main_cf
        .extend(b"smtpd_tls_loglevel = 1\n");
    bench.run(|engine| engine.adopt_drift()).unwrap();
    bench.set(&[("loglevel.inbound", "1")]);
    let files = bench.files();
    let apply =
        |bench: &Bench, left| bench.run_full(left, |engine| engine.apply(None, &[], Keep::Now));
    let writes = apply(&bench.copy(), usize::MAX).writes;
    assert!(writes >= 3, "{writes}");
    for left in 0..writes {
        let bench = bench.copy();
        apply(&bench, left).result.unwrap_err();
        bench.recover().unwrap();
        assert!(bench.open().is_none(), "{left}");
        assert_eq!(bench.files(), files, "{left}");
        let state = bench.run(|engine| engine.wishes()).unwrap();
        let kept = bench.newest().unwrap().id == 2 && bench.outcome() == KEPT;
        assert_eq!(state.draft.is_none(), kept, "{left}");
        let in_force = state.desired.settings.contains_key(&Key::LoglevelInbound);
        assert_eq!(in_force, kept, "{left}");
    }
}
