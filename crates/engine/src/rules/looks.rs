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
        let rules = states.iter();
        let rules = rules.filter_map(|one| one.wanted.as_ref().or(one.in_force.as_ref()));
        let rules: Vec<&Rule> = rules.collect();
        let known = self.remembered(&rules)?;
        if known.is_empty() {
            return Ok(BTreeMap::new());
        }
        // What cannot be observed now, others tell.
        let Ok(facts) = observe_unadopted(self.host) else {
            return Ok(BTreeMap::new());
        };
        self.own_looks(&facts, &rules, &known)
    }

    /// The same in a picture of the instance.
    pub(super) fn looks_in(
        &self,
        facts: &Facts,
        rules: &[&Rule],
    ) -> Result<BTreeMap<RuleId, Preflight>, EngineError> {
        let known = self.remembered(rules)?;
        self.own_looks(facts, rules, &known)
    }

    /// Of looks at next hops those that a rule for them counts.
    pub(super) fn looks_of_rules(&self, seen: &[Preflight]) -> Result<Vec<Preflight>, EngineError> {
        let destinations: BTreeSet<String> = seen.iter().map(|one| one.nexthop.clone()).collect();
        let states = self.rules_for(&destinations)?;
        let rules = states.iter();
        let rules = rules.filter_map(|one| one.wanted.as_ref().or(one.in_force.as_ref()));
        let rules: Vec<&Rule> = rules.collect();
        if rules.is_empty() {
            return Ok(Vec::new());
        }
        let facts = observe_unadopted(self.host)?;
        let mut of_rules = Vec::new();
        for one in seen {
            let known = BTreeMap::from([(one.nexthop.clone(), one.clone())]);
            if !self.own_looks(&facts, &rules, &known)?.is_empty() {
                of_rules.push(one.clone());
            }
        }
        Ok(of_rules)
    }

    /// By next hop, whichever client saw it.
    fn remembered(&self, rules: &[&Rule]) -> Result<BTreeMap<String, Preflight>, EngineError> {
        let hops: BTreeSet<String> = rules.iter().map(|one| one.id.destination.clone()).collect();
        let hops: Vec<String> = hops.into_iter().collect();
        let known = self.store.preflights(&self.instance, &hops)?.into_iter();
        Ok(known.map(|seen| (seen.nexthop.clone(), seen)).collect())
    }

    fn own_looks(
        &self,
        facts: &Facts,
        rules: &[&Rule],
        known: &BTreeMap<String, Preflight>,
    ) -> Result<BTreeMap<RuleId, Preflight>, EngineError> {
        let looked = rules.iter().copied();
        let looked = looked.filter(|rule| known.contains_key(&rule.id.destination));
        let looked: Vec<&Rule> = looked.collect();
        let state = self.state()?;
        let home = self.home_wished(&state)?;
        let met = met(self.host, facts, home, &looked);
        let mut clients = Clients::new(facts);
        let mut own = BTreeMap::new();
        for (rule, met) in looked.into_iter().zip(&met) {
            let seen = known.get(&rule.id.destination);
            if let Some(seen) = seen.filter(|seen| clients.saw(rule, met, seen)) {
                own.insert(rule.id.clone(), seen.clone());
            }
        }
        Ok(own)
    }
}
