//! Whether the chain that a server presents matches the records of its name.
//!
//! Owns: the rules of RFC 7671 (5.1, 5.2, 9) and RFC 7672 (3.1). A record of usage 3 needs no date
//! and no name; one of usage 2 needs both.

use super::{CERT, DANE_EE, DANE_TA, FULL, TlsaRecord};
use crate::Certificate;
use openssl::pkey::PKey;

/// What a chain is judged for.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// Names of which usage 2 asks one: the MX host, and the mail domain.
    pub names: &'a [&'a str],
    /// Seconds since 1970.
    pub now: i64,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// This record matches.
    Match(&'a TlsaRecord),
    /// None of the usable records matches: mail is not delivered here.
    Mismatch,
    /// There are records, and SMTP can use none: TLS is required, the peer is not proven.
    NothingUsable,
    /// There are no records.
    Absent,
}

/// Judges a chain, leaf first, as the server sends it.
pub fn judge<'a>(records: &'a [TlsaRecord], chain: &[Certificate], peer: Peer<'_>) -> Verdict<'a> {
    if records.is_empty() {
        return Verdict::Absent;
    }
    let usable: Vec<&TlsaRecord> = records.iter().filter(|r| r.unusable().is_none()).collect();
    if usable.is_empty() {
        return Verdict::NothingUsable;
    }
    let mut counting = usable.iter().filter(|record| is_strongest(record, &usable));
    match counting.find(|record| matches(record, chain, peer)) {
        Some(record) => Verdict::Match(record),
        None => Verdict::Mismatch,
    }
}

/// Digest agility (RFC 7671, 9): of the digests of one usage and selector the strongest counts
/// alone. What is published in full always counts.
fn is_strongest(record: &TlsaRecord, usable: &[&TlsaRecord]) -> bool {
    record.matching == FULL
        || !usable.iter().any(|other| {
            (other.usage, other.selector) == (record.usage, record.selector)
                && other.matching > record.matching
        })
}

fn matches(record: &TlsaRecord, chain: &[Certificate], peer: Peer<'_>) -> bool {
    let Some((leaf, issuers)) = chain.split_first() else {
        return false;
    };
    match record.usage {
        DANE_EE => record.names(leaf),
        DANE_TA => {
            peer.names.iter().any(|name| leaf.matches_name(name))
                && anchored(record, chain, issuers, peer.now)
        }
        _ => false,
    }
}

/// Whether the chain leads, link by link and at this time, to what the record names: one of its
/// issuers, or a certificate or key above its end that the record holds in full.
fn anchored(record: &TlsaRecord, chain: &[Certificate], issuers: &[Certificate], now: i64) -> bool {
    let valid =
        |certificate: &Certificate| (certificate.not_before..=certificate.not_after).contains(&now);
    let links = chain
        .windows(2)
        .take_while(|pair| pair[0].issued_by(&pair[1]));
    let reach = links.count();
    let named = issuers
        .iter()
        .take(reach)
        .position(|issuer| record.names(issuer));
    match named {
        Some(depth) => chain.iter().take(depth + 2).all(valid),
        None => {
            let whole = chain.len() == reach + 1;
            whole && chain.iter().all(valid) && chain.last().is_some_and(|top| signed(record, top))
        }
    }
}

/// Whether what the record holds in full signed this certificate.
fn signed(record: &TlsaRecord, top: &Certificate) -> bool {
    if record.matching != FULL {
        return false;
    }
    if record.selector == CERT {
        return Certificate::parse(&record.data).is_ok_and(|anchor| top.issued_by(&anchor));
    }
    PKey::public_key_from_der(&record.data)
        .and_then(|key| top.x509.verify(&key))
        .unwrap_or(false)
}
