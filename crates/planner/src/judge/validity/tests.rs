//! Which of the certificates that were seen are told, to whom, and once.

use super::*;
use crate::report::{Answered, Asked, Handshake, Judgement};
use mailtls::TlsVersion;
use postseal_issue::{KeyType, LeafRequest, Validity};

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

/// Valid from and until so many days from now.
fn leaf(from: i64, until: i64) -> Vec<u8> {
    let request = LeafRequest {
        names: vec!["mx.example.org".to_owned()],
        key_type: KeyType::EcdsaP256,
        validity: Validity {
            not_before: NOW + from * DAY,
            not_after: NOW + until * DAY,
        },
    };
    let pem = postseal_issue::self_signed(&request).unwrap().cert_pem;
    let leaf = mailtls::pem_certificates(pem.as_bytes()).unwrap().remove(0);
    leaf.der
}

fn ask(name: &str) -> Ask {
    Ask {
        name: Some(name.to_owned()),
        algorithm: None,
    }
}

/// What a service showed who asked for no name, and who asked for one.
fn report(plain: &[u8], named: &[(&str, &[u8])]) -> Report {
    let asked = named.iter().map(|(name, leaf)| Asked {
        ask: ask(name),
        answer: Answered::Shown(Some(Fingerprint::of(leaf))),
        leaf: Some(leaf.to_vec()),
    });
    Report {
        handshake: Some(Handshake {
            version: TlsVersion::Tls1_3,
            cipher: String::new(),
            group: None,
            chain: vec![plain.to_vec()],
            fingerprint: Some(Fingerprint::of(plain)),
        }),
        asked: asked.collect(),
        ..Report::unseen("smtp/inet", "192.0.2.25:25".parse().unwrap())
    }
}

fn judged(report: &Report, now: i64) -> Judgement {
    let judgement = Judgement {
        service: report.service.clone(),
        address: report.address,
        outcome: Outcome::Pass,
        sentences: Vec::new(),
        findings: Vec::new(),
    };
    let mut verdict = Verdict {
        judgements: vec![judgement],
    };
    add_validity(&mut verdict, std::slice::from_ref(report), now);
    verdict.judgements.remove(0)
}

fn codes(judgement: &Judgement) -> Vec<&str> {
    judgement.findings.iter().map(|one| &*one.code).collect()
}

#[test]
fn a_certificate_is_valid_from_its_first_second_to_its_last() {
    let seen = report(&leaf(0, 90), &[]);
    let last = NOW + 90 * DAY;
    for (now, code) in [
        (NOW - 1, Some(NOT_YET_VALID)),
        (NOW, None),
        (last, None),
        (last + 1, Some(EXPIRED)),
    ] {
        let judgement = judged(&seen, now);
        assert_eq!(codes(&judgement), Vec::from_iter(code), "{now}");
        let outcome = match code {
            Some(_) => Outcome::Fail,
            None => Outcome::Pass,
        };
        assert_eq!(judgement.outcome, outcome, "{now}");
        assert!(judgement.findings.iter().all(is_of_validity));
    }
}

#[test]
fn whoever_is_shown_it_is_named_and_each_certificate_told_once() {
    let (good, over, early) = (leaf(-1, 89), leaf(-90, -1), leaf(1, 90));
    let names: [(&str, &[u8]); 4] = [
        ("a.example.org", &over),
        ("b.example.org", &early),
        ("c.example.org", &over),
        ("d.example.org", &good),
    ];
    let judgement = judged(&report(&good, &names), NOW);
    let mut told = codes(&judgement);
    told.sort_unstable();
    assert_eq!(told, [EXPIRED, NOT_YET_VALID]);
    let message = |code| {
        let mut findings = judgement.findings.iter();
        findings
            .find(|one| one.code == code)
            .unwrap()
            .message
            .clone()
    };
    let over = message(EXPIRED);
    let both = "clients that ask for a.example.org and ask for c.example.org a certificate";
    assert!(!over.contains("no name"), "{over}");
    assert!(over.contains("Port 25 on 192.0.2.25"), "{over}");
    assert!(over.contains(both), "{over}");
    assert!(message(NOT_YET_VALID).contains("b.example.org"));
    assert_eq!(judgement.sentences.len(), 2);
}

#[test]
fn what_was_not_seen_is_not_judged() {
    let mut unseen = report(&leaf(-90, -1), &[]);
    unseen.handshake = None;
    unseen.asked.push(Asked {
        ask: ask("a.example.org"),
        answer: Answered::Unknown("no answer".to_owned()),
        leaf: None,
    });
    assert_eq!(judged(&unseen, NOW).outcome, Outcome::Pass);
    let nonsense = report(b"no certificate", &[]);
    assert_eq!(judged(&nonsense, NOW).outcome, Outcome::Pass);
}
