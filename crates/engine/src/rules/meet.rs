//! Rules of several managers for one destination, brought together.
//!
//! Owns: reading all rules of a destination, and refusing wishes that cannot be kept beside each
//! other. Never: decides what holds where they meet (the planner does).

use super::RuleChanges;
use super::wished::covered;
use crate::domains::MOST;
use crate::{Engine, EngineError};
use postseal_planner::policy::{
    Both, Lookup, Met, Rule, RuleId, changed_lookups, map_rows, meetings,
};
use postseal_planner::{Finding, Refusal};
use postseal_store::{RuleState, RuleView, RuleWish};
use std::collections::{BTreeMap, BTreeSet};

impl Engine<'_> {
    /// What is in force where rules of several managers meet, for each of these destinations, as
    /// things stand.
    pub fn rules_met(&self, destinations: &BTreeSet<String>) -> Result<Vec<Met>, EngineError> {
        let states = self.rules_for(&self.shared(destinations)?)?;
        Ok(met(states.into_iter().filter_map(|state| state.in_force)))
    }

    /// The same, as it is wished.
    pub fn rules_meeting(&self, destinations: &BTreeSet<String>) -> Result<Vec<Met>, EngineError> {
        let states = self.rules_for(&self.shared(destinations)?)?;
        Ok(met(states.into_iter().filter_map(|state| state.wanted)))
    }

    /// Those for which there are managed rules: at others nothing meets.
    fn shared(&self, destinations: &BTreeSet<String>) -> Result<BTreeSet<String>, EngineError> {
        let managed = self.store.managed_rules(&self.instance, MOST)?.into_iter();
        let managed = managed.map(|state| state.id.destination);
        Ok(managed.filter(|one| destinations.contains(one)).collect())
    }

    /// What each wish would make that cannot be kept beside the rules of others.
    pub(crate) fn clashes(
        &self,
        wishes: &[RuleWish],
    ) -> Result<BTreeMap<String, Finding>, EngineError> {
        let put = wishes.iter().filter_map(|wish| match wish {
            RuleWish::Put(rule) => Some(beside(&rule.id)),
            RuleWish::Remove(_) => None,
        });
        let states = self.rules_for(&put.flatten().collect())?.into_iter();
        let mut rules: BTreeMap<RuleId, Rule> = states
            .filter_map(|state| Some((state.id, state.wanted?)))
            .collect();
        let mut new = BTreeSet::new();
        for wish in wishes {
            match wish {
                RuleWish::Put(rule) if !rules.contains_key(&rule.id) => {
                    new.insert(rule.id.clone());
                    rules.insert(rule.id.clone(), rule.clone())
                }
                RuleWish::Put(rule) => rules.insert(rule.id.clone(), rule.clone()),
                RuleWish::Remove(id) => rules.remove(id),
            };
        }
        let covered = covered_by_others(&rules);
        let clashes = met(rules.into_values()).into_iter().filter_map(|met| {
            let destination = &met.rules.first()?.id.destination;
            Some((destination.clone(), met.refusal(&new)?))
        });
        Ok(covered.into_iter().chain(clashes).collect())
    }

    /// What the map must answer for the rules that change.
    pub(super) fn changed_answers(
        &self,
        changes: &RuleChanges,
    ) -> Result<Vec<Lookup>, EngineError> {
        let truncated = changes.count > changes.shown.len() as u64;
        // What others change beside these is not known then.
        if truncated && changes.view != RuleView::Wanted {
            return Ok(Vec::new());
        }
        let Sides { after, .. } = self.sides(changes)?;
        let before = changes.shown.iter().filter_map(|one| one.in_force.clone());
        let before: Vec<Rule> = before.collect();
        Ok(changed_lookups(&before, &after))
    }

    /// The rows of the map that the first rules change, in their order.
    pub(super) fn changed_rows(
        &self,
        changes: &RuleChanges,
    ) -> Result<Vec<RowChange>, EngineError> {
        let Sides { before, after } = self.sides(changes)?;
        let (before, after) = (map_rows(&before), map_rows(&after));
        let mut seen = BTreeSet::new();
        let rules = changes.shown.iter();
        let rules = rules.flat_map(|state| state.in_force.iter().chain(&state.wanted));
        let keys = rules
            .flat_map(Rule::keys)
            .filter(|key| seen.insert(key.clone()));
        let rows = keys.map(|key| RowChange {
            before: before.get(&key).cloned(),
            after: after.get(&key).cloned(),
            key,
        });
        Ok(rows.filter(|row| row.before != row.after).collect())
    }

    /// All rules for the destinations of those that change first, before and after.
    fn sides(&self, changes: &RuleChanges) -> Result<Sides, EngineError> {
        let destinations = changes.shown.iter().flat_map(|state| beside(&state.id));
        let mut before: BTreeMap<RuleId, Rule> = BTreeMap::new();
        let mut after: BTreeMap<RuleId, Rule> = BTreeMap::new();
        for state in self.rules_for(&destinations.collect())? {
            let later = match changes.view {
                RuleView::Wanted => state.wanted,
                _ => state.in_force.clone(),
            };
            put(&mut before, &state.id, state.in_force);
            put(&mut after, &state.id, later);
        }
        for state in &changes.shown {
            put(&mut before, &state.id, state.in_force.clone());
            put(&mut after, &state.id, state.wanted.clone());
        }
        Ok(Sides {
            before: before.into_values().collect(),
            after: after.into_values().collect(),
        })
    }

    /// All rules for these destinations, whoever manages them, in the order of their ids.
    pub(crate) fn rules_for(
        &self,
        destinations: &BTreeSet<String>,
    ) -> Result<Vec<RuleState>, EngineError> {
        let by_hand = destinations.iter().map(|destination| RuleId {
            destination: destination.clone(),
            manager: String::new(),
        });
        let ids: Vec<RuleId> = by_hand.collect();
        let mut states = self.store.rule_states(&self.instance, &ids)?;
        let managed = self.store.managed_rules(&self.instance, MOST)?.into_iter();
        states.extend(managed.filter(|state| destinations.contains(&state.id.destination)));
        states.retain(|state| state.in_force.is_some() || state.wanted.is_some());
        states.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(states)
    }
}

/// A row of the map that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange {
    /// What Postfix looks up.
    pub key: String,
    /// The policy; `None` where there is no row.
    pub before: Option<String>,
    /// The policy as it will be.
    pub after: Option<String>,
}

/// Rules in the order of their ids.
struct Sides {
    before: Vec<Rule>,
    after: Vec<Rule>,
}

fn put(rules: &mut BTreeMap<RuleId, Rule>, id: &RuleId, rule: Option<Rule>) {
    match rule {
        Some(rule) => rules.insert(id.clone(), rule),
        None => rules.remove(id),
    };
}

/// Stops where rules cannot be kept beside each other.
pub(crate) fn refuse(clashes: impl IntoIterator<Item = Finding>) -> Result<(), EngineError> {
    let findings: Vec<Finding> = clashes.into_iter().collect();
    match findings.is_empty() {
        true => Ok(()),
        false => Err(EngineError::Refused(Refusal { findings })),
    }
}

/// Rules for a domain and all below it, beside one of another manager for what is below it.
fn covered_by_others(rules: &BTreeMap<RuleId, Rule>) -> BTreeMap<String, Finding> {
    let both = rules.values().filter(|rule| rule.both == Both::Yes);
    let mut found = BTreeMap::new();
    for rule in both {
        let below = format!(".{}", rule.id.destination);
        let others = rules.keys().filter(|id| id.destination == below);
        for other in others.filter(|id| id.manager != rule.id.manager) {
            let finding = covered(rule, other);
            found.insert(below.clone(), finding.clone());
            found.insert(rule.id.destination.clone(), finding);
        }
    }
    found
}

/// Where rules, in the order of their ids, meet.
pub(super) fn met(rules: impl Iterator<Item = Rule>) -> Vec<Met> {
    let rules: Vec<Rule> = rules.collect();
    let groups = rules.chunk_by(|one, other| one.id.destination == other.id.destination);
    groups.flat_map(meetings).collect()
}

/// The destinations whose rules may write a key of this one.
pub(super) fn beside(id: &RuleId) -> [String; 2] {
    let other = match id.destination.strip_prefix('.') {
        Some(domain) => domain.to_owned(),
        None => format!(".{}", id.destination),
    };
    [id.destination.clone(), other]
}
