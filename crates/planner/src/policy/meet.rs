//! Rules of several managers for one key.
//!
//! Owns: which row is written for them, and which policy is in force for each: one of theirs, or one
//! that keeps what all demand. Never: drops a demand: where one row cannot say all of them, that is
//! refused (`policy.incomparable`).

use super::{Both, Lookup, Manager, Rule, RuleId, command};
use crate::finding::{Finding, Severity};
use mailtls::policy::{Dialect, Incomparable, Policy, PolicyError};
use std::collections::{BTreeMap, BTreeSet};

/// What a rule says was read by the Postfix it was made for.
const ANY: Dialect = Dialect {
    major: u16::MAX,
    minor: 0,
};

/// Rules that meet at one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// The key; `.example.org` for the names below a domain.
    pub destination: String,
    /// The rules, in the order of their ids.
    pub rules: Vec<Rule>,
    /// What is written for them.
    pub outcome: Outcome,
}

/// What is written for rules that meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The policy of one of them, which keeps what all demand.
    Wins(Box<Rule>),
    /// A policy that is none of theirs, and keeps what all demand.
    Merged(String),
    /// No row can say what all demand; why.
    Incomparable(String),
}

impl Met {
    /// The rules of one key, at least one.
    fn of(destination: &str, rules: &[&Rule]) -> Self {
        Self {
            destination: destination.to_owned(),
            outcome: outcome(rules),
            rules: rules.iter().map(|rule| (*rule).clone()).collect(),
        }
    }

    /// The policy that is in force; `None` where the rules cannot stand together.
    pub fn policy(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Wins(rule) => Some(&rule.policy),
            Outcome::Merged(policy) => Some(policy),
            Outcome::Incomparable(_) => None,
        }
    }

    /// What stops a plan.
    pub fn finding(&self) -> Option<Finding> {
        self.refusal(&BTreeSet::new())
    }

    /// What stops wishes; `new` are rules that are not there yet.
    pub fn refusal(&self, new: &BTreeSet<RuleId>) -> Option<Finding> {
        let Outcome::Incomparable(why) = &self.outcome else {
            return None;
        };
        let rules = self.clashing();
        let all: Vec<String> = rules.iter().map(|rule| told(rule)).collect();
        let shown = shown(&self.destination);
        let (asked, there): (Vec<&Rule>, Vec<&Rule>) =
            rules.iter().partition(|rule| new.contains(&rule.id));
        let places = there.iter().map(|rule| match Manager::of(&rule.id) {
            Some(manager) => manager.place(),
            None => format!(
                "`postseal policy edit '{shown}' …` changes the rule by hand, `postseal policy \
                 remove '{shown}'` takes it away."
            ),
        });
        let places: Vec<String> = places.collect();
        let remedy = match (asked.as_slice(), there.as_slice()) {
            ([asked], [there, ..]) => format!(
                "{} stays in force, and {} is not stored. For another policy change the one that \
                 is there: {}{}",
                there.policy,
                asked.policy,
                places.join(" "),
                agreeing(&shown, asked, &there.policy)
            ),
            _ => format!("Make them agree, or take one away: {}", places.join(" ")),
        };
        let finding = Finding::new(
            "policy.incomparable",
            Severity::Error,
            format!(
                "Rules for {shown} cannot all be kept: {}. {}, and Postfix finds one row for it.",
                all.join(" and "),
                capital(why)
            ),
            remedy,
        );
        Some(rules.iter().fold(finding, |finding, rule| {
            finding.seen(format!("{shown} {}", told(rule)))
        }))
    }

    /// Two rules that cannot both be kept; all, where that is so of more than two only.
    fn clashing(&self) -> Vec<&Rule> {
        let rules: Vec<&Rule> = self.rules.iter().collect();
        for (i, one) in rules.iter().enumerate() {
            let mut others = rules[i + 1..].iter();
            if let Some(other) = others.find(|other| merged(&[one, other]).is_err()) {
                return vec![one, other];
            }
        }
        rules
    }

    /// What became of it, for people; nothing where all rules say the same.
    pub fn sentence(&self) -> Option<String> {
        let shown = shown(&self.destination);
        let others = |winner: Option<&Rule>| {
            let others = self.rules.iter().filter(|rule| Some(*rule) != winner);
            others.map(told).collect::<Vec<_>>().join(" and ")
        };
        match &self.outcome {
            Outcome::Wins(winner) if self.rules.iter().all(|one| one.policy == winner.policy) => {
                None
            }
            Outcome::Wins(winner) => Some(format!(
                "{shown}: {} is stricter than {}, and wins",
                told(winner),
                others(Some(winner))
            )),
            Outcome::Merged(policy) => Some(format!(
                "{shown}: {policy} keeps what {} demand",
                others(None)
            )),
            Outcome::Incomparable(_) => None,
        }
    }

    /// What is in force for the key of one of its rules, where that is not the rule's own policy.
    pub fn instead_of(&self, rule: &Rule) -> Option<String> {
        let managers = |winner: Option<&Rule>| {
            let others = self.rules.iter().filter(|one| match winner {
                Some(winner) => *one == winner,
                None => one.id != rule.id,
            });
            let names: Vec<String> = others.map(manager).collect();
            names.join(" and ")
        };
        match &self.outcome {
            Outcome::Wins(winner) if winner.policy == rule.policy => None,
            Outcome::Wins(winner) => Some(format!(
                "overruled by {}: {}",
                managers(Some(winner)),
                winner.policy
            )),
            Outcome::Merged(policy) => Some(format!("merged with {}: {policy}", managers(None))),
            Outcome::Incomparable(_) => Some(format!("incomparable with {}", managers(None))),
        }
    }
}

/// The rows of the rules for one destination: rules that write just these keys. Rules that meet
/// are told.
pub(super) fn rows(rules: &[Rule]) -> (Vec<Rule>, Vec<Met>) {
    let [first, _, ..] = rules else {
        return (rules.to_vec(), Vec::new());
    };
    let destination = first.id.destination.as_str();
    let all: Vec<&Rule> = rules.iter().collect();
    let whole = Met::of(destination, &all);
    let below: Vec<&Rule> = rules.iter().filter(|one| one.both == Both::Yes).collect();
    let row = |met: &Met, both| {
        let policy = met.policy()?.to_owned();
        let mut row = first.clone();
        row.id.destination.clone_from(&met.destination);
        Some(Rule {
            policy,
            both,
            ..row
        })
    };
    if below.is_empty() {
        return (row(&whole, Both::No).into_iter().collect(), vec![whole]);
    }
    let below = Met::of(&format!(".{destination}"), &below);
    if below.policy() == whole.policy() {
        return (row(&whole, Both::Yes).into_iter().collect(), vec![whole]);
    }
    let rows = row(&below, Both::No)
        .into_iter()
        .chain(row(&whole, Both::No));
    let rows = rows.collect();
    match below.rules.len() {
        1 => (rows, vec![whole]),
        _ => (rows, vec![below, whole]),
    }
}

/// The rules that are written for those of one destination: each for just its keys.
pub fn written(rules: &[Rule]) -> Vec<Rule> {
    rows(rules).0
}

/// Where rules for one destination meet: the keys for which there is more than one.
pub fn meetings(rules: &[Rule]) -> Vec<Met> {
    rows(rules).1
}

/// What a map must answer for rules that change. `before` are those rules as they were; `wanted` are all
/// rules as they will be for the same destinations, in the order of their ids.
pub fn changed_lookups(before: &[Rule], wanted: &[Rule]) -> Vec<Lookup> {
    let there = map_rows(wanted);
    let were: BTreeSet<String> = before.iter().flat_map(Rule::keys).collect();
    let gone = were.into_iter().filter(|key| !there.contains_key(key));
    let gone: Vec<Lookup> = gone.map(|key| Lookup { key, value: None }).collect();
    let there = there.into_iter().map(|(key, value)| Lookup {
        key,
        value: Some(value),
    });
    gone.into_iter().chain(there).collect()
}

/// The rows that are written for rules, in the order of their ids: key → policy.
pub fn map_rows(rules: &[Rule]) -> BTreeMap<String, String> {
    let mut there: BTreeMap<String, String> = BTreeMap::new();
    for group in rules.chunk_by(|one, other| one.id.destination == other.id.destination) {
        for row in rows(group).0 {
            let keys = row.keys().into_iter();
            there.extend(keys.map(|key| (key, row.policy.clone())));
        }
    }
    there
}

/// A rule by hand that stands beside another one.
fn agreeing(shown: &str, asked: &Rule, policy: &str) -> String {
    match asked.id.manager.is_empty() {
        true => format!(
            " A rule by hand that agrees is taken: `{}`.",
            command(shown, None, policy)
        ),
        false => String::new(),
    }
}

fn outcome(rules: &[&Rule]) -> Outcome {
    match merged(rules) {
        Err(why) => Outcome::Incomparable(why),
        Ok(met) => {
            let same = |rule: &&&Rule| own(rule).is_some_and(|own| own == met);
            // Of equals the one that is managed: what manages it relies on it.
            let winner = rules.iter().rev().find(same);
            winner.map_or_else(
                || Outcome::Merged(met.to_string()),
                |rule| Outcome::Wins(Box::new((**rule).clone())),
            )
        }
    }
}

fn own(rule: &Rule) -> Option<Policy> {
    merged(&[rule]).ok()
}

fn merged(rules: &[&Rule]) -> Result<Policy, String> {
    let read = |rule: &&Rule| Policy::parse(&rule.policy, ANY);
    let policies: Result<Vec<Policy>, PolicyError> = rules.iter().map(read).collect();
    let policies = policies.map_err(|error| error.to_string())?;
    Policy::meeting(&policies).map_err(|error: Incomparable| error.to_string())
}

fn manager(rule: &Rule) -> String {
    match Manager::of(&rule.id) {
        Some(manager) => manager.to_string(),
        None => "a rule by hand".to_owned(),
    }
}

fn told(rule: &Rule) -> String {
    match Manager::of(&rule.id) {
        Some(manager) => format!("{} (managed by {manager})", rule.policy),
        None => format!("{} (by hand)", rule.policy),
    }
}

fn shown(destination: &str) -> String {
    let id = super::RuleId {
        destination: destination.to_owned(),
        manager: String::new(),
    };
    id.shown()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
