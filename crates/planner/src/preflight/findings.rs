//! What a preflight finds wrong, or could not tell, in words.
//!
//! Owns: codes, severities and remedies. Never: judges. A lack that stops mail is an error; where
//! another server takes the mail it is a warning.

use super::codes;
use super::level::{Judged, Peer};
use super::nexthop::NextHop;
use super::way::{self, Host};
use super::whole::{Seen, is_encrypted};
use super::{Known, Lack, Strongest, Wanted};
use crate::dns::Question;
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
    findings.extend(bare(wanted));
    findings.extend(dane_as_may(wanted, seen));
    findings.extend(many(wanted, known, hosts, seen));
    findings
}

/// That not all exchangers were looked at, and what smtp(8) does with so many.
fn many(wanted: &Wanted, known: Known<'_>, hosts: &[Host], seen: &[Seen<'_>]) -> Option<Finding> {
    let named = way::count(&wanted.hop, known.answers);
    let mut looked: Vec<&String> = seen.iter().map(|one| &one.peer.host.name).collect();
    looked.sort();
    looked.dedup();
    // What DNS has no address for, or fails for, is told beside this.
    let is_asked = |host: &Host| {
        let question = Question::Addresses(host.name.clone());
        known.answers.contains_key(&question)
    };
    let lost = hosts.iter().filter(|host| match &host.addresses {
        Ok(all) => all.is_empty(),
        Err(_) => is_asked(host),
    });
    let looked = looked.len() + lost.count();
    let limit = wanted.client.address_limit;
    (named > looked).then(|| {
        let message = format!(
            "Of {named} mail exchangers {looked} were looked at, the preferred ones: one delivery \
             tries no more than {limit} addresses (smtp_mx_address_limit)."
        );
        codes::found("policy.mx-many", message)
    })
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
    let fallback = wanted.client.fallback.iter();
    let fallback = fallback.filter(|relay| !relay.eq_ignore_ascii_case(&wanted.hop.text));
    let fallback: Vec<&str> = fallback.map(String::as_str).collect();
    let fallback = fallback.join(", ");
    let (severity, follows) = match passes {
        true => (
            Severity::Warning,
            "Postfix goes on to the next server then; mail waits while no better one answers"
                .to_owned(),
        ),
        false if !fallback.is_empty() => (
            Severity::Error,
            format!("mail goes on to {fallback} (smtp_fallback_relay), by the policy of that one"),
        ),
        false => (Severity::Error, "mail waits in the queue".to_owned()),
    };
    let finding = |(code, evidence): (&'static str, Vec<String>)| {
        let title = codes::rule(code).map_or("", |rule| rule.title);
        let mut finding = codes::found(code, format!("{}: {title}; {follows}.", wanted.hop));
        finding.severity = severity;
        finding.remedy = remedy(&finding.remedy, wanted, strongest);
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

/// The usual remedy, and what would work today. Who knows a server by its key is not told to take
/// whatever answers there.
fn remedy(own: &str, wanted: &Wanted, strongest: &Strongest) -> String {
    let told = strongest.policy.as_deref().filter(|policy| {
        let level = policy.split(' ').next().unwrap_or_default();
        let proves_nothing = matches!(level, "encrypt" | "may");
        let is_known = wanted.policy.level == Level::Fingerprint;
        *policy != wanted.policy.to_string() && !(is_known && proves_nothing)
    });
    match told {
        Some(policy) => format!("{own} What would work today: `{policy}`."),
        None => own.to_owned(),
    }
}

fn without_address(lost: &[String], all: bool) -> Option<Finding> {
    let (severity, follows) = match all {
        true => (Severity::Error, "mail for the domain is not delivered"),
        false => (Severity::Warning, "Postfix goes on to the next"),
    };
    (!lost.is_empty()).then(|| {
        let message = format!("DNS has no address for {}: {follows}.", lost.join(", "));
        let mut finding = codes::found("policy.mx-without-address", message);
        finding.severity = severity;
        finding
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
        let finding = codes::found(
            "policy.dane-as-may",
            format!("dane comes to no more than may at {}.", wanted.hop),
        );
        places.into_iter().fold(finding, Finding::seen)
    })
}

/// A client that cannot load its own certificate, and does TLS all the same.
fn bare(wanted: &Wanted) -> Option<Finding> {
    let why = wanted.client.bare.as_ref()?;
    let encrypts = wanted.policy.level != Level::None;
    encrypts.then(|| {
        let message =
            format!("The client has no certificate to show ({why}): a server that demands one takes no mail.");
        Finding {
            severity: Severity::Warning,
            ..codes::found(super::disabled::CERTIFICATE, message)
        }
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
        let message = format!("Mail to {} would be sent in cleartext", wanted.hop);
        let finding = match &wanted.client.disabled {
            Some(lack) => Finding {
                severity: Severity::Error,
                ..codes::found(lack.code, format!("{message}: {}.", lack.why))
            },
            None => codes::found("policy.cleartext", format!("{message}.")),
        };
        places.into_iter().fold(finding, Finding::seen)
    })
}

pub(super) fn undetermined(hop: &NextHop, whys: impl Iterator<Item = String>) -> Finding {
    let mut whys = whys.peekable();
    let first = whys.peek().map_or("nothing was seen", String::as_str);
    let message = format!("Whether this works for {hop} could not be told: {first}.");
    let finding = codes::found(codes::UNDETERMINED, message);
    whys.fold(finding, Finding::seen)
}
