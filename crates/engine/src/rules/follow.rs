//! Rules for recipients that follow their mail, compiled to rules for the next hops it takes.
//!
//! Owns: wishes about them, and noticing that mail takes another way. Never: a record beside the
//! rules for the next hops, which have the recipients' domain as their manager; or routing.

use super::judged::{followed, is_against, lacking};
use super::servers::Look;
use super::ways::other_ways;
use super::{Forced, Refused, RuleRequest, RulesWished, refuse};
use crate::domains::MOST;
use crate::observe::observe_unadopted;
use crate::{Engine, EngineError};
use postseal_host::Host;
use postseal_planner::facts::Facts;
use postseal_planner::policy::{
    Followed, Manager, Rule, RuleError, RuleId, dialect, route_changed, route_unknown,
};
use postseal_planner::{Finding, Severity};
use postseal_store::{RuleState, RuleWish};
use std::collections::{BTreeMap, BTreeSet};

/// The rules for next hops that a rule for recipients comes to, or what speaks against it.
pub(super) type Made = Result<Vec<Rule>, Vec<Finding>>;

/// A rule for recipients, and its rules for next hops.
#[derive(Clone, Debug)]
struct Following {
    wish: Rule,
    rules: Vec<RuleState>,
}

impl Following {
    /// The next hops that it is made for, as it is wished.
    fn made_for(&self) -> BTreeSet<String> {
        let wanted = self.rules.iter().filter(|state| state.wanted.is_some());
        wanted.map(|state| state.id.destination.clone()).collect()
    }
}

impl Engine<'_> {
    /// Wishes for a rule for recipients that follows their mail. `now` is the one that it takes the
    /// place of.
    ///
    /// # Errors
    /// As [`Engine::add_rules`].
    pub fn follow_rule(
        &mut self,
        wish: Rule,
        now: Option<&RuleId>,
        forced: &Forced,
        look: Look,
    ) -> Result<RulesWished, EngineError> {
        self.state()?;
        let facts = observe_unadopted(self.host)?;
        let mut wish = wish.following();
        let ways = self.ways(&facts, &[&wish]).remove(0);
        let mut report = RulesWished::default();
        let mut firm = self.exists(&wish, now)?;
        firm.extend(ways.against.iter().cloned());
        let mut rules = Vec::new();
        match compiled(&wish, &ways, &facts) {
            Ok(made) => rules = made,
            Err(finding) => firm.push(finding),
        }
        let wishes = self.replacing(&wish.id, now, rules.clone())?;
        let against = self.against(&rules, &wishes, look, &mut report.servers)?;
        let against = against.into_iter().flatten();
        let (against, told): (Vec<Finding>, Vec<Finding>) = against.partition(is_against);
        report.findings.extend(told);
        if let Forced::Because(reason) = forced {
            wish.about.reason = Some(reason.clone());
            for rule in &mut rules {
                rule.about.reason = Some(reason.clone());
            }
        }
        let wishes = self.replacing(&wish.id, now, rules)?;
        firm.extend(self.clashes(&wishes)?.into_values());
        if *forced == Forced::No {
            firm.extend(against);
        } else {
            report.findings.extend(against);
        }
        if firm.is_empty() {
            self.remember_looks(&report.servers, &wishes)?;
        } else {
            report.refused.push(Refused {
                line: None,
                destination: wish.id.shown(),
                findings: firm,
            });
            return Ok(report);
        }
        report.findings.extend(ways.told(&wish));
        report
            .findings
            .extend(other_ways(self.host, &facts, &wish, &ways)?);
        report.met = self.meetings_with(&wishes)?;
        self.store_followed(&wishes, report)
    }

    /// The rule for recipients that follows their mail, as it is wished; `None` where there is none.
    pub fn followed_rule(&self, id: &RuleId) -> Result<Option<Rule>, EngineError> {
        let manager = Manager::Recipient(id.destination.clone());
        let wanted = self.managed_by(&manager)?.into_iter();
        let mut wanted = wanted.filter_map(|state| state.wanted);
        Ok(wanted.find_map(|rule| rule.followed()))
    }

    /// Wishes that followed rules are made for the next hops that their mail takes now.
    pub fn sync_followed(&mut self) -> Result<RulesWished, EngineError> {
        let tables = self.state()?.desired.tables;
        let facts = observe_unadopted(self.host)?;
        let following = self.following()?;
        let wishes: Vec<&Rule> = following.iter().map(|one| &one.wish).collect();
        let ways = self.ways(&facts, &wishes);
        let mut report = RulesWished::default();
        let mut changes = Vec::new();
        for (one, ways) in following.iter().zip(&ways) {
            let made_for = one.made_for();
            let Some(changed) = route_changed(&one.wish, &made_for, ways) else {
                continue;
            };
            // What spoke against the servers that it was for was forced, not what speaks against others.
            let mut wish = one.wish.clone();
            wish.about.reason = None;
            match compiled(&wish, ways, &facts) {
                Ok(rules) if ways.against.is_empty() => {
                    let rules_for: Vec<&Rule> = rules.iter().collect();
                    let lacks = lacking(self.host, &facts, tables.as_ref(), &rules_for);
                    let mut lacks = lacks.into_iter().flatten().peekable();
                    if lacks.peek().is_some() {
                        report.findings.push(changed);
                        report.findings.extend(lacks);
                        continue;
                    }
                    changes.extend(self.replacing(&one.wish.id, None, rules)?);
                    report.findings.extend(ways.told(&one.wish));
                }
                // The wish stays: what it is for may come back.
                _ => report.findings.push(changed),
            }
        }
        refuse(self.clashes(&changes)?.into_values())?;
        self.store_followed(&changes, report)
    }

    /// Followed rules whose mail takes other next hops than they are made for, as things stand.
    pub(super) fn route_changes(&self) -> Result<Vec<Finding>, EngineError> {
        if !self.is_following()? {
            return Ok(Vec::new());
        }
        match observe_unadopted(self.host) {
            Ok(facts) => self.route_changes_in(&facts),
            Err(error) => Ok(vec![route_unknown(&postseal_planner::whole_chain(&error))]),
        }
    }

    /// Whether there is any followed rule.
    pub(super) fn is_following(&self) -> Result<bool, EngineError> {
        Ok(!self.following()?.is_empty())
    }

    /// The same in a picture of the instance.
    pub(super) fn route_changes_in(&self, facts: &Facts) -> Result<Vec<Finding>, EngineError> {
        Ok(self.changed(facts, &self.following()?))
    }

    /// The same of the rules that follow the mail of a domain, or are made for a next hop.
    pub(super) fn route_changes_of(
        &self,
        facts: &Facts,
        destination: &str,
    ) -> Result<Vec<Finding>, EngineError> {
        let mut following = self.following()?;
        following.retain(|one| {
            let mut made = one.rules.iter();
            one.wish.id.destination == destination
                || made.any(|rule| rule.id.destination == destination)
        });
        Ok(self.changed(facts, &following))
    }

    fn changed(&self, facts: &Facts, following: &[Following]) -> Vec<Finding> {
        let wishes: Vec<&Rule> = following.iter().map(|one| &one.wish).collect();
        let ways = self.ways(facts, &wishes);
        let each = following.iter().zip(&ways);
        let changed = each.filter_map(|(one, now)| route_changed(&one.wish, &one.made_for(), now));
        changed.collect()
    }

    /// The ids of rules that a person names: of followed ones those for next hops.
    pub(super) fn meant(&self, ids: &[RuleId]) -> Result<Vec<RuleId>, EngineError> {
        let mut meant = Vec::new();
        for id in ids {
            let manager = Manager::Recipient(id.destination.clone());
            let followed = self.managed_by(&manager)?.into_iter();
            let followed = followed.filter(|state| state.wanted.is_some());
            let followed: Vec<RuleId> = followed.map(|state| state.id).collect();
            match followed.is_empty() {
                true => meant.push(id.clone()),
                false => meant.extend(followed),
            }
        }
        meant.sort();
        meant.dedup();
        Ok(meant)
    }

    fn ways(&self, facts: &Facts, wishes: &[&Rule]) -> Vec<Followed> {
        followed(self.host, facts, wishes)
    }

    /// Rules for recipients, as they are wished.
    fn following(&self) -> Result<Vec<Following>, EngineError> {
        let mut found: BTreeMap<String, Following> = BTreeMap::new();
        for state in self.store.managed_rules(&self.instance, MOST)? {
            let Some(wish) = state.wanted.as_ref().and_then(Rule::followed) else {
                continue;
            };
            let manager = state.id.manager.clone();
            let rules = Vec::new();
            let one = found.entry(manager).or_insert(Following { wish, rules });
            one.rules.push(state);
        }
        Ok(found.into_values().collect())
    }

    fn managed_by(&self, manager: &Manager) -> Result<Vec<RuleState>, EngineError> {
        let manager = manager.to_string();
        let mut managed = self.store.managed_rules(&self.instance, MOST)?;
        managed.retain(|state| state.id.manager == manager);
        Ok(managed)
    }

    /// Whether there is a rule for the same recipients already.
    fn exists(&self, wish: &Rule, now: Option<&RuleId>) -> Result<Vec<Finding>, EngineError> {
        if now == Some(&wish.id) {
            return Ok(Vec::new());
        }
        let by_hand = self
            .store
            .rule_states(&self.instance, std::slice::from_ref(&wish.id))?;
        let by_hand = by_hand.iter().any(|state| state.wanted.is_some());
        let there = by_hand || self.followed_rule(&wish.id)?.is_some();
        Ok(there
            .then(|| super::wished::exists(wish))
            .into_iter()
            .collect())
    }

    /// The rules of `id`, and no others of it or of `now`.
    fn replacing(
        &self,
        id: &RuleId,
        now: Option<&RuleId>,
        rules: Vec<Rule>,
    ) -> Result<Vec<RuleWish>, EngineError> {
        let mut gone = Vec::new();
        for one in std::iter::once(id).chain(now) {
            gone.extend(self.managed_by(&Manager::Recipient(one.destination.clone()))?);
        }
        let stays = |id: &RuleId| rules.iter().any(|rule| rule.id == *id);
        let gone = gone.into_iter().filter(|state| state.wanted.is_some());
        let mut gone: Vec<RuleId> = gone.map(|state| state.id).filter(|id| !stays(id)).collect();
        gone.sort();
        gone.dedup();
        let put = rules.into_iter().map(RuleWish::Put);
        Ok(put.chain(gone.into_iter().map(RuleWish::Remove)).collect())
    }

    fn store_followed(
        &mut self,
        wishes: &[RuleWish],
        mut report: RulesWished,
    ) -> Result<RulesWished, EngineError> {
        for wish in wishes {
            let (id, wanted) = match wish {
                RuleWish::Put(rule) => (&rule.id, Some(rule)),
                RuleWish::Remove(id) => (id, None),
            };
            let states = self
                .store
                .rule_states(&self.instance, std::slice::from_ref(id))?;
            for state in &states {
                report.note(state, wanted);
            }
        }
        self.wish_rules(wishes)?;
        Ok(report)
    }
}

/// The rules for next hops of rules for recipients that are read from a file.
pub(super) fn compiled_requests(
    host: &dyn Host,
    facts: &Facts,
    requests: &[RuleRequest],
) -> BTreeMap<String, Made> {
    let wishes: Vec<&Rule> = requests
        .iter()
        .map(|one| &one.rule)
        .filter(|rule| rule.about.follow.is_some())
        .collect();
    let ways = followed(host, facts, &wishes);
    let each = wishes.into_iter().zip(ways).map(|(wish, ways)| {
        let made = match ways.against.is_empty() {
            true => compiled(wish, &ways, facts).map_err(|finding| vec![finding]),
            false => Err(ways.against),
        };
        (wish.id.destination.clone(), made)
    });
    each.collect()
}

fn compiled(wish: &Rule, ways: &Followed, facts: &Facts) -> Result<Vec<Rule>, Finding> {
    let hops: BTreeSet<String> = ways.hops.keys().cloned().collect();
    let made = wish.compiled(&hops, dialect(facts.version));
    made.map_err(|error| no_next_hop(wish, &error))
}

fn no_next_hop(wish: &Rule, error: &RuleError) -> Finding {
    Finding::new(
        error.code(),
        Severity::Error,
        format!(
            "Mail for {} is sent to a next hop that no rule can be made for: {error}.",
            wish.id.shown()
        ),
        "Name it in brackets where it is an address, in the table or parameter that names it.",
    )
}
