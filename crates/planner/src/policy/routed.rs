//! Rules held against the clients that routes send mail by.
//!
//! Owns: what the routes that name a next hop say for and against a rule for it. Never: lists them
//! (`next_hops` says where they stand), or asks anything.
//!
//! One next hop may be reached by several services: by one that asks the rules, and by one with
//! `-o smtp_tls_policy_maps=`. A rule does nothing where none of them asks; where some do not, it holds
//! for a part of the mail, and that is told (`passed_by`).

use super::Rule;
use super::able::Askers;
use super::judge::{Judged, expects_tls};
use super::lead::{Lead, Leads};
use super::next_hops::Hops;
use super::useless::Cause;
use crate::compile::policies::PARAMETER;
use std::collections::{BTreeMap, BTreeSet};

/// Mail for a name may leave elsewhere, and that of others be sent to it.
pub fn by_routes(
    rule: &Rule,
    found: &mut Judged,
    (hops, leads): (&Hops, &BTreeMap<String, Leads>),
    clients: &Askers,
) {
    let name = rule.id.destination.as_str();
    let own = found.own.clone();
    let mut named = named(name, hops);
    named.extend(&own);
    let is_elsewhere = found
        .useless
        .iter()
        .any(|one| may_be_others_hop(&one.cause));
    let is_hop = rule.is_for_next_hop();
    let silent = named.iter().filter_map(|one| clients.silent.get(*one));
    let silent: Vec<Cause> = silent.cloned().collect();
    if !(is_hop || is_elsewhere) && found.useless.is_empty() {
        found.passed_by = silent;
        return;
    }
    if named.is_empty() || !(is_hop || is_elsewhere) {
        return;
    }
    let asked = named
        .iter()
        .filter(|one| clients.transports.contains(**one));
    let by: Vec<String> = asked.map(|one| (*one).clone()).collect();
    // Where a client goes there that asks, it does not matter that others do not.
    let is_over = |cause: &Cause| match by.is_empty() {
        true => is_other_hop(cause),
        false => may_be_others_hop(cause),
    };
    found.useless.retain(|one| !is_over(&one.cause));
    match silent.first() {
        Some(cause) if by.is_empty() => {
            found.clients.clear();
            found.fails(name.to_owned(), cause.clone());
            return;
        }
        Some(_) => found.passed_by = silent,
        None => {}
    }
    if is_hop && !by.is_empty() {
        found.clients.clear();
    }
    if is_hop && expects_tls(name) {
        for (transport, all) in leads.get(name).into_iter().flatten() {
            let known = found.leads.entry(transport.clone());
            known.or_insert_with(|| all.clone());
        }
        begins(name, &by, found, clients);
    }
    found.clients.extend(by);
    found.clients.sort();
    found.clients.dedup();
    // Where TLS is expected from the first byte, mail arrives by those that begin so.
    let is_late = |one: &String| expects_tls(name) && !clients.wrapping.contains(one);
    found.clients.sort_by_key(is_late);
}

/// How the clients begin that go to a next hop which expects TLS from the first byte.
fn begins(name: &str, by: &[String], found: &mut Judged, clients: &Askers) {
    let late = by.iter().filter(|one| !clients.wrapping.contains(*one));
    let late: Vec<String> = late.cloned().collect();
    if !late.is_empty() && late.len() == by.len() {
        let of_late = late.iter().filter_map(|one| found.leads.get(one));
        let leads: Vec<Lead> = of_late.flatten().cloned().collect();
        let known = |cause: &Cause| matches!(cause, Cause::BeginsInClear { .. });
        found.useless.retain(|one| !known(&one.cause));
        let instead = clients.wrapping.first().cloned();
        found.fails(name.to_owned(), Cause::BeginsInClear { instead, leads });
    } else {
        found.late = late;
    }
}

/// The transports that routes to a next hop name, or to those below a domain.
fn named<'h>(name: &str, hops: &'h Hops) -> BTreeSet<&'h String> {
    let of: Vec<_> = match name.starts_with('.') {
        true => hops.iter().filter(|(hop, _)| hop.ends_with(name)).collect(),
        false => hops.get_key_value(name).into_iter().collect(),
    };
    of.into_iter().flat_map(|(_, by)| by).collect()
}

/// Whether mail for a rule's name leaves by other next hops.
pub const fn is_other_hop(cause: &Cause) -> bool {
    matches!(cause, Cause::OtherHop { .. })
}

/// Whether the name may be the next hop of others' mail, by a client that asks the row, although its
/// own mail does not meet it.
pub fn may_be_others_hop(cause: &Cause) -> bool {
    let is_smtp = |cause: &Cause| matches!(cause, Cause::NotAsked { parameter, .. } if *parameter == PARAMETER);
    is_other_hop(cause) || is_smtp(cause)
}

#[cfg(test)]
mod tests;
