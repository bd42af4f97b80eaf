//! What `policy check` says of a policy and a server is what smtp(8) does with mail for it: every
//! level towards every kind of server, healthy, wrong and odd.

use crate::grid::{Kind, cases, must_agree, scene};
use crate::peers::{Chains, NAME, Peer};
use postseal_probe::Sink;

const KINDS: [Kind; 15] = [
    Kind::Sink(Peer::Cleartext),
    Kind::Sink(Peer::SelfSigned),
    Kind::Sink(Peer::Trusted),
    Kind::Sink(Peer::WrongName),
    Kind::Sink(Peer::Expired),
    Kind::Sink(Peer::Wildcard),
    Kind::Sink(Peer::Old),
    Kind::Busy,
    Kind::Unwelcoming,
    Kind::Slow,
    Kind::Silent,
    Kind::Closed,
    Kind::Refuses,
    Kind::Breaks,
    Kind::Ancient,
];

const ROWS: [&str; 17] = [
    "none",
    "may",
    "encrypt",
    "encrypt protocols=>=TLSv1.3",
    "encrypt protocols=!TLSv1.3",
    "secure match=mx.peer.test protocols=TLSv1.2",
    "fingerprint match={self}",
    "fingerprint match=AA:BB",
    "verify",
    "secure",
    "secure match=mx.peer.test",
    "secure match=nexthop:other.peer.test",
    "secure match=.peer.test",
    "secure match=.test",
    "secure match=a.b.peer.test",
    "secure match=mx.peer.test servername=mx.peer.test tafile={tafile}",
    "dane",
];

#[test]
fn what_a_check_says_is_what_becomes_of_mail_for_every_level_and_server() {
    let chains = Chains::new();
    let cases = cases(&chains, 81, &ROWS, &KINDS);
    must_agree(&scene(&cases, &chains, &[]), &cases);
}

#[test]
fn what_is_suggested_works_and_why_nothing_stronger_is_said() {
    let chains = Chains::new();
    let peers = [
        Peer::Cleartext,
        Peer::SelfSigned,
        Peer::Trusted,
        Peer::WrongName,
        Peer::Wildcard,
    ];
    let sinks = peers.map(|peer| chains.sink(peer));
    let scene = scene(&[], &chains, &[]);
    let strongest = |sink: &Sink, policy: &str| {
        let hop = format!("[127.0.0.1]:{}", sink.address().port());
        let ran = scene.run(&["policy", "check", &hop, "--policy", policy]);
        (
            ran.json["checked"][0]["preflight"]["strongest"].clone(),
            ran,
        )
    };
    let wanted = [
        "may",
        "encrypt",
        &format!("secure match={NAME}"),
        "secure match=other.peer.test",
        "secure match=.peer.test",
    ];
    for (sink, wanted) in sinks.iter().zip(wanted) {
        let (seen, _) = strongest(sink, "secure match=no.test");
        assert_eq!(seen["policy"], *wanted, "{seen:#}");
        for one in seen["stronger"].as_array().unwrap() {
            assert!(one["why"].as_str().unwrap().ends_with('.'), "{one}");
        }
        // It works, and the one that was asked for does not.
        let (again, ran) = strongest(sink, wanted);
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
        assert_eq!(again["policy"], *wanted);
        let (_, ran) = strongest(sink, "secure match=no.test");
        assert_eq!(ran.exit, Some(2), "{ran:#?}");
    }
}
