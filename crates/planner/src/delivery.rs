//! What a rehearsed delivery must show, by level.
//!
//! Owns: the promise of each outbound level towards a peer with STARTTLS (self-signed, no TLSA
//! record, reached by address) and a peer without. Never: delivers.

use crate::finding::{Finding, Severity};
use crate::intent::Outbound;
use crate::report::{Judgement, Outcome};
use std::net::SocketAddr;

/// The two peers of a rehearsal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Offers STARTTLS with a self-signed certificate.
    StartTls,
    /// Offers no STARTTLS.
    Cleartext,
}

/// What became of the message for one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    /// Delivered under TLS.
    SentUnderTls,
    /// Delivered in clear.
    SentInClear,
    /// Not delivered; the log's reason.
    Deferred(String),
    /// Nothing is known.
    Unknown,
}

/// One peer, and what was seen there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which peer.
    pub peer: Peer,
    /// Where it listened.
    pub address: SocketAddr,
    /// What was seen.
    pub outcome: Became,
}

/// What a level promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Promise {
    UnderTls,
    InClear,
    NotSent,
}

/// Judges what became of the rehearsal's messages.
pub fn judge(level: Outbound, seen: &[Seen]) -> Vec<Judgement> {
    seen.iter().map(|seen| judge_one(level, seen)).collect()
}

/// Without a TLSA record `dane` is opportunistic (postconf(5) `smtp_tls_security_level`, RFC 7672
/// §2.2), so it must behave as `may` here; a self-signed peer never satisfies `verify` or `secure`.
const fn promise(level: Outbound, peer: Peer) -> Promise {
    match (level, peer) {
        (Outbound::Off, _) | (Outbound::May | Outbound::Dane, Peer::Cleartext) => Promise::InClear,
        (Outbound::May | Outbound::Dane | Outbound::Encrypt, Peer::StartTls) => Promise::UnderTls,
        (Outbound::Encrypt, Peer::Cleartext)
        | (Outbound::DaneOnly | Outbound::Verify | Outbound::Secure, _) => Promise::NotSent,
    }
}

fn judge_one(level: Outbound, seen: &Seen) -> Judgement {
    let promise = promise(level, seen.peer);
    let peer = match seen.peer {
        Peer::StartTls => "a server with STARTTLS and a self-signed certificate",
        Peer::Cleartext => "a server without STARTTLS",
    };
    let became = match &seen.outcome {
        Became::SentUnderTls => "was sent under TLS".to_owned(),
        Became::SentInClear => "was sent in clear".to_owned(),
        Became::Deferred(reason) => format!("was held back ({reason})"),
        Became::Unknown => "was neither sent nor held back in time".to_owned(),
    };
    let outcome = match (promise, &seen.outcome) {
        (_, Became::Unknown) => Outcome::Undetermined,
        (Promise::UnderTls, Became::SentUnderTls)
        | (Promise::InClear, Became::SentInClear)
        | (Promise::NotSent, Became::Deferred(_)) => Outcome::Pass,
        _ => Outcome::Fail,
    };
    let sentence = format!("Mail to {peer} {became}.");
    let findings = match outcome {
        Outcome::Pass => Vec::new(),
        _ => vec![Finding::new(
            "outbound.promise-broken",
            Severity::Error,
            format!(
                "With outbound TLS as planned, mail to {peer} {became}; it should have been {}.",
                wanted(promise)
            ),
            "Look at the smtp_tls_* parameters that the plan changes, and at smtp_tls_policy_maps.",
        )],
    };
    Judgement {
        service: "smtp/unix".to_owned(),
        address: seen.address,
        outcome,
        sentences: vec![sentence],
        findings,
    }
}

const fn wanted(promise: Promise) -> &'static str {
    match promise {
        Promise::UnderTls => "sent under TLS",
        Promise::InClear => "sent in clear",
        Promise::NotSent => "held back",
    }
}
