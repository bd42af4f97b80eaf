//! Rollback, drift and hand edits.

use crate::bench::{Bench, MAIN, MASTER, own_file};
use postseal_engine::{Again, Changes, Keep, Kind, Outcome};
use postseal_planner::facts::MasterState;
use postseal_planner::plan::Cf;
use zeroize::Zeroizing;

fn applied() -> Bench {
    let bench = Bench::new();
    bench.turn_on();
    bench.apply().unwrap();
    bench
}

fn edit(bench: &Bench, from: &str, to: &str) {
    let mut world = bench.host.world();
    let text = String::from_utf8(world.main_cf.clone()).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    world.main_cf = text.replace(from, to).into_bytes();
}

#[test]
fn a_rollback_gives_every_byte_back_and_walks_back_through_history() {
    let bench = applied();
    bench.set(&[("received-header", "yes")]);
    let between = bench.files();
    bench.apply().unwrap();
    bench.rollback().unwrap();
    assert_eq!(bench.files(), between);
    bench.rollback().unwrap();
    assert_eq!(bench.files().main, MAIN);
    assert_eq!(bench.files().master, MASTER);
    assert_eq!(bench.rollback().unwrap_err().code(), "name.unknown");
    let plan = bench.run(|engine| engine.propose()).unwrap().plan;
    assert!(plan.is_empty(), "{:?}", plan.sentences);
}

#[test]
fn a_later_hand_edit_stays_and_the_diff_shows_what_goes() {
    let bench = applied();
    bench.set(&[("received-header", "yes")]);
    bench.apply().unwrap();
    edit(
        &bench,
        "# Ask Ingrid first.\n",
        "# Ask Olaf now.\nbiff = no\n",
    );
    let proposal = bench
        .run(|engine| engine.propose_rollback(Some(2)))
        .unwrap();
    let diff = &proposal.plan.edit(Cf::Main).unwrap().diff;
    assert!(diff.contains("-smtpd_tls_received_header"), "{diff}");
    assert!(!diff.contains("Olaf\n-"), "{diff}");
    bench
        .run(|engine| engine.rollback(Some(2), &[], Keep::Now))
        .unwrap();
    let main = String::from_utf8(bench.files().main).unwrap();
    assert!(main.starts_with("# Ask Olaf now.\nbiff = no\n"), "{main}");
    assert!(!main.contains("received_header"), "{main}");
    assert!(main.contains("smtpd_tls_security_level = may"), "{main}");
}

#[test]
fn an_older_operation_is_undone_beside_a_newer_one() {
    let bench = applied();
    bench.set(&[("received-header", "yes")]);
    bench.apply().unwrap();
    bench.set(&[("loglevel.inbound", "1")]);
    bench.apply().unwrap();
    bench
        .run(|engine| engine.rollback(Some(2), &[], Keep::Now))
        .unwrap();
    let main = String::from_utf8(bench.files().main).unwrap();
    assert!(!main.contains("received_header"), "{main}");
    assert!(main.contains("smtpd_tls_loglevel = 1"), "{main}");
}

#[test]
fn a_hand_edit_of_what_is_to_be_undone_is_a_conflict() {
    let bench = applied();
    edit(
        &bench,
        "smtpd_tls_security_level = may",
        "smtpd_tls_security_level = encrypt",
    );
    let files = bench.files();
    let error = bench.rollback().unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    assert_eq!(error.code(), "rollback.conflict");
    assert_eq!(bench.files(), files);
}

#[test]
fn a_hand_edit_in_the_middle_of_a_change_is_kept_and_told() {
    let bench = Bench::new();
    bench.turn_on();
    let n = {
        let good = bench.copy();
        good.host.revive();
        good.apply().unwrap();
        let world = good.host.world();
        let reload = world.calls().iter().position(|call| call == "reload");
        reload.unwrap()
    };
    bench.host.revive();
    bench
        .host
        .fault_at(n, postseal_testkit::fake_host::Fault::DieBefore);
    bench.apply().unwrap_err();
    bench.host.revive();
    edit(&bench, "# Ask Ingrid first.", "# Ask Olaf now.");
    let written = bench.files();
    let error = bench.recover().unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    assert_eq!(error.code(), "operation.conflict");
    assert!(bench.files().main.starts_with(b"# Ask Olaf now."));
    assert_eq!(bench.files().master, written.master, "it is between");
    // Taking the edit out again lets it come to its end.
    edit(&bench, "# Ask Olaf now.", "# Ask Ingrid first.");
    bench.recover().unwrap();
    assert_eq!(bench.files().main, MAIN);
    assert_eq!(bench.files().master, MASTER);
}

#[test]
fn drift_is_shown_and_bars_a_plan() {
    let bench = applied();
    edit(
        &bench,
        "smtpd_tls_security_level = may",
        "smtpd_tls_security_level = encrypt",
    );
    let report = bench.run(|engine| engine.drift()).unwrap();
    assert_eq!(report.drift.len(), 1);
    assert_eq!(report.drift[0].parameter, "smtpd_tls_security_level");
    bench.set(&[("received-header", "yes")]);
    let error = bench.apply().unwrap_err();
    assert_eq!(error.code(), "drift.unresolved");
    assert_eq!(error.kind(), Kind::Refused);
}

#[test]
fn restored_drift_gives_the_bytes_back_and_keeps_other_edits() {
    let bench = applied();
    let files = bench.files();
    edit(
        &bench,
        "smtpd_tls_security_level = may",
        "smtpd_tls_security_level = none",
    );
    bench
        .run(|engine| engine.restore_drift(&[], Keep::Now))
        .unwrap();
    assert_eq!(bench.files(), files);
    edit(&bench, "# Ask Ingrid first.", "# Ask Olaf now.");
    let report = bench.run(|engine| engine.drift()).unwrap();
    assert!(report.drift.is_empty());
    assert_eq!(report.other_bytes, Changes::Some);
    let changed = bench
        .run(|engine| engine.restore_drift(&[], Keep::Now))
        .unwrap();
    assert_eq!(changed.outcome, Outcome::Nothing);
}

#[test]
fn after_adopting_a_drift_a_plan_is_empty() {
    for (from, to) in [
        (
            "smtpd_tls_security_level = may",
            "smtpd_tls_security_level = encrypt",
        ),
        ("smtpd_tls_security_level = may\n", ""),
        ("our_note", "smtpd_tls_loglevel = 2\nour_note"),
    ] {
        let bench = applied();
        edit(&bench, from, to);
        let files = bench.files();
        let report = bench.run(|engine| engine.adopt_drift()).unwrap();
        assert_eq!(report.drift.len(), 1, "{from}");
        assert_eq!(bench.files(), files, "{from}");
        let plan = bench.run(|engine| engine.propose()).unwrap().plan;
        assert!(plan.is_empty(), "{from}: {:?}", plan.sentences);
        let drift = bench.run(|engine| engine.drift()).unwrap();
        assert!(drift.drift.is_empty(), "{from}");
    }
}

#[test]
fn init_again_takes_hand_edits_over() {
    let bench = applied();
    let again = |bench: &Bench| bench.run(|engine| engine.init()).unwrap().again;
    assert_eq!(again(&bench), Again::Unchanged);
    edit(
        &bench,
        "smtpd_tls_security_level = may",
        "smtpd_tls_security_level = encrypt",
    );
    assert_eq!(again(&bench), Again::TakenOver);
    assert_eq!(again(&bench), Again::Unchanged);
}

/// main.cf with TLS switched on and a certificate of its own.
const OWN: &[u8] = b"myhostname = mx.fake.test\n\
    smtpd_tls_security_level = may\n\
    smtpd_tls_chain_files = /etc/postfix/own.pem\n";
const OWN_FILE: &str = "/etc/postfix/own.pem";

/// Adopted as it was, then put on the store's certificate.
fn mended(own: Option<Zeroizing<Vec<u8>>>) -> Bench {
    let bench = Bench::with_main(OWN);
    if let Some(own) = own {
        bench.host.world().files.insert(OWN_FILE.into(), own);
    }
    bench.adopt();
    bench.bind("mx");
    let changed = bench.apply().unwrap();
    assert_eq!(changed.outcome, Outcome::Kept { operation: 1 });
    bench
}

#[test]
fn what_was_broken_before_may_be_broken_again() {
    let bench = mended(None);
    let changed = bench.rollback().unwrap();
    assert_eq!(changed.outcome, Outcome::Kept { operation: 2 });
    assert_eq!(bench.files().main, OWN);
    let codes: Vec<_> = changed.broken_again.iter().map(|f| &f.code).collect();
    assert_eq!(codes, ["wire.starttls-broken"], "{changed:?}");
    // And forth, to what was good.
    let changed = bench
        .run(|engine| engine.rollback(Some(2), &[], Keep::Now))
        .unwrap();
    assert!(changed.broken_again.is_empty(), "{changed:?}");
}

#[test]
fn what_broke_since_is_refused() {
    let bench = mended(Some(own_file()));
    bench
        .host
        .world()
        .files
        .remove(std::path::Path::new(OWN_FILE));
    let files = bench.files();
    let error = bench.rollback().unwrap_err();
    assert_eq!(error.kind(), Kind::Refused, "{error}");
    assert_eq!(error.code(), "cert.missing");
    assert_eq!(bench.files(), files);
}

#[test]
fn what_a_stopped_postfix_did_not_show_is_no_excuse() {
    let bench = Bench::with_main(OWN);
    bench.host.world().files.insert(OWN_FILE.into(), own_file());
    bench.adopt();
    bench.bind("mx");
    bench.host.world().master = MasterState::Stopped;
    bench.apply().unwrap();
    bench.host.revive();
    bench
        .host
        .world()
        .files
        .remove(std::path::Path::new(OWN_FILE));
    let error = bench.rollback().unwrap_err();
    assert_eq!(error.code(), "cert.missing", "{error}");
}
