//! Dynamic updates against a real name server, good and refused.

use crate::scene::{ZONE, bounds, short, tsig};
use postseal_issue::dns01::{DynamicUpdate, TsigAlgorithm};
use postseal_issue::{Bounds, Challenge, Solver, SolverError};
use postseal_testkit::dns_server::DnsServer;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

fn challenge(name: &str) -> Challenge {
    Challenge {
        name: name.into(),
        token: "token".into(),
        key_authorization: "token.print".into(),
        dns_value: "the-value".into(),
    }
}

fn server() -> DnsServer {
    DnsServer::start(ZONE, Ipv4Addr::LOCALHOST).unwrap()
}

fn update(dns: &DnsServer, key: &str, secret: &[u8]) -> DynamicUpdate {
    DynamicUpdate {
        server: dns.address(),
        zone: Some(ZONE.into()),
        key: tsig(key, secret),
        secondaries: Vec::new(),
    }
}

fn refusal(update: &mut DynamicUpdate, name: &str, bounds: &Bounds<'_>) -> String {
    match update.present(&challenge(name), bounds).unwrap_err() {
        SolverError::DnsRefused { rcode, .. } => rcode,
        other => other.code().to_owned(),
    }
}

#[test]
fn what_the_server_refuses_is_told_in_its_words() {
    let dns = server();
    let known = dns.secret();
    let refused = |key: &str, secret: &[u8], name: &str| {
        refusal(&mut update(&dns, key, secret), name, &bounds())
    };
    assert_eq!(refused("unknown", known, "mx.mail.test"), "BADKEY");
    assert_eq!(
        refused(DnsServer::KEY_NAME, b"guess", "mx.mail.test"),
        "BADSIG"
    );
    // Knot DNS does not tell an unknown key from one that may not.
    assert_eq!(
        refused(DnsServer::POWERLESS_KEY_NAME, known, "mx.mail.test"),
        "BADKEY"
    );
    assert_eq!(
        refused(DnsServer::KEY_NAME, known, "mx.elsewhere.test"),
        "dns01.no-zone"
    );
    assert_eq!(
        refused(DnsServer::KEY_NAME, known, "mx..test"),
        "acme.unusable"
    );
    let mut other_hash = update(&dns, DnsServer::KEY_NAME, known);
    other_hash.key.algorithm = TsigAlgorithm::HmacSha512;
    assert_eq!(
        refusal(&mut other_hash, "mx.mail.test", &bounds()),
        "BADKEY"
    );
    let flag = AtomicBool::new(false);
    let slow_clock = Bounds::new(1_000_000_000, Duration::from_secs(60), &flag);
    let mut good = update(&dns, DnsServer::KEY_NAME, known);
    assert_eq!(refusal(&mut good, "mx.mail.test", &slow_clock), "BADTIME");
    // Every refusal has a remedy of its own.
    let error = good
        .present(&challenge("mx.mail.test"), &slow_clock)
        .unwrap_err();
    assert!(error.remedy().contains("clocks"), "{}", error.remedy());
    good.present(&challenge("mx.mail.test"), &bounds()).unwrap();
    good.clean_up(&challenge("mx.mail.test"), &bounds())
        .unwrap();
}

#[test]
fn the_zone_is_found_and_a_server_without_it_is_told() {
    let dns = server();
    let mut update = update(&dns, DnsServer::KEY_NAME, dns.secret());
    update.zone = None;
    update
        .present(&challenge("a.b.mail.test"), &bounds())
        .unwrap();
    update
        .clean_up(&challenge("a.b.mail.test"), &bounds())
        .unwrap();
    assert_eq!(
        refusal(&mut update, "mx.elsewhere.test", &bounds()),
        "dns01.no-zone"
    );
    // Only its own value goes: the other is somebody else's.
    let mut other = challenge("mx.mail.test");
    other.dns_value = "another-value".into();
    update
        .present(&challenge("mx.mail.test"), &bounds())
        .unwrap();
    update.present(&other, &bounds()).unwrap();
    update
        .clean_up(&challenge("mx.mail.test"), &bounds())
        .unwrap();
    update.secondaries = vec![dns.address()];
    update.present(&other, &bounds()).unwrap();
}

#[test]
fn a_server_that_is_silent_away_or_never_shows_is_given_up() {
    let dns = server();
    let mut update = update(&dns, DnsServer::KEY_NAME, dns.secret());
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    update.secondaries = vec![silent.local_addr().unwrap()];
    let soon = short(Duration::from_secs(2));
    let error = update
        .present(&challenge("mx.mail.test"), &soon)
        .unwrap_err();
    assert_eq!(error.code(), "acme.deadline");
    update.server = silent.local_addr().unwrap();
    let soon = short(Duration::from_secs(1));
    let error = update
        .present(&challenge("mx.mail.test"), &soon)
        .unwrap_err();
    assert_eq!(error.code(), "dns01.unreachable");
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    update.server = nobody;
    let error = update
        .present(&challenge("mx.mail.test"), &bounds())
        .unwrap_err();
    assert_eq!(error.code(), "dns01.unreachable");
    assert!(error.remedy().contains(&nobody.to_string()));
}
