//! What speaks against rules that are wished.
//!
//! Owns: which of them are judged at all, and asking the ways of the mail and the servers. Never:
//! decides what becomes of a rule (`wished` does).

use super::judged::{Against, against as found_against, is_against};
use super::servers::Look;
use super::ways::ways_of_parts;
use super::weaker::weakened;
use super::{Added, Forced};
use crate::observe::observe_unadopted;
use crate::{Engine, EngineError};
use postseal_planner::facts::Facts;
use postseal_planner::policy::{Home, Rule, RuleId, fallback_ids};
use postseal_planner::{Finding, Preflight};
use postseal_store::{RuleState, RuleWish};

impl Engine<'_> {
    /// What speaks against each rule whose rows are others than those that are wished already: a new
    /// note is no reason to judge a rule again. Who forces one wants to know what speaks against it.
    /// What is there already and is to be added is refused without a look.
    pub(super) fn against_news(
        &mut self,
        rules: &[Rule],
        states: &[RuleState],
        added: Added,
        forced: &Forced,
        look: Look,
        servers: &mut Vec<Preflight>,
    ) -> Result<Vec<Vec<Finding>>, EngineError> {
        let is_news: Vec<bool> = rules
            .iter()
            .zip(states)
            .map(|(rule, state)| {
                let there = added == Added::New && state.wanted.is_some();
                !there && is_news(rule, state, forced)
            })
            .collect();
        let news = rules.iter().zip(&is_news).filter(|(_, is_news)| **is_news);
        let news: Vec<Rule> = news.map(|(rule, _)| rule.clone()).collect();
        let mut against = match news.is_empty() {
            true => Vec::new(),
            false => self.against(&news, &put(rules), look, servers)?,
        }
        .into_iter();
        let found = is_news.iter().map(|is_news| match is_news {
            true => against.next().unwrap_or_default(),
            false => Vec::new(),
        });
        Ok(found.collect())
    }

    /// What the ways of the mail and the servers say against each rule, with `wishes` come true. Servers are looked at where
    /// the mail does come to them.
    pub(super) fn against(
        &mut self,
        rules: &[Rule],
        wishes: &[RuleWish],
        look: Look,
        servers: &mut Vec<Preflight>,
    ) -> Result<Vec<Vec<Finding>>, EngineError> {
        let facts = observe_unadopted(self.host)?;
        let all: Vec<&Rule> = rules.iter().collect();
        let state = self.state()?;
        let tables = state.desired.tables.as_ref();
        // What is wished for fallback relays closes them, too.
        let beside = self.wished_for_fallbacks(&facts)?;
        let with: Vec<&Rule> = all.iter().copied().chain(&beside).collect();
        let mut found = found_against(self.host, &facts, Home::Rules(tables), &with);
        found.truncate(all.len());
        let weakened = weakened(self.host, &facts, tables, &all);
        let mut against: Vec<Vec<Finding>> = Vec::with_capacity(found.len());
        for ((rule, mut found), weakened) in all.iter().zip(found).zip(weakened) {
            let kept = self.kept_already(rule, &mut found)?;
            found.faults.extend(weakened);
            let found = found.findings(&facts, rule);
            against.push(kept.into_iter().chain(found).collect());
        }
        ways_of_parts(self.host, &facts, &all, &mut against)?;
        let good = all.into_iter().zip(&mut against);
        let mut good: Vec<_> = good
            .filter(|(_, found)| !found.iter().any(is_against))
            .collect();
        let met: Vec<&Rule> = good.iter().map(|(rule, _)| *rule).collect();
        let barred = self.barred(&facts, &met, wishes, look, servers)?;
        for ((_, found), barred) in good.iter_mut().zip(barred) {
            found.extend(barred);
        }
        Ok(against)
    }

    /// The rules by hand that are wished for fallback relays.
    pub(super) fn wished_for_fallbacks(&self, facts: &Facts) -> Result<Vec<Rule>, EngineError> {
        let ids: Vec<RuleId> = fallback_ids(facts).into_iter().collect();
        let states = self.store.rule_states(&self.instance, &ids)?;
        Ok(states.into_iter().filter_map(|one| one.wanted).collect())
    }

    /// Takes out what a rule would not meet because its mail leaves by next hops that have rules
    /// already: to offer these would be to offer what is there.
    fn kept_already(&self, rule: &Rule, found: &mut Against) -> Result<Vec<Finding>, EngineError> {
        let mut told = Vec::new();
        let mut rest = Vec::new();
        for useless in std::mem::take(&mut found.useless) {
            let ids = useless.other_hops().into_iter().map(|destination| RuleId {
                destination,
                manager: String::new(),
            });
            let ids: Vec<RuleId> = ids.collect();
            let states = self.store.rule_states(&self.instance, &ids)?;
            let there: Vec<Rule> = states.into_iter().filter_map(|one| one.wanted).collect();
            match !there.is_empty() && there.len() == ids.len() {
                true => told.push(useless.kept_by(rule, &there)),
                false => rest.push(useless),
            }
        }
        found.useless = rest;
        Ok(told)
    }
}

/// Wishes for all of them.
pub(super) fn put(rules: &[Rule]) -> Vec<RuleWish> {
    rules.iter().cloned().map(RuleWish::Put).collect()
}

/// Whether a wish is to be judged.
pub(crate) fn is_news(rule: &Rule, state: &RuleState, forced: &Forced) -> bool {
    let stays = |now: &Rule| now.writes_as(rule) && now.about.entry == rule.about.entry;
    *forced != Forced::No || !state.wanted.as_ref().is_some_and(stays)
}
