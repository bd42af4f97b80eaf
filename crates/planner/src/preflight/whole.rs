//! What the judgements of single addresses mean for mail to the next hop.
//!
//! Owns: Postfix's order: the preferred hosts first, the next where one does not do, no more
//! addresses than `smtp_mx_address_limit`. Never: judges an address, words a finding.
//!
//! At a mandatory level mail waits only when no address will do. So one good address that is always
//! tried is a pass, and the others are warned of; no good one and one that could not be seen is
//! undetermined. Of the addresses of one preference smtp(8) draws those that it tries: where all that
//! it draws may be bad ones, it is undetermined, too.

use super::codes;
use super::findings::{findings, undetermined};
use super::level::{Judged, Peer};
use super::nexthop::{Lookup, NextHop};
use super::own::Own;
use super::reached::Reached;
use super::strongest::strongest;
use super::way::{self, Host, MOST_ADDRESSES, Way};
use super::{
    AddressSeen, Client, Delivery, HostSeen, Known, Lack, Preflight, Strongest, TlsaSeen, Wanted,
};
use crate::dane::Published;
use crate::finding::Finding;
use crate::report::Outcome;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

/// An address of a host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot<'h> {
    pub(super) host: &'h Host,
    pub(super) address: IpAddr,
}

/// The addresses that one delivery may come to.
pub(super) fn reachable<'h>(hosts: &'h [Host], client: &Client) -> Vec<Spot<'h>> {
    let mut looked = BTreeSet::new();
    let all = within_limit(hosts, client).into_iter();
    all.filter(|spot| {
        let room = looked.len() < MOST_ADDRESSES;
        (room && looked.insert(spot.address)) || looked.contains(&spot.address)
    })
    .collect()
}

/// How many addresses one delivery may come to that are not looked at.
pub(super) fn unseen(hosts: &[Host], client: &Client) -> usize {
    within_limit(hosts, client).len() - reachable(hosts, client).len()
}

/// Hosts of the same preference are tried in any order, so all of the last preference within the
/// limit count.
fn within_limit<'h>(hosts: &'h [Host], client: &Client) -> Vec<Spot<'h>> {
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
    all.into_iter().filter(within).collect()
}

pub(super) fn tlsa(host: &Host) -> TlsaSeen {
    match &host.tlsa {
        Published::Vouched(found) if !found.records.is_empty() => TlsaSeen::Published,
        Published::Failed(_) => TlsaSeen::Failed,
        _ => TlsaSeen::None,
    }
}

/// Whether the strongest policy is looked for, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ladder {
    Climbed,
    LeftOut,
}

pub(super) fn judge(wanted: &Wanted, known: Known<'_>, ladder: Ladder) -> Preflight {
    let seen = by_servers(wanted, known, ladder);
    match Own::of(wanted, known).lack(&wanted.policy) {
        Some(lack) if seen.outcome == Outcome::Undetermined || seen.hosts.is_empty() => {
            held_back(wanted, &lack, seen)
        }
        _ => seen,
    }
}

/// What this host lacks decides, where the servers could not be seen.
fn held_back(wanted: &Wanted, lack: &Lack, seen: Preflight) -> Preflight {
    let Lack { code, why } = lack;
    let title = codes::rule(code).map_or("", |rule| rule.title);
    let message = format!("{}: {title}; mail waits in the queue.", wanted.hop);
    let finding = codes::found(code, message).seen(why.clone());
    let others = seen.findings.into_iter();
    let others = others.filter(|one| one.code != codes::UNDETERMINED);
    let others = others.filter(|one| one.code != *code);
    Preflight {
        outcome: Outcome::Fail,
        sentence: finding.message.clone(),
        findings: std::iter::once(finding).chain(others).collect(),
        ..seen
    }
}

fn by_servers(wanted: &Wanted, known: Known<'_>, ladder: Ladder) -> Preflight {
    let hop = &wanted.hop;
    match way::way(hop, &wanted.client, known.answers) {
        Way::To(hosts) => to(wanted, known, &hosts, ladder),
        Way::NullMx => nowhere(
            wanted,
            known.now,
            codes::found(
                "policy.null-mx",
                format!(
                    "{} takes no mail (null MX, RFC 7505): mail for it comes back.",
                    hop.host
                ),
            ),
        ),
        Way::Nothing => nowhere(
            wanted,
            known.now,
            codes::found(
                "policy.no-mx",
                format!(
                    "{} has neither a mail exchanger nor an address in DNS: mail for it comes back.",
                    hop.host
                ),
            ),
        ),
        Way::Itself => nowhere(wanted, known.now, itself(hop)),
        Way::Unknown(why) => {
            let mut preflight = nowhere(wanted, known.now, undetermined(hop, [why].into_iter()));
            preflight.outcome = Outcome::Undetermined;
            preflight
        }
    }
}

/// Mail for this very host: nobody's record is wrong where the next hop is written as an address.
fn itself(hop: &NextHop) -> Finding {
    if hop.lookup == Lookup::Mx {
        let message = format!(
            "This very host is the mail exchanger of {}: mail for it loops, and comes back.",
            hop.host
        );
        return codes::found("policy.mx-self", message);
    }
    let message = format!("{hop} is this very host: mail for it loops, and comes back.");
    let mut finding = codes::found("policy.mx-self", message);
    finding.remedy = format!(
        "Where {hop} is written as a next hop (transport_maps, relayhost), name the host that is \
         meant; for another server on this host, its port."
    );
    finding
}

fn nowhere(wanted: &Wanted, now: i64, finding: Finding) -> Preflight {
    Preflight {
        nexthop: wanted.hop.text.clone(),
        clients: Vec::new(),
        policy: wanted.policy.to_string(),
        at: now,
        outcome: Outcome::Fail,
        sentence: finding.message.clone(),
        hosts: Vec::new(),
        findings: vec![finding],
        strongest: Strongest::default(),
    }
}

/// An address with its judgement.
pub(super) struct Seen<'a> {
    pub(super) peer: Peer<'a>,
    pub(super) judged: Judged,
}

fn to(wanted: &Wanted, known: Known<'_>, hosts: &[Host], ladder: Ladder) -> Preflight {
    let peers: Vec<Peer<'_>> = reachable(hosts, &wanted.client)
        .into_iter()
        .map(|spot| Peer {
            hop: &wanted.hop,
            client: &wanted.client,
            host: spot.host,
            address: SocketAddr::new(spot.address, wanted.hop.port),
            visits: known.visits,
            anchors: known.anchors,
            unusable: known.unusable,
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
    let strongest = match ladder {
        Ladder::Climbed => strongest(&wanted.policy, &peers),
        Ladder::LeftOut => Strongest::default(),
    };
    let unseen = unseen(hosts, &wanted.client) + not_asked(wanted, known, hosts);
    let outcome = outcome(&seen, hosts, unseen, wanted.client.address_limit);
    let findings = findings(wanted, known, hosts, &seen, &strongest);
    Preflight {
        nexthop: wanted.hop.text.clone(),
        clients: Vec::new(),
        policy: wanted.policy.to_string(),
        at: known.now,
        outcome,
        sentence: sentence(wanted, outcome, &seen, &findings),
        hosts: hosts.iter().map(|host| host_seen(host, &seen)).collect(),
        findings,
        strongest,
    }
}

/// Exchangers within the reach of one delivery whose addresses were not asked for.
fn not_asked(wanted: &Wanted, known: Known<'_>, hosts: &[Host]) -> usize {
    let left = way::left_out(&wanted.hop, known.answers);
    let limit = wanted.client.address_limit;
    let certain = |preference: u16| {
        let before = hosts
            .iter()
            .filter(|host| host.preference < Some(preference));
        before
            .filter(|host| host.addresses.as_ref().is_ok_and(|all| !all.is_empty()))
            .count()
    };
    let reached = |preference: &&u16| limit == 0 || certain(**preference) < limit;
    left.iter().filter(reached).count()
}

fn outcome(seen: &[Seen<'_>], hosts: &[Host], left: usize, limit: usize) -> Outcome {
    let any = |outcome| seen.iter().any(|one| outcome_of(&one.judged) == outcome);
    let unseen = || left > 0 || hosts.iter().any(|host| host.addresses.is_err());
    if any(Outcome::Pass) && is_always_tried(seen, left, limit) {
        Outcome::Pass
    } else if any(Outcome::Pass) || any(Outcome::Undetermined) || unseen() {
        Outcome::Undetermined
    } else {
        Outcome::Fail
    }
}

/// Whether a good address is among those that smtp(8) tries, whichever it draws: of a preference before
/// the last all are tried, of the last as many as are left of the limit.
fn is_always_tried(seen: &[Seen<'_>], left: usize, limit: usize) -> bool {
    let good = |one: &&Seen<'_>| outcome_of(&one.judged) == Outcome::Pass;
    let Some(last) = seen.iter().map(|one| one.peer.host.preference).max() else {
        return false;
    };
    let (drawn, before): (Vec<&Seen<'_>>, Vec<&Seen<'_>>) = seen
        .iter()
        .partition(|one| one.peer.host.preference == last);
    let others = drawn.iter().filter(|one| !good(one)).count() + left;
    let tried = limit.saturating_sub(before.len());
    before.iter().any(good) || limit == 0 || others < tried
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

pub(super) const fn is_encrypted(way: Delivery) -> bool {
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
