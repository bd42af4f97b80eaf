//! What the judgements of single addresses mean for mail to the next hop.
//!
//! Owns: Postfix's order: the preferred hosts first, the next where one does not do, no more
//! addresses than `smtp_mx_address_limit`; and the findings. Never: judges an address.
//!
//! At a mandatory level mail waits only when no address will do. So one good address is a pass,
//! and the others are warned of; no good one and one that could not be seen is undetermined.

use super::level::{Judged, Peer};
use super::reached::Reached;
use super::strongest::strongest;
use super::way::{self, Host, MOST_ADDRESSES, Way};
use super::{
    AddressSeen, Client, Delivery, HostSeen, Known, Lack, Preflight, Strongest, TlsaSeen, Wanted,
};
use crate::dane::Published;
use crate::finding::{Finding, Severity};
use crate::report::Outcome;
use mailtls::Level;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// An address of a host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot<'h> {
    pub(super) host: &'h Host,
    pub(super) address: IpAddr,
}

/// The addresses that one delivery may come to. Hosts of the same preference are tried in any
/// order, so all of the last preference within the limit count.
pub(super) fn reachable<'h>(hosts: &'h [Host], client: &Client) -> Vec<Spot<'h>> {
    let spots = hosts.iter().flat_map(|host| {
        let addresses = host.addresses.as_deref().unwrap_or_default().iter();
        addresses.map(move |address| Spot {
            host,
            address: *address,
        })
    });
    let all: Vec<Spot<'h>> = spots.collect();
    let last = client
        .address_limit
        .checked_sub(1)
        .and_then(|last| all.get(last));
    let last = last.map(|spot| spot.host.preference);
    let within = |spot: &Spot<'_>| last.is_none_or(|last| spot.host.preference <= last);
    all.into_iter()
        .filter(within)
        .take(MOST_ADDRESSES)
        .collect()
}

pub(super) fn tlsa(host: &Host) -> TlsaSeen {
    match &host.tlsa {
        Published::Vouched(found) if !found.records.is_empty() => TlsaSeen::Published,
        Published::Failed(_) => TlsaSeen::Failed,
        _ => TlsaSeen::None,
    }
}

pub(super) fn judge(wanted: &Wanted, known: Known<'_>) -> Preflight {
    let hop = &wanted.hop;
    match way::way(hop, &wanted.client, known.answers) {
        Way::To(hosts) => to(wanted, known, &hosts),
        Way::NullMx => nowhere(
            wanted,
            known.now,
            Finding::new(
                "policy.null-mx",
                Severity::Error,
                format!(
                    "{} takes no mail (null MX, RFC 7505): mail for it comes back.",
                    hop.host
                ),
                "Take the rule back; the domain has no mail server, whatever the policy.",
            ),
        ),
        Way::Nothing => nowhere(
            wanted,
            known.now,
            Finding::new(
                "policy.no-mx",
                Severity::Error,
                format!(
                    "{} has neither a mail exchanger nor an address in DNS: mail for it comes back.",
                    hop.host
                ),
                "Check how the name is written.",
            ),
        ),
        Way::Unknown(why) => {
            let mut preflight = nowhere(wanted, known.now, undetermined(hop, [why].into_iter()));
            preflight.outcome = Outcome::Undetermined;
            preflight
        }
    }
}

fn nowhere(wanted: &Wanted, now: i64, finding: Finding) -> Preflight {
    Preflight {
        nexthop: wanted.hop.text.clone(),
        policy: wanted.policy.to_string(),
        at: now,
        outcome: Outcome::Fail,
        sentence: finding.message.clone(),
        hosts: Vec::new(),
        findings: vec![finding],
        strongest: Strongest::default(),
    }
}

fn undetermined(hop: &super::NextHop, whys: impl Iterator<Item = String>) -> Finding {
    let finding = Finding::new(
        "policy.preflight-undetermined",
        Severity::Warning,
        format!("Whether this works for {hop} could not be told: nothing conclusive was seen."),
        "Check it again later (`policy check`); where it stays so, look at the way there: a \
         firewall, a greet delay, a resolver.",
    );
    whys.fold(finding, Finding::seen)
}

/// An address with its judgement.
struct Seen<'a> {
    peer: Peer<'a>,
    judged: Judged,
}

fn to(wanted: &Wanted, known: Known<'_>, hosts: &[Host]) -> Preflight {
    let peers: Vec<Peer<'_>> = reachable(hosts, &wanted.client)
        .into_iter()
        .map(|spot| Peer {
            hop: &wanted.hop,
            client: &wanted.client,
            host: spot.host,
            address: SocketAddr::new(spot.address, wanted.hop.port),
            visits: known.visits,
            anchors: known.anchors,
            now: known.now,
        })
        .collect();
    let judged = |peer: &Peer<'_>| peer.judge(&wanted.policy);
    let seen: Vec<Seen<'_>> = peers
        .iter()
        .map(|peer| Seen {
            peer: *peer,
            judged: judged(peer),
        })
        .collect();
    let strongest = strongest(&wanted.policy, &peers);
    let outcome = outcome(&seen, hosts);
    let findings = findings(wanted, known, hosts, &seen, &strongest);
    Preflight {
        nexthop: wanted.hop.text.clone(),
        policy: wanted.policy.to_string(),
        at: known.now,
        outcome,
        sentence: sentence(wanted, outcome, &seen, &findings),
        hosts: hosts.iter().map(|host| host_seen(host, &seen)).collect(),
        findings,
        strongest,
    }
}

fn outcome(seen: &[Seen<'_>], hosts: &[Host]) -> Outcome {
    let any = |outcome| seen.iter().any(|one| outcome_of(&one.judged) == outcome);
    let unseen = || hosts.iter().any(|host| host.addresses.is_err());
    if any(Outcome::Pass) {
        Outcome::Pass
    } else if any(Outcome::Undetermined) || unseen() {
        Outcome::Undetermined
    } else {
        Outcome::Fail
    }
}

const fn outcome_of(judged: &Judged) -> Outcome {
    match judged {
        Judged::Goes(_) => Outcome::Pass,
        Judged::Waits(_) => Outcome::Fail,
        Judged::Unknown(_) => Outcome::Undetermined,
    }
}

fn sentence(wanted: &Wanted, outcome: Outcome, seen: &[Seen<'_>], findings: &[Finding]) -> String {
    let hop = &wanted.hop;
    let ways: Vec<Delivery> = seen
        .iter()
        .filter_map(|one| match one.judged {
            Judged::Goes(delivery) => Some(delivery),
            _ => None,
        })
        .collect();
    let all = |wanted| ways.iter().all(|way| *way == wanted);
    match outcome {
        Outcome::Pass if all(Delivery::Verified) => {
            format!("Mail to {hop} would be sent encrypted, to a server that proves who it is.")
        }
        Outcome::Pass if ways.iter().all(|way| is_encrypted(*way)) => {
            format!("Mail to {hop} would be sent encrypted; who answers is not proved.")
        }
        Outcome::Pass if all(Delivery::Clear) => {
            format!("Mail to {hop} would be sent in cleartext.")
        }
        Outcome::Pass => format!("Mail to {hop} would be sent, some of it in cleartext."),
        Outcome::Undetermined => {
            format!(
                "Whether mail to {hop} would be sent at {} cannot be told.",
                wanted.policy
            )
        }
        Outcome::Fail => match findings.first() {
            Some(finding) if seen.is_empty() => finding.message.clone(),
            _ => format!(
                "Mail to {hop} would wait in the queue at {}.",
                wanted.policy
            ),
        },
    }
}

const fn is_encrypted(way: Delivery) -> bool {
    matches!(way, Delivery::Verified | Delivery::Encrypted)
}

fn host_seen(host: &Host, seen: &[Seen<'_>]) -> HostSeen {
    let of = seen.iter().filter(|one| one.peer.host == host);
    let trouble = match &host.addresses {
        Err(why) => Some(why.clone()),
        Ok(none) if none.is_empty() => Some("it has no address".to_owned()),
        Ok(_) => None,
    };
    HostSeen {
        name: host.name.clone(),
        preference: host.preference,
        tlsa: tlsa(host),
        addresses: of.map(address_seen).collect(),
        trouble,
    }
}

fn address_seen(one: &Seen<'_>) -> AddressSeen {
    let seen = match one.peer.any() {
        Reached::Tls(seen) => Some(seen),
        Reached::NoTls(_) | Reached::Unknown(_) => None,
    };
    let version = seen.map(|seen| seen.version);
    let (delivery, words) = match &one.judged {
        Judged::Goes(delivery) => (Some(*delivery), words(*delivery).to_owned()),
        Judged::Waits(lack) => (None, lack.why.clone().into_owned()),
        Judged::Unknown(why) => (None, why.clone()),
    };
    AddressSeen {
        address: one.peer.address,
        outcome: outcome_of(&one.judged),
        delivery,
        words,
        version,
        fingerprint: seen.and_then(|seen| seen.fingerprint),
    }
}

const fn words(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Verified => "encrypted and verified",
        Delivery::Encrypted => "encrypted",
        Delivery::Clear => "in cleartext",
        Delivery::ClearLater => "in cleartext, after a first attempt that fails",
    }
}

fn findings(
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
        let message = format!("{} at {}: {follows}.", what(code), wanted.hop);
        let finding = Finding::new(code, severity, message, remedy(code, wanted, strongest));
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

/// What a code says of servers.
fn what(code: &str) -> &'static str {
    match code {
        "policy.no-starttls" => "A server offers no TLS",
        "policy.starttls-refused" => "A server offers TLS and refuses to start it",
        "policy.handshake-failed" => "A server's TLS handshake fails",
        "policy.protocol" => "A server speaks no version of TLS that may be used",
        "policy.certificate-untrusted" => "A server's certificate is not trusted",
        "policy.certificate-expired" => "A server's certificate has expired",
        "policy.certificate-name" => "A server's certificate is for another name",
        "policy.no-certificate" => "A server shows no certificate",
        "policy.fingerprint-mismatch" => "A server's fingerprint is not among the listed ones",
        "policy.tlsa-mismatch" => "A server's certificate does not match its TLSA records",
        "policy.no-tlsa" => "A server has no TLSA records that DNSSEC vouches for",
        "policy.tlsa-unusable" => "A server's TLSA records are of no use",
        "policy.mx-insecure" => "DNSSEC does not vouch for the mail exchanger",
        "policy.dane-without-dnssec" => "There is no DNSSEC to rest on",
        "policy.no-wrappermode" => "The transport does not begin with TLS",
        _ => "The transport begins with TLS",
    }
}

fn remedy(code: &str, wanted: &Wanted, strongest: &Strongest) -> String {
    let own = match code {
        "policy.certificate-untrusted" | "policy.certificate-name" => {
            "Ask its administrator for a certificate that fits, or pin its key by fingerprint"
        }
        "policy.certificate-expired" => "Ask its administrator to renew the certificate",
        "policy.fingerprint-mismatch" => {
            "Ask its administrator, by telephone, for the fingerprint; then list the new one"
        }
        "policy.dane-without-dnssec" => "Set smtp_dns_support_level = dnssec",
        "policy.no-wrappermode" => {
            "Send it by a transport with -o smtp_tls_wrappermode=yes in master.cf"
        }
        "policy.wrapper-without-encrypt" => "Demand encrypt at least",
        "policy.tlsa-mismatch" => "Tell its administrator: its records and certificate differ",
        _ => "Ask its administrator for TLS that works",
    };
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
