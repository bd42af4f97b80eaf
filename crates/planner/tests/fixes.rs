//! Configurations of real servers, mended: nothing panics, no level gets lower, what was fixed is
//! gone, a second time there is nothing to do, and what was wished and given back leaves the same
//! bytes.
//!
//! The corpus stands outside the repository; where it is missing, that is said aloud.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use postfix_cf::{MainCf, MasterCf};
use postseal_planner::finding::Taken;
use postseal_planner::lint::Surroundings;
use postseal_planner::mend::{Known, Mended, Mending, mend};
use postseal_planner::{Finding, Wish};
use std::collections::BTreeMap;
use support::{Host, NOW, corpus, script, text};

/// For a master.cf that comes without its main.cf.
const WITH_TLS: &str = "smtpd_tls_chain_files = /etc/ssl/mx.pem\nsmtpd_tls_security_level = may\n";

fn mended(host: &Host) -> Mended {
    let takes = |finding: &Finding| {
        let fix = finding.fix.as_ref();
        fix.is_some_and(|fix| fix.taken == Taken::ByItself)
    };
    mend(&Mending {
        intent: &host.wanted,
        in_force: &host.desired,
        facts: &host.facts,
        known: Known::Host,
        surroundings: &Surroundings::default(),
        expand: &|_| Vec::new(),
        takes: &takes,
        now_unix: NOW,
    })
    .unwrap_or_else(|refusal| panic!("{refusal:?}"))
}

/// What each place says of a level, by rank; what is empty is left to others.
fn levels(host: &Host) -> BTreeMap<String, usize> {
    const RANKS: [&str; 9] = [
        "none",
        "may",
        "dane",
        "encrypt",
        "fingerprint",
        "dane-only",
        "verify",
        "secure",
        "",
    ];
    let main = MainCf::parse(&host.facts.main_cf.bytes);
    let master = MasterCf::parse(&host.facts.master_cf.bytes);
    let owned = postseal_planner::owned::read(&main, &master);
    let all = owned.services.iter().chain([(&MAIN, &owned.main)]);
    let mut ranks = BTreeMap::new();
    for (place, values) in all {
        for name in ["smtpd_tls_security_level", "smtp_tls_security_level"] {
            let level = values.get(name).map(|level| level.trim().to_lowercase());
            let rank = level.and_then(|level| RANKS.iter().position(|known| *known == level));
            if let Some(rank) = rank.filter(|rank| *rank < RANKS.len() - 1) {
                ranks.insert(format!("{place} {name}"), rank);
            }
        }
    }
    ranks
}

static MAIN: String = String::new();

#[test]
fn real_configurations_are_mended_and_nothing_gets_weaker() {
    let (mut fixed, mut refused) = (0, Vec::new());
    for (name, mut host) in corpus::hosts(WITH_TLS) {
        let found = mended(&host);
        if found.wishes.is_empty() {
            continue;
        }
        let before = levels(&host);
        let main = host.facts.main_cf.bytes.clone();
        host.wanted = host.wanted.with_all(&found.wishes);
        let plan = match host.plan() {
            Ok(plan) => plan,
            Err(refusal) => {
                refused.push(format!("{name}: {}", refusal.findings[0].message));
                continue;
            }
        };
        host.apply(&plan);
        for (place, rank) in levels(&host) {
            // A listener or a filter of this host that could not have spoken TLS is let be.
            let freed = found.fixed().any(|finding| {
                ["level.loopback-inherits", "outbound.filter-inherits"].contains(&&*finding.code)
            });
            let was = before.get(&place).copied().unwrap_or(0);
            assert!(freed || rank >= was, "{name}: {place}");
        }
        let again = mended(&host);
        assert_eq!(again.wishes, [], "{name}");
        fixed += found.fixed().count();
        given_back(&name, &mut host, &found.wishes, &main);
    }
    assert_eq!(refused, Vec::<String>::new());
    println!("{fixed} findings fixed");
}

/// What was wished and is given back leaves the same bytes.
fn given_back(name: &str, host: &mut Host, wishes: &[Wish], before: &[u8]) {
    if !before.ends_with(b"\n") {
        return;
    }
    for wish in wishes {
        if let Wish::Set(key, _) = wish {
            host.wanted = host.wanted.with(Wish::Unset(key.clone()));
        }
    }
    // What was broken before is not brought back unasked.
    if let Ok(plan) = host.plan() {
        host.apply(&plan);
        let after = String::from_utf8_lossy(&host.facts.main_cf.bytes).into_owned();
        assert_eq!(after, String::from_utf8_lossy(before), "{name}");
    }
}

#[test]
fn a_line_that_another_one_overrides_is_commented_out_and_comes_back() {
    let main =
        "smtpd_tls_ciphers = low\n# kept\nsmtpd_tls_ciphers = export\nsmtpd_tls_ciphers = high\n";
    let mut host = Host::new(main.as_bytes(), b"");
    let shown = |host: &Host| String::from_utf8_lossy(&host.facts.main_cf.bytes).into_owned();
    let plan = script::run(&mut host, "set param.smtpd_tls_ciphers=high").unwrap();
    host.apply(&plan);
    assert_eq!(
        shown(&host),
        "#smtpd_tls_ciphers = low\n# kept\n#smtpd_tls_ciphers = export\nsmtpd_tls_ciphers = high\n"
    );
    assert!(host.plan().unwrap().is_empty());
    let plan = script::run(&mut host, "set param.smtpd_tls_ciphers=medium").unwrap();
    host.apply(&plan);
    let plan = script::run(&mut host, "unset param.smtpd_tls_ciphers").unwrap();
    host.apply(&plan);
    assert_eq!(shown(&host), main);
}

#[test]
fn no_line_at_all_can_be_wished_for_in_both_files() {
    let main = b"smtp_use_tls = yes\nsmtpd_tls_loglevel = 1\n";
    let master = b"smtp inet n - y - - smtpd\n  -o smtpd_enforce_tls=no\n  -o syslog_name=mx\n";
    let mut host = Host::new(main, master);
    let wishes = "set param.smtp_use_tls=default\nset param.smtp/inet/smtpd_enforce_tls=default\n\
                  set param.smtp/inet/smtpd_tls_ciphers=high";
    let plan = script::run(&mut host, wishes).unwrap();
    host.apply(&plan);
    let both = |host: &Host| {
        [&host.facts.main_cf, &host.facts.master_cf]
            .map(|cf| String::from_utf8_lossy(&cf.bytes).into_owned())
    };
    assert_eq!(
        both(&host),
        [
            "#smtp_use_tls = yes\nsmtpd_tls_loglevel = 1\n",
            "smtp inet n - y - - smtpd\n  -o syslog_name=mx\n  -o smtpd_tls_ciphers=high\n",
        ]
    );
    assert!(host.plan().unwrap().is_empty());
    for key in [
        "smtp_use_tls",
        "smtp/inet/smtpd_enforce_tls",
        "smtp/inet/smtpd_tls_ciphers",
    ] {
        let back = format!("unset param.{key}");
        let plan = script::run(&mut host, &back).unwrap();
        host.apply(&plan);
    }
    let [main_now, master_now] = both(&host);
    assert_eq!(main_now.as_bytes(), main);
    assert_eq!(
        master_now,
        "smtp inet n - y - - smtpd\n  -o syslog_name=mx\n  -o smtpd_enforce_tls=no\n"
    );
}

#[test]
fn what_cannot_be_wished_of_a_service_is_refused_at_once() {
    let cases = [
        (
            "param.smtp/inet/smtpd_tls_chain_files=/a.pem",
            "setting.not-by-service",
        ),
        (
            "param.smtp/unix/smtp_tls_policy_maps=hash:/a",
            "setting.not-by-service",
        ),
        ("param.smtp/inet/myhostname=a", "setting.unknown-parameter"),
        (
            "param.smtp/inet/smtpd_tls_securty_level=may",
            "setting.unknown-parameter",
        ),
        ("param.smtp/inet/smtpd_use_tls=yes", "parameter.obsolete"),
        (
            "param.smtp/inet/smtpd_tls_protocols=TLSv9",
            "value.protocols",
        ),
        (
            "param.nosuch/inet/smtpd_tls_ciphers=high",
            "service.unknown",
        ),
    ];
    for (wish, code) in cases {
        let mut host = Host::new(b"", b"smtp inet n - y - - smtpd\n");
        let refusal = script::run(&mut host, &format!("set {wish}")).unwrap_err();
        assert_eq!(
            refusal.findings[0].code,
            code,
            "{wish}: {}",
            text::of(&Err(refusal.clone()))
        );
    }
}
