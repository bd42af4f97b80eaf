//! Mail of a domain that takes another way than the rest of it.
//!
//! Owns: finding single recipients, names below the domain and senders with next hops of their own,
//! as far as tables can be listed. Never: keeps a table in memory, or calls a way known
//! that is not.

use super::judged::is_against;
use crate::EngineError;
use crate::explain::explain_in;
use mailtls::Level;
use mailtls::destination::Scope;
use postseal_host::Host;
use postseal_planner::Finding;
use postseal_planner::explain::{Delivery, Hop, Source, Subject};
use postseal_planner::facts::Facts;
use postseal_planner::policy::{
    Followed, Rule, follows_not, listable, route_elements, ways_unknown,
};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

/// So many rows are followed, one by one.
const MOST: usize = 50;
/// So many bytes of a table are read for them.
const BYTES: u64 = 64 << 20;
/// Tables by whose keys mail of senders takes another way.
const BY_SENDER: [&str; 2] = [
    "sender_dependent_default_transport_maps",
    "sender_dependent_relayhost_maps",
];
/// So many rules are told of senders' ways at once.
const TOLD: usize = 3;

/// What is to be told of other ways.
pub(super) fn other_ways(
    host: &dyn Host,
    facts: &Facts,
    wish: &Rule,
    ways: &Followed,
) -> Result<Vec<Finding>, EngineError> {
    let mut looked = Looked {
        host,
        facts,
        wish,
        ways,
        told: Vec::new(),
    };
    looked.recipients()?;
    looked.senders()?;
    looked.told.dedup();
    Ok(looked.told)
}

/// Adds what is to be told of mail that takes ways of its own, to rules that are made for a domain by
/// hand and that nothing speaks against; of senders' to the first of them.
pub(super) fn ways_of_parts(
    host: &dyn Host,
    facts: &Facts,
    rules: &[&Rule],
    found: &mut [Vec<Finding>],
) -> Result<(), EngineError> {
    let parts = by_recipient(host, facts, rules)?;
    for (found, mut part) in found.iter_mut().zip(parts) {
        if !found.iter().any(is_against) {
            found.append(&mut part);
        }
    }
    by_sender(host, facts, rules, found)
}

fn by_sender(
    host: &dyn Host,
    facts: &Facts,
    rules: &[&Rule],
    found: &mut [Vec<Finding>],
) -> Result<(), EngineError> {
    if !has_ways_of_senders(facts) {
        return Ok(());
    }
    let each = rules.iter().zip(found);
    let meant = each.filter(|(rule, found)| {
        let by_hand = !rule.is_for_next_hop() && rule.id.manager.is_empty();
        by_hand && !found.iter().any(is_against)
    });
    for (rule, found) in meant.take(TOLD) {
        let mut looked = Looked {
            host,
            facts,
            wish: rule,
            ways: &Followed::default(),
            told: Vec::new(),
        };
        looked.senders()?;
        looked.told.dedup();
        found.append(&mut looked.told);
    }
    Ok(())
}

/// What is to be told of recipients and of names below domains that `transport_maps` gives ways of
/// their own, for each of some rules that are made for a domain, in their order.
pub(super) fn by_recipient(
    host: &dyn Host,
    facts: &Facts,
    rules: &[&Rule],
) -> Result<Vec<Vec<Finding>>, EngineError> {
    let mut found = vec![Vec::new(); rules.len()];
    let meant = rules.iter().enumerate();
    let meant = meant.filter(|(_, rule)| !rule.is_for_next_hop());
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, rule) in meant {
        let name = rule.id.destination.trim_start_matches('.');
        by_name.entry(name).or_default().push(at);
    }
    if by_name.is_empty() {
        return Ok(found);
    }
    let of_key = |key: &str| -> Vec<usize> {
        let at = names_of(key).filter_map(|name| by_name.get(name));
        let covers = |at: &&usize| rules.get(**at).is_some_and(|rule| is_part(rule, key));
        at.flatten().filter(covers).copied().collect()
    };
    let mut looked = Looked {
        host,
        facts,
        wish: rules[0],
        ways: &Followed::default(),
        told: Vec::new(),
    };
    let keys = looked.keys("transport_maps", &|key| !of_key(key).is_empty());
    // Which tables hide theirs is told of a rule that follows its mail.
    looked.told.clear();
    for key in keys {
        for at in of_key(&key) {
            looked.wish = rules[at];
            looked.recipient(&key)?;
            found[at].append(&mut looked.told);
        }
    }
    Ok(found)
}

/// A domain, or that of an address, and what it is below of.
fn names_of(key: &str) -> impl Iterator<Item = &str> {
    let name = key.rsplit_once('@').map_or(key, |(_, name)| name);
    let own = name.trim_start_matches('.');
    std::iter::successors(Some(own), |name| Some(name.split_once('.')?.1))
}

/// Whether a key of `transport_maps` is for a part of what a rule is for.
fn is_part(rule: &Rule, key: &str) -> bool {
    let domain = rule.id.destination.trim_start_matches('.');
    let scope = rule.scope();
    let name = key.rsplit_once('@').map_or(key, |(_, name)| name);
    let below = name.strip_suffix(domain).filter(|above| above.len() > 1);
    let is_own = name == domain && key.contains('@') && scope != Scope::Subdomains;
    let is_below = below.is_some_and(|above| above.ends_with('.')) && scope != Scope::Domain;
    is_own || is_below
}

fn has_ways_of_senders(facts: &Facts) -> bool {
    let mut tables = BY_SENDER
        .iter()
        .flat_map(|name| route_elements(facts, name));
    tables.next().is_some()
}

struct Looked<'a> {
    host: &'a dyn Host,
    facts: &'a Facts,
    wish: &'a Rule,
    ways: &'a Followed,
    told: Vec<Finding>,
}

impl Looked<'_> {
    /// Recipients and names below the domain that `transport_maps` has rows for.
    fn recipients(&mut self) -> Result<(), EngineError> {
        let wish = self.wish;
        for key in self.keys("transport_maps", &|key| is_part(wish, key)) {
            self.recipient(&key)?;
        }
        Ok(())
    }

    fn recipient(&mut self, key: &str) -> Result<(), EngineError> {
        let subject = match key.contains('@') {
            true => Subject::Address(key.to_owned()),
            false if key.starts_with('.') => Subject::Domain(format!("any-name-below{key}")),
            false => Subject::Domain(key.to_owned()),
        };
        self.compare(&subject, "", &format!("for {key}"))
    }

    /// Senders whose mail takes a way of its own.
    fn senders(&mut self) -> Result<(), EngineError> {
        let subject = Subject::Domain(self.domain().to_owned());
        for table in BY_SENDER {
            for key in self.keys(table, &|_| true) {
                let sender = match key.starts_with('@') {
                    true => format!("anybody{key}"),
                    false => key.clone(),
                };
                self.compare(&subject, &sender, &format!("of {key}"))?;
            }
        }
        Ok(())
    }

    /// Tells next hops that the rule is not made for.
    fn compare(&mut self, subject: &Subject, sender: &str, whose: &str) -> Result<(), EngineError> {
        let explained = explain_in(self.host, self.facts, subject, sender)?;
        let way = explained.resolution.as_ref();
        let by = way.map(|way| way.nexthop_by.clone()).unwrap_or_default();
        let recipient = way.map_or("", |way| way.recipient.as_str());
        let domain = recipient.rsplit('@').next().unwrap_or_default();
        for hop in explained.hops {
            // What is for the domain is for it as a next hop.
            let own = hop.nexthop.eq_ignore_ascii_case(domain);
            let known = |key: &String| key.eq_ignore_ascii_case(&hop.nexthop);
            let known = self.ways.hops.keys().any(known) || has_rule(&hop, self.wish);
            if hop.delivery == Delivery::Smtp && !own && !known {
                self.told
                    .push(follows_not(self.wish, whose, &hop.nexthop, &by));
            }
        }
        Ok(())
    }

    /// The keys of a parameter's tables that are meant; tables that hide theirs are told.
    fn keys(&mut self, parameter: &str, meant: &dyn Fn(&str) -> bool) -> Vec<String> {
        let mut found = Vec::new();
        for table in route_elements(self.facts, parameter) {
            let Some(listed) = listable(&table) else {
                self.told
                    .push(ways_unknown(self.wish, &table, "it cannot be listed"));
                continue;
            };
            match self.host.table_rows(listed) {
                Ok(rows) => found.extend(keys_of(rows, meant, MOST - found.len())),
                Err(error) => {
                    let why = postseal_planner::whole_chain(&error);
                    self.told.push(ways_unknown(self.wish, &table, &why));
                }
            }
            if found.len() >= MOST {
                let why = format!("more than {MOST} of its rows are for this");
                self.told.push(ways_unknown(self.wish, &table, &why));
                break;
            }
        }
        found
    }

    fn domain(&self) -> &str {
        self.wish.id.destination.trim_start_matches('.')
    }
}

/// Whether a row for the next hop itself demands as much as a rule.
fn has_rule(hop: &Hop, rule: &Rule) -> bool {
    let level = rule.policy.split(' ').next().unwrap_or_default();
    let (Some(level), Ok(wanted)) = (hop.level, level.parse::<Level>()) else {
        return false;
    };
    let is_row = matches!(hop.source, Some(Source::Row(_)));
    let demands = level.never_cleartext() || !wanted.never_cleartext();
    is_row && demands && (level.authenticates() || !wanted.authenticates())
}

/// The keys of a listed table that are meant, at most so many.
fn keys_of(rows: impl Read, meant: &dyn Fn(&str) -> bool, most: usize) -> Vec<String> {
    let lines = BufReader::new(rows.take(BYTES)).split(b'\n');
    let lines = lines.map_while(Result::ok);
    let keys = lines.map(|line| {
        let line = String::from_utf8_lossy(&line).into_owned();
        let key = line.split('\t').next().unwrap_or_default();
        key.to_ascii_lowercase()
    });
    keys.filter(|key| meant(key)).take(most).collect()
}
