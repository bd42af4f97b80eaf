//! Managed rules held against their servers, and wished.
//!
//! Owns: which of them are stored, and the report of what changes. Never: takes a managed rule for
//! better than one by hand: what its servers bar is refused, unless somebody says why all the same.

use super::{DomainsWished, id_of};
use crate::rules::{Forced, Look, Refused, forcible, is_against, is_news, lacking};
use crate::{Engine, EngineError, RulesWished};
use postseal_planner::Finding;
use postseal_planner::facts::Facts;
use postseal_planner::policy::{Rule, RuleId};
use postseal_store::{RuleState, RuleWish};

impl Engine<'_> {
    /// The rules, with the reason for which they are wished all the same; what is refused is in the
    /// report. Rows that were wished before are not looked at again, and their reason stays.
    pub(super) fn judged_managed(
        &mut self,
        facts: &Facts,
        mut rules: Vec<Rule>,
        (forced, look): (&Forced, Look),
        report: &mut RulesWished,
    ) -> Result<Vec<Rule>, EngineError> {
        let ids: Vec<RuleId> = rules.iter().map(|rule| rule.id.clone()).collect();
        let states = self.store.rule_states(&self.instance, &ids)?;
        let pairs = rules.iter().zip(&states);
        let is_news: Vec<bool> = pairs
            .map(|(rule, state)| is_news(rule, state, forced))
            .collect();
        let news = rules.iter().zip(&is_news).filter(|(_, news)| **news);
        let news: Vec<&Rule> = news.map(|(rule, _)| rule).collect();
        let state = self.state()?;
        let lacks = lacking(self.host, facts, state.desired.tables.as_ref(), &news);
        let put: Vec<RuleWish> = rules.iter().cloned().map(RuleWish::Put).collect();
        let barred = self.barred(facts, &news, &put, look, &mut report.servers)?;
        let mut against = lacks.into_iter().zip(barred);
        for ((rule, state), is_news) in rules.iter_mut().zip(&states).zip(is_news) {
            match is_news {
                true => {
                    let (lacks, barred) = against.next().unwrap_or_default();
                    // What this host lacks for a policy, its servers show, too.
                    let found = if lacks.is_empty() { barred } else { lacks };
                    weigh(rule, state, found, forced, report);
                }
                false => rule.about.reason = reason_of(state),
            }
        }
        let stored = match report.refused.is_empty() {
            true => put,
            false => Vec::new(),
        };
        self.remember_looks(&report.servers, &stored)?;
        Ok(rules)
    }

    /// Stores wishes for managed rules, with the report of what they change.
    pub(super) fn wish_managed(
        &mut self,
        mut rules: RulesWished,
        wishes: &[RuleWish],
    ) -> Result<DomainsWished, EngineError> {
        self.state()?;
        let ids: Vec<RuleId> = wishes.iter().map(|wish| id_of(wish).clone()).collect();
        let states = self.store.rule_states(&self.instance, &ids)?;
        for (state, wish) in states.iter().zip(wishes) {
            let wanted = match wish {
                RuleWish::Put(rule) => Some(rule),
                RuleWish::Remove(_) => None,
            };
            rules.note(state, wanted);
        }
        crate::rules::refuse(self.clashes(wishes)?.into_values())?;
        let each = states.iter().zip(wishes);
        let news = each.filter(|(state, wish)| is_other(state, wish));
        let news: Vec<RuleWish> = news.map(|(_, wish)| wish.clone()).collect();
        rules.met = self.meetings_with(&news)?;
        self.wish_rules(&news)?;
        Ok(DomainsWished {
            rules,
            settings: Vec::new(),
        })
    }
}

/// A rule against which something speaks is refused; one that is forced keeps why. Where many are
/// wished at once, those that stay as they are and are well keep what they had.
fn weigh(
    rule: &mut Rule,
    state: &RuleState,
    found: Vec<Finding>,
    forced: &Forced,
    report: &mut RulesWished,
) {
    let (against, told): (Vec<Finding>, Vec<Finding>) = found.into_iter().partition(is_against);
    report.findings.extend(told);
    let stays = against.is_empty() && !is_news(rule, state, &Forced::No);
    match forced {
        Forced::Because(_) if stays => rule.about.reason = reason_of(state),
        Forced::Because(reason) => {
            rule.about.reason = Some(reason.clone());
            report.findings.extend(against);
        }
        Forced::No if against.is_empty() => {}
        Forced::No => report.refused.push(Refused {
            line: None,
            destination: rule.id.shown(),
            findings: forcible(against, "--force --reason TEXT"),
        }),
    }
}

/// Whether a wish asks for something else than what is wished already.
fn is_other(state: &RuleState, wish: &RuleWish) -> bool {
    match wish {
        RuleWish::Put(rule) => state.wanted.as_ref() != Some(rule),
        RuleWish::Remove(_) => state.wanted.is_some(),
    }
}

fn reason_of(state: &RuleState) -> Option<String> {
    state.wanted.as_ref()?.about.reason.clone()
}
