//! Rules for next hops that no route names.
//!
//! Owns: holding a literal next hop against all that names next hops, and the words. Never: says so for
//! certain where one place could not be listed; or calls it an error: a rule may be made before its route.
//!
//! smtp(8) asks for a next hop as the route has it: `[relay.example]:578` is not `[relay.example]:587`.

use super::next_hops::Hops;
use super::{Judged, Rule, RuleId, words_of};
use crate::credentials::is_host;
use crate::finding::{Finding, Severity};
use crate::lint::{Rule as Code, row};
use mailtls::destination::literal_address;
use std::collections::{BTreeMap, BTreeSet};

/// The code of all that is said here.
pub const NEVER_ASKED: &str = "policy.never-asked";
/// The same where a table that may name it cannot be listed.
const UNDETERMINED: &str = "policy.never-asked-undetermined";
/// More next hops are not named.
const NAMED: usize = 3;

/// What `lint --explain` tells of it.
#[rustfmt::skip]
pub(crate) const EXPLAINED: &[Code] = &[
    row(NEVER_ASKED, Severity::Warning, "rule for a next hop that no route names",
        "smtp(8) asks for a policy by the next hop as a route writes it, with its brackets and its port: a rule for one that no route names does nothing.",
        "Make the rule for the next hop as the route has it, or name it in transport_maps or relayhost; a rule that is made before its route may stay."),
    row(UNDETERMINED, Severity::Info, "rule for a next hop that perhaps no route names",
        "The keys and values of some types of tables (regexp, pcre, cidr, those that are asked over a network) cannot be listed: whether one of their rows names the next hop as the rule has it is not known.",
        "`postseal explain RECIPIENT` shows by which next hop the mail of one recipient leaves; a rule for another one does nothing."),
];

/// What names next hops.
#[derive(Clone, Debug, Default)]
pub struct Named {
    names: BTreeSet<String>,
    is_whole: bool,
    hidden: Vec<String>,
}

/// Whether all places that may name a next hop were listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listed {
    /// All.
    #[default]
    Whole,
    /// There may be more.
    Partly,
}

impl Named {
    /// Of the next hops of routes, and of others that mail goes to.
    pub fn of(hops: &Hops, others: &BTreeSet<String>, listed: Listed) -> Self {
        let all = hops.keys().chain(others);
        // As a rule for it is known.
        let name =
            |hop: &String| RuleId::parse(hop).map_or_else(|_| hop.clone(), |id| id.destination);
        Self {
            names: all.map(|hop| name(hop).to_lowercase()).collect(),
            is_whole: listed == Listed::Whole,
            hidden: Vec::new(),
        }
    }

    /// Beside tables that may name more, and cannot be listed.
    #[must_use]
    pub fn beside(mut self, hidden: Vec<String>) -> Self {
        self.hidden = hidden;
        self
    }

    /// Whether a next hop is among them.
    pub fn has(&self, hop: &str) -> bool {
        let name = RuleId::parse(hop).map_or_else(|_| hop.to_owned(), |id| id.destination);
        self.names.contains(&name.to_lowercase())
    }

    /// The tables that may name a next hop which nothing else names.
    fn perhaps_in(&self, hop: &str) -> Vec<String> {
        match self.names.contains(&hop.to_lowercase()) {
            true => Vec::new(),
            false => self.hidden.clone(),
        }
    }

    /// Those with the same host as a next hop that is not among them; `None` where it may be.
    fn instead_of(&self, hop: &str) -> Option<Vec<String>> {
        let hop = hop.to_lowercase();
        if !self.is_whole || self.names.contains(&hop) {
            return None;
        }
        Some(self.near(&hop))
    }

    /// Those with the same host.
    fn near(&self, hop: &str) -> Vec<String> {
        let host = host(hop);
        let near = self.names.iter().filter(|name| is_host(name, host));
        near.take(NAMED).cloned().collect()
    }
}

/// The host of a next hop.
fn host(hop: &str) -> &str {
    match hop.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host.strip_prefix("ipv6:").unwrap_or(host),
        None => hop.split(':').next().unwrap_or_default(),
    }
}

/// Whether only a route leads to what a rule is for: mail for an address literal goes to that
/// address by itself.
pub fn needs_route(rule: &Rule) -> bool {
    let hop = rule.id.destination.as_str();
    let inner = hop
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let is_literal = hop.starts_with('[') || hop.contains(':');
    let is_address = inner.is_some_and(|inner| literal_address(inner).is_some());
    rule.id.manager.is_empty() && is_literal && !is_address
}

/// Notes that no route names what a rule is for.
pub fn by_names(rule: &Rule, found: &mut Judged, named: &Named) {
    if needs_route(rule) && found.useless.is_empty() {
        found.instead = named.instead_of(&rule.id.destination);
        found.perhaps_in = named.perhaps_in(&rule.id.destination);
        if !found.perhaps_in.is_empty() {
            found.near = named.near(&rule.id.destination.to_lowercase());
        }
    }
}

/// What is said of rules: a finding for those that are near the same next hops.
pub fn never_asked(rules: &[(&Rule, &Judged)]) -> Vec<Finding> {
    let mut by_near: BTreeMap<&[String], Vec<&Rule>> = BTreeMap::new();
    for (rule, judged) in rules {
        if let Some(near) = &judged.instead {
            by_near.entry(near).or_default().push(rule);
        }
    }
    let mut by_tables: BTreeMap<[&[String]; 2], Vec<&Rule>> = BTreeMap::new();
    for (rule, judged) in rules
        .iter()
        .filter(|(_, judged)| !judged.perhaps_in.is_empty())
    {
        let tables = [judged.perhaps_in.as_slice(), &judged.near];
        by_tables.entry(tables).or_default().push(rule);
    }
    let found = by_near.into_iter();
    found
        .filter_map(|(near, rules)| finding(near, &rules))
        .chain(
            by_tables
                .into_iter()
                .map(|(tables, rules)| unknown(tables, &rules)),
        )
        .collect()
}

/// What names next hops cannot be told whole.
fn unknown([tables, near]: [&[String]; 2], rules: &[&Rule]) -> Finding {
    let them = match rules {
        [one] => one.id.shown(),
        many => format!("the next hops of {} rules", many.len()),
    };
    let shown: Vec<&str> = tables.iter().take(NAMED).map(String::as_str).collect();
    let (others, offer) = match (near.first(), rules.first()) {
        (Some(hop), Some(rule)) => (
            format!(" (they name {})", near.join(", ")),
            format!("If {hop} is meant: {}. ", offered(hop, rule)),
        ),
        _ => (String::new(), String::new()),
    };
    let found = Finding::new(
        UNDETERMINED,
        Severity::Info,
        format!(
            "Whether a route names {them} could not be told: those that can be read do not{others}, and \
             {} cannot be listed.",
            shown.join(", ")
        ),
        format!(
            "{offer}`postseal explain RECIPIENT` shows the way of one message, whatever the table's type."
        ),
    );
    words_of::with_rows(found, rules)
}

/// The command that makes the rule for a next hop that is named.
fn offered(hop: &str, rule: &Rule) -> String {
    let policy = super::offer::words(&rule.policy);
    format!("`postseal policy add '{hop}' {policy}`")
}

fn finding(near: &[String], rules: &[&Rule]) -> Option<Finding> {
    let first = rules.first()?;
    let what = match rules {
        [one] => format!("The rule for {} does nothing", one.id.shown()),
        many => format!("{} rules do nothing", many.len()),
    };
    let them = match rules {
        [_] => "this next hop",
        _ => "their next hops",
    };
    let (named, remedy) = match near.first() {
        Some(hop) => (
            format!("; what they name is {}", near.join(", ")),
            format!(
                "smtp(8) asks for the next hop as it stands there: {}.",
                offered(hop, first)
            ),
        ),
        None => (
            String::new(),
            "Name it as it stands in transport_maps or relayhost, or take the rule out. What a \
             FILTER of access(5) or header_checks(5) names is not looked at."
                .to_owned(),
        ),
    };
    let message = format!("{what} as long as no route names {them}{named}.");
    let found = Finding::new(NEVER_ASKED, Severity::Warning, message, remedy);
    Some(words_of::with_rows(found, rules))
}

#[cfg(test)]
mod tests;
