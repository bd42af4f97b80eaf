//! Whom plans leave out, in words.
//!
//! `peers/expect` is what is said of each story now; `BLESS=1` writes it, and asks `openssl` for
//! lists of ciphers that are not in `peers/suites.txt` or `guidelines.txt` yet.

#![allow(clippy::expect_used, reason = "helpers of tests")]

mod support;

use postseal_planner::PostfixVersion;
use postseal_planner::peers::{Expanded, Peers};
use postseal_planner::profile::{self, Software};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use support::{Host, data, script};

/// What a story is called, and its script (see `support::script`).
const STORIES: &[(&str, &str)] = &[
    (
        "nothing before",
        "bind mx\nset mode=may\nset profile=recommended",
    ),
    (
        "versions, both ways",
        "bind mx\nset mode=may\napply\nset profile=recommended",
    ),
    (
        "only the newest",
        "bind mx\nset mode=may\nset submission=on\nset smtps=on\nset profile=recommended\napply\n\
         set profile=mozilla-modern-6.0",
    ),
    (
        "forward secrecy and authenticated encryption",
        "bind mx\nset mode=may\nset submission=on\nset profile=recommended\napply\nset profile=strict",
    ),
    (
        "groups",
        "bind mx\nset inbound=may\nset profile=strict\napply\nset profile=mozilla-intermediate-6.0",
    ),
    (
        "nobody: more lenient",
        "bind mx\nset mode=may\nset profile=strict\napply\nset profile=compatible",
    ),
    (
        "by hand: a ceiling",
        "bind mx\nset inbound=may\napply\nset param.smtpd_tls_protocols=>=TLSv1, <=TLSv1.2",
    ),
    (
        "by hand: one suite",
        "bind mx\nset inbound=may\nset profile=strict\napply\n\
         set param.smtpd_tls_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, \
         AESCCM, AES128",
    ),
    (
        "by hand: no suite",
        "bind mx\nset inbound=may\napply\nset param.smtpd_tls_exclude_ciphers=ALL",
    ),
    (
        "by hand: certificates only",
        "bind mx\nset inbound=may\napply\nset param.smtpd_tls_exclude_ciphers=aNULL",
    ),
    (
        "by hand: suites for a certificate that is not there",
        "bind rsa\nset inbound=may\nset profile=strict\napply\n\
         set param.smtpd_tls_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, \
         AESCCM, aECDSA",
    ),
    (
        "TLS demanded",
        "bind mx\nset inbound=may\napply\nset inbound=encrypt",
    ),
    (
        "mail that must not go in clear",
        "set trust.outbound=system\nset outbound=secure\napply\nset profile.outbound=strict",
    ),
    (
        "a client of its own",
        "# slow\nset outbound=may\napply\nset profile.outbound=mozilla-modern-6.0",
    ),
];

/// A client beside the usual one.
const SLOW: &[u8] = b"slow unix - - n - - smtp\n  -o smtp_tls_security_level=encrypt\n";

/// `known` holds what `openssl` said; a file for each test, since they run beside each other.
fn expanded(known: &str, lists: BTreeSet<String>) -> Expanded {
    let path = data(&format!("peers/{known}"));
    let known = fs::read_to_string(&path).unwrap_or_default();
    let mut lines: Vec<String> = known.lines().map(str::to_owned).collect();
    let mut expanded = Expanded::new();
    for list in lists {
        let start = format!("{list}\t");
        let line = lines.iter().find(|line| line.starts_with(&start)).cloned();
        let line = line.unwrap_or_else(|| {
            let line = start.clone() + &asked(&list);
            lines.push(line.clone());
            line
        });
        let suites = line[start.len()..].split(':').filter(|one| !one.is_empty());
        expanded.insert(list, suites.map(str::to_owned).collect());
    }
    if std::env::var_os("BLESS").is_some() {
        lines.sort();
        fs::write(path, lines.join("\n") + "\n").expect("written");
    }
    expanded
}

/// Suites up to TLS 1.2.
fn asked(list: &str) -> String {
    assert!(
        std::env::var_os("BLESS").is_some(),
        "no file of tests/peers knows {list}"
    );
    let mut openssl = Command::new("openssl");
    let said = openssl.args(["ciphers", list]).output().expect("openssl");
    let said = String::from_utf8(said.stdout).expect("text");
    let older = said
        .trim()
        .split(':')
        .filter(|one| !one.starts_with("TLS_"));
    older.collect::<Vec<_>>().join(":")
}

#[test]
fn who_is_left_out_is_said_as_written_down() {
    let mut told = String::new();
    for (name, script) in STORIES {
        let stock = |name: &str| fs::read(data("plans/stock").join(name)).expect("a stock file");
        let mut master = stock("master.cf");
        if script.starts_with("# slow") {
            master.extend_from_slice(SLOW);
        }
        let mut host = Host::new(&stock("main.cf"), &master);
        let plan = script::run(&mut host, script).expect(name);
        let peers = Peers::of(&plan, &host.facts);
        let exclusions = peers.exclusions(&expanded("suites.txt", peers.lists()));
        let _ = writeln!(told, "== {name}");
        for one in &exclusions {
            let _ = writeln!(told, "{}", one.sentence);
            assert!(!one.services.is_empty(), "{one:?}");
        }
        host.apply(&plan);
        let again = host.plan().expect("a plan of what is there");
        let peers = Peers::of(&again, &host.facts);
        assert_eq!(
            peers.exclusions(&expanded("suites.txt", peers.lists())),
            [],
            "{name}"
        );
    }
    let path = data("peers/expect");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &told).expect("written");
    }
    assert_eq!(told, fs::read_to_string(&path).unwrap_or_default());
}

/// Those of Mozilla's guidelines 6.0 (`intermediate`, `ciphers.openssl`).
const MOZILLA: [&str; 6] = [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-CHACHA20-POLY1305",
];

/// What NCSC's guidelines 2025-05 call sufficient beside them (appendix B).
const CCM: [&str; 2] = ["ECDHE-ECDSA-AES128-CCM", "ECDHE-ECDSA-AES256-CCM"];

#[test]
fn exclusions_leave_the_suites_of_the_guidelines_and_no_others() {
    let software = Software::new(PostfixVersion::new(3, 7, 11), "OpenSSL 3.0.19");
    let grades = [
        "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH",
        "aNULL:-aNULL:HIGH:@STRENGTH",
    ];
    for name in ["strict", "mozilla-intermediate-6.0", "ncsc-2025-05"] {
        let mut wanted: BTreeSet<&str> = MOZILLA.into();
        if name.starts_with("ncsc") {
            wanted.extend(CCM);
        }
        let profile = profile::find(name).expect("a profile");
        let rows = profile.parameters(software).into_iter();
        let rows: Vec<_> = rows
            .filter(|row| row.name.ends_with("exclude_ciphers"))
            .collect();
        assert_eq!(rows.len(), 3, "{name}");
        for (row, grade) in rows.iter().flat_map(|row| grades.map(|grade| (row, grade))) {
            let excluded = row.value.replace(", ", ":!");
            let list = format!("{grade}:!{excluded}");
            let left = expanded("guidelines.txt", [list.clone()].into())
                .remove(&list)
                .expect("expanded");
            let left: BTreeSet<&str> = left.iter().map(String::as_str).collect();
            assert_eq!(left, wanted, "{name} {} {grade}", row.name);
        }
    }
}
