//! Wishes that change no byte, and wishes that stay pending.

use crate::bench::Bench;
use postseal_engine::{Keep, Outcome, wishes};
use std::sync::atomic::Ordering;

#[test]
fn a_wish_for_what_is_there_is_kept_without_an_operation() {
    let bench = Bench::new();
    bench
        .host
        .world()
        .main_cf
        .extend(b"smtpd_tls_loglevel = 1\n");
    bench.run(|engine| engine.init()).unwrap();
    bench.set(&[("loglevel.inbound", "1")]);
    let files = bench.files();
    let changed = bench.apply().unwrap();
    assert_eq!(changed.outcome, Outcome::Nothing);
    assert_eq!(bench.files(), files);
    assert!(bench.newest().is_none());
    let state = bench.run(|engine| engine.wishes()).unwrap();
    assert!(state.draft.is_none());
    assert!(!state.desired.settings.is_empty());
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
