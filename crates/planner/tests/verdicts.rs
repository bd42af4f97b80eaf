//! Every state of a wire against everything that can be expected of it.
//!
//! `verdicts/*.txt` hold the outcome and the codes of each pair. `BLESS=1` writes what the planner
//! says now; read the difference before committing it: a pass that was a miss is a lie.

#![allow(clippy::expect_used, reason = "helpers of tests")]

use mailtls::{Fingerprint, TlsVersion};
use postseal_planner::judge;
use postseal_planner::report::{
    AuthExpectation, ClientCertificate, FloorTest, Handshake, HandshakeExpectation, NO_ANSWER,
    Outcome, Report, ServiceExpectation, Stage, StageName, StageOutcome, TlsExpectation,
    WireExpectation,
};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

fn address() -> SocketAddr {
    "192.0.2.25:587".parse().expect("an address")
}

fn leaf() -> Fingerprint {
    Fingerprint::of(b"the certificate")
}

fn ended(name: StageName, outcome: StageOutcome) -> Stage {
    Stage {
        name,
        outcome,
        micros: 1,
    }
}

/// A service on which TLS is required, and which has all that can be asked for.
fn healthy() -> Report {
    use StageName::{Banner, Connect, Ehlo, EhloUnderTls, Floor, MailBeforeTls, StartTls};
    let stages = [
        Connect,
        Banner,
        Ehlo,
        MailBeforeTls,
        StartTls,
        StageName::Handshake,
        EhloUnderTls,
        Floor,
    ];
    Report {
        stages: stages.map(|name| ended(name, StageOutcome::Ok)).to_vec(),
        banner: Some("220 mx.example.com ESMTP".to_owned()),
        ehlo_before: vec!["PIPELINING".to_owned(), "STARTTLS".to_owned()],
        ehlo_after: vec!["PIPELINING".to_owned()],
        mail_before_tls: Some("530 5.7.0 Must issue a STARTTLS command first".to_owned()),
        handshake: Some(Handshake {
            version: TlsVersion::Tls1_3,
            cipher: "TLS_AES_256_GCM_SHA384".to_owned(),
            group: None,
            chain: Vec::new(),
            fingerprint: Some(leaf()),
        }),
        below_floor: Some(FloorTest::Refused("alert protocol version".to_owned())),
        ..Report::unseen("submission/inet", address())
    }
}

/// The dialogue ends at a stage.
fn ends(name: StageName, outcome: StageOutcome) -> impl Fn(&mut Report) {
    move |report| {
        report.stages.retain(|stage| stage.name < name);
        report.stages.push(ended(name, outcome.clone()));
        if name <= StageName::Ehlo {
            report.ehlo_before.clear();
        }
        if name <= StageName::Handshake {
            report.handshake = None;
            report.below_floor = None;
        }
        if name <= StageName::EhloUnderTls {
            report.ehlo_after.clear();
        }
    }
}

fn shows(report: &mut Report, leaf: Option<Fingerprint>) {
    let handshake = report.handshake.as_mut().expect("a handshake");
    handshake.fingerprint = leaf;
}

/// Nothing came before the deadline.
fn silence() -> StageOutcome {
    StageOutcome::Unknown(NO_ANSWER.to_owned())
}

type Change = Box<dyn Fn(&mut Report)>;

/// Dialogues that end early.
fn cut_short() -> Vec<(&'static str, Change)> {
    use StageName::{Banner, Connect, Ehlo, EhloUnderTls, StartTls};
    use StageOutcome::{Closed, Refused, Unknown};
    let why = || "the reason".to_owned();
    vec![
        ("closed port", Box::new(ends(Connect, Closed))),
        ("unreachable", Box::new(ends(Connect, Unknown(why())))),
        ("dead smtpd", Box::new(ends(Banner, Unknown(why())))),
        ("banner 554", Box::new(ends(Banner, Refused(why())))),
        ("EHLO refused", Box::new(ends(Ehlo, Refused(why())))),
        ("EHLO unanswered", Box::new(ends(Ehlo, Unknown(why())))),
        (
            "STARTTLS 454",
            Box::new(|report| {
                ends(StartTls, Refused("454".into()))(report);
            }),
        ),
        (
            "STARTTLS unanswered",
            Box::new(ends(StartTls, Unknown(why()))),
        ),
        (
            "handshake alert",
            Box::new(ends(StageName::Handshake, Refused(why()))),
        ),
        (
            "handshake cut",
            Box::new(ends(StageName::Handshake, Unknown(why()))),
        ),
        ("silent smtpd", Box::new(ends(Banner, silence()))),
        ("EHLO silent", Box::new(ends(Ehlo, silence()))),
        ("STARTTLS silent", Box::new(ends(StartTls, silence()))),
        (
            "handshake silent",
            Box::new(ends(StageName::Handshake, silence())),
        ),
        (
            "EHLO under TLS cut",
            Box::new(ends(EhloUnderTls, Unknown(why()))),
        ),
        (
            "no client certificate",
            Box::new(ends(
                EhloUnderTls,
                Refused("421 4.7.0 mx Error: No client certificate".into()),
            )),
        ),
        ("nothing at all", Box::new(|report| report.stages.clear())),
    ]
}

/// Dialogues that come to their end.
fn whole() -> Vec<(&'static str, Change)> {
    let mail = |answer: Option<&str>| {
        let answer = answer.map(str::to_owned);
        move |report: &mut Report| report.mail_before_tls.clone_from(&answer)
    };
    vec![
        ("TLS required", Box::new(|_| ())),
        ("TLS optional", Box::new(mail(Some("250 2.1.0 Ok")))),
        ("MAIL 450", Box::new(mail(Some("450 4.7.1 later")))),
        ("MAIL not asked", Box::new(mail(None))),
        (
            "no STARTTLS",
            Box::new(|report| {
                report.ehlo_before.retain(|word| word != "STARTTLS");
                report.mail_before_tls = Some("250 2.1.0 Ok".to_owned());
                report.handshake = None;
            }),
        ),
        (
            "TLS from the first byte",
            Box::new(|report| {
                use StageName::{Ehlo, MailBeforeTls, StartTls};
                report.ehlo_before.clear();
                report.mail_before_tls = None;
                report
                    .stages
                    .retain(|s| ![Ehlo, MailBeforeTls, StartTls].contains(&s.name));
            }),
        ),
        (
            "another certificate",
            Box::new(|report| {
                shows(report, Some(Fingerprint::of(b"another")));
            }),
        ),
        ("no certificate", Box::new(|report| shows(report, None))),
        (
            "TLS 1.0 taken",
            Box::new(|report| {
                report.below_floor = Some(FloorTest::Accepted(TlsVersion::Tls1_0));
            }),
        ),
        (
            "floor not testable",
            Box::new(|report| {
                report.below_floor = Some(FloorTest::Undetermined("no such cipher".to_owned()));
            }),
        ),
        (
            "floor not tested",
            Box::new(|report| report.below_floor = None),
        ),
        (
            "another service's",
            Box::new(|report| report.service = "smtp/inet".to_owned()),
        ),
    ]
}

/// What can be expected of TLS.
fn expected() -> Vec<(&'static str, WireExpectation)> {
    let handshake = || HandshakeExpectation {
        certificates: vec![leaf()],
        floor: Some(TlsVersion::Tls1_2),
        ..HandshakeExpectation::default()
    };
    let serving = |tls| WireExpectation::Serving {
        tls,
        auth: AuthExpectation::Any,
    };
    let starttls = |required, handshake| {
        serving(TlsExpectation::StartTls {
            required,
            handshake,
        })
    };
    let anonymous = HandshakeExpectation {
        anonymous: true,
        ..HandshakeExpectation::default()
    };
    vec![
        ("closed", WireExpectation::Closed),
        ("off", serving(TlsExpectation::Off)),
        ("may", starttls(false, handshake())),
        ("encrypt", starttls(true, handshake())),
        (
            "any certificate",
            starttls(true, HandshakeExpectation::default()),
        ),
        ("anonymous", starttls(true, anonymous)),
        (
            "client certificate",
            starttls(
                true,
                HandshakeExpectation {
                    client_certificate: ClientCertificate::Required,
                    ..handshake()
                },
            ),
        ),
        (
            "wrapper",
            serving(TlsExpectation::Wrapper {
                handshake: handshake(),
            }),
        ),
    ]
}

/// Outcome and codes of one pair.
fn verdict(wire: &WireExpectation, report: &Report) -> String {
    let expected = ServiceExpectation {
        service: "submission/inet".to_owned(),
        addresses: vec![address()],
        wire: wire.clone(),
    };
    let verdict = judge(&[expected], std::slice::from_ref(report));
    let [judgement] = verdict.judgements.as_slice() else {
        panic!("{} judgements", verdict.judgements.len())
    };
    assert_eq!(verdict.outcome(), judgement.outcome);
    let failed = judgement.outcome == Outcome::Fail;
    assert_eq!(failed, !judgement.findings.is_empty(), "{judgement:?}");
    assert!(
        !judgement.sentences.is_empty(),
        "{wire:?} {report:?}: nothing is said"
    );
    let outcome = match judgement.outcome {
        Outcome::Pass => "pass",
        Outcome::Undetermined => "undetermined",
        Outcome::Fail => "fail",
    };
    let codes = judgement.findings.iter().map(|f| format!(" {}", f.code));
    format!("{outcome}{}", codes.collect::<String>())
}

fn golden(name: &str, said: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/verdicts")
        .join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, said).expect("written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(said == expected, "{name} says now:\n{said}");
}

#[test]
fn of_tls() {
    let mut said = String::new();
    for (name, change) in whole().into_iter().chain(cut_short()) {
        let mut report = healthy();
        change(&mut report);
        let _ = writeln!(said, "{name}");
        for (wanted, wire) in expected() {
            let _ = writeln!(said, "  {wanted}: {}", verdict(&wire, &report));
        }
    }
    golden("tls.txt", &said);
}

#[test]
fn of_auth() {
    use AuthExpectation::{Always, Any, Never, OnlyUnderTls};
    let mut said = String::new();
    let handshake = HandshakeExpectation::default();
    let starts = [
        ("off", TlsExpectation::Off),
        (
            "starttls",
            TlsExpectation::StartTls {
                required: false,
                handshake: handshake.clone(),
            },
        ),
        ("wrapper", TlsExpectation::Wrapper { handshake }),
    ];
    for (start, tls) in starts {
        for auth in [Any, Never, OnlyUnderTls, Always] {
            let _ = writeln!(said, "{start}, {auth:?}");
            for (offers, before, after) in [
                ("nowhere", false, false),
                ("in clear", true, false),
                ("under TLS", false, true),
                ("everywhere", true, true),
            ] {
                let mut report = healthy();
                report.mail_before_tls = Some("250 2.1.0 Ok".to_owned());
                let line = || "AUTH PLAIN LOGIN".to_owned();
                if start == "off" {
                    report.ehlo_before.retain(|word| word != "STARTTLS");
                }
                report.ehlo_before.extend(before.then(line));
                report.ehlo_after.extend(after.then(line));
                let tls = tls.clone();
                let wire = WireExpectation::Serving { tls, auth };
                let _ = writeln!(said, "  offered {offers}: {}", verdict(&wire, &report));
            }
        }
    }
    golden("auth.txt", &said);
}

#[test]
fn the_whole_is_as_bad_as_its_worst_part() {
    let service = |name: &str, wire| ServiceExpectation {
        service: name.to_owned(),
        addresses: vec![address()],
        wire,
    };
    let encrypt = expected().remove(3).1;
    let both = [
        service("submission/inet", encrypt.clone()),
        service("smtp/inet", WireExpectation::Closed),
    ];
    let mut other = healthy();
    other.service = "smtp/inet".to_owned();
    assert_eq!(judge(&[], &[healthy()]).outcome(), Outcome::Pass);
    assert_eq!(judge(&both[..1], &[healthy()]).outcome(), Outcome::Pass);
    assert_eq!(judge(&both, &[healthy()]).outcome(), Outcome::Undetermined);
    assert_eq!(judge(&both, &[other.clone()]).outcome(), Outcome::Fail);
    assert_eq!(judge(&both, &[other, healthy()]).outcome(), Outcome::Fail);
    // Each address of a service is judged, in the order expected.
    let mut twice = service("submission/inet", encrypt);
    twice
        .addresses
        .push("[2001:db8::25]:587".parse().expect("an address"));
    let verdict = judge(&[twice], &[healthy()]);
    let outcomes: Vec<Outcome> = verdict.judgements.iter().map(|j| j.outcome).collect();
    assert_eq!(outcomes, [Outcome::Pass, Outcome::Undetermined]);
}
