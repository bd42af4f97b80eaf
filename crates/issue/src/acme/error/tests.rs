//! Problem documents become errors by their type.

use super::*;
use serde_json::json;

fn error(document: serde_json::Value) -> AcmeError {
    AcmeError::of_problem(serde_json::from_value(document).unwrap(), Some(7))
}

fn typed(kind: &str) -> serde_json::Value {
    json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": "why", "status": 400})
}

#[test]
fn a_problem_is_judged_by_its_type_and_by_the_status_where_it_has_none() {
    for (kind, code) in [
        ("rateLimited", "acme.rate-limited"),
        ("externalAccountRequired", "acme.eab-required"),
        ("accountDoesNotExist", "acme.account-unknown"),
        ("rejectedIdentifier", "acme.refused"),
        ("anythingElse", "acme.refused"),
    ] {
        assert_eq!(error(typed(kind)).code(), code);
    }
    assert_eq!(error(json!({"status": 503})).code(), "acme.rate-limited");
    assert_eq!(error(json!({"status": 429})).retry_at(), Some(7));
    assert_eq!(error(json!({"status": 500})).code(), "acme.refused");
    assert_eq!(
        error(json!({})).to_string(),
        "the CA refuses: no reason given"
    );
}

#[test]
fn the_words_of_a_ca_are_shortened_and_made_printable() {
    let names: Vec<_> = (0..500)
        .map(|n| json!({"type": "caa", "detail": "x\ny", "identifier": {"type": "dns", "value": format!("n{n}.example")}}))
        .collect();
    let said =
        error(json!({"type": "a\u{1b}b", "detail": "d".repeat(100_000), "subproblems": names}));
    let text = said.to_string();
    assert!(
        text.len() < 5_000 && !text.contains(['\n', '\u{1b}']),
        "{}",
        text.len()
    );
    assert!(text.contains("n0.example: x y (caa)"));
}

#[test]
fn every_error_has_a_code_and_a_remedy_and_refusals_their_own() {
    let text = || "x".to_owned();
    let errors = [
        AcmeError::Unreachable {
            url: text(),
            reason: text(),
        },
        AcmeError::Untrusted {
            url: text(),
            reason: text(),
        },
        AcmeError::BadAnswer {
            url: text(),
            reason: text(),
        },
        error(typed("rateLimited")),
        AcmeError::ChallengeFailed {
            name: text(),
            challenge: ChallengeKind::Http01,
            problem: Problem::default(),
            answered_at: Box::default(),
        },
        AcmeError::NotOffered {
            name: text(),
            wanted: ChallengeKind::Http01,
            offered: text(),
        },
        error(typed("externalAccountRequired")),
        error(typed("accountDoesNotExist")),
        error(typed("other")),
        AcmeError::Credentials,
        AcmeError::WrongChain(text()),
        AcmeError::Unusable {
            what: text(),
            give: "another",
        },
        AcmeError::of_halt(Halt::Deadline, "waiting"),
        AcmeError::of_halt(Halt::Interrupted, "waiting"),
        AcmeError::Issue(IssueError::NoName),
    ];
    let codes: std::collections::BTreeSet<_> = errors.iter().map(AcmeError::code).collect();
    assert_eq!(codes.len(), errors.len());
    assert!(errors.iter().all(|error| !error.remedy().is_empty()));
    for kind in ["rejectedIdentifier", "caa", "badCSR", "userActionRequired"] {
        assert_ne!(refusal_remedy(kind), refusal_remedy("other"));
    }
    let inner = AcmeError::Solver {
        name: text(),
        challenge: ChallengeKind::Dns01,
        source: SolverError::Deadline,
    };
    assert_eq!(inner.code(), SolverError::Deadline.code());
}

/// The CA did not come so far as to connect: port 80 is no matter.
#[test]
fn where_the_ca_cannot_look_the_name_up_it_is_dns_that_is_to_be_mended() {
    let failed = |kind: &str| AcmeError::ChallengeFailed {
        name: "mx.example.org".to_owned(),
        challenge: ChallengeKind::Http01,
        problem: Problem {
            kind: kind.to_owned(),
            ..Problem::default()
        },
        answered_at: Box::default(),
    };
    let told = failed("dns").remedy();
    assert!(
        told.contains("name server") && !told.contains("port 80"),
        "{told}"
    );
    assert!(failed("connection").remedy().contains("port 80"));
    let eab = error(typed("externalAccountRequired")).remedy();
    assert!(eab.contains("--eab-kid"), "{eab}");
}
