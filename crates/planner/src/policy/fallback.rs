//! Next hops that take what no server of the usual one does.
//!
//! Owns: which clients have some (`smtp_fallback_relay`), the level there, and the words about rules
//! whose mail may leave by them in clear. Never: looks anything up (see [`crate::resolve`]).
//!
//! smtp(8) appends them to the servers of every delivery, and asks for a policy by the fallback as it
//! is written there: the rule of the destination says nothing of it.

use super::words_of;
use super::{Judged, Rule, RuleId};
use crate::explain::{Delivery, deliverer, listed_hops, met};
use crate::facts::Facts;
use crate::finding::{Finding, Severity};
use crate::lint::{Rule as Code, row};
use crate::resolve::{Answers, Asked};
use crate::view::{Files, Service, View};
use mailtls::Level;
use std::collections::{BTreeMap, BTreeSet};

/// The code of all that is said here.
pub const FALLBACK: &str = "policy.fallback-in-clear";

/// What `lint --explain` tells of it.
#[rustfmt::skip]
pub(crate) const EXPLAINED: &[Code] = &[
    row(FALLBACK, Severity::Warning, "rule whose mail goes on to a fallback relay in clear",
        "What no server of the destination takes, for want of TLS, too, smtp(8) gives to the relays of smtp_fallback_relay, and asks for a policy by their names: there the rule of the destination does not hold.",
        "Make a rule for the fallback relay, as strict as that of the destination; or take it out of smtp_fallback_relay."),
];

/// A way by which mail may leave in clear, whatever rule it met before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fallback {
    /// The transport whose client takes it.
    pub transport: String,
    /// The next hop, as it is written and looked up.
    pub nexthop: String,
    /// What names it: `smtp_fallback_relay`.
    pub parameter: &'static str,
    /// The level there.
    pub level: Level,
}

/// The parameter of a client's fallback relays, and they.
pub(crate) fn relays_of(view: &View<'_>, transport: &str) -> (&'static str, Vec<String>) {
    let parameter = match deliverer(view, transport) {
        Delivery::Lmtp => "lmtp_fallback_relay",
        _ => "smtp_fallback_relay",
    };
    let is_its = |one: &&Service| one.kind == "unix" && one.name == transport;
    let service = view.services.iter().find(is_its);
    let value = view.value(service, parameter);
    (parameter, listed_hops(&value).map(str::to_owned).collect())
}

/// The clients with fallback relays.
fn with_relays<'v>(
    view: &'v View<'_>,
) -> impl Iterator<Item = (&'v str, &'static str, Vec<String>)> {
    let is_client = |one: &&Service| one.kind == "unix" && matches!(&*one.command, "smtp" | "lmtp");
    let clients = view.services.iter().filter(is_client);
    clients.map(|one| {
        let (parameter, relays) = relays_of(view, &one.name);
        (one.name.as_str(), parameter, relays)
    })
}

/// The rules, by hand, that there may be for fallback relays.
pub fn fallback_ids(facts: &Facts) -> BTreeSet<RuleId> {
    let files = Files::of(facts);
    let view = files.view(facts);
    let relays = with_relays(&view).flat_map(|(_, _, relays)| relays);
    relays.filter_map(|hop| RuleId::parse(&hop).ok()).collect()
}

/// The fallback relays at which mail may go in clear.
pub fn fallbacks(facts: &Facts, answers: &Answers) -> Asked<Vec<Fallback>> {
    let files = Files::of(facts);
    let view = files.view(facts);
    let mut found = Vec::new();
    for (transport, parameter, relays) in with_relays(&view) {
        for nexthop in relays {
            let hops = match met(&view, transport, &nexthop, answers) {
                Asked::Unanswered(question) => return Asked::Unanswered(question),
                Asked::Answered(hops) => hops,
            };
            let levels = hops.iter().filter_map(|hop| hop.level);
            let open = levels.filter(|level| !level.never_cleartext()).min();
            found.extend(open.map(|level| Fallback {
                transport: transport.to_owned(),
                nexthop: nexthop.clone(),
                parameter,
                level,
            }));
        }
    }
    Asked::Answered(found)
}

/// Takes out those that some rules close.
pub fn without_closed(ways: &mut Vec<Fallback>, rules: &[&Rule]) {
    ways.retain(|way| {
        let id = RuleId::parse(&way.nexthop);
        let is_its = |rule: &&&Rule| id.as_ref().is_ok_and(|id| *id == rule.id);
        !rules.iter().filter(is_its).any(|rule| demands_tls(rule))
    });
}

/// Notes the fallback relays to which mail of a rule may go in clear.
pub fn by_fallbacks(rule: &Rule, found: &mut Judged, ways: &[Fallback]) {
    if ways.is_empty() || !found.useless.is_empty() || !demands_tls(rule) {
        return;
    }
    let meant = ways
        .iter()
        .filter(|way| found.clients.contains(&way.transport));
    found.fallbacks = meant.cloned().collect();
}

fn demands_tls(rule: &Rule) -> bool {
    let level = rule.policy.split(' ').next().unwrap_or_default().parse();
    level.is_ok_and(Level::never_cleartext)
}

/// What is said of rules: a finding a fallback relay.
pub(super) fn told(rules: &[(&Rule, &Judged)]) -> Vec<Finding> {
    let mut by_relay: BTreeMap<(&str, &'static str, Level), Vec<&Rule>> = BTreeMap::new();
    for (rule, judged) in rules {
        for way in &judged.fallbacks {
            let relay = (way.nexthop.as_str(), way.parameter, way.level);
            let rules = by_relay.entry(relay).or_default();
            if rules.last().is_none_or(|last| last.id != rule.id) {
                rules.push(rule);
            }
        }
    }
    let found = by_relay.into_iter();
    found
        .map(|((hop, parameter, level), rules)| of_relay(hop, parameter, level, &rules))
        .collect()
}

fn of_relay(hop: &str, parameter: &str, level: Level, rules: &[&Rule]) -> Finding {
    let whose = match rules {
        [one] => one.id.shown(),
        many => format!("{} rules", many.len()),
    };
    let policy = rules.first().map_or("encrypt", |rule| &rule.policy);
    let found = finding(
        &format!("the rule of {whose}"),
        hop,
        parameter,
        level,
        policy,
    );
    words_of::with_rows(found, rules)
}

/// That mail at a strict level may go on to a fallback relay in clear. `of` is what the level is of.
pub(crate) fn finding(of: &str, hop: &str, parameter: &str, level: Level, policy: &str) -> Finding {
    // What proves one server proves no other.
    let level_word = policy.split(' ').next().unwrap_or_default();
    let offered = match level_word {
        "secure" | "verify" | "dane-only" => level_word,
        _ => "encrypt",
    };
    Finding::new(
        FALLBACK,
        Severity::Warning,
        format!(
            "What no server takes under TLS goes on to {hop} ({parameter}), where {of} does not \
             hold: the level there is {level}, so that mail may leave in clear."
        ),
        format!(
            "Make a rule for that next hop: `postseal policy add '{hop}' {offered}`; or take it out \
             of {parameter}."
        ),
    )
    .seen(format!("{parameter}: {hop}"))
}

#[cfg(test)]
mod tests;
