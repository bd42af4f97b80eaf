//! What holds of every plan.

#![allow(clippy::expect_used, reason = "helpers of tests")]

mod support;

use postseal_planner::plan::Cf;
use postseal_planner::{Plan, settings};
use proptest::prelude::*;
use std::fs;
use support::{Host, NOW, data, script, text};

fn stock() -> Host {
    let read = |name: &str| fs::read(data("plans/stock").join(name)).expect("a stock file");
    Host::new(&read("main.cf"), &read("master.cf"))
}

/// main.cf of a host that was configured by hand for years.
const GROWN: &str = "# TLS, by hand\nsmtpd_tls_cert_file=/etc/ssl/mx.pem\nsmtpd_tls_key_file = $smtpd_tls_cert_file\n\
smtpd_tls_security_level   =   may\nsmtpd_tls_protocols =\n  !SSLv2,\n# no comment\n  !SSLv3\nsmtp_tls_security_level=may\n\
smtp_tls_CApath = /etc/ssl/certs\n\nsmtp_tls_session_cache_database = btree:${data_directory}/smtp_scache\n\
smtpd_tls_ask_ccert = yes\nsmtpd_tls_loglevel = 0\n# the end\n";

fn grown() -> Host {
    let master = fs::read(data("plans/stock/master.cf")).expect("a stock file");
    let mut host = Host::new(GROWN.as_bytes(), &master);
    host.put("/etc/ssl/mx.pem", support::file(support::pem("mx")));
    host
}

/// Wishes of all kinds that are fine together.
const WISHES: [&str; 17] = [
    "inbound=may",
    "outbound=may",
    "outbound=dane",
    "outbound=secure",
    "profile=recommended",
    "submission=on",
    "smtps=on",
    "submission=off",
    "auth-only=yes",
    "received-header=yes",
    "loglevel.inbound=1",
    "loglevel.outbound=2",
    "session-cache=off",
    "client-certs=off",
    "trust.outbound=system",
    "param.smtpd_tls_exclude_ciphers=aNULL, MD5",
    "param.tls_preempt_cipherlist=yes",
];

fn wishes() -> impl Strategy<Value = Vec<&'static str>> {
    let trust = Just("trust.outbound=system");
    let some = prop::sample::subsequence(WISHES.to_vec(), 0..=WISHES.len()).prop_shuffle();
    // verify and secure need anchors, so that trust is always among them.
    (some, trust).prop_map(|(mut wishes, trust)| {
        wishes.push(trust);
        wishes
    })
}

fn set(host: &mut Host, wishes: &[&str], bind: &str) -> Plan {
    let lines: Vec<String> = wishes.iter().map(|wish| format!("set {wish}")).collect();
    let script = format!("{bind}\n{}", lines.join("\n"));
    let plan = script::run(host, &script);
    plan.unwrap_or_else(|refusal| panic!("{script}\n{}", text::of(&Err(refusal))))
}

fn bytes(host: &Host) -> [String; 2] {
    [&host.facts.main_cf.bytes, &host.facts.master_cf.bytes]
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn given_back(mut host: Host, wishes: &[&str], bind: &str) {
    let before = bytes(&host);
    let plan = set(&mut host, wishes, bind);
    host.apply(&plan);
    assert!(
        host.plan().expect("a plan").is_empty(),
        "{wishes:?} is not settled"
    );
    let mut back: Vec<String> = wishes
        .iter()
        .map(|wish| format!("unset {}", wish.split('=').next().expect("a key")))
        .collect();
    if !bind.is_empty() {
        back.push("unbind mx".to_owned());
    }
    let plan = script::run(&mut host, &back.join("\n"));
    let plan = plan.unwrap_or_else(|refusal| panic!("{}", text::of(&Err(refusal))));
    host.apply(&plan);
    let after = bytes(&host);
    assert_eq!(after[0], before[0], "main.cf after {wishes:?} and back");
    assert_eq!(after[1], before[1], "master.cf after {wishes:?} and back");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_set_and_given_back_leaves_the_same_bytes(wishes in wishes()) {
        given_back(stock(), &wishes, "bind mx");
    }

    #[test]
    fn so_it_does_on_a_host_configured_by_hand(wishes in wishes(), bound in any::<bool>()) {
        given_back(grown(), &wishes, if bound { "bind mx" } else { "" });
    }

    #[test]
    fn the_order_of_wishes_does_not_matter_where_each_key_is_said_once(wishes in wishes(), seed in any::<u64>()) {
        let mut once: Vec<&str> = Vec::new();
        for wish in wishes {
            let key = |wish: &str| wish.split('=').next().map(str::to_owned);
            if once.iter().all(|said| key(said) != key(wish)) {
                once.push(wish);
            }
        }
        let mut turned = once.clone();
        let by = seed as usize % turned.len();
        turned.rotate_left(by);
        let (mut one, mut other) = (stock(), stock());
        let plan = set(&mut one, &once, "bind mx");
        let again = set(&mut other, &turned, "bind mx");
        prop_assert_eq!(plan, again);
    }

    #[test]
    fn what_is_rolled_back_leaves_the_same_bytes(first in wishes(), then in wishes(), by_hand in any::<bool>()) {
        let mut host = if by_hand { grown() } else { stock() };
        let plan = set(&mut host, &first, "bind mx");
        host.apply(&plan);
        let before = bytes(&host);
        let plan = set(&mut host, &then, "bind mx");
        if !plan.edits.is_empty() {
            host.apply(&plan);
            let back = script::run(&mut host, "rollback").expect("the way back");
            host.apply(&back);
            prop_assert_eq!(bytes(&host), before, "{:?} after {:?}", then, first);
        }
    }

    #[test]
    fn a_value_that_is_taken_is_one_line_with_that_value(value in "[ -~äß]{1,24}") {
        let mut host = stock();
        let wish = format!("set param.smtpd_tls_exclude_ciphers={value}");
        if let Ok(plan) = script::run(&mut host, &wish)
            && let Some(edit) = plan.edit(Cf::Main)
        {
            let lines = |bytes: &[u8]| bytes.iter().filter(|b| **b == b'\n').count();
            prop_assert_eq!(lines(&edit.bytes), lines(&host.facts.main_cf.bytes) + 1);
            let main = postfix_cf::MainCf::parse(&edit.bytes);
            let written = main.get("smtpd_tls_exclude_ciphers").expect("it is set");
            prop_assert_eq!(&*written, value.trim().as_bytes());
        }
    }

    #[test]
    fn settings_never_panic(key in "\\PC{0,40}", value in "\\PC{0,60}") {
        let version = postseal_planner::PostfixVersion::new(3, 7, 11);
        let _ = settings::parse(&key, &value, version);
        let _ = settings::parse_unset(&key);
    }

    #[test]
    fn no_value_becomes_a_second_line(value in ".{0,20}[\\x00-\\x1f].{0,20}") {
        let version = postseal_planner::PostfixVersion::new(3, 7, 11);
        for key in ["param.smtpd_tls_exclude_ciphers", "trust.outbound", "param.smtpd_tls_cert_file"] {
            prop_assert!(settings::parse(key, &value, version).is_err(), "{key}={value:?}");
        }
    }
}

#[test]
fn the_id_depends_on_what_is_done_and_on_nothing_else() {
    let plan = |at: i64, wish: &str| {
        let mut host = grown();
        script::run(&mut host, &format!("set {wish}")).expect("a plan");
        let request = postseal_planner::Request {
            intent: &host.wanted,
            in_force: &host.desired,
            parent: None,
            written: &host.written,
        };
        postseal_planner::plan(&request, &host.facts, at).expect("a plan")
    };
    // In February the certificate is about to expire: other findings, the same plan.
    let (now, later) = (
        plan(NOW, "outbound=off"),
        plan(NOW + 80 * 86_400, "outbound=off"),
    );
    assert_ne!(now.findings, later.findings);
    assert_eq!(now.id, later.id);
    assert_ne!(now.id, plan(NOW, "outbound=dane").id);
}

#[test]
fn a_stored_plan_is_made_again_with_the_same_id() {
    let mut host = stock();
    let plan = set(&mut host, &["mode=may", "submission=on"], "bind mx");
    let stored: Plan =
        serde_json::from_slice(&serde_json::to_vec(&plan).expect("JSON")).expect("a plan");
    let again = host.plan().expect("a plan");
    assert_eq!(stored.id, again.id);
    assert!(stored.edit(Cf::Main).expect("an edit").bytes.is_empty());
}

#[test]
fn a_value_that_is_not_utf8_is_left_alone() {
    let main = b"smtpd_tls_exclude_ciphers = \xff\xfe\nsmtp_tls_security_level = none\n";
    let mut host = Host::new(
        main,
        b"smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\n",
    );
    assert!(!host.written.main.contains_key("smtpd_tls_exclude_ciphers"));
    let plan = set(&mut host, &["outbound=may"], "");
    let edit = plan.edit(Cf::Main).expect("an edit");
    assert_eq!(
        edit.bytes,
        b"smtpd_tls_exclude_ciphers = \xff\xfe\nsmtp_tls_security_level = may\n"
    );
}
