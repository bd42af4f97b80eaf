//! What a preflight finds wrong, or could not tell, in words.
//!
//! Owns: codes, severities and remedies. Never: judges. A lack that stops mail is an error; where
//! another server takes the mail it is a warning.

use super::level::{Judged, Peer};
use super::nexthop::NextHop;
use super::way::{self, Host};
use super::whole::{Seen, is_encrypted};
use super::{Known, Lack, Strongest, Wanted};
use crate::finding::{Finding, Severity};
use mailtls::Level;
use std::collections::BTreeMap;

pub(super) fn findings(
    wanted: &Wanted,
    known: Known<'_>,
    hosts: &[Host],
    seen: &[Seen<'_>],
    strongest: &Strongest,
) -> Vec<Finding> {
    let mut findings = lacks(wanted, seen, strongest);
    let mut unknown: Vec<String> = Vec::new();
    for one in seen {
        if let Judged::Unknown(why) = &one.judged {
            unknown.push(format!("{}: {why}", place(&one.peer)));
        }
    }
    let mut lost = Vec::new();
    for host in hosts {
        match &host.addresses {
            Err(why) => unknown.push(format!("{}: {why}", host.name)),
            Ok(none) if none.is_empty() => lost.push(host.name.clone()),
            Ok(_) => {}
        }
    }
    let passes = seen.iter().any(|one| matches!(one.judged, Judged::Goes(_)));
    findings.extend(without_address(&lost, lost.len() == hosts.len()));
    if !unknown.is_empty() {
        let mut finding = undetermined(&wanted.hop, unknown.into_iter());
        if passes {
            finding.message = "Some of the servers could not be seen.".to_owned();
        }
        findings.push(finding);
    }
    findings.extend(in_clear(wanted, seen));
    findings.extend(dane_as_may(wanted, seen));
    let named = way::count(&wanted.hop, known.answers);
    if named > hosts.len() {
        findings.push(Finding::new(
            "policy.mx-many",
            Severity::Info,
            format!(
                "Of {named} mail exchangers the first {} were looked at.",
                hosts.len()
            ),
            "Nothing has to be done; Postfix tries no more either (smtp_mx_address_limit).",
        ));
    }
    findings
}

/// The lacks, one finding for each code.
fn lacks(wanted: &Wanted, seen: &[Seen<'_>], strongest: &Strongest) -> Vec<Finding> {
    let mut by_code: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for one in seen {
        if let Judged::Waits(Lack { code, why }) = &one.judged {
            let evidence = format!("{}: {why}", place(&one.peer));
            by_code.entry(code).or_default().push(evidence);
        }
    }
    let passes = seen.iter().any(|one| matches!(one.judged, Judged::Goes(_)));
    let (severity, follows) = match passes {
        true => (
            Severity::Warning,
            "Postfix goes on to the next server then; mail waits while no better one answers",
        ),
        false => (Severity::Error, "mail waits in the queue"),
    };
    let finding = |(code, evidence): (&'static str, Vec<String>)| {
        let known = LACKS.iter().find(|[known, ..]| *known == code);
        let [_, what, own] = known
            .copied()
            .unwrap_or(["", "It does not work", "Look at it"]);
        let message = format!("{what} at {}: {follows}.", wanted.hop);
        let finding = Finding::new(code, severity, message, remedy(own, wanted, strongest));
        evidence.into_iter().fold(finding, Finding::seen)
    };
    by_code.into_iter().map(finding).collect()
}

fn place(peer: &Peer<'_>) -> String {
    let name = &peer.host.name;
    match peer.address.ip().to_string() == *name {
        true => peer.address.to_string(),
        false => format!("{name} ({})", peer.address),
    }
}

/// What smtp(8) may miss at a server: code, what that is, what to do.
const LACKS: &[[&str; 3]] = &[
    [
        "policy.no-starttls",
        "A server offers no TLS",
        "Ask its administrator for TLS",
    ],
    [
        "policy.starttls-refused",
        "A server offers TLS and refuses to start it",
        "Tell its administrator: its TLS is broken",
    ],
    [
        "policy.handshake-failed",
        "A server's TLS handshake fails",
        "Tell its administrator: its TLS is broken",
    ],
    [
        "policy.protocol",
        "A server speaks no version of TLS that may be used",
        "Allow its version by protocols=, or ask its administrator for a newer one",
    ],
    [
        "policy.weak-tls",
        "A server speaks TLS that is too old to verify anybody by",
        "Ask its administrator for TLS 1.2 or later",
    ],
    [
        "policy.certificate-untrusted",
        "A server's certificate is not trusted",
        "Ask its administrator for a certificate of a public CA, name its own CA by tafile=, or pin \
         its key at the level fingerprint",
    ],
    [
        "policy.certificate-expired",
        "A server's certificate has expired",
        "Ask its administrator to renew it",
    ],
    [
        "policy.certificate-name",
        "A server's certificate is for another name",
        "Name it by match=, if you know it to be the right one",
    ],
    [
        "policy.no-certificate",
        "A server shows no certificate",
        "Ask its administrator for one",
    ],
    [
        "policy.fingerprint-mismatch",
        "A server's fingerprint is not among the listed ones",
        "Ask its administrator, by telephone, for the fingerprint, and list the new one",
    ],
    [
        "policy.tlsa-mismatch",
        "A server's certificate does not match its TLSA records",
        "Tell its administrator: records and certificate differ",
    ],
    [
        "policy.no-tlsa",
        "A server has no TLSA records that DNSSEC vouches for",
        "dane-only is for domains that publish them",
    ],
    [
        "policy.tlsa-unusable",
        "A server's TLSA records are of no use",
        "Tell its administrator: mail servers need usage 3 or 2",
    ],
    [
        "policy.mx-insecure",
        "DNSSEC does not vouch for the mail exchanger",
        "dane-only is for domains that are signed themselves",
    ],
    [
        "policy.dane-without-dnssec",
        "There is no DNSSEC to rest on",
        "Set smtp_dns_support_level = dnssec, with a validating resolver on this host",
    ],
    [
        "policy.no-wrappermode",
        "The transport does not begin with TLS",
        "Send it by a transport with -o smtp_tls_wrappermode=yes in master.cf",
    ],
    [
        "policy.wrapper-without-encrypt",
        "The transport begins with TLS, which goes with mandatory levels only",
        "Demand encrypt at least",
    ],
];

fn remedy(own: &str, wanted: &Wanted, strongest: &Strongest) -> String {
    match &strongest.policy {
        Some(policy) if *policy != wanted.policy.to_string() => {
            format!("{own}; what would work today is `{policy}`.")
        }
        _ => format!("{own}."),
    }
}

fn without_address(lost: &[String], all: bool) -> Option<Finding> {
    let (severity, follows) = match all {
        true => (Severity::Error, "mail for the domain is not delivered"),
        false => (Severity::Warning, "Postfix goes on to the next"),
    };
    (!lost.is_empty()).then(|| {
        Finding::new(
            "policy.mx-without-address",
            severity,
            format!("DNS has no address for {}: {follows}.", lost.join(", ")),
            "Check how the name is written; if it is right, tell the domain's administrator.",
        )
    })
}

/// Where `dane` protects nobody: there are no records to hold a server to.
fn dane_as_may(wanted: &Wanted, seen: &[Seen<'_>]) -> Option<Finding> {
    let weak = |one: &&Seen<'_>| one.peer.is_dane_as_may();
    let places: Vec<String> = seen
        .iter()
        .filter(weak)
        .map(|one| place(&one.peer))
        .collect();
    (wanted.policy.level == Level::Dane && !places.is_empty()).then(|| {
        let finding = Finding::new(
            "policy.dane-as-may",
            Severity::Warning,
            format!("dane comes to no more than may at {}.", wanted.hop),
            "DANE needs TLSA records and DNSSEC on the whole way; where they are not to be had, a \
             mandatory level or secure holds mail back.",
        );
        places.into_iter().fold(finding, Finding::seen)
    })
}

/// At `may` (and `dane` without records): what goes in clear.
fn in_clear(wanted: &Wanted, seen: &[Seen<'_>]) -> Option<Finding> {
    if wanted.policy.level == Level::None {
        return None;
    }
    let clear = seen.iter().filter(|one| match one.judged {
        Judged::Goes(way) => !is_encrypted(way),
        _ => false,
    });
    let places: Vec<String> = clear.map(|one| place(&one.peer)).collect();
    (!places.is_empty()).then(|| {
        let finding = Finding::new(
            "policy.cleartext",
            Severity::Warning,
            format!("Mail to {} would be sent in cleartext.", wanted.hop),
            "Ask its administrator for TLS that works; a mandatory level would hold the mail back.",
        );
        places.into_iter().fold(finding, Finding::seen)
    })
}

pub(super) fn undetermined(hop: &NextHop, whys: impl Iterator<Item = String>) -> Finding {
    let finding = Finding::new(
        "policy.preflight-undetermined",
        Severity::Warning,
        format!("Whether this works for {hop} could not be told: nothing conclusive was seen."),
        "Check it again later (`policy check`); where it stays so, look at the way there: a \
         firewall, a greet delay, a resolver.",
    );
    whys.fold(finding, Finding::seen)
}
