//! Configurations of real servers: adopting them changes nothing, and what is set and given back
//! leaves the same bytes.
//!
//! The corpus stands outside the repository; where it is missing, that is said aloud.

#![allow(clippy::expect_used, reason = "helpers of tests")]

mod support;

use support::{corpus, script, text};

/// For a master.cf that comes without its main.cf.
const WITH_TLS: &str = "smtpd_tls_chain_files = /etc/ssl/mx.pem\nsmtpd_tls_security_level = may\nsmtpd_tls_auth_only = yes\n";

#[test]
fn a_plan_right_after_adoption_is_empty() {
    for (name, mut host) in corpus::hosts(WITH_TLS) {
        let plan = host.plan();
        let plan = plan.unwrap_or_else(|r| panic!("{}: {}", name, text::of(&Err(r))));
        assert!(plan.is_empty(), "{}: {}", name, text::of(&Ok(plan)));
    }
}

#[test]
fn what_is_set_and_given_back_leaves_the_same_bytes() {
    let wishes = [
        "profile=recommended",
        "loglevel.inbound=1",
        "received-header=yes",
        "session-cache=off",
        "submission=on",
        "smtps=on",
    ];
    let (mut kept, mut refused) = (0, Vec::new());
    for (name, mut host) in corpus::hosts(WITH_TLS) {
        // A file without a final newline gets one when a line is appended.
        let end = |bytes: &[u8]| bytes.is_empty() || bytes.ends_with(b"\n");
        if !end(&host.facts.main_cf.bytes) || !end(&host.facts.master_cf.bytes) {
            continue;
        }
        let before = [
            host.facts.main_cf.bytes.clone(),
            host.facts.master_cf.bytes.clone(),
        ];
        let set: Vec<String> = wishes.iter().map(|wish| format!("set {wish}")).collect();
        let plan = match script::run(&mut host, &format!("bind mx\n{}", set.join("\n"))) {
            Ok(plan) => plan,
            Err(refusal) => {
                refused.push(format!("{}: {}", name, refusal.findings[0].code));
                continue;
            }
        };
        host.apply(&plan);
        let again = host
            .plan()
            .unwrap_or_else(|r| panic!("{}: {}", name, text::of(&Err(r))));
        assert!(again.is_empty(), "{}: {}", name, text::of(&Ok(again)));
        match script::run(&mut host, "rollback") {
            Ok(plan) => host.apply(&plan),
            Err(refusal) => panic!("{}: {}", name, text::of(&Err(refusal))),
        }
        let after = [
            host.facts.main_cf.bytes.clone(),
            host.facts.master_cf.bytes.clone(),
        ];
        assert!(after == before, "{}: rollback is not byte for byte", name);
        host.last = None;
        let plan =
            script::run(&mut host, &format!("bind mx\n{}", set.join("\n"))).expect("as before");
        host.apply(&plan);
        let unset: Vec<String> = wishes
            .iter()
            .map(|wish| format!("unset {}", wish.split('=').next().expect("a key")))
            .collect();
        match script::run(&mut host, &format!("unbind mx\n{}", unset.join("\n"))) {
            Ok(plan) => host.apply(&plan),
            // The certificate that was adopted is missing here: going back would be worse.
            Err(refusal) => {
                refused.push(format!("{} back: {}", name, refusal.findings[0].code));
                continue;
            }
        }
        for (before, after) in before
            .iter()
            .zip([&host.facts.main_cf.bytes, &host.facts.master_cf.bytes])
        {
            let (before, after) = (
                String::from_utf8_lossy(before),
                String::from_utf8_lossy(after),
            );
            assert_eq!(after, before, "{}", name);
        }
        kept += 1;
    }
    eprintln!(
        "{kept} given back, {} refused:\n{}",
        refused.len(),
        refused.join("\n")
    );
}
