//! The full look at servers that no Postfix of today is: ancient ones, ones not yet there, hostile
//! ones, and ones that want to be left alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test support: a panic is the message"
)]

mod common;
#[path = "common/own_tls.rs"]
mod own_tls;

use common::{SHORT, target};
use mailtls::TlsVersion;
use openssl::ssl::SslVersion;
use own_tls::{Asked, Server, alert, server_hello};
use postseal_planner::full::{Full, Order, Seen};
use postseal_probe::{FullBudget, Start, full};
use postseal_testkit::smtp_script::{ScriptedServer, SmtpScript};
use std::time::Duration;

const HANDSHAKE_FAILURE: u8 = 40;
const PROTOCOL_VERSION: u8 = 70;

fn look(server: &Server) -> Full {
    full(
        &target(server.address(), Start::StartTls),
        FullBudget::default(),
    )
}

fn version(full: &Full, version: TlsVersion) -> &postseal_planner::full::VersionSeen {
    full.versions
        .iter()
        .find(|one| one.version == version)
        .unwrap()
}

fn names(full: &Full, of: TlsVersion) -> Vec<&str> {
    version(full, of)
        .suites
        .iter()
        .map(|suite| suite.name.as_str())
        .collect()
}

/// SSLv3 alone, in its own order, with compression and without anything newer.
fn ancient(asked: &Asked) -> Vec<u8> {
    let known = [0x0003, 0x0004, 0x000A];
    let chosen = known.into_iter().find(|suite| asked.suites.contains(suite));
    match chosen {
        _ if asked.version != 0x0300 => alert(PROTOCOL_VERSION),
        Some(suite) => server_hello(0x0300, suite, 1, &[]),
        None => alert(HANDSHAKE_FAILURE),
    }
}

#[test]
fn ssl_3_with_export_suites_and_compression() {
    let server = Server::start(ancient);
    let full = look(&server);
    assert_eq!(full.stopped, None);
    let yes: Vec<TlsVersion> = full
        .versions
        .iter()
        .filter(|one| one.seen == Seen::Yes)
        .map(|one| one.version)
        .collect();
    assert_eq!(yes, [TlsVersion::Ssl3]);
    let wanted = [
        "TLS_RSA_EXPORT_WITH_RC4_40_MD5",
        "TLS_RSA_WITH_RC4_128_MD5",
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    ];
    assert_eq!(names(&full, TlsVersion::Ssl3), wanted);
    assert_eq!(version(&full, TlsVersion::Ssl3).order, Some(Order::Server));
    assert_eq!(full.features.compression, Seen::Yes);
    assert_eq!(full.features.secure_renegotiation, Seen::No);
    assert_eq!(full.connections, server.connections());
}

/// TLS 1.3 with groups that no OpenSSL here knows.
fn coming(asked: &Asked) -> Vec<u8> {
    let group = [0x11EC, 0x11EB, 29]
        .into_iter()
        .find(|group| asked.groups.contains(group));
    let suite = [0x1302, 0x1301]
        .into_iter()
        .find(|suite| asked.suites.contains(suite));
    match (suite, group) {
        _ if asked.version != 0x0304 => alert(PROTOCOL_VERSION),
        (Some(suite), Some(group)) => own_tls::retry(suite, group),
        _ => alert(HANDSHAKE_FAILURE),
    }
}

#[test]
fn groups_after_quantum_computers() {
    let full = look(&Server::start(coming));
    assert_eq!(full.stopped, None);
    assert_eq!(
        full.groups[0].groups,
        ["X25519MLKEM768", "SecP256r1MLKEM768", "X25519"]
    );
    assert_eq!(
        names(&full, TlsVersion::Tls1_3),
        ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"]
    );
    assert_eq!(version(&full, TlsVersion::Tls1_2).seen, Seen::No);
    // Nothing of it goes on to a handshake, which is said.
    assert!(matches!(full.features.tickets_1_3, Seen::Undetermined(_)));
}

#[test]
fn a_server_that_refuses_to_talk_is_left_alone() {
    let busy = Server::greeting(ancient, |_| {
        "421 4.7.0 mx.example Error: too many connections\r\n".to_owned()
    });
    let full = look(&busy);
    assert!(busy.connections() <= 2, "{}", busy.connections());
    let why = full.stopped.expect("why it stopped");
    assert!(why.contains("421 4.7.0"), "{why}");
    for one in &full.versions {
        assert!(matches!(one.seen, Seen::Undetermined(_)), "{one:?}");
    }
}

#[test]
fn a_rate_limit_in_the_middle_is_no_finding() {
    let greet = |number| match number {
        0..10 => "220 mx.example ESMTP\r\n".to_owned(),
        _ => "421 4.7.0 mx.example Error: too many connections\r\n".to_owned(),
    };
    // It takes any suite, so there would be many to find.
    let server = Server::greeting(
        |asked| match asked.version {
            0x0303 => server_hello(0x0303, asked.suites[0], 0, &[]),
            _ => alert(PROTOCOL_VERSION),
        },
        greet,
    );
    let full = look(&server);
    assert!(server.connections() < 20, "{}", server.connections());
    assert_eq!(version(&full, TlsVersion::Tls1_2).seen, Seen::Yes);
    let unasked = version(&full, TlsVersion::Tls1_2).unasked.as_ref();
    assert!(
        unasked.is_some_and(|why| why.contains("421")),
        "{unasked:?}"
    );
    assert!(full.stopped.is_some_and(|why| why.contains("421")));
}

#[test]
fn the_budget_is_kept() {
    let all = |asked: &Asked| match asked.version {
        0x0303 => server_hello(0x0303, asked.suites[0], 0, &[]),
        _ => alert(PROTOCOL_VERSION),
    };
    let server = Server::start(all);
    let budget = FullBudget {
        connections: 25,
        ..FullBudget::default()
    };
    let full = full(&target(server.address(), Start::StartTls), budget);
    assert_eq!(
        (full.connections, full.budget, server.connections()),
        (25, 25, 25)
    );
    let unasked = version(&full, TlsVersion::Tls1_2).unasked.as_ref();
    assert!(
        unasked.is_some_and(|why| why.contains("budget of 25")),
        "{unasked:?}"
    );
    assert!(version(&full, TlsVersion::Tls1_2).suites.len() > 5);
}

#[test]
fn a_server_that_turns_away_meanwhile_is_found_out() {
    let server = Server::numbered(|number, asked| match (number, asked.version) {
        (0..14, 0x0303) => server_hello(0x0303, asked.suites[0], 0, &[]),
        (0..14, _) => alert(PROTOCOL_VERSION),
        _ => Vec::new(),
    });
    let full = look(&server);
    let why = full.stopped.expect("why it stopped");
    assert!(why.contains("no longer answers"), "{why}");
}

#[test]
fn hostile_answers_end() {
    let long = own_tls::records(22, &vec![0; 300 * 1024]);
    let nonsense: [Vec<u8>; 6] = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        vec![0x16, 3, 3, 0xFF, 0xFF],
        vec![0xFF; 100_000],
        long,
        own_tls::records(22, &[2, 0, 0, 2, 3, 3]),
        // A suite that was not offered.
        server_hello(0x0303, 0xFAFA, 0, &[]),
    ];
    for bytes in nonsense {
        let server = Server::start(move |_| bytes.clone());
        let full = look(&server);
        assert!(server.connections() < 30, "{}", server.connections());
        let suites: usize = full.versions.iter().map(|one| one.suites.len()).sum();
        assert_eq!(suites, 0);
    }
}

#[test]
fn a_silent_server_ends_with_the_deadline() {
    let scripts = vec![SmtpScript::new().hold(); 10];
    let server = ScriptedServer::start(scripts);
    let budget = FullBudget {
        deadline: SHORT,
        ..FullBudget::default()
    };
    let full = full(&target(server.address(), Start::StartTls), budget);
    assert!(
        full.versions
            .iter()
            .all(|one| matches!(one.seen, Seen::Undetermined(_))),
        "{full:?}"
    );
    assert!(full.connections < 5 && full.stopped.is_some());
}

#[test]
fn nothing_listens() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let full = full(&target(free, Start::StartTls), FullBudget::default());
    assert!(
        full.stopped
            .is_some_and(|why| why.contains("nothing listens"))
    );
    assert!(full.connections <= 2);
}

fn stripped(
    ehlo: &'static str,
    banner: &'static str,
    starttls: &'static str,
) -> (Seen, Option<String>) {
    let script = SmtpScript::new().say(banner).hear("EHLO").say(ehlo);
    let asked = script.clone().hear("STARTTLS").say(starttls);
    let server = ScriptedServer::start(vec![script, asked]);
    let full = full(
        &target(server.address(), Start::StartTls),
        FullBudget::default(),
    );
    let seen = full.starttls.unwrap();
    (seen.stripped, seen.stripped_by)
}

#[test]
fn starttls_that_something_takes_out() {
    let banner = "220 mx.example ESMTP\r\n";
    let plain = "250-mx.example\r\n250 8BITMIME\r\n";
    let (seen, by) = stripped(
        "250-mx.example\r\n250-XXXXXXXA\r\n250 8BITMIME\r\n",
        banner,
        "",
    );
    assert_eq!(seen, Seen::Yes);
    assert!(by.unwrap().contains("XXXXXXXA"));
    let (seen, by) = stripped(plain, "220 ****************2****0*0\r\n", "");
    assert_eq!(seen, Seen::Yes);
    assert!(by.unwrap().contains("asterisks"));
    let (seen, by) = stripped(plain, banner, "220 2.0.0 Ready\r\n");
    assert_eq!(seen, Seen::Yes);
    assert!(by.unwrap().contains("is taken"));
    assert_eq!(
        stripped(plain, banner, "502 5.5.1 no\r\n"),
        (Seen::No, None)
    );
}

#[test]
fn starttls_injection() {
    let issued = common::rsa_certificate("mx.example");
    let context = common::server(&issued, None);
    let greeted = || {
        SmtpScript::new()
            .say("220 mx.example ESMTP\r\n")
            .hear("EHLO probe.example")
            .say("250-mx.example\r\n250 STARTTLS\r\n")
            .hear("STARTTLS")
    };
    // As Postfix before 2.8.2 did: the command that came with STARTTLS is answered under TLS.
    let script = |answers: &str| {
        greeted()
            .hear("NOOP")
            .say("220 2.0.0 Ready\r\n")
            .accept_tls(&context)
            .say(answers)
            .hear("QUIT")
    };
    for (answers, wanted) in [
        ("250 2.0.0 Ok\r\n", Seen::Yes),
        ("221 2.0.0 Bye\r\n", Seen::No),
    ] {
        let refused = || {
            greeted()
                .say("220 2.0.0 Ready\r\n")
                .swallow(16 * 1024)
                .say(alert(HANDSHAKE_FAILURE))
        };
        let mut scripts = vec![refused(); 6];
        scripts.push(script(answers));
        let server = ScriptedServer::start(scripts);
        let budget = FullBudget {
            at_once: 1,
            deadline: Duration::from_secs(20),
            ..FullBudget::default()
        };
        let full = full(&target(server.address(), Start::StartTls), budget);
        assert_eq!(
            full.starttls.unwrap().injection,
            Some(wanted),
            "{answers:?}"
        );
    }
}

/// Tickets of one process are often of no use to its neighbour behind the same address.
#[test]
fn a_ticket_that_nobody_takes_again() {
    let issued = common::rsa_certificate("mx.example");
    let script = |context: &openssl::ssl::SslContext| {
        SmtpScript::new()
            .accept_tls(context)
            .say("220 mx.example ESMTP\r\n")
            .hear("EHLO probe.example")
            .say("250 mx.example\r\n")
            .hear("QUIT")
            .say("221 2.0.0 Bye\r\n")
    };
    let one = common::server_between(&issued, Some(SslVersion::TLS1_3), None);
    let other = || common::server_between(&issued, Some(SslVersion::TLS1_3), None);
    let strangers: Vec<SmtpScript> = (0..60).map(|_| script(&other())).collect();
    for (scripts, wanted) in [(vec![script(&one); 60], Seen::Yes), (strangers, Seen::No)] {
        let server = ScriptedServer::start(scripts);
        let budget = FullBudget {
            at_once: 1,
            ..FullBudget::default()
        };
        let features = full(&target(server.address(), Start::Implicit), budget).features;
        assert_eq!(
            (features.tickets_1_3, features.resumption_1_3),
            (Seen::Yes, wanted)
        );
        assert_eq!(features.fallback_scsv, None);
    }
}

#[test]
fn a_client_that_falls_back_is_sent_away_or_not() {
    const FALLBACK_SCSV: u16 = 0x5600;
    const INAPPROPRIATE_FALLBACK: u8 = 86;
    let answer = |heeds: bool, asked: &Asked| match asked.version {
        0x0302 if heeds && asked.suites.contains(&FALLBACK_SCSV) => alert(INAPPROPRIATE_FALLBACK),
        0x0303 | 0x0302 if asked.suites.contains(&0x002F) => {
            server_hello(asked.version, 0x002F, 0, &[])
        }
        _ => alert(PROTOCOL_VERSION),
    };
    for (heeds, wanted) in [(true, Seen::Yes), (false, Seen::No)] {
        let full = look(&Server::start(move |asked| answer(heeds, asked)));
        assert_eq!(full.features.fallback_scsv, Some(wanted));
    }
}

#[test]
fn masks_that_let_starttls_pass_take_nothing() {
    let script = SmtpScript::new()
        .say("220 ****************2****0*0\r\n")
        .hear("EHLO")
        .say("250-mx.example\r\n250-XXXXXXXB\r\n250 STARTTLS\r\n")
        .hear("STARTTLS")
        .say("502 5.5.1 no\r\n");
    let server = ScriptedServer::start(vec![script; 8]);
    let target = target(server.address(), Start::StartTls);
    let full = full(&target, FullBudget::default());
    let seen = full.starttls.unwrap();
    assert_eq!((seen.stripped, seen.stripped_by), (Seen::No, None));
    assert_eq!(full.no_tls.as_deref(), Some("502 5.5.1 no"));
}
