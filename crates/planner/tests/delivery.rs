//! What each outbound level promises, and what becomes of a message against it.

#![allow(clippy::expect_used, reason = "helpers of tests")]

use postseal_planner::delivery::{Became, Peer, Seen, judge};
use postseal_planner::intent::Outbound;
use postseal_planner::report::{Judgement, Outcome};

/// The promise of each level: to a server with STARTTLS and a self-signed certificate, and to
/// one without STARTTLS (postconf(5) smtp_tls_security_level; RFC 7672 §2.2 for dane, which is
/// may where no TLSA record is published).
const PROMISES: [(Outbound, Became, Became); 7] = [
    (Outbound::Off, Became::SentInClear, Became::SentInClear),
    (Outbound::May, Became::SentUnderTls, Became::SentInClear),
    (Outbound::Encrypt, Became::SentUnderTls, held()),
    (Outbound::Dane, Became::SentUnderTls, Became::SentInClear),
    (Outbound::DaneOnly, held(), held()),
    (Outbound::Verify, held(), held()),
    (Outbound::Secure, held(), held()),
];

const fn held() -> Became {
    Became::Deferred(String::new())
}

fn one(level: Outbound, peer: Peer, outcome: Became) -> Judgement {
    let seen = Seen {
        peer,
        address: "127.0.0.1:2525".parse().expect("an address"),
        outcome,
    };
    let mut judgements = judge(level, &[seen]);
    assert_eq!(judgements.len(), 1);
    judgements.remove(0)
}

#[test]
fn only_what_the_level_promises_passes() {
    for (level, with, without) in PROMISES {
        for (peer, promised) in [(Peer::StartTls, with), (Peer::Cleartext, without)] {
            for became in [Became::SentUnderTls, Became::SentInClear, held()] {
                let judgement = one(level, peer, became.clone());
                let (outcome, codes) = if became == promised {
                    (Outcome::Pass, 0)
                } else {
                    (Outcome::Fail, 1)
                };
                assert_eq!(judgement.outcome, outcome, "{level:?} {peer:?} {became:?}");
                assert_eq!(
                    judgement.findings.len(),
                    codes,
                    "{level:?} {peer:?} {became:?}"
                );
                assert!(
                    judgement
                        .findings
                        .iter()
                        .all(|f| f.code == "outbound.promise-broken")
                );
            }
        }
    }
}

/// A rehearsal stops at findings: a message that is nowhere proves nothing, so it has one.
#[test]
fn what_was_not_seen_is_undetermined_and_still_no_leave_to_go_on() {
    for (level, ..) in PROMISES {
        for peer in [Peer::StartTls, Peer::Cleartext] {
            let judgement = one(level, peer, Became::Unknown);
            assert_eq!(
                judgement.outcome,
                Outcome::Undetermined,
                "{level:?} {peer:?}"
            );
            assert_eq!(judgement.findings.len(), 1, "{level:?} {peer:?}");
            assert!(judgement.sentences[0].contains("neither sent nor held back"));
        }
    }
}

#[test]
fn a_broken_promise_says_what_was_and_what_should_have_been() {
    let judgement = one(Outbound::Encrypt, Peer::Cleartext, Became::SentInClear);
    let message = &judgement.findings[0].message;
    assert!(
        message.contains("without STARTTLS was sent in clear"),
        "{message}"
    );
    assert!(message.contains("should have been held back"), "{message}");
    let held = Became::Deferred("4.7.5 untrusted".to_owned());
    let judgement = one(Outbound::May, Peer::StartTls, held);
    assert!(judgement.sentences[0].contains("held back (4.7.5 untrusted)"));
    assert!(
        judgement.findings[0]
            .message
            .contains("should have been sent under TLS")
    );
}

#[test]
fn peers_are_judged_one_by_one_in_their_order() {
    let seen = |peer, port, outcome| Seen {
        peer,
        address: ([127, 0, 0, 1], port).into(),
        outcome,
    };
    let judgements = judge(
        Outbound::May,
        &[
            seen(Peer::Cleartext, 2526, Became::SentInClear),
            seen(Peer::StartTls, 2525, Became::SentInClear),
        ],
    );
    let told: Vec<_> = judgements
        .iter()
        .map(|j| (j.address.port(), j.outcome))
        .collect();
    assert_eq!(told, [(2526, Outcome::Pass), (2525, Outcome::Fail)]);
    assert!(judge(Outbound::May, &[]).is_empty());
}
