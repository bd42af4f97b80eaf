//! One address: what its certificate and its TLSA records come to.
//!
//! Owns: that judgement, apart from any level. Never: looks at more than one address.

use super::{AddressProbed, CertificateSeen, Judgement};
use crate::dane::Published;
use crate::dns::Security;
use crate::preflight::RouteHost;
use crate::report::{Handshake, Outcome, Report};
use mailtls::tlsa::{self, Verdict};
use mailtls::{Anchors, Certificate, verify_chain};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// What an address is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The CAs that count.
    pub anchors: &'a [&'a Anchors],
    /// The file they are of; `None`: they are this system's.
    pub cas: Option<&'a Path>,
    /// The time, in seconds since 1970.
    pub now: i64,
}

impl Around<'_> {
    fn whose(&self) -> String {
        let file = self.cas.map(|file| file.display().to_string());
        file.unwrap_or_else(|| "this system".to_owned())
    }
}

/// Judges what was seen at one address of a host.
pub fn address(
    host: &RouteHost,
    address: SocketAddr,
    sni: Option<String>,
    report: Option<Report>,
    around: Around<'_>,
) -> AddressProbed {
    let seen = report.as_ref().and_then(|report| report.handshake.as_ref());
    let chain: Vec<Certificate> = seen.map(parsed).unwrap_or_default();
    AddressProbed {
        certificate: seen.and_then(|seen| certificate(host, seen, &chain, around)),
        dane: dane(host, seen, &chain, around),
        second_opinion: None,
        address,
        sni,
        report,
    }
}

/// The certificates that can be read, up to the first that cannot.
fn parsed(seen: &Handshake) -> Vec<Certificate> {
    let all = seen.chain.iter().map(|der| Certificate::parse(der));
    all.map_while(Result::ok).collect()
}

fn certificate(
    host: &RouteHost,
    seen: &Handshake,
    chain: &[Certificate],
    around: Around<'_>,
) -> Option<CertificateSeen> {
    let Some(leaf) = chain.first() else {
        return seen.chain.first().map(|_| unreadable(seen));
    };
    let addresses = leaf.ip_addresses.iter().map(ToString::to_string);
    Some(CertificateSeen {
        subject: leaf.subject.clone(),
        issuer: leaf.issuer.clone(),
        names: leaf.dns_names.iter().cloned().chain(addresses).collect(),
        not_before: leaf.not_before,
        not_after: leaf.not_after,
        key: leaf.key.to_string(),
        chain: seen.chain.len(),
        judged: judged(host, leaf, chain, around),
    })
}

fn unreadable(seen: &Handshake) -> CertificateSeen {
    CertificateSeen {
        subject: String::new(),
        issuer: String::new(),
        names: Vec::new(),
        not_before: 0,
        not_after: 0,
        key: String::new(),
        chain: seen.chain.len(),
        judged: said(Outcome::Fail, "it cannot be read"),
    }
}

/// By the dates, the chain and the name: the first that does not hold is told.
fn judged(
    host: &RouteHost,
    leaf: &Certificate,
    chain: &[Certificate],
    around: Around<'_>,
) -> Judgement {
    let Around { anchors, now, .. } = around;
    let (name, whose) = (&host.name, around.whose());
    if now > leaf.not_after {
        return said(Outcome::Fail, "it has expired");
    }
    if now < leaf.not_before {
        return said(Outcome::Fail, "it is not valid yet");
    }
    let trusted: Vec<Certificate> = anchors.iter().flat_map(|one| one.of(chain)).collect();
    if let Err(error) = verify_chain(chain, &trusted, now) {
        if leaf.self_signed {
            return said(Outcome::Fail, "self-signed: nobody vouches for it");
        }
        if anchors.iter().all(|one| one.is_empty()) {
            let words = format!("there is no CA of {whose} to hold it against");
            return said(Outcome::Undetermined, words);
        }
        let words = format!("no CA of {whose} vouches for it: {error}");
        return said(Outcome::Fail, words);
    }
    match leaf.matches_name(name) {
        true => said(Outcome::Pass, format!("a CA of {whose} vouches for it")),
        false => {
            let words = format!(
                "it is for {}, not for {name}; a CA of {whose} vouches for it",
                leaf.names_shown()
            );
            said(Outcome::Fail, words)
        }
    }
}

fn dane(
    host: &RouteHost,
    seen: Option<&Handshake>,
    chain: &[Certificate],
    around: Around<'_>,
) -> Judgement {
    let found = match &host.tlsa {
        Published::NotAsked if host.name.parse::<IpAddr>().is_ok() => {
            return nothing("an IP address has no TLSA records");
        }
        Published::NotAsked => {
            return nothing("not asked for: DNSSEC does not vouch for the address");
        }
        Published::Insecure(_) => return nothing("DNSSEC does not vouch for the TLSA records"),
        Published::Failed(why) => {
            let words = format!("its TLSA records could not be asked for: {why}");
            return said(Outcome::Undetermined, words);
        }
        Published::Vouched(found) if found.records.is_empty() => {
            return nothing("it has no TLSA records");
        }
        Published::Vouched(found) => found,
    };
    if seen.is_none() {
        let words = "there are TLSA records, and no certificate was seen";
        return said(Outcome::Undetermined, words);
    }
    let names: Vec<&str> = host.names.iter().map(String::as_str).collect();
    let peer = tlsa::Peer {
        names: &names,
        now: around.now,
    };
    match tlsa::judge(&found.records, chain, peer) {
        Verdict::Match(record) => {
            let by = match host.named {
                Security::Secure => "",
                Security::Insecure => "; DNSSEC does not vouch for the MX record that leads here",
            };
            let (usage, selector, matching) = (record.usage, record.selector, record.matching);
            said(
                Outcome::Pass,
                format!("{usage} {selector} {matching} matches{by}"),
            )
        }
        Verdict::Mismatch => {
            let owner = found.owner.trim_end_matches('.');
            said(
                Outcome::Fail,
                format!("the certificate matches none of the TLSA records of {owner}"),
            )
        }
        Verdict::NothingUsable | Verdict::Absent => {
            nothing("none of its TLSA records is of use to SMTP")
        }
    }
}

fn said(outcome: Outcome, words: impl Into<String>) -> Judgement {
    Judgement {
        outcome: Some(outcome),
        words: words.into(),
    }
}

fn nothing(words: &str) -> Judgement {
    Judgement {
        outcome: None,
        words: words.to_owned(),
    }
}
