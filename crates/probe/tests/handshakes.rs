//! Real handshakes against OpenSSL's own server side: what is seen, and the protocol floor.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test support: a panic is the message"
)]

mod common;

use common::{PATIENT, all_ok, names, server, server_between, target};
use mailtls::TlsVersion;
use openssl::ssl::{SslContext, SslVersion};
use postseal_planner::report::{FloorTest, Limits, Report, StageName as N, StageOutcome};
use postseal_probe::{Credentials, MailBeforeTls, Start, Target, probe, probe_all};
use postseal_testkit::smtp_script::{ScriptedServer, SmtpScript};

const EHLO: &str = "250-mx.example\r\n250 STARTTLS\r\n";
const EHLO_TLS: &str = "250-mx.example\r\n250 AUTH PLAIN\r\n";

fn ready() -> SmtpScript {
    SmtpScript::new()
        .say("220 mx.example ESMTP\r\n")
        .hear("EHLO")
        .say(EHLO)
        .hear("STARTTLS")
        .say("220 go\r\n")
}

fn whole(context: &SslContext) -> SmtpScript {
    ready()
        .accept_tls(context)
        .hear("EHLO")
        .say(EHLO_TLS)
        .hear("QUIT")
        .say("221 bye\r\n")
}

fn look(context: &SslContext) -> Report {
    let server = whole(context).serve();
    let report = probe(&target(server.address(), Start::StartTls), PATIENT);
    all_ok(&report);
    assert!(server.finish()[0].is_ok());
    report
}

#[test]
fn a_chain_is_seen_whole() {
    let issued = common::chain("mx.example");
    let report = look(&server(&issued, None));
    let handshake = report.handshake.unwrap();
    assert_eq!(handshake.version, TlsVersion::Tls1_3);
    assert_eq!(handshake.cipher, "TLS_AES_256_GCM_SHA384");
    assert_eq!(handshake.group.as_deref(), Some("X25519"));
    assert_eq!(handshake.chain.len(), 2);
    assert_eq!(handshake.fingerprint, Some(common::fingerprint(&issued)));
    assert_eq!(report.ehlo_before, ["STARTTLS"]);
    assert_eq!(report.ehlo_after, ["AUTH PLAIN"]);
}

/// Of TLS 1.3 a client learns it when it reads on (RFC 8446 §4.4.2.4).
#[test]
fn an_alert_after_the_handshake_is_told_in_words() {
    let issued = common::rsa_certificate("mx.example");
    let server = ready().accept_tls(&common::demanding(&issued)).serve();
    let report = probe(&target(server.address(), Start::StartTls), PATIENT);
    let last = report.stages.last().unwrap();
    let StageOutcome::Unknown(why) = &last.outcome else {
        panic!("{last:?}");
    };
    assert_eq!(last.name, N::EhloUnderTls);
    assert_eq!(why, "TLS alert: tlsv13 alert certificate required");
}

#[test]
fn every_version_is_spoken() {
    let issued = common::rsa_certificate("mx.example");
    for (newest, seen) in [
        (SslVersion::TLS1, TlsVersion::Tls1_0),
        (SslVersion::TLS1_1, TlsVersion::Tls1_1),
        (SslVersion::TLS1_2, TlsVersion::Tls1_2),
        (SslVersion::TLS1_3, TlsVersion::Tls1_3),
    ] {
        let handshake = look(&server(&issued, Some(newest))).handshake.unwrap();
        assert_eq!(handshake.version, seen);
        assert_eq!(handshake.fingerprint, Some(common::fingerprint(&issued)));
    }
}

/// Everything, up to a version.
fn up_to(newest: TlsVersion) -> Limits {
    let versions = TlsVersion::ALL.into_iter();
    Limits {
        versions: versions.filter(|version| *version <= newest).collect(),
        ciphers: "ALL".to_owned(),
        security_level: 0,
    }
}

#[test]
fn nothing_newer_than_asked_is_offered() {
    let issued = common::chain("mx.example");
    for newest in [TlsVersion::Tls1_3, TlsVersion::Tls1_2] {
        let context = server(&issued, None);
        let server = whole(&context).serve();
        let asking = Target {
            limits: Some(up_to(newest)),
            ..target(server.address(), Start::StartTls)
        };
        let report = probe(&asking, PATIENT);
        assert_eq!(report.handshake.unwrap().version, newest);
        assert!(server.finish()[0].is_ok());
    }
    // A server that speaks the newest only says no.
    let context = server_between(&issued, Some(SslVersion::TLS1_3), None);
    let server = ready().accept_tls(&context).serve();
    let asking = Target {
        limits: Some(up_to(TlsVersion::Tls1_2)),
        ..target(server.address(), Start::StartTls)
    };
    let report = probe(&asking, PATIENT);
    assert!(report.handshake.is_none());
    let last = report.stages.last().unwrap();
    assert!(matches!(last.outcome, StageOutcome::Refused(_)), "{last:?}");
    assert_eq!(last.name, N::Handshake);
}

#[test]
fn what_our_library_cannot_offer_within_limits_fails_as_the_clients_would() {
    let issued = common::chain("mx.example");
    for (ciphers, versions, security_level) in [
        ("ALL:!ALL", vec![TlsVersion::Tls1_2, TlsVersion::Tls1_3], 0),
        ("ALL", vec![TlsVersion::Tls1_1], 1),
        ("eNULL:!aNULL", vec![TlsVersion::Tls1_2], 1),
    ] {
        let context = server(&issued, None);
        let server = ready().accept_tls(&context).serve();
        let asking = Target {
            limits: Some(Limits {
                versions,
                ciphers: ciphers.to_owned(),
                security_level,
            }),
            ..target(server.address(), Start::StartTls)
        };
        let report = probe(&asking, PATIENT);
        assert!(report.handshake.is_none(), "{ciphers}");
        let last = report.stages.last().unwrap();
        assert_eq!(last.name, N::Handshake, "{ciphers}");
        assert!(matches!(last.outcome, StageOutcome::Refused(_)), "{last:?}");
    }
}

#[test]
fn of_versions_with_a_gap_those_below_it_are_offered() {
    let issued = common::chain("mx.example");
    let context = server(&issued, None);
    let server = whole(&context).serve();
    let asking = Target {
        limits: Some(Limits {
            versions: vec![TlsVersion::Tls1_1, TlsVersion::Tls1_3],
            ciphers: "ALL:@SECLEVEL=0".to_owned(),
            security_level: 0,
        }),
        ..target(server.address(), Start::StartTls)
    };
    let report = probe(&asking, PATIENT);
    assert_eq!(report.handshake.unwrap().version, TlsVersion::Tls1_1);
    assert!(server.finish()[0].is_ok());
}

#[test]
fn a_server_without_a_certificate() {
    let context = common::anonymous();
    // It is looked at twice: it could have a certificate, and prefer to do without.
    let again = ready()
        .swallow(16 * 1024)
        .say(b"\x15\x03\x03\x00\x02\x02\x28");
    let server = ScriptedServer::start(vec![whole(&context), again]);
    let report = probe(&target(server.address(), Start::StartTls), PATIENT);
    all_ok(&report);
    let handshake = report.handshake.unwrap();
    assert_eq!(handshake.chain, [[0; 0]; 0]);
    assert_eq!(handshake.fingerprint, None);
    assert!(handshake.cipher.starts_with("ADH-") || handshake.cipher.starts_with("AECDH-"));
}

#[test]
fn implicit_tls_with_a_password() {
    let issued = common::certificate("mx.example");
    let script = SmtpScript::new()
        .accept_tls(&server(&issued, None))
        .say("220 mx.example ESMTP\r\n")
        .hear("EHLO")
        .say(EHLO_TLS)
        .hear("AUTH PLAIN AGFkYQBzZWNyZXQ=")
        .say("235 2.7.0 Welcome\r\n")
        .hear("QUIT")
        .say("221 bye\r\n");
    let server = script.serve();
    let target = Target {
        mail_before_tls: MailBeforeTls::Ask,
        sni: Some("mx.example".to_owned()),
        credentials: Some(Credentials {
            user: "ada".to_owned(),
            password: "secret".to_owned().into(),
        }),
        ..target(server.address(), Start::Implicit)
    };
    assert!(!format!("{target:?}").contains("secret"));
    let report = probe(&target, PATIENT);
    all_ok(&report);
    assert_eq!(
        names(&report),
        [
            N::Connect,
            N::Handshake,
            N::Banner,
            N::EhloUnderTls,
            N::Auth
        ]
    );
    assert_eq!(report.auth.as_deref(), Some("235 2.7.0 Welcome"));
    assert!(report.stages[1].micros > 0);
    assert!(server.finish()[0].is_ok());
}

/// The floor test against a server that speaks from `oldest` to `newest`.
fn floor(oldest: SslVersion, newest: SslVersion, floor: TlsVersion) -> Report {
    let issued = common::rsa_certificate("mx.example");
    let context = server_between(&issued, Some(oldest), Some(newest));
    let server = ScriptedServer::start(vec![whole(&context), whole(&context)]);
    let target = Target {
        floor: Some(floor),
        ..target(server.address(), Start::StartTls)
    };
    probe(&target, PATIENT)
}

#[test]
fn a_floor_that_holds() {
    for wanted in [TlsVersion::Tls1_1, TlsVersion::Tls1_2] {
        let report = floor(SslVersion::TLS1_2, SslVersion::TLS1_3, wanted);
        all_ok(&report);
        assert_eq!(names(&report).last(), Some(&N::Floor));
        let words = "tlsv1 alert protocol version".to_owned();
        assert_eq!(report.below_floor, Some(FloorTest::Refused(words)));
    }
}

#[test]
fn a_floor_that_does_not_hold() {
    for (oldest, wanted, spoken) in [
        (SslVersion::TLS1, TlsVersion::Tls1_1, TlsVersion::Tls1_0),
        (SslVersion::TLS1, TlsVersion::Tls1_2, TlsVersion::Tls1_1),
        (SslVersion::TLS1_1, TlsVersion::Tls1_2, TlsVersion::Tls1_1),
        (SslVersion::TLS1_2, TlsVersion::Tls1_3, TlsVersion::Tls1_2),
    ] {
        let report = floor(oldest, SslVersion::TLS1_3, wanted);
        all_ok(&report);
        assert_eq!(report.below_floor, Some(FloorTest::Accepted(spoken)));
    }
}

#[test]
fn a_floor_that_our_library_cannot_go_below() {
    for wanted in [TlsVersion::Tls1_0, TlsVersion::Ssl3, TlsVersion::Ssl2] {
        let report = floor(SslVersion::TLS1, SslVersion::TLS1_3, wanted);
        assert!(
            matches!(report.below_floor, Some(FloorTest::Undetermined(_))),
            "{report:?}"
        );
        let last = report.stages.last().unwrap();
        assert_eq!(last.name, N::Floor);
        assert!(matches!(last.outcome, StageOutcome::Unknown(_)));
    }
}

#[test]
fn a_floor_test_that_the_network_spoils_is_undetermined() {
    let issued = common::certificate("mx.example");
    let second = [
        SmtpScript::new(),
        SmtpScript::new().say("421 4.7.0 too many connections\r\n"),
        ready().swallow(16 * 1024),
        ready().swallow(16 * 1024).reset(),
        ready().swallow(16 * 1024).say("500 what?\r\n"),
    ];
    for script in second {
        let server = ScriptedServer::start(vec![whole(&server(&issued, None)), script]);
        let target = Target {
            floor: Some(TlsVersion::Tls1_2),
            ..target(server.address(), Start::StartTls)
        };
        let report = probe(&target, PATIENT);
        assert!(
            matches!(report.below_floor, Some(FloorTest::Undetermined(_))),
            "{report:?}"
        );
    }
}

#[test]
fn no_floor_test_where_there_was_no_handshake() {
    let script = ready().swallow(16 * 1024);
    let server = script.serve();
    let target = Target {
        floor: Some(TlsVersion::Tls1_2),
        ..target(server.address(), Start::StartTls)
    };
    let report = probe(&target, PATIENT);
    assert_eq!(names(&report).last(), Some(&N::Handshake));
    assert_eq!(report.below_floor, None);
}

#[test]
fn many_targets_in_their_order() {
    let context = server(&common::certificate("mx.example"), None);
    let servers: Vec<_> = (0..40).map(|_| whole(&context).serve()).collect();
    let targets: Vec<_> = servers
        .iter()
        .enumerate()
        .map(|(number, server)| Target {
            service: format!("{number}/inet"),
            ..target(server.address(), Start::StartTls)
        })
        .collect();
    let reports = probe_all(&targets, PATIENT);
    assert_eq!(reports.len(), 40);
    for (report, target) in reports.iter().zip(&targets) {
        assert_eq!(
            (&report.service, report.address),
            (&target.service, target.address)
        );
        all_ok(report);
    }
    assert!(probe_all(&[], PATIENT).is_empty());
}
