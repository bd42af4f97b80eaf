//! What speaks against rules that are wished.
//!
//! Owns: which of them are judged at all, and asking the ways of the mail and the servers. Never:
//! decides what becomes of a rule (`wished` does).

use super::judged::judged;
use super::servers::{Look, barring};
use crate::observe::observe_unadopted;
use crate::{Engine, EngineError};
use postseal_planner::policy::Rule;
use postseal_planner::{Finding, Preflight};
use postseal_store::RuleState;

impl Engine<'_> {
    /// What speaks against each rule whose rows are others than those that are wished already: a new
    /// note is no reason to judge a rule again.
    pub(super) fn against_news(
        &mut self,
        rules: &[Rule],
        states: &[RuleState],
        look: Look,
        servers: &mut Vec<Preflight>,
    ) -> Result<Vec<Vec<Finding>>, EngineError> {
        let is_news: Vec<bool> = rules
            .iter()
            .zip(states)
            .map(|(rule, state)| !state.wanted.as_ref().is_some_and(|now| now.writes_as(rule)))
            .collect();
        let news = rules.iter().zip(&is_news).filter(|(_, is_news)| **is_news);
        let news: Vec<Rule> = news.map(|(rule, _)| rule.clone()).collect();
        let mut against = match news.is_empty() {
            true => Vec::new(),
            false => self.against(&news, look, servers)?,
        }
        .into_iter();
        let found = is_news.iter().map(|is_news| match is_news {
            true => against.next().unwrap_or_default(),
            false => Vec::new(),
        });
        Ok(found.collect())
    }

    /// What the ways of the mail and the servers say against each rule. Servers are looked at where
    /// the mail does come to them.
    pub(super) fn against(
        &mut self,
        rules: &[Rule],
        look: Look,
        servers: &mut Vec<Preflight>,
    ) -> Result<Vec<Vec<Finding>>, EngineError> {
        let facts = observe_unadopted(self.host)?;
        let all: Vec<&Rule> = rules.iter().collect();
        let state = self.state()?;
        let mut against = judged(self.host, &facts, state.desired.tables.as_ref(), &all);
        let Look::Servers(options) = look else {
            return Ok(against);
        };
        let good = all.into_iter().zip(&mut against);
        let mut good: Vec<_> = good.filter(|(_, found)| found.is_empty()).collect();
        let met: Vec<&Rule> = good.iter().map(|(rule, _)| *rule).collect();
        let seen = self.servers_of(&facts, &met, options, &|_| {})?;
        for ((_, found), seen) in good.iter_mut().zip(seen) {
            found.extend(seen.iter().flat_map(barring));
            servers.extend(seen);
        }
        self.store.put_preflights(&self.instance, servers)?;
        Ok(against)
    }
}
