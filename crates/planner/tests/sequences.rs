//! Long lives: on each of the hosts of `keys/`, wishes come, are applied or refused, and go; at
//! the end all is given back, and the files are as they were at adoption.

#![allow(clippy::expect_used, reason = "helpers of tests")]

mod support;

use proptest::prelude::*;
use std::fs;
use support::{Host, data, script};

const HOSTS: [&str; 5] = ["stock", "worn", "overrides", "filter", "postscreen"];

const STEPS: [&str; 32] = [
    "bind mx",
    "bind next",
    "unbind mx",
    "unbind next",
    "set inbound=off",
    "set inbound=may",
    "set inbound=encrypt",
    "unset inbound",
    "set outbound=may",
    "set outbound=dane",
    "set outbound=encrypt",
    "set outbound=secure",
    "unset outbound",
    "set trust.outbound=system",
    "set trust.outbound=none",
    "set profile=recommended",
    "unset profile",
    "set submission=on",
    "set submission=off",
    "unset submission",
    "set smtps=on",
    "set smtps=off",
    "unset smtps",
    "set smtps-out=on",
    "unset smtps-out",
    "set auth-only=yes",
    "unset auth-only",
    "set session-cache=client",
    "set client-certs=ask",
    "set loopback-cleartext=yes",
    "unset loopback-cleartext",
    "set param.smtp_tls_protocols=>=TLSv1.2",
];

fn host(name: &str) -> Host {
    let read = |file: &str| fs::read(data("keys").join(name).join(file)).expect("a file of a host");
    let mut host = Host::new(&read("main.cf"), &read("master.cf"));
    // The files that `host` puts there; what it binds comes by chance here.
    let shape = String::from_utf8(read("host")).expect("a script");
    for line in shape.lines().filter(|line| line.starts_with("file ")) {
        script::run(&mut host, line).expect("a shape");
    }
    host
}

fn bytes(host: &Host) -> [String; 2] {
    [&host.facts.main_cf.bytes, &host.facts.master_cf.bytes]
        .map(|bytes| String::from_utf8_lossy(bytes).trim_end().to_owned())
}

/// Plans and applies what is wanted; what is refused is discarded.
fn settle(host: &mut Host) {
    match host.plan() {
        Ok(plan) => {
            host.apply(&plan);
            let again = host.plan().expect("a plan of what was just applied");
            assert!(again.is_empty(), "not settled: {:?}", again.sentences);
        }
        Err(_) => host.wanted = host.desired.clone(),
    }
}

/// Gives everything back, one thing after the other, as far as each step is sound; twice,
/// because a step may wait for a later one (a certificate is in use until its service is gone).
fn give_all_back(host: &mut Host) {
    for _ in 0..2 {
        let keys = host.desired.settings.keys();
        let keys: Vec<String> = keys.map(|key| format!("unset {}", key.name())).collect();
        let bound = host.desired.bindings.iter();
        let bound: Vec<String> = bound.map(|b| format!("unbind {}", b.name)).collect();
        let all = keys.iter().chain(&bound).cloned().collect::<Vec<_>>();
        // At once where that has an order, else one by one.
        let mut whole = host.clone();
        if script::run(&mut whole, &all.join("\n")).is_ok() {
            *host = whole;
            settle(host);
            continue;
        }
        for step in all {
            let _ = script::run(host, &step);
            settle(host);
        }
    }
}

/// A host lives through `steps`, each settled where it says so, and all is given back.
fn lives(name: &str, steps: &[(&str, bool)]) {
    let mut host = host(name);
    let before = bytes(&host);
    for (step, apply) in steps {
        let _ = script::run(&mut host, step);
        if *apply {
            settle(&mut host);
        }
    }
    settle(&mut host);
    give_all_back(&mut host);
    let settings = &host.desired.settings;
    assert!(settings.is_empty(), "{name}: {settings:?} stays in force");
    assert!(host.desired.bindings.is_empty());
    let after = bytes(&host);
    assert_eq!(after[0], before[0], "main.cf of {name} after {steps:?}");
    assert_eq!(after[1], before[1], "master.cf of {name} after {steps:?}");
}

#[test]
fn lives_that_once_left_traces() {
    let hardened_then_off = [
        ("bind mx", false),
        ("set submission=on", true),
        ("set submission=off", true),
    ];
    lives("worn", &hardened_then_off);
    let back_under_another_certificate = [
        ("bind mx", false),
        ("set submission=off", true),
        ("set submission=on", true),
    ];
    lives("overrides", &back_under_another_certificate);
    let filters_client = [
        ("set loopback-cleartext=yes", false),
        ("set outbound=encrypt", true),
    ];
    lives("filter", &filters_client);
    lives(
        "postscreen",
        &[("set inbound=may", true), ("set loglevel.inbound=1", true)],
    );
    for host in HOSTS {
        for first in [false, true] {
            let steps = [
                ("set inbound=encrypt", first),
                ("set loopback-cleartext=yes", true),
                ("unset inbound", true),
            ];
            lives(host, &steps);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_came_and_went_the_files_are_as_they_were(
        name in prop::sample::select(HOSTS.to_vec()),
        steps in prop::collection::vec((prop::sample::select(STEPS.to_vec()), any::<bool>()), 1..8),
    ) {
        lives(name, &steps);
    }
}
