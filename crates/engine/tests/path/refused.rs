//! What is refused before anything is touched, with its kind and code.

use crate::bench::Bench;
use postseal_engine::{EngineError, Keep, Kind};
use postseal_host::Host;
use postseal_planner::facts::MasterState;

fn on() -> Bench {
    let bench = Bench::new();
    bench.turn_on();
    bench
}

/// Nothing was published and no operation opened.
fn untouched(bench: &Bench, error: &EngineError, kind: Kind, code: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.code(), code, "{error}");
    assert!(bench.newest().is_none());
    let world = bench.host.world();
    assert!(!world.calls().iter().any(|call| call.starts_with("publish")));
}

#[test]
fn a_plan_whose_files_have_changed_is_stale() {
    let bench = on();
    let plan = bench.run(|engine| engine.show_plan()).unwrap().plan;
    bench.host.world().main_cf.extend(b"biff = no\n");
    let id = plan.id.to_string();
    let error = bench
        .run(|engine| engine.apply(Some(&id), &[], Keep::Now))
        .unwrap_err();
    untouched(&bench, &error, Kind::Conflict, "plan.stale");
    assert!(error.to_string().contains("files have changed"), "{error}");
}

#[test]
fn a_plan_whose_wishes_have_changed_is_stale() {
    let bench = on();
    let plan = bench.run(|engine| engine.show_plan()).unwrap().plan;
    bench.set(&[("received-header", "yes")]);
    let id = plan.id.to_string();
    let error = bench
        .run(|engine| engine.apply(Some(&id), &[], Keep::Now))
        .unwrap_err();
    untouched(&bench, &error, Kind::Conflict, "plan.stale");
    assert!(error.to_string().contains("wished"), "{error}");
}

#[test]
fn of_two_admins_with_the_same_head_one_wins() {
    let bench = on();
    let plan = bench.run(|engine| engine.show_plan()).unwrap().plan;
    bench.apply().unwrap();
    bench.set(&[("received-header", "yes")]);
    let id = plan.id.to_string();
    let error = bench
        .run(|engine| engine.apply(Some(&id), &[], Keep::Now))
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    assert_eq!(error.code(), "plan.stale");
    assert_eq!(bench.newest().unwrap().id, 1);
}

#[test]
fn a_shown_plan_is_applied_by_a_short_id() {
    let bench = on();
    let plan = bench.run(|engine| engine.show_plan()).unwrap().plan;
    let id = plan.id.short(12).to_string();
    let changed = bench
        .run(|engine| engine.apply(Some(&id), &[], Keep::Now))
        .unwrap();
    assert_eq!(changed.plan.id, plan.id);
}

#[test]
fn an_unknown_plan_is_unknown() {
    let bench = on();
    for id in ["0000000000", "", "zzzzzzzz", "../../etc"] {
        let error = bench
            .run(|engine| engine.apply(Some(id), &[], Keep::Now))
            .unwrap_err();
        untouched(&bench, &error, Kind::Refused, "name.unknown");
    }
}

#[test]
fn a_second_postseal_is_locked_out() {
    let bench = on();
    let _lock = bench.host.lock().unwrap();
    let error = bench.apply().unwrap_err();
    untouched(&bench, &error, Kind::Conflict, "instance.locked");
    assert_eq!(bench.rollback().unwrap_err().code(), "instance.locked");
}

#[test]
fn a_rehearsal_that_does_not_start_stops_the_change() {
    let bench = on();
    bench.host.world().rehearsal.refusal = Some("smtpd dies".to_owned());
    let error = bench.apply().unwrap_err();
    untouched(&bench, &error, Kind::Failed, "rehearsal.no-start");
}

#[test]
fn a_warning_that_the_files_as_they_are_log_too_stops_nothing() {
    let bench = on();
    bench.host.world().rehearsal.log =
        b"Dec  1 00:00:00 mx postfix/smtpd[7]: fatal: unknown TLS security level: \"maybe\"\n"
            .to_vec();
    // The files as they are log the same, so it is not the change's fault.
    let changed = bench.apply();
    assert!(changed.is_ok(), "{changed:?}");
}

#[test]
fn rolling_back_what_was_never_kept() {
    let bench = on();
    let error = bench.rollback().unwrap_err();
    untouched(&bench, &error, Kind::Refused, "name.unknown");
    let error = bench
        .run(|engine| engine.rollback(Some(77), &[], Keep::Now))
        .unwrap_err();
    untouched(&bench, &error, Kind::Refused, "name.unknown");
}

#[test]
fn an_instance_nobody_adopted() {
    let bench = on();
    bench.run(|engine| engine.release()).unwrap();
    let error = bench.apply().unwrap_err();
    untouched(&bench, &error, Kind::Refused, "instance.not-adopted");
}

#[test]
fn a_stopped_postfix_is_said_and_not_started() {
    let bench = on();
    bench.host.world().master = MasterState::Stopped;
    let changed = bench.apply().unwrap();
    assert_eq!(changed.master, MasterState::Stopped);
    assert!(changed.proved.judgements.is_empty());
    assert_eq!(bench.host.world().master, MasterState::Stopped);
    let undone = bench.rollback().unwrap();
    assert_eq!(undone.master, MasterState::Stopped);
    assert_eq!(bench.host.world().master, MasterState::Stopped);
}
