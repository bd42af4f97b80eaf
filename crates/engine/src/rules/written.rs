//! Rules as they will stand in the map.
//!
//! Owns: the policy of the row that is written for each, where others for the same next hop stand
//! beside it. Never: decides what holds where rules meet (the planner does).
//!
//! Postfix finds one row for a next hop. What is held against its servers is that row, not one of the
//! rules that it keeps.

use super::meet::met;
use crate::{Engine, EngineError};
use postseal_planner::policy::{Met, Rule, RuleId, meetings};
use postseal_planner::{Finding, Severity};
use postseal_store::{RuleState, RuleWish};
use std::collections::{BTreeMap, BTreeSet};

/// A rule as it will be written.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// With the policy of its row; its own, where no row can keep it beside others.
    pub(super) rule: Rule,
    stands: Stands,
}

/// Whether its row is there without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    /// Others demand all of it.
    Already,
    /// It is its doing.
    With,
}

/// Which rules stand, whatever becomes of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// Those that are wished.
    Wished,
    /// Those that are in force and stay, or were wished for a reason.
    Settled,
}

impl Others {
    fn of(self, state: RuleState) -> Option<Rule> {
        let is_settled = |rule: &Rule| {
            rule.about.reason.is_some()
                || state
                    .in_force
                    .as_ref()
                    .is_some_and(|now| now.writes_as(rule))
        };
        let wanted = state.wanted.as_ref()?;
        (self == Self::Wished || is_settled(wanted)).then(|| wanted.clone())
    }
}

impl Written {
    /// What speaks against the row: where it stands without the rule, that is told, and is no reason
    /// to refuse the rule.
    pub(super) fn weighed(&self, mut finding: Finding) -> Finding {
        if self.stands == Stands::Already && finding.severity >= Severity::Error {
            finding.severity = Severity::Warning;
            let text = format!(
                "{} {} is demanded there already, whatever becomes of this rule",
                self.rule.id.shown(),
                self.rule.policy
            );
            finding = finding.seen(text);
        }
        finding
    }
}

impl Engine<'_> {
    /// Rules as they will be written, with `wishes` come true.
    pub(super) fn written(
        &self,
        rules: &[&Rule],
        wishes: &[RuleWish],
        others: Others,
    ) -> Result<Vec<Written>, EngineError> {
        let destinations = rules.iter().map(|rule| rule.id.destination.clone());
        let destinations: BTreeSet<String> = destinations.collect();
        let states = self.rules_for(&destinations)?;
        let wanted = states.iter().filter_map(|state| state.wanted.clone());
        let wanted = with_wishes(wanted, wishes);
        let settled = states.into_iter().filter_map(|state| others.of(state));
        let settled = by_id(settled);
        let row = |rule: &&Rule| {
            let destination = rule.id.destination.as_str();
            let policy = policy_of(&wanted, destination, None);
            let is_row = |one: &Rule| Some(&one.policy) == policy.as_ref();
            let is_others = |one: &Rule| one.id.destination == destination && is_row(one);
            let is_anothers = !is_row(rule) && wanted.values().any(is_others);
            let stands = policy_of(&settled, destination, Some(&rule.id));
            Written {
                stands: match is_anothers || (policy.is_some() && policy == stands) {
                    true => Stands::Already,
                    false => Stands::With,
                },
                rule: Rule {
                    policy: policy.unwrap_or_else(|| rule.policy.clone()),
                    ..(**rule).clone()
                },
            }
        };
        Ok(rules.iter().map(row).collect())
    }

    /// The rows of destinations, with `wishes` come true: destination → policy.
    pub(super) fn rows_with(
        &self,
        destinations: &BTreeSet<String>,
        wishes: &[RuleWish],
    ) -> Result<BTreeMap<String, String>, EngineError> {
        let states = self.rules_for(destinations)?.into_iter();
        let wanted = with_wishes(states.filter_map(|state| state.wanted), wishes);
        let each = destinations.iter().filter_map(|one| {
            let policy = policy_of(&wanted, one, None)?;
            Some((one.clone(), policy))
        });
        Ok(each.collect())
    }

    /// Where wished rules meet others.
    pub(crate) fn meetings_with(&self, wishes: &[RuleWish]) -> Result<Vec<Met>, EngineError> {
        let put = wishes.iter().filter_map(|wish| match wish {
            RuleWish::Put(rule) => Some(rule.id.destination.clone()),
            RuleWish::Remove(_) => None,
        });
        let put: BTreeSet<String> = put.collect();
        let states = self.rules_for(&put)?.into_iter();
        let wanted = with_wishes(states.filter_map(|state| state.wanted), wishes);
        let wanted = wanted.into_values();
        Ok(met(wanted.filter(|rule| put.contains(&rule.id.destination))))
    }
}

fn by_id(rules: impl Iterator<Item = Rule>) -> BTreeMap<RuleId, Rule> {
    rules.map(|rule| (rule.id.clone(), rule)).collect()
}

/// Rules as they are when wishes have come true.
fn with_wishes(rules: impl Iterator<Item = Rule>, wishes: &[RuleWish]) -> BTreeMap<RuleId, Rule> {
    let mut rules = by_id(rules);
    for wish in wishes {
        match wish {
            RuleWish::Put(rule) => rules.insert(rule.id.clone(), rule.clone()),
            RuleWish::Remove(id) => rules.remove(id),
        };
    }
    rules
}

/// The policy of a destination's row, without one of its rules; `None` where there is no rule, or where
/// they cannot stand together.
fn policy_of(
    rules: &BTreeMap<RuleId, Rule>,
    destination: &str,
    without: Option<&RuleId>,
) -> Option<String> {
    let first = RuleId {
        destination: destination.to_owned(),
        manager: String::new(),
    };
    let from = rules.range(first..).map(|(_, rule)| rule);
    let here = from.take_while(|rule| rule.id.destination == destination);
    let here = here.filter(|rule| Some(&rule.id) != without);
    let here: Vec<Rule> = here.cloned().collect();
    match here.as_slice() {
        [] => None,
        [one] => Some(one.policy.clone()),
        _ => {
            let mut all = meetings(&here).into_iter();
            let met = all.find(|met| met.destination == destination)?;
            met.policy().map(str::to_owned)
        }
    }
}
