//! Tests of `judge`.
//!
//! Owns: what is said, and the codes, of single cases; every pair of state and promise stands in
//! `tests/verdicts.rs`. Never: a socket.

use super::*;
use crate::report::{
    Answered, Ask, Asked, ClientCertificate, FloorTest, Handshake, HandshakeExpectation,
    KeyAlgorithm, Presented, Stage,
};
use mailtls::{Fingerprint, TlsVersion};

fn leaf() -> Fingerprint {
    Fingerprint::of(b"the certificate")
}

fn address() -> SocketAddr {
    "192.0.2.25:587".parse().expect("an address")
}

fn ok(name: StageName) -> Stage {
    ended(name, StageOutcome::Ok)
}

fn ended(name: StageName, outcome: StageOutcome) -> Stage {
    Stage {
        name,
        outcome,
        micros: 1,
    }
}

fn why() -> String {
    "the reason".to_owned()
}

/// A healthy submission service.
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
        stages: stages.map(ok).to_vec(),
        banner: Some("220 mx.example.com ESMTP".to_owned()),
        ehlo_before: vec!["PIPELINING".to_owned(), "STARTTLS".to_owned()],
        ehlo_after: vec!["PIPELINING".to_owned(), "AUTH PLAIN LOGIN".to_owned()],
        mail_before_tls: Some("530 5.7.0 Must issue a STARTTLS command first".to_owned()),
        handshake: Some(Handshake {
            version: TlsVersion::Tls1_3,
            cipher: "TLS_AES_256_GCM_SHA384".to_owned(),
            group: None,
            chain: Vec::new(),
            fingerprint: Some(leaf()),
        }),
        below_floor: Some(FloorTest::Refused("alert".to_owned())),
        ..Report::unseen("submission/inet", address())
    }
}

fn wanted() -> HandshakeExpectation {
    HandshakeExpectation {
        certificates: vec![leaf()],
        floor: Some(TlsVersion::Tls1_2),
        ..HandshakeExpectation::default()
    }
}

fn submission() -> ServiceExpectation {
    serving(
        TlsExpectation::StartTls {
            required: true,
            handshake: wanted(),
        },
        AuthExpectation::OnlyUnderTls,
    )
}

fn serving(tls: TlsExpectation, auth: AuthExpectation) -> ServiceExpectation {
    ServiceExpectation {
        service: "submission/inet".to_owned(),
        addresses: vec![address()],
        wire: WireExpectation::Serving { tls, auth },
    }
}

fn judged(expected: &ServiceExpectation, report: &Report) -> Judgement {
    let verdict = judge(std::slice::from_ref(expected), std::slice::from_ref(report));
    verdict.judgements.into_iter().next().expect("a judgement")
}

fn codes(judgement: &Judgement) -> Vec<String> {
    judgement
        .findings
        .iter()
        .map(|finding| finding.code.to_string())
        .collect()
}

/// The one code that a change of the healthy report leads to.
fn miss(change: impl Fn(&mut Report)) -> String {
    let mut report = healthy();
    change(&mut report);
    let judgement = judged(&submission(), &report);
    assert_eq!(
        judgement.outcome,
        Outcome::Fail,
        "{:?}",
        judgement.sentences
    );
    codes(&judgement).join(" ")
}

fn break_at(report: &mut Report, name: StageName, outcome: StageOutcome) {
    let at = report
        .stages
        .iter()
        .position(|stage| stage.name == name)
        .expect("a stage");
    report.stages.truncate(at);
    report.stages.push(ended(name, outcome));
    if name <= StageName::Handshake {
        report.handshake = None;
    }
}

#[test]
fn a_healthy_service_passes_and_says_what_was_proved() {
    let judgement = judged(&submission(), &healthy());
    assert_eq!(judgement.outcome, Outcome::Pass);
    let said = judgement.sentences.join("\n");
    for part in [
        "(530)",
        "TLS 1.3",
        "refuses TLS older than TLS 1.2",
        "AUTH, only under TLS",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn each_miss_has_its_code() {
    use StageOutcome::{Closed, Refused, Unknown};
    assert_eq!(
        miss(|r| break_at(r, StageName::Connect, Closed)),
        "wire.closed"
    );
    assert_eq!(
        miss(|r| break_at(r, StageName::Banner, Unknown(why()))),
        "wire.no-banner"
    );
    assert_eq!(
        miss(|r| break_at(r, StageName::Ehlo, Refused(why()))),
        "wire.ehlo-refused"
    );
    assert_eq!(
        miss(|r| break_at(r, StageName::StartTls, Refused(why()))),
        "wire.starttls-broken"
    );
    assert_eq!(
        miss(|r| break_at(r, StageName::Handshake, Unknown(why()))),
        "wire.handshake-failed"
    );
    assert_eq!(miss(|r| r.ehlo_before.clear()), "wire.starttls-not-offered");
    assert_eq!(
        miss(|r| r.mail_before_tls = Some("250 Ok".to_owned())),
        "wire.tls-not-required"
    );
    assert_eq!(
        miss(|r| r.ehlo_before.push("AUTH PLAIN".to_owned())),
        "wire.auth-in-clear"
    );
    assert_eq!(
        miss(|r| r.ehlo_before.push("AUTH=PLAIN".to_owned())),
        "wire.auth-in-clear"
    );
    assert_eq!(miss(|r| r.ehlo_after.clear()), "wire.auth-missing");
    assert_eq!(
        miss(|r| r.after_starttls = Some("250 Ok".to_owned())),
        "wire.slipped-in"
    );
    let accepted = Some(FloorTest::Accepted(TlsVersion::Tls1_0));
    assert_eq!(
        miss(|r| r.below_floor.clone_from(&accepted)),
        "wire.floor-not-held"
    );
    let other = Some(Fingerprint::of(b"another"));
    let shows = |r: &mut Report, leaf| r.handshake.as_mut().expect("one").fingerprint = leaf;
    assert_eq!(miss(|r| shows(r, other)), "wire.wrong-certificate");
    assert_eq!(miss(|r| shows(r, None)), "wire.no-certificate");
}

#[test]
fn what_was_not_seen_is_undetermined_and_no_finding() {
    let unseen = |change: &dyn Fn(&mut Report)| {
        let mut report = healthy();
        change(&mut report);
        let judgement = judged(&submission(), &report);
        assert_eq!(
            judgement.outcome,
            Outcome::Undetermined,
            "{:?}",
            judgement.sentences
        );
        assert!(judgement.findings.is_empty());
    };
    unseen(&|r| break_at(r, StageName::Connect, StageOutcome::Unknown(why())));
    unseen(&|r| break_at(r, StageName::EhloUnderTls, StageOutcome::Unknown(why())));
    let busy = || StageOutcome::Refused("421 4.7.0 mx Error: too many connections".to_owned());
    for stage in [StageName::Banner, StageName::Ehlo, StageName::StartTls] {
        unseen(&|r| break_at(r, stage, busy()));
    }
    unseen(&|r| r.mail_before_tls = None);
    unseen(&|r| r.mail_before_tls = Some("421 4.3.2 busy".to_owned()));
    unseen(&|r| r.below_floor = None);
    unseen(&|r| r.below_floor = Some(FloorTest::Undetermined(why())));
    unseen(&|r| r.address.set_port(25));
    unseen(&|r| r.stages.clear());
}

/// The same rule at every stage and on every port: no answer in time says nothing. Only where the master
/// has no process for the service it is dead.
#[test]
fn silence_is_undetermined_unless_nobody_is_there() {
    let silence = || StageOutcome::Unknown(crate::report::NO_ANSWER.to_owned());
    for stage in [StageName::Banner, StageName::StartTls, StageName::Handshake] {
        let mut report = healthy();
        break_at(&mut report, stage, silence());
        let judgement = judged(&submission(), &report);
        assert_eq!(judgement.outcome, Outcome::Undetermined, "{stage:?}");
        assert!(judgement.findings.is_empty(), "{stage:?}");
    }
    let wrapper = serving(
        TlsExpectation::Wrapper {
            handshake: wanted(),
        },
        AuthExpectation::Any,
    );
    for (expected, stage) in [
        (submission(), StageName::Banner),
        (wrapper, StageName::Handshake),
    ] {
        let mut report = healthy();
        break_at(&mut report, stage, silence());
        if stage == StageName::Handshake {
            report.stages.drain(1..report.stages.len() - 1);
        }
        let reports = [report];
        let dead = |served: Option<&[&str]>| {
            let mut verdict = judge(std::slice::from_ref(&expected), &reports);
            let served = served.map(|all| all.iter().map(|&one| one.to_owned()).collect());
            add_dead(&mut verdict, &reports, || served);
            verdict.judgements.remove(0)
        };
        assert_eq!(dead(None).outcome, Outcome::Undetermined);
        let busy = dead(Some(&["submission/inet"]));
        assert_eq!(busy.outcome, Outcome::Undetermined);
        let gone = dead(Some(&["smtp/inet"]));
        assert_eq!(gone.outcome, Outcome::Fail);
        assert_eq!(codes(&gone), ["wire.no-banner"]);
    }
}

#[test]
fn a_service_without_an_address_is_undetermined() {
    let mut expected = submission();
    expected.addresses.clear();
    let verdict = judge(&[expected], &[healthy()]);
    assert_eq!(verdict.outcome(), Outcome::Undetermined);
}

#[test]
fn implicit_tls_needs_no_ehlo_before() {
    let expected = serving(
        TlsExpectation::Wrapper {
            handshake: wanted(),
        },
        AuthExpectation::OnlyUnderTls,
    );
    let mut report = healthy();
    report.ehlo_before.clear();
    report.mail_before_tls = None;
    report.stages.retain(|stage| {
        !matches!(
            stage.name,
            StageName::Ehlo | StageName::StartTls | StageName::MailBeforeTls
        )
    });
    assert_eq!(judged(&expected, &report).outcome, Outcome::Pass);
}

#[test]
fn anonymous_tls_shows_no_certificate_and_may_be_unspeakable_for_us() {
    let anonymous = HandshakeExpectation {
        anonymous: true,
        ..HandshakeExpectation::default()
    };
    let expected = serving(
        TlsExpectation::StartTls {
            required: true,
            handshake: anonymous,
        },
        AuthExpectation::Any,
    );
    let mut report = healthy();
    assert_eq!(
        codes(&judged(&expected, &report)),
        ["wire.certificate-shown"]
    );
    report.handshake.as_mut().expect("one").fingerprint = None;
    assert_eq!(judged(&expected, &report).outcome, Outcome::Pass);
    break_at(
        &mut report,
        StageName::Handshake,
        StageOutcome::Refused("no shared cipher".to_owned()),
    );
    assert_eq!(judged(&expected, &report).outcome, Outcome::Undetermined);
}

fn demanding(tls: impl Fn(HandshakeExpectation) -> TlsExpectation) -> ServiceExpectation {
    let handshake = HandshakeExpectation {
        client_certificate: ClientCertificate::Required,
        ..wanted()
    };
    serving(tls(handshake), AuthExpectation::OnlyUnderTls)
}

#[test]
fn a_client_certificate_that_is_demanded_is_not_ours_to_show() {
    let away = StageOutcome::Refused(
        "421 4.7.1 mx.example.com Error: No client certificate presented".to_owned(),
    );
    let starttls = demanding(|handshake| TlsExpectation::StartTls {
        required: true,
        handshake,
    });
    let mut report = healthy();
    assert_eq!(
        codes(&judged(&starttls, &report)),
        ["wire.client-certificate-not-required"]
    );
    break_at(&mut report, StageName::EhloUnderTls, away.clone());
    let judgement = judged(&starttls, &report);
    assert_eq!(judgement.outcome, Outcome::Pass, "{judgement:?}");
    assert_eq!(
        codes(&judged(&submission(), &report)),
        ["wire.client-certificate-required"]
    );
    // With implicit TLS the refusal comes in place of the greeting.
    let wrapper = demanding(|handshake| TlsExpectation::Wrapper { handshake });
    let mut report = healthy();
    report.stages = vec![
        ended(StageName::Connect, StageOutcome::Ok),
        ended(StageName::Handshake, StageOutcome::Ok),
        ended(StageName::Banner, away),
    ];
    let judgement = judged(&wrapper, &report);
    assert_eq!(judgement.outcome, Outcome::Pass, "{judgement:?}");
}

/// A client that asks for a name, and what it was answered.
fn asked_for(name: &str, answer: Option<Answered>) -> Judgement {
    let ask = Ask {
        name: Some(name.to_owned()),
        algorithm: Some(KeyAlgorithm::Rsa),
    };
    let handshake = HandshakeExpectation {
        presented: vec![Presented {
            ask: ask.clone(),
            certificates: vec![Fingerprint::of(b"bound to the name")],
        }],
        ..wanted()
    };
    let tls = TlsExpectation::StartTls {
        required: true,
        handshake,
    };
    let mut report = healthy();
    report.asked = answer
        .into_iter()
        .map(|answer| Asked {
            ask: ask.clone(),
            answer,
            leaf: None,
        })
        .collect();
    judged(&serving(tls, AuthExpectation::OnlyUnderTls), &report)
}

#[test]
fn who_asks_for_a_name_sees_what_is_bound_to_it() {
    let bound = Fingerprint::of(b"bound to the name");
    let seen = asked_for("web.example.org", Some(Answered::Shown(Some(bound))));
    assert_eq!(seen.outcome, Outcome::Pass);
    let told = seen.sentences.join("\n");
    assert!(
        told.contains("ask for web.example.org and take only RSA"),
        "{told}"
    );
    let misses = [
        (Answered::Shown(Some(leaf())), "wire.wrong-certificate"),
        (Answered::Shown(None), "wire.no-certificate"),
        (Answered::Refused(why()), "wire.handshake-failed"),
    ];
    for (answer, code) in misses {
        let missed = asked_for("web.example.org", Some(answer));
        assert_eq!(
            (missed.outcome, codes(&missed)),
            (Outcome::Fail, vec![code.to_owned()])
        );
    }
    for answer in [Some(Answered::Unknown(why())), None] {
        let unseen = asked_for("web.example.org", answer);
        assert_eq!(
            (unseen.outcome, codes(&unseen)),
            (Outcome::Undetermined, Vec::new())
        );
    }
}
