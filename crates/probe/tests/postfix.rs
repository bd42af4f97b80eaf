//! What the probe sees of a real Postfix, sound and broken.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test support: a panic is the message"
)]

mod common;
#[path = "common/postfix.rs"]
mod postfix;

use common::{PATIENT, SHORT, all_ok, rsa_certificate, target};
use mailtls::TlsVersion;
use postfix::Postfix;
use postseal_planner::report::{FloorTest, Report, StageName as N, StageOutcome};
use postseal_probe::{Envelope, MailBeforeTls, Start, Target, probe, relay_test, send};
use std::net::SocketAddr;

fn look(address: SocketAddr, tls: Start) -> Report {
    let target = Target {
        mail_before_tls: MailBeforeTls::Ask,
        floor: Some(TlsVersion::Tls1_2),
        ..target(address, tls)
    };
    probe(&target, PATIENT)
}

const ENCRYPT: &str = "smtpd_tls_security_level=encrypt";
const WRAPPER: &str = "smtpd_tls_wrappermode=yes";

#[test]
fn sound_services() {
    let issued = rsa_certificate("mx.example");
    let floor = "smtpd_tls_mandatory_protocols=>=TLSv1.2";
    let postfix = Postfix::start(
        &issued,
        &[
            &["smtpd_tls_protocols=>=TLSv1.2"],
            &[ENCRYPT, floor],
            &[WRAPPER, floor],
        ],
    );
    for (service, tls, mail) in [
        (0, Start::StartTls, Some("250 2.1.0 Ok")),
        (
            1,
            Start::StartTls,
            Some("530 5.7.0 Must issue a STARTTLS command first"),
        ),
        (2, Start::Implicit, None),
    ] {
        let report = look(postfix.address(service), tls);
        all_ok(&report);
        assert_eq!(
            report.banner.as_deref(),
            Some("220 mx.example ESMTP Postfix")
        );
        assert_eq!(report.mail_before_tls.as_deref(), mail);
        let handshake = report.handshake.unwrap();
        assert_eq!(handshake.version, TlsVersion::Tls1_3);
        assert_eq!(handshake.group.as_deref(), Some("X25519"));
        assert_eq!(handshake.fingerprint, Some(common::fingerprint(&issued)));
        let refused = FloorTest::Refused("tlsv1 alert protocol version".to_owned());
        assert_eq!(report.below_floor, Some(refused), "{}", postfix.log());
        assert!(report.ehlo_after.contains(&"8BITMIME".to_owned()));
    }
    assert!(
        !postfix.log().contains("lost connection after EHLO"),
        "{}",
        postfix.log()
    );
}

#[test]
fn the_floor_of_a_server_that_wants_a_client_certificate_is_seen() {
    let demand = ["smtpd_tls_req_ccert=yes", ENCRYPT];
    let wrapped = ["smtpd_tls_req_ccert=yes", WRAPPER];
    let postfix = Postfix::start(&rsa_certificate("mx.example"), &[&demand, &wrapped]);
    for (service, tls, stage) in [
        (0, Start::StartTls, N::EhloUnderTls),
        (1, Start::Implicit, N::Banner),
    ] {
        let report = look(postfix.address(service), tls);
        assert!(report.handshake.is_some(), "{report:?}");
        let said = report
            .stages
            .iter()
            .find(|seen| seen.name == stage)
            .expect("the stage");
        let StageOutcome::Refused(words) = &said.outcome else {
            panic!("{report:?}");
        };
        assert!(words.starts_with("421 4.7.1"), "{words}");
        assert!(report.below_floor.is_some(), "{report:?}");
    }
}

#[test]
fn a_floor_that_postfix_does_not_hold() {
    let weak = [
        "smtpd_tls_protocols=>=TLSv1",
        "tls_medium_cipherlist=ALL:@SECLEVEL=0",
    ];
    let postfix = Postfix::start(&rsa_certificate("mx.example"), &[&weak]);
    let report = look(postfix.address(0), Start::StartTls);
    assert_eq!(
        report.below_floor,
        Some(FloorTest::Accepted(TlsVersion::Tls1_1)),
        "{}",
        postfix.log()
    );
}

#[test]
fn no_certificate_at_all() {
    let bare = ["smtpd_tls_chain_files=", "smtpd_tls_cert_file=none"];
    let postfix = Postfix::start(&rsa_certificate("mx.example"), &[&bare]);
    let report = look(postfix.address(0), Start::StartTls);
    let handshake = report.handshake.expect("an anonymous handshake");
    assert_eq!(handshake.chain, [[0; 0]; 0]);
    assert_eq!(handshake.version, TlsVersion::Tls1_2);
}

#[test]
fn broken_certificates_and_ciphers() {
    let broken = "smtpd_tls_chain_files=ETC/cert-first.pem";
    let services: [&[&str]; 4] = [
        &[broken],
        &[broken, WRAPPER],
        &["smtpd_tls_ciphers=hihg"],
        &["tls_medium_cipherlist=NOSUCH"],
    ];
    let postfix = Postfix::start(&rsa_certificate("mx.example"), &services);
    let closed = "the server closed the connection in the handshake";
    for (service, tls, name, words) in [
        (
            0,
            Start::StartTls,
            N::StartTls,
            "454 4.7.0 TLS not available due to local problem",
        ),
        (1, Start::Implicit, N::Handshake, closed),
        (2, Start::StartTls, N::Handshake, closed),
        (3, Start::StartTls, N::Handshake, closed),
    ] {
        let report = look(postfix.address(service), tls);
        let last = report.stages.last().unwrap();
        let refused = StageOutcome::Refused(words.to_owned());
        assert_eq!(
            (last.name, &last.outcome),
            (name, &refused),
            "{}",
            postfix.log()
        );
        // All the same:
        let offered = report.ehlo_before.contains(&"STARTTLS".to_owned());
        assert_eq!(offered, tls == Start::StartTls);
    }
}

#[test]
fn a_missing_chain_file_is_anonymous_tls() {
    // Postfix 3.7.11 warns, and goes on without a certificate: no 454.
    let services: [&[&str]; 2] = [
        &["smtpd_tls_chain_files=ETC/missing.pem"],
        &["smtpd_tls_chain_files=ETC/missing.pem", WRAPPER],
    ];
    let postfix = Postfix::start(&rsa_certificate("mx.example"), &services);
    for (service, tls) in [(0, Start::StartTls), (1, Start::Implicit)] {
        let report = look(postfix.address(service), tls);
        let handshake = report.handshake.expect("an anonymous handshake");
        assert_eq!(handshake.fingerprint, None, "{}", postfix.log());
    }
}

#[test]
fn a_service_that_dies_at_its_start() {
    let postfix = Postfix::start(
        &rsa_certificate("mx.example"),
        &[&["smtpd_tls_security_level=maybe"]],
    );
    let report = probe(&target(postfix.address(0), Start::StartTls), SHORT);
    let last = report.stages.last().unwrap();
    assert_eq!(last.name, N::Banner);
    assert!(
        matches!(last.outcome, StageOutcome::Unknown(_)),
        "{:?}",
        last.outcome
    );
}

#[test]
fn mail_and_strangers() {
    let closed = "smtpd_client_restrictions=reject";
    let postfix = Postfix::start(
        &rsa_certificate("mx.example"),
        &[&[], &[ENCRYPT, closed], &[WRAPPER]],
    );
    let open = target(postfix.address(0), Start::StartTls);
    let envelope = Envelope {
        mail_from: "ada@example.com".to_owned(),
        rcpt_to: vec!["bob@mx.example".to_owned()],
    };
    let accepted = send(&open, &envelope, b"Subject: x\n\n.\n", PATIENT).unwrap();
    assert!(
        accepted.reply.starts_with("250 2.0.0 Ok: queued as "),
        "{accepted:?}"
    );
    for (service, tls) in [
        (0, Start::StartTls),
        (1, Start::StartTls),
        (2, Start::Implicit),
    ] {
        let target = target(postfix.address(service), tls);
        let answer = relay_test(
            &target,
            "ada@example.com",
            "stranger@example.invalid",
            PATIENT,
        );
        let answer = answer.unwrap();
        assert!(answer.starts_with("554 5.7.1 "), "{answer}");
    }
}

#[test]
fn a_certificate_is_seen_where_anonymous_ciphers_are_possible() {
    let old = "smtpd_tls_protocols=<=TLSv1.2";
    let issued = rsa_certificate("mx.example");
    let postfix = Postfix::start(&issued, &[&[old], &[old, "tls_preempt_cipherlist=yes"]]);
    for service in 0..2 {
        let handshake = look(postfix.address(service), Start::StartTls)
            .handshake
            .unwrap();
        assert_eq!(handshake.version, TlsVersion::Tls1_2);
        let seen = handshake.fingerprint;
        assert_eq!(
            seen,
            Some(common::fingerprint(&issued)),
            "{service} {}",
            handshake.cipher
        );
    }
}
