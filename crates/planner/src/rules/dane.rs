//! DANE: published records against the certificates of a plan.
//!
//! Owns: refusing a change after which DANE senders keep their mail, and saying so where it is so
//! already. Never: asks DNS (the facts hold what it said); takes silence of DNS for a yes.

mod doubts;

use super::World;
use super::kinds::word;
use crate::certificate::certificate_finding;
use crate::dane::{self, Endpoint, Found, Presented, Published};
use crate::dns::{Question, Ttl};
use crate::report::{HandshakeExpectation, TlsExpectation, WireExpectation};
use crate::view::View;
use crate::{Finding, Severity, expect};
use doubts::Doubts;
use mailtls::tlsa::TlsaRecord;
use mailtls::{Certificate, Trust};
use std::collections::{BTreeMap, BTreeSet};

/// The port of senders.
const SENDERS: u16 = 25;
/// Records shown of one name.
const MOST_SHOWN: usize = 8;

/// What has to be asked to judge a change; nothing where no server presents anything else.
pub(crate) fn questions(before: &World<'_>, after: &World<'_>) -> Vec<Question> {
    if shown(before) == shown(after) {
        return Vec::new();
    }
    dane::asked(&after.view, &ports(before, after), &[])
}

fn ports(before: &World<'_>, after: &World<'_>) -> BTreeSet<u16> {
    let both = [&before.view, &after.view];
    both.into_iter().flat_map(dane::ports).collect()
}

/// What each server shows of certificates; `None` without TLS.
fn shown(world: &World<'_>) -> BTreeMap<String, Option<HandshakeExpectation>> {
    let expected = expect::of_view(&world.view, world.facts, world.intent);
    let handshake = |wire| match wire {
        WireExpectation::Serving {
            tls: TlsExpectation::StartTls { handshake, .. } | TlsExpectation::Wrapper { handshake },
            ..
        } => Some(HandshakeExpectation {
            certificates: handshake.certificates,
            anonymous: handshake.anonymous,
            presented: handshake.presented,
            ..HandshakeExpectation::default()
        }),
        _ => None,
    };
    expected
        .into_iter()
        .map(|expected| (expected.service, handshake(expected.wire)))
        .collect()
}

/// The findings of a change.
pub(crate) fn compare(before: &World<'_>, after: &World<'_>, findings: &mut Vec<Finding>) {
    if after.facts.dns.is_empty() || shown(before) == shown(after) {
        return;
    }
    let mut doubts = Doubts::default();
    for host in dane::mx_names_of(&after.view).hosts {
        for port in ports(before, after) {
            let at = Endpoint {
                host: host.clone(),
                port,
            };
            let now = dane::presented(&before.view, before.intent, &host, port);
            let then = dane::presented(&after.view, after.intent, &host, port);
            if !same(&now, &then) {
                findings.extend(change(after, &at, &now, &then, &mut doubts));
            }
        }
    }
    findings.extend(doubts.finding());
}

fn same(now: &Presented, then: &Presented) -> bool {
    let ders = |chains: &[Vec<Certificate>]| -> BTreeSet<Vec<Vec<u8>>> {
        let der = |chain: &Vec<Certificate>| chain.iter().map(|one| one.der.clone()).collect();
        chains.iter().map(der).collect()
    };
    match (now, then) {
        (_, Presented::Nobody) => true,
        (Presented::Chains(now), Presented::Chains(then)) => ders(now) == ders(then),
        _ => false,
    }
}

fn change(
    world: &World<'_>,
    at: &Endpoint,
    now: &Presented,
    then: &Presented,
    doubts: &mut Doubts,
) -> Option<Finding> {
    let found = vouched(world, at, doubts)?;
    let Presented::Chains(after) = then else {
        doubts.own_names(at);
        return None;
    };
    let records = &found.records;
    if dane::satisfied(records, after, &at.host, world.now) {
        return None;
    }
    let then_matched = Matched::of(records, after, &at.host, world.now);
    let now_matched = match now {
        Presented::Chains(chains) => Matched::of(records, chains, &at.host, world.now),
        // What cannot be told is no ground to refuse on.
        Presented::Nobody | Presented::Unknown => Matched::default(),
    };
    let finding = match then_matched.is_worse_than(&now_matched) {
        true => would_break(world, at, &found, after, &now_matched),
        false if then_matched.any() => mismatch(
            at,
            &found,
            "match only a part of what would be presented there",
        ),
        false if matches!(now, Presented::Chains(_)) => mismatch(
            at,
            &found,
            "match neither what is presented there now nor what would be",
        ),
        false => mismatch(at, &found, "do not match what would be presented there"),
    };
    Some(evidence(finding, &found, now, then))
}

/// Of each kind of key, how many chains the records match, and how many they do not: a sender is
/// shown one of the kind that it prefers.
#[derive(Default)]
struct Matched(BTreeMap<&'static str, [usize; 2]>);

impl Matched {
    fn of(records: &[TlsaRecord], chains: &[Vec<Certificate>], host: &str, now: i64) -> Self {
        let mut kinds: BTreeMap<&'static str, [usize; 2]> = BTreeMap::new();
        for chain in chains {
            let kind = chain.first().map_or("none", |leaf| word(&leaf.key));
            let missed = !dane::satisfied(records, std::slice::from_ref(chain), host, now);
            kinds.entry(kind).or_default()[usize::from(missed)] += 1;
        }
        Self(kinds)
    }

    fn of_kind(&self, kind: &str) -> [usize; 2] {
        self.0.get(kind).copied().unwrap_or_default()
    }

    fn any(&self) -> bool {
        self.0.values().any(|[matched, _]| *matched > 0)
    }

    fn all(&self) -> bool {
        self.0.values().all(|[_, missed]| *missed == 0)
    }

    /// Whether senders that found a match before would find none.
    fn is_worse_than(&self, before: &Self) -> bool {
        let kinds = self.0.keys().chain(before.0.keys());
        let mut kinds = kinds.map(|kind| (self.of_kind(kind), before.of_kind(kind)));
        before.any()
            && kinds.any(|([now, missed], [was, missed_before])| {
                missed > missed_before || (was > 0 && now == 0)
            })
    }
}

/// The records that senders with DANE go by; `None` where there are none, or none for certain.
fn vouched(world: &World<'_>, at: &Endpoint, doubts: &mut Doubts) -> Option<Found> {
    match dane::published(&world.facts.dns, &at.host, at.port) {
        Published::Vouched(found) if found.records.is_empty() => {}
        Published::Vouched(found) => return Some(found),
        Published::Insecure(found) if found.records.is_empty() => {
            let why = "it is said to have no TLSA records, and DNSSEC does not vouch for that";
            doubts.note(at, why, Severity::Info);
        }
        Published::Insecure(_) => {
            let why = "it has TLSA records, and DNSSEC does not vouch for them";
            doubts.note(at, why, Severity::Warning);
        }
        Published::Failed(why) => doubts.unanswered(at, &why),
        Published::NotAsked => doubts.unanswered(at, "there was no time to ask"),
    }
    None
}

fn would_break(
    world: &World<'_>,
    at: &Endpoint,
    found: &Found,
    after: &[Vec<Certificate>],
    before: &Matched,
) -> Finding {
    let place = format!("{}, port {}", at.host, at.port);
    let message = match after {
        [] => format!(
            "The TLSA records of {place}, ask for TLS, and nothing would be presented there any \
             more: senders that use DANE would keep their mail."
        ),
        _ if !before.all() => format!(
            "The TLSA records of {place}, match a part of what is presented there now, and less of \
             what this change presents: more senders that use DANE would keep their mail."
        ),
        _ => format!(
            "The TLSA records of {place}, match what is presented there now, and would not match \
             what this change presents: senders that use DANE would keep their mail."
        ),
    };
    let satisfied = |chain: &&Vec<Certificate>| {
        dane::satisfied(
            &found.records,
            std::slice::from_ref(chain),
            &at.host,
            world.now,
        )
    };
    let unmatched = after.iter().filter(|chain| !satisfied(chain));
    let lines: BTreeSet<String> = unmatched
        .filter_map(|chain| chain.first())
        .map(|leaf| line(found, &TlsaRecord::for_certificate(leaf)))
        .collect();
    let lines: Vec<String> = lines.into_iter().collect();
    let remedy = match lines.is_empty() {
        true => {
            "Take the TLSA records out of the zone first, and wait until caches have forgotten \
                 them."
                .to_owned()
        }
        false => format!(
            "1. Publish “{}” beside what is there. 2. Wait until every name server has it and {} \
             passed (RFC 7671, 8.1). 3. Only then is it safe to present it. 4. Take the old record out. `postseal cert \
             tlsa NAME` prints the records of all names and ports.",
            lines.join("” and “"),
            lifetime(found.ttl),
        ),
    };
    super::error("dane.would-break", message, remedy)
}

fn mismatch(at: &Endpoint, found: &Found, how: &str) -> Finding {
    Finding::new(
        "dane.mismatch",
        Severity::Warning,
        format!(
            "The TLSA records of {host}, port {port}, {how}: senders that use DANE keep their mail.",
            host = at.host,
            port = at.port,
        ),
        format!(
            "`postseal cert tlsa NAME` prints the records to publish at {}",
            found.owner
        ),
    )
}

/// What is in force, against the records of its names.
pub(crate) fn in_force(world: &World<'_>, findings: &mut Vec<Finding>) {
    if world.facts.dns.is_empty() {
        return;
    }
    let mut doubts = Doubts::default();
    for host in dane::mx_names_of(&world.view).hosts {
        for port in dane::asked_ports(&world.view) {
            let at = Endpoint {
                host: host.clone(),
                port,
            };
            let now = dane::presented(&world.view, world.intent, &host, port);
            if port == SENDERS {
                names(world, &host, &now, findings);
            }
            findings.extend(disagreement(world, &at, &now, &mut doubts));
        }
    }
    findings.extend(doubts.finding());
}

fn disagreement(
    world: &World<'_>,
    at: &Endpoint,
    now: &Presented,
    doubts: &mut Doubts,
) -> Option<Finding> {
    if matches!(now, Presented::Nobody) {
        return None;
    }
    let found = vouched(world, at, doubts)?;
    let Presented::Chains(chains) = now else {
        doubts.own_names(at);
        return None;
    };
    if dane::satisfied(&found.records, chains, &at.host, world.now) {
        return None;
    }
    let how = match Matched::of(&found.records, chains, &at.host, world.now).any() {
        true => "match only a part of what is presented there",
        false => "do not match what is presented there",
    };
    let finding = Finding {
        severity: Severity::Error,
        ..mismatch(at, &found, how)
    };
    Some(evidence(finding, &found, now, now))
}

/// Whether what senders are shown has the name that they connected to.
fn names(world: &World<'_>, host: &str, now: &Presented, findings: &mut Vec<Finding>) {
    let Presented::Chains(chains) = now else {
        return;
    };
    for chain in chains {
        let problems = mailtls::problems(chain, world.now, &[host], Trust::Unknown);
        let wrong = problems
            .iter()
            .filter(|problem| problem.code == "cert.name-mismatch");
        findings.extend(wrong.map(|problem| {
            certificate_finding(problem).seen(format!("presented to senders that found {host}"))
        }));
    }
}

fn evidence(mut finding: Finding, found: &Found, now: &Presented, then: &Presented) -> Finding {
    for record in found.records.iter().take(MOST_SHOWN) {
        let unusable = record
            .unusable()
            .map_or(String::new(), |why| format!(" ({why})"));
        finding = finding.seen(format!(
            "published, DNSSEC vouches for it: {}{unusable}",
            line(found, record)
        ));
    }
    let more = found.records.len().saturating_sub(MOST_SHOWN);
    if more > 0 {
        finding = finding.seen(format!("published: {more} more records"));
    }
    let sides = match same(now, then) {
        true => vec![("presented", now)],
        false => vec![("presented now", now), ("presented then", then)],
    };
    for (when, presented) in sides {
        for words in presented_words(presented) {
            finding = finding.seen(format!("{when}: {words}"));
        }
    }
    finding
}

fn presented_words(presented: &Presented) -> Vec<String> {
    let chains = match presented {
        Presented::Nobody => return vec!["no server".to_owned()],
        Presented::Unknown => return vec!["not known from the files".to_owned()],
        Presented::Chains(chains) if chains.is_empty() => return vec!["no certificate".to_owned()],
        Presented::Chains(chains) => chains,
    };
    let leaves: BTreeSet<String> = chains
        .iter()
        .filter_map(|chain| chain.first())
        .map(|leaf| {
            let record = TlsaRecord::for_certificate(leaf);
            format!("{}, TLSA {record}", crate::words::certificate(leaf))
        })
        .collect();
    leaves.into_iter().collect()
}

fn line(found: &Found, record: &TlsaRecord) -> String {
    format!("{} IN TLSA {record}", found.owner)
}

fn lifetime(ttl: Option<Ttl>) -> String {
    match ttl {
        Some(ttl) => format!("the records' time to live ({}) has", ttl.text()),
        None => "the records' time to live has".to_owned(),
    }
}

/// The names that senders go by, for the rules on names in certificates.
pub(crate) fn hosts(view: &View<'_>) -> Vec<String> {
    match view.facts().dns.is_empty() {
        true => Vec::new(),
        false => dane::mx_names_of(view).hosts,
    }
}
