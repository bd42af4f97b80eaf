//! What changed between two full looks at the same server.
//!
//! Owns: which facts of a look count, and what a look that ended early may say. Never: counts connections, or the
//! words of a reason; tells a fact for gone that was hidden from one of the looks.

use super::{ClientAsked, FullAt, Order, Seen, VersionSeen};
use crate::probed::{Change, Probed};
use std::collections::{BTreeMap, BTreeSet};

/// The full looks of a report, with what was probed for them.
#[derive(Clone, Copy, Debug)]
pub struct Looks<'a> {
    /// The targets.
    pub probed: &'a [Probed],
    /// Their servers.
    pub full: &'a [FullAt],
}

/// What comparing full looks gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FullChanges {
    /// What is not as it was, of the servers that both reports looked at in full.
    pub changes: Vec<Change>,
    /// The addresses that only one of them did, of the targets that both have.
    pub not_compared: Vec<String>,
}

/// A fact by its name. The same name stands for more than one value where the look lists them (`suite`).
type Facts = BTreeMap<String, String>;

/// Compares the looks of two reports.
pub fn full_changes(before: Looks<'_>, after: Looks<'_>) -> FullChanges {
    let then = by_place(before, after.probed);
    let now = by_place(after, before.probed);
    let places: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let mut found = FullChanges::default();
    for place in places {
        match (then.get(place), now.get(place)) {
            (Some((_, then)), Some((target, now))) => {
                found.changes.extend(of_server(target, place, then, now));
            }
            _ => found.not_compared.push(place.clone()),
        }
    }
    found
}

/// Each server (`host address`) with the first target that leads to it, of those that the other report has.
fn by_place<'a>(looks: Looks<'a>, others: &[Probed]) -> BTreeMap<String, (&'a str, &'a FullAt)> {
    let both = |one: &&Probed| others.iter().any(|other| other.target == one.target);
    let common: Vec<&Probed> = looks.probed.iter().filter(both).collect();
    let known = looks.full.iter().filter_map(|full| {
        let mut leading = common.iter().filter(|one| one.leads_to(full.address));
        let place = format!("{} {}", full.host, full.address);
        Some((place, (leading.next()?.target.as_str(), full)))
    });
    known.collect()
}

fn of_server(target: &str, place: &str, then: &FullAt, now: &FullAt) -> Vec<Change> {
    let (before, after) = (facts(then), facts(now));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let value = |facts: &Facts, look: &FullAt, name: &String| {
        let seen = facts.get(name).cloned();
        seen.or_else(|| hides(look, name).then(|| UNDETERMINED.to_owned()))
    };
    let all = names.into_iter().map(|name| Change {
        target: target.to_owned(),
        about: place.to_owned(),
        fact: name.clone(),
        before: value(&before, then, name),
        after: value(&after, now, name),
    });
    all.filter(|one| one.before != one.after).collect()
}

/// What stands for a fact that a look could not see.
const UNDETERMINED: &str = "undetermined";

/// What a look lists: one row for each that the server has.
const LISTED: &[&str] = &["suite", "group", "dh", "certificate"];

/// Whether a fact may be there though the look does not show it.
fn hides(look: &FullAt, name: &str) -> bool {
    let kind = name.split(' ').next().unwrap_or_default();
    let unknown = |one: &VersionSeen| matches!(one.seen, Seen::Undetermined(_));
    look.seen.no_tls.is_none()
        && (look.seen.stopped.is_some()
            || look.seen.versions.iter().any(unknown)
            || (look.grades.iter()).any(|one| one.fact == kind && one.undetermined.is_some()))
}

fn facts(look: &FullAt) -> Facts {
    let mut all = Facts::new();
    for one in &look.grades {
        let versions = one.versions.iter().map(|version| version.name());
        let versions = versions.collect::<Vec<_>>().join(" ");
        let (name, value) = match (one.fact.as_str(), &one.undetermined) {
            // Of versions those that are refused count too.
            ("version", _) => continue,
            (fact, None) if LISTED.contains(&fact) => (format!("{fact} {}", one.value), versions),
            // There may be others: nothing of them is known.
            (fact, Some(_)) if LISTED.contains(&fact) => continue,
            (fact, Some(_)) => (fact.to_owned(), UNDETERMINED.to_owned()),
            (fact, None) => (fact.to_owned(), one.value.clone()),
        };
        let value = if value.is_empty() {
            "yes".to_owned()
        } else {
            value
        };
        all.insert(name, value);
    }
    if look.seen.no_tls.is_some() {
        return all;
    }
    for one in &look.seen.versions {
        all.extend(of_version(one));
    }
    for one in &look.seen.certificates {
        let name = format!("certificate {}", one.fingerprint);
        all.insert(name, "presented".to_owned());
    }
    let asked = client_certificate(&look.seen.client_certificate);
    all.insert("client certificate".to_owned(), asked);
    all
}

fn of_version(one: &VersionSeen) -> Vec<(String, String)> {
    let seen = match &one.seen {
        Seen::Yes => "spoken",
        Seen::No => "refused",
        Seen::Undetermined(_) => UNDETERMINED,
    };
    let name = one.version.name();
    let mut all = vec![(format!("version {name}"), seen.to_owned())];
    let chooses = one.order.map(|order| match order {
        Order::Server => "the server",
        Order::Client => "the client",
    });
    all.extend(chooses.map(|who| (format!("who chooses in {name}"), who.to_owned())));
    all
}

fn client_certificate(asked: &ClientAsked) -> String {
    match asked {
        ClientAsked::NotAsked => "not asked for".to_owned(),
        ClientAsked::Asked(names) if names.is_empty() => "asked for, of any authority".to_owned(),
        ClientAsked::Asked(names) => format!("asked for, of {}", names.join("; ")),
        ClientAsked::AskedUnderKeys => "asked for; TLS 1.3 hides of which authorities".to_owned(),
        ClientAsked::Undetermined(_) => UNDETERMINED.to_owned(),
    }
}
