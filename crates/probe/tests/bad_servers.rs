//! Servers that are slow, silent, wrong or hostile: each look ends by its deadline, in the right
//! stage, with the right outcome, and keeps little of what was thrown at it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test support: a panic is the message"
)]

mod common;

use common::{PATIENT, SHORT, target};
use postseal_planner::report::{Report, StageName as N, StageOutcome};
use postseal_probe::{Start, Target, probe};
use postseal_testkit::smtp_script::SmtpScript;
use std::net::TcpListener;
use std::time::Duration;

const EHLO: &str = "250-mx.example\r\n250-STARTTLS\r\n250 8BITMIME\r\n";
/// A fatal handshake_failure in a TLS 1.2 record.
const ALERT: &[u8] = b"\x15\x03\x03\x00\x02\x02\x28";
const HELLO: usize = 16 * 1024;

fn greeted() -> SmtpScript {
    SmtpScript::new()
        .say("220 mx.example ESMTP\r\n")
        .hear("EHLO probe.example")
        .say(EHLO)
}

fn ready() -> SmtpScript {
    greeted().hear("STARTTLS").say("220 2.0.0 Ready\r\n")
}

#[derive(Debug, PartialEq)]
enum Kind {
    Refused,
    Unknown,
}

/// The look at `script` ends at `name`, with an outcome of `kind` that says `words`.
fn ends(script: SmtpScript, deadline: Duration, name: N, kind: Kind, words: &str) -> Report {
    ends_at(Start::StartTls, script, deadline, name, kind, words)
}

fn ends_at(
    start: Start,
    script: SmtpScript,
    deadline: Duration,
    name: N,
    kind: Kind,
    words: &str,
) -> Report {
    let server = script.serve();
    let report = probe(&target(server.address(), start), deadline);
    let (last, before) = report.stages.split_last().expect("a stage");
    assert!(
        before.iter().all(|stage| stage.outcome == StageOutcome::Ok),
        "{report:#?}"
    );
    let (seen, said) = match &last.outcome {
        StageOutcome::Refused(said) => (Kind::Refused, said),
        StageOutcome::Unknown(said) => (Kind::Unknown, said),
        other => panic!("{other:?} at {:?}", last.name),
    };
    assert_eq!((last.name, seen), (name, kind), "{said}");
    assert!(said.contains(words), "{said:?} lacks {words:?}");
    assert!(
        said.len() < 1100 && !said.contains(|c: char| c.is_control()),
        "{said:?}"
    );
    let kept = report
        .ehlo_before
        .iter()
        .chain(&report.ehlo_after)
        .map(String::len)
        .sum::<usize>();
    assert!(kept < 70_000, "{kept} bytes of EHLO were kept");
    report
}

#[test]
fn nothing_listens() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let report = probe(&target(free, Start::StartTls), PATIENT);
    assert_eq!(report.stages.len(), 1);
    assert_eq!(report.stages[0].name, N::Connect);
    assert_eq!(report.stages[0].outcome, StageOutcome::Closed);
}

#[test]
fn no_time_at_all() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let report = probe(
        &target(server.local_addr().unwrap(), Start::StartTls),
        Duration::ZERO,
    );
    assert!(
        matches!(report.stages[0].outcome, StageOutcome::Unknown(_)),
        "{report:?}"
    );
}

#[test]
fn silent_from_the_first() {
    // What a service that master(8) has throttled looks like.
    ends(
        SmtpScript::new().hold(),
        SHORT,
        N::Banner,
        Kind::Unknown,
        "within the deadline",
    );
    ends_at(
        Start::Implicit,
        SmtpScript::new().hold(),
        SHORT,
        N::Handshake,
        Kind::Unknown,
        "within the deadline",
    );
}

#[test]
fn a_byte_now_and_then() {
    let line = format!("220 {}\r\n", "x".repeat(400));
    let drip = SmtpScript::new().drip(line, Duration::from_millis(20));
    ends(drip, SHORT, N::Banner, Kind::Unknown, "within the deadline");
    let drip = ready()
        .swallow(HELLO)
        .drip([22, 3, 3, 0xff].repeat(100), Duration::from_millis(20));
    let report = probe(&target(drip.serve().address(), Start::StartTls), SHORT);
    assert_eq!(report.stages.last().unwrap().name, N::Handshake);
}

#[test]
fn silent_after_the_banner_and_later() {
    let banner = SmtpScript::new().say("220 x\r\n").hold();
    ends(banner, SHORT, N::Ehlo, Kind::Unknown, "within the deadline");
    ends(
        greeted().hold(),
        SHORT,
        N::StartTls,
        Kind::Unknown,
        "within the deadline",
    );
    ends(
        ready().hold(),
        SHORT,
        N::Handshake,
        Kind::Unknown,
        "within the deadline",
    );
}

#[test]
fn gone() {
    ends(
        SmtpScript::new(),
        PATIENT,
        N::Banner,
        Kind::Unknown,
        "closed the connection",
    );
    let banner = SmtpScript::new().say("220 x\r\n").hear("EHLO");
    ends(
        banner,
        PATIENT,
        N::Ehlo,
        Kind::Unknown,
        "closed the connection",
    );
    ends(
        greeted().hear("STARTTLS"),
        PATIENT,
        N::StartTls,
        Kind::Unknown,
        "closed the connection",
    );
}

#[test]
fn gone_or_reset_in_the_handshake() {
    // Postfix leaves there when `smtpd_tls_ciphers` names no grade: that is an answer.
    for script in [
        ready().swallow(HELLO),
        ready().swallow(HELLO).reset(),
        ready().reset(),
    ] {
        ends(
            script,
            PATIENT,
            N::Handshake,
            Kind::Refused,
            "closed the connection",
        );
    }
    let script = SmtpScript::new().reset();
    ends_at(
        Start::Implicit,
        script,
        PATIENT,
        N::Handshake,
        Kind::Refused,
        "closed the connection",
    );
}

#[test]
fn busy() {
    let busy = SmtpScript::new()
        .say("421 4.3.2 All server ports are busy\r\n")
        .hear("QUIT");
    ends(
        busy,
        PATIENT,
        N::Banner,
        Kind::Refused,
        "421 4.3.2 All server ports are busy",
    );
}

#[test]
fn tls_not_available() {
    // What Postfix says with a certificate that it cannot load.
    let words = "454 4.7.0 TLS not available due to local problem";
    let script = greeted()
        .hear("STARTTLS")
        .say(format!("{words}\r\n"))
        .hear("QUIT");
    ends(script, PATIENT, N::StartTls, Kind::Refused, words);
}

#[test]
fn not_offered() {
    let script = SmtpScript::new()
        .say("220 x\r\n")
        .hear("EHLO")
        .say("250 mx\r\n")
        .hear("QUIT");
    ends(
        script,
        PATIENT,
        N::StartTls,
        Kind::Refused,
        "STARTTLS is not offered",
    );
}

#[test]
fn alert_in_the_handshake() {
    let script = ready().swallow(HELLO).say(ALERT);
    ends(script, PATIENT, N::Handshake, Kind::Refused, "TLS alert");
}

#[test]
fn cleartext_instead_of_a_handshake() {
    let script = ready().swallow(HELLO).say("500 what?\r\n").hold();
    ends(
        script,
        PATIENT,
        N::Handshake,
        Kind::Refused,
        "does not look like TLS",
    );
    let script = SmtpScript::new().say("220 mx.example ESMTP\r\n").hold();
    ends_at(
        Start::Implicit,
        script,
        PATIENT,
        N::Handshake,
        Kind::Refused,
        "does not look like TLS",
    );
}

#[test]
fn words_before_tls() {
    let script = greeted()
        .hear("STARTTLS")
        .say("220 go\r\n250 AUTH PLAIN\r\n")
        .swallow(HELLO)
        .say(ALERT);
    ends(script, PATIENT, N::Handshake, Kind::Refused, "TLS alert");
}

#[test]
fn ten_megabytes_in_a_line() {
    let banner = SmtpScript::new()
        .say("220 ")
        .flood("x", 10 << 20)
        .say("\r\n");
    ends(
        banner,
        PATIENT,
        N::Banner,
        Kind::Refused,
        "more than 64 KiB",
    );
    let ehlo = SmtpScript::new()
        .say("220 x\r\n")
        .hear("EHLO")
        .say("250-")
        .flood("x", 10 << 20);
    ends(ehlo, PATIENT, N::Ehlo, Kind::Refused, "more than 64 KiB");
}

#[test]
fn a_hundred_thousand_lines() {
    let ehlo = SmtpScript::new()
        .say("220 x\r\n")
        .hear("EHLO")
        .flood("250-A\r\n", 100_000);
    ends(
        ehlo,
        PATIENT,
        N::Ehlo,
        Kind::Refused,
        "more than 1000 lines",
    );
    let ehlo = SmtpScript::new().say("220 x\r\n").hear("EHLO");
    let ehlo = ehlo.flood(format!("250-{}\r\n", "x".repeat(100)), 100_000);
    ends(ehlo, PATIENT, N::Ehlo, Kind::Refused, "more than 64 KiB");
}

#[test]
fn an_endless_certificate_message() {
    // A handshake record that claims a Certificate of 16 MB, and keeps coming.
    let record = [&b"\x16\x03\x03\x40\x00\x0b\xff\xff\xff"[..], &[0; 16_380]].concat();
    let script = ready().swallow(HELLO).flood(record, 1000);
    let report = ends(script, PATIENT, N::Handshake, Kind::Refused, "");
    assert_eq!(report.handshake, None);
}

#[test]
fn bytes_that_a_terminal_would_obey() {
    let script = SmtpScript::new()
        .say(b"220 mx\x1b]0;owned\x07\0\xff\r\n")
        .hear("EHLO")
        .say(b"250-mx\r\n250-AUTH \x00PLAIN\r\n250 \xe2\x98\x83\x1b[31m\r\n")
        .hear("QUIT");
    let server = script.serve();
    let report = probe(&target(server.address(), Start::Clear), PATIENT);
    assert_eq!(report.banner.as_deref(), Some("220 mx?]0;owned???"));
    assert_eq!(report.ehlo_before, ["AUTH ?PLAIN", "????[31m"]);
    common::all_ok(&report);
    assert_eq!(
        server.finish()[0].as_ref().unwrap(),
        &["EHLO probe.example", "QUIT"]
    );
}

#[test]
fn another_protocol() {
    ends(
        SmtpScript::new().say("SSH-2.0-OpenSSH_9.2p1\r\n").hold(),
        PATIENT,
        N::Banner,
        Kind::Refused,
        "not an SMTP reply: \"SSH-2.0-OpenSSH_9.2p1\"",
    );
}

#[test]
fn a_greeting_in_parts_is_waited_for() {
    let script = SmtpScript::new()
        .say("220-mx.example please wait\r\n")
        .drip("220 mx.example ESMTP\r\n", Duration::from_millis(5))
        .hear("EHLO")
        .say(EHLO)
        .hear("QUIT")
        .say("221 bye\r\n");
    let server = script.serve();
    let target = Target {
        tls: Start::Clear,
        ..target(server.address(), Start::Clear)
    };
    let report = probe(&target, PATIENT);
    common::all_ok(&report);
    assert_eq!(
        report.banner.as_deref(),
        Some("220 mx.example please wait mx.example ESMTP")
    );
    assert!(server.finish()[0].is_ok());
}
