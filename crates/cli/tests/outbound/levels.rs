//! Every level towards every kind of peer: what becomes of the mail is what `explain` promised.

use crate::grid::{Case, Kind, cases, fates, scene};
use crate::letters::{Fate, lines};
use crate::peers::{Chains, Peer};

const PEERS: [Peer; 5] = [
    Peer::Cleartext,
    Peer::SelfSigned,
    Peer::Trusted,
    Peer::WrongName,
    Peer::Expired,
];

/// What a level, as `explain` names it, promises towards a peer (TLS_README; RFC 7672 §2.2).
fn promise(level: Option<&str>, case: &Case) -> Fate {
    let is = |peer| case.kind == Kind::Sink(peer);
    let offers = !is(Peer::Cleartext);
    let kept = match level {
        None => return Fate::Held,
        Some("none") => return Fate::InClear,
        Some("may") => {
            return if offers {
                Fate::UnderTls
            } else {
                Fate::InClear
            };
        }
        Some("encrypt") => offers,
        Some("fingerprint") => is(Peer::SelfSigned) && case.row.contains("match={self}"),
        Some("verify" | "secure") => is(Peer::Trusted),
        Some(other) => panic!("{other} has no place in this story"),
    };
    if kept { Fate::UnderTls } else { Fate::Held }
}

const ROWS: [&str; 13] = [
    "none",
    "may",
    "encrypt",
    "encrypt protocols=>=TLSv1.2 ciphers=high",
    "fingerprint match={self}",
    "fingerprint match=AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99",
    "verify match=mx.peer.test",
    "secure match=mx.peer.test",
    "secure match=mx.peer.test tafile={tafile}",
    "secure match=mx.peer.test tafile={outside}",
    "dane",
    "dane-only",
    "encrypt mach=x",
];

#[test]
fn what_becomes_of_mail_is_what_explain_says_for_every_level_and_peer() {
    let chains = Chains::new();
    let cases = cases(&chains, 80, &ROWS, &PEERS.map(Kind::Sink));
    let native = [("smtp_host_lookup", "native")];
    let scene = scene(&cases, &chains, &native);
    let mut wrong = Vec::new();
    for (case, fate) in cases.iter().zip(fates(&scene, &cases)) {
        let said = scene.run(&["--json", "explain", &case.recipient]);
        let hop = &said.json["hops"][0];
        assert_eq!(hop["nexthop"], case.nexthop.as_str(), "{}", said.stdout);
        let promised = promise(hop["level"].as_str(), case);
        if fate != promised {
            let Case { row, kind, .. } = case;
            let log = lines(&scene.postfix.log(), &case.recipient);
            let level = &hop["level"];
            wrong.push(format!(
                "{row} towards {kind:?}: {fate:?}, promised {promised:?} ({level})\n{log}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
