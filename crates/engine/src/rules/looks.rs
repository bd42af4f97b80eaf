//! Looks at servers that are remembered.
//!
//! Owns: which of them count for a rule: those of the clients that its mail goes by. Never: looks, or
//! judges how old one may be.
//!
//! Two rules may be for one next hop, and their mail go by clients that differ: what one of them saw
//! says nothing of the other.

use super::by_client::Clients;
use super::judged::met;
use crate::observe::observe_unadopted;
use crate::{Engine, EngineError};
use postseal_planner::Preflight;
use postseal_planner::facts::Facts;
use postseal_planner::policy::{Rule, RuleId};
use postseal_store::RuleState;
use std::collections::{BTreeMap, BTreeSet};

impl Engine<'_> {
    /// The newest looks at the servers of rules, by the clients of each; those that were never looked at
    /// are left out.
    ///
    /// # Errors
    /// [`EngineError::NotAdopted`], and what the host or the store fails with.
    pub fn looks(&self, states: &[RuleState]) -> Result<BTreeMap<RuleId, Preflight>, EngineError> {
        let rules = rules_of(states);
        let known = self.remembered(&rules)?;
        if known.is_empty() {
            return Ok(BTreeMap::new());
        }
        // What cannot be observed now, others tell.
        let Ok(facts) = observe_unadopted(self.host) else {
            return Ok(BTreeMap::new());
        };
        let own = self.counted(&facts, &rules, &known)?;
        Ok(by_rule(own))
    }

    /// The same in a picture of the instance.
    pub(super) fn looks_in(
        &self,
        facts: &Facts,
        rules: &[&Rule],
    ) -> Result<BTreeMap<RuleId, Preflight>, EngineError> {
        let known = self.remembered(rules)?;
        let own = self.counted(facts, rules, &known)?;
        Ok(by_rule(own))
    }

    /// Of looks at next hops those that a rule for them counts.
    pub(super) fn looks_of_rules(&self, seen: &[Preflight]) -> Result<Vec<Preflight>, EngineError> {
        let destinations: BTreeSet<String> = seen.iter().map(|one| one.nexthop.clone()).collect();
        let states = self.rules_for(&destinations)?;
        let rules = rules_of(&states);
        if rules.is_empty() {
            return Ok(Vec::new());
        }
        let facts = observe_unadopted(self.host)?;
        let own = self.counted(&facts, &rules, seen)?;
        let counts = |one: &&Preflight| own.iter().any(|(_, seen)| std::ptr::eq(*seen, *one));
        Ok(seen.iter().filter(counts).cloned().collect())
    }

    /// Of each next hop the newest, whichever client saw it.
    fn remembered(&self, rules: &[&Rule]) -> Result<Vec<Preflight>, EngineError> {
        let hops: BTreeSet<String> = rules.iter().map(|one| one.id.destination.clone()).collect();
        let hops: Vec<String> = hops.into_iter().collect();
        Ok(self.store.preflights(&self.instance, &hops)?)
    }

    /// Each rule with the looks at its next hop that are those of its clients.
    fn counted<'r, 's>(
        &self,
        facts: &Facts,
        rules: &[&'r Rule],
        seen: &'s [Preflight],
    ) -> Result<Vec<(&'r Rule, &'s Preflight)>, EngineError> {
        let mut by_hop: BTreeMap<&str, Vec<&'s Preflight>> = BTreeMap::new();
        for one in seen {
            by_hop.entry(&one.nexthop).or_default().push(one);
        }
        let looked = rules.iter().copied();
        let looked = looked.filter(|rule| by_hop.contains_key(&*rule.id.destination));
        let looked: Vec<&Rule> = looked.collect();
        let state = self.state()?;
        let home = self.home_wished(&state)?;
        let met = met(self.host, facts, home, &looked);
        let mut clients = Clients::new(facts);
        let mut own = Vec::new();
        for (rule, met) in looked.into_iter().zip(&met) {
            let seen = by_hop.get(&*rule.id.destination).into_iter().flatten();
            let counts = seen.copied().filter(|seen| clients.saw(rule, met, seen));
            own.extend(counts.map(|seen| (rule, seen)));
        }
        Ok(own)
    }
}

/// As wished, else as in force.
fn rules_of(states: &[RuleState]) -> Vec<&Rule> {
    let rules = states.iter();
    let rules = rules.filter_map(|one| one.wanted.as_ref().or(one.in_force.as_ref()));
    rules.collect()
}

fn by_rule(own: Vec<(&Rule, &Preflight)>) -> BTreeMap<RuleId, Preflight> {
    let own = own.into_iter();
    own.map(|(rule, seen)| (rule.id.clone(), seen.clone()))
        .collect()
}
