//! Hand edits of what Postseal owns: seen, taken over, or put back byte for byte.

#![allow(clippy::expect_used, reason = "helpers of tests")]

mod support;

use postseal_planner::Request;
use postseal_planner::owned::{self, Drift};
use support::{Host, data, script, text};

const BASE: &str = "bind mx
set inbound=may
set outbound=may
set profile=recommended
set submission=on
apply
";

/// Hand edits of the files that `BASE` leaves, and what is seen of each.
const EDITS: [(&str, &[&str]); 12] = [
    (
        "edit main smtpd_tls_security_level = may => smtpd_tls_security_level = none",
        &["main.cf smtpd_tls_security_level may none"],
    ),
    (
        "edit main smtp_tls_security_level = may => #smtp_tls_security_level = may",
        &["main.cf smtp_tls_security_level may -"],
    ),
    (
        "append main smtpd_tls_loglevel = 3",
        &["main.cf smtpd_tls_loglevel - 3"],
    ),
    (
        "append main smtpd_tls_ciphers = export",
        &["main.cf smtpd_tls_ciphers medium export"],
    ),
    (
        "append main smtp_dns_support_level = dnssec",
        &["main.cf smtp_dns_support_level - dnssec"],
    ),
    (
        "edit master -o smtpd_tls_security_level=encrypt => -o smtpd_tls_security_level=may",
        &["submission/inet smtpd_tls_security_level encrypt may"],
    ),
    (
        "edit master   -o smtpd_tls_auth_only=yes => # -o smtpd_tls_auth_only=yes",
        &["submission/inet smtpd_tls_auth_only yes -"],
    ),
    (
        "edit master -       -       smtpd => -       -       smtpd -o smtpd_tls_loglevel=4",
        &["smtp/inet smtpd_tls_loglevel - 4"],
    ),
    (
        "append master slow unix - - n - - smtp -o smtp_tls_security_level=none",
        &["slow/unix smtp_tls_security_level - none"],
    ),
    // None of these is ours.
    ("append main mynetworks = 10.0.0.0/8", &[]),
    ("append main # smtp_tls_security_level = none", &[]),
    (
        "edit main smtp_tls_security_level = may => smtp_tls_security_level   =   may",
        &[],
    ),
];

fn host(edit: &str) -> Host {
    let read = |name: &str| std::fs::read(data("plans/stock").join(name)).expect("a stock file");
    let mut host = Host::new(&read("main.cf"), &read("master.cf"));
    script::run(&mut host, BASE).expect("a plan");
    // The script ends in a plan, which a hand edit would refuse: the edit is all it is for.
    let _ = script::run(&mut host, edit);
    host
}

fn seen(host: &Host) -> Vec<Drift> {
    owned::drift(&host.written, &host.owned())
}

fn told(drift: &Drift) -> String {
    let or_none = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let (was, is) = (or_none(&drift.written), or_none(&drift.now));
    format!("{} {} {was} {is}", drift.place, drift.parameter)
}

#[test]
fn each_edit_is_seen_for_what_it_is() {
    for (edit, expected) in EDITS {
        let mut host = host(edit);
        let drift: Vec<String> = seen(&host).iter().map(told).collect();
        assert_eq!(drift, expected, "{edit}");
        match host.plan() {
            Ok(_) => assert!(expected.is_empty(), "{edit}: planned over"),
            Err(refusal) => {
                assert!(!expected.is_empty(), "{edit}: {refusal}");
                assert_eq!(refusal.findings[0].code, "drift.unresolved", "{edit}");
                assert_eq!(refusal.findings[0].evidence.len(), expected.len(), "{edit}");
            }
        }
    }
}

#[test]
fn put_back_the_values_are_as_written_and_the_rest_stays() {
    for (edit, expected) in EDITS {
        let mut host = host(edit);
        let plan = script::run(&mut host, "restore-drift");
        let plan = plan.unwrap_or_else(|refusal| panic!("{edit}\n{}", text::of(&Err(refusal))));
        assert_eq!(plan.edits.is_empty(), expected.is_empty(), "{edit}");
        host.apply(&plan);
        assert_eq!(seen(&host), [], "{edit}");
        assert!(host.plan().expect("a plan").is_empty(), "{edit}");
        let main = String::from_utf8(host.facts.main_cf.bytes.clone()).expect("text");
        for kept in [
            "mynetworks = 10.0.0.0/8",
            "# smtp_tls_security_level = none",
        ] {
            assert_eq!(main.contains(kept), edit.contains(kept), "{edit}");
        }
    }
}

#[test]
fn what_was_changed_in_place_is_put_back_byte_for_byte() {
    for (edit, expected) in EDITS.into_iter().filter(|(edit, _)| edit.contains(" => ")) {
        if expected.is_empty() || edit.contains(" => #") {
            continue;
        }
        let before = host("");
        let mut after = host(edit);
        let plan = script::run(&mut after, "restore-drift").expect("a plan");
        after.apply(&plan);
        assert_eq!(
            after.facts.main_cf.bytes, before.facts.main_cf.bytes,
            "{edit}"
        );
        assert_eq!(
            after.facts.master_cf.bytes, before.facts.master_cf.bytes,
            "{edit}"
        );
    }
}

fn take_over(host: &mut Host) {
    host.look();
    let request = Request {
        intent: &host.desired,
        in_force: &host.desired,
        parent: host.head,
        written: &host.written,
    };
    host.desired = postseal_planner::take_over(&request, &host.facts, support::NOW);
    host.wanted = host.desired.clone();
    host.written = host.owned();
}

#[test]
fn taken_over_an_edit_is_what_is_wanted() {
    for (edit, _) in EDITS {
        let mut host = host(edit);
        let files = (host.facts.main_cf.clone(), host.facts.master_cf.clone());
        take_over(&mut host);
        assert_eq!(seen(&host), [], "{edit}");
        let plan = host.plan();
        let plan = plan.unwrap_or_else(|refusal| panic!("{edit}\n{}", text::of(&Err(refusal))));
        assert!(plan.is_empty(), "{edit}: {:?}", plan.sentences);
        assert_eq!(files.0.bytes, host.facts.main_cf.bytes, "{edit}");
        assert_eq!(files.1.bytes, host.facts.master_cf.bytes, "{edit}");
    }
}

/// master.cf with a service of mail clients that was there at adoption.
const ADOPTED: &str = "smtp inet n - y - - smtpd
submission inet n - y - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_loglevel=0
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
tlsmgr unix - - y 1000? 1 tlsmgr
smtp unix - - y - - smtp
";

#[test]
fn a_service_whose_edit_was_taken_over_goes_and_comes_back_in_its_place() {
    let mut host = Host::new(b"smtpd_tls_security_level = may\n", ADOPTED.as_bytes());
    script::run(&mut host, "bind mx\nset submission=on\napply\n").expect("a plan");
    let edit = "edit master smtpd_tls_loglevel=0 => smtpd_tls_loglevel=2";
    let _ = script::run(&mut host, edit);
    take_over(&mut host);
    let on = host.facts.master_cf.bytes.clone();
    for _ in 0..2 {
        script::run(&mut host, "set submission=off\napply\n").expect("a plan");
        let off = String::from_utf8(host.facts.master_cf.bytes.clone()).expect("text");
        assert!(off.contains("#submission inet"), "{off}");
        assert_eq!(off.matches("submission inet").count(), 1, "{off}");
        script::run(&mut host, "set submission=on\napply\n").expect("a plan");
        let back = String::from_utf8_lossy(&host.facts.master_cf.bytes);
        assert_eq!(back, String::from_utf8_lossy(&on));
    }
}

#[test]
fn secrets_are_not_shown_in_what_drifted() {
    let mut host = host("append main tls_server_sni_maps = inline:{ relay=secret:word }");
    let refusal = host.plan().expect_err("drift");
    let said = text::of(&Err(refusal));
    assert!(said.contains("tls_server_sni_maps"), "{said}");
    assert!(!said.contains("secret"), "{said}");
}
