//! Wishes about rules: judged, then stored.
//!
//! Owns: which wishes about rules are stored, and the report of what came of many.
//! Never: changes Postfix; `apply` does.

use super::RuleRequest;
use super::against::put;
use super::judged::is_against;
use super::servers::Look;
use crate::domains::MOST;
use crate::{Engine, EngineError};
use postseal_planner::policy::{Manager, Met, Rule, RuleId, covered_by};
use postseal_planner::{Finding, Preflight, Refusal, Severity};
use postseal_store::{RuleState, RuleWish};
use std::collections::BTreeSet;

/// So many changes are told one by one.
const SHOWN: usize = 200;

/// Which rules may be there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// None of them.
    New,
    /// Some or all; those are changed.
    Any,
}

/// What becomes of a rule that something speaks against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forced {
    /// It is refused, and all others with it.
    No,
    /// It is stored all the same; why. That is kept even where nothing speaks against it yet: what
    /// was not looked at, or not told, may do so tomorrow.
    Because(String),
}

/// What came of wishes about rules.
#[derive(Clone, Debug, Default)]
pub struct RulesWished {
    /// How many were not there.
    pub added: u64,
    /// How many were, and are different now.
    pub changed: u64,
    /// How many were as they are wished.
    pub same: u64,
    /// How many are to be gone.
    pub removed: u64,
    /// Which were refused.
    pub refused: Vec<Refused>,
    /// What speaks against rules that were stored all the same.
    pub findings: Vec<Finding>,
    /// The first changes, before and after.
    pub shown: Vec<RuleState>,
    /// What the servers showed.
    pub servers: Vec<Preflight>,
    /// Where they meet the rules of others.
    pub met: Vec<Met>,
}

/// How requests are judged.
#[derive(Clone, Copy)]
struct How<'a> {
    added: Added,
    forced: &'a Forced,
    look: Look,
}

/// A rule that was refused.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Where it was read.
    pub line: Option<usize>,
    /// What it is for, as it was given.
    pub destination: String,
    /// Why.
    pub findings: Vec<Finding>,
}

impl Engine<'_> {
    /// Wishes for rules. Refused ones are in the report; what is stored is stored in one
    /// transaction.
    ///
    /// # Errors
    /// [`EngineError::NotAdopted`], and what the host or the store fails with.
    pub fn add_rules(
        &mut self,
        requests: Vec<RuleRequest>,
        added: Added,
        forced: &Forced,
        look: Look,
    ) -> Result<RulesWished, EngineError> {
        let how = How {
            added,
            forced,
            look,
        };
        let (report, wishes) = self.judged_requests(requests, how, None)?;
        if report.refused.is_empty() {
            self.wish_rules(&wishes)?;
        }
        Ok(report)
    }

    /// Wishes that a rule were for another destination.
    ///
    /// # Errors
    /// As [`Engine::add_rules`].
    pub fn move_rule(
        &mut self,
        now: &RuleId,
        rule: Rule,
        forced: &Forced,
        look: Look,
    ) -> Result<RulesWished, EngineError> {
        let added = Added::New;
        let how = How {
            added,
            forced,
            look,
        };
        let request = vec![RuleRequest::from(rule)];
        let (mut report, mut wishes) = self.judged_requests(request, how, Some(now))?;
        if report.refused.is_empty() {
            for state in self
                .store
                .rule_states(&self.instance, std::slice::from_ref(now))?
            {
                report.note(&state, None);
            }
            wishes.push(RuleWish::Remove(now.clone()));
            self.wish_rules(&wishes)?;
        }
        Ok(report)
    }

    /// What speaks against each request, and the wishes that remain. `leaving` is a rule that goes
    /// with them.
    fn judged_requests(
        &mut self,
        requests: Vec<RuleRequest>,
        how: How<'_>,
        leaving: Option<&RuleId>,
    ) -> Result<(RulesWished, Vec<RuleWish>), EngineError> {
        let How {
            added,
            forced,
            look,
        } = how;
        self.state()?;
        let rules: Vec<Rule> = requests.iter().map(|one| one.rule.clone()).collect();
        let mut report = RulesWished::default();
        let states = self.states_of(&rules)?;
        let against =
            self.against_news(&rules, &states, added, forced, look, &mut report.servers)?;
        let covering = self.covering(&rules, leaving)?;
        let clashes = self.clashes(&put(&rules))?;
        let mut wishes = Vec::new();
        for (i, (mut request, findings)) in requests.into_iter().zip(against).enumerate() {
            let (findings, told): (Vec<Finding>, _) = findings.into_iter().partition(is_against);
            let mut firm = Vec::new();
            let there = states[i].wanted.is_some() && added == Added::New;
            if there || self.followed_rule(&request.rule.id)?.is_some() {
                firm.push(exists(&request.rule));
            }
            firm.extend(covering[i].clone());
            firm.extend(clashes.get(&request.rule.id.destination).cloned());
            let against = match forced {
                Forced::Because(reason) if firm.is_empty() => {
                    request.rule.about.reason = Some(reason.clone());
                    report.findings.extend(findings);
                    Vec::new()
                }
                _ => firm.into_iter().chain(findings).collect(),
            };
            if against.is_empty() {
                report.findings.extend(told);
                let due = self.due_at_once(&request.rule, &states[i]);
                report.findings.extend(due);
                report.note(&states[i], Some(&request.rule));
                if states[i].wanted.as_ref() != Some(&request.rule) {
                    wishes.push(RuleWish::Put(request.rule));
                }
            } else {
                report.refused.push(Refused {
                    line: request.line,
                    destination: request.rule.id.shown(),
                    findings: against,
                });
            }
        }
        self.remember_looks(&report.servers, &wishes)?;
        report.met = self.meetings_with(&wishes)?;
        Ok((report, wishes))
    }

    /// Remembers what servers showed for the rows that stand, or will with `wishes` come true. What a
    /// refused wish would come to says nothing of those.
    pub(crate) fn remember_looks(
        &mut self,
        servers: &[Preflight],
        wishes: &[RuleWish],
    ) -> Result<(), EngineError> {
        let hops = servers.iter().map(|seen| seen.nexthop.clone());
        let rows = self.rows_with(&hops.collect(), wishes)?;
        let stands = |seen: &&Preflight| {
            let row = rows.get(&seen.nexthop);
            row.is_none_or(|policy| *policy == seen.policy)
        };
        let seen: Vec<Preflight> = servers.iter().filter(stands).cloned().collect();
        Ok(self.store.put_preflights(&self.instance, &seen)?)
    }

    /// Wishes that rules were gone: all of them, or none where one is unknown.
    pub fn remove_rules(&mut self, ids: &[RuleId]) -> Result<RulesWished, EngineError> {
        self.state()?;
        let ids = &self.meant(ids)?;
        let states = self.store.rule_states(&self.instance, ids)?;
        let mut report = RulesWished::default();
        for state in &states {
            if state.wanted.is_none() {
                return Err(self.unknown_rule(&state.id)?);
            }
            report.note(state, None);
        }
        let wishes: Vec<RuleWish> = ids.iter().cloned().map(RuleWish::Remove).collect();
        self.wish_rules(&wishes)?;
        Ok(report)
    }

    /// What an operation changed of the rules, before and after, at most `limit` of them.
    pub fn rule_changes(
        &self,
        operation: u64,
        limit: usize,
    ) -> Result<Vec<RuleState>, EngineError> {
        Ok(self.store.rule_changes(operation, limit)?)
    }

    /// A rule as it is wished.
    pub fn wanted_rule(&self, id: &RuleId) -> Result<Rule, EngineError> {
        match self.rule_by_hand(id)? {
            Some(rule) => Ok(rule),
            None => Err(self.unknown_rule(id)?),
        }
    }

    /// The same; `None` where there is none, or it is to be removed.
    pub fn rule_by_hand(&self, id: &RuleId) -> Result<Option<Rule>, EngineError> {
        self.state()?;
        let one = std::slice::from_ref(id);
        let states = self.store.rule_states(&self.instance, one)?;
        Ok(states.into_iter().next().and_then(|state| state.wanted))
    }

    /// There is no such rule by hand; perhaps there is one that is managed elsewhere.
    fn unknown_rule(&self, id: &RuleId) -> Result<EngineError, EngineError> {
        let managed = self.store.managed_rules(&self.instance, MOST)?;
        let mut same = managed
            .iter()
            .filter(|state| state.id.destination == id.destination && state.wanted.is_some());
        let manager = same.next().and_then(|state| Manager::of(&state.id));
        Ok(manager.map_or_else(|| unknown(id), |manager| managed_elsewhere(id, &manager)))
    }

    fn states_of(&self, rules: &[Rule]) -> Result<Vec<RuleState>, EngineError> {
        let ids: Vec<RuleId> = rules.iter().map(|rule| rule.id.clone()).collect();
        Ok(self.store.rule_states(&self.instance, &ids)?)
    }

    /// For each rule the one, there or among them, that writes a key of it, too.
    fn covering(
        &self,
        rules: &[Rule],
        leaving: Option<&RuleId>,
    ) -> Result<Vec<Option<Finding>>, EngineError> {
        let others: Vec<Option<RuleId>> = rules.iter().map(covered_by).collect();
        let ids: Vec<RuleId> = others.iter().flatten().cloned().collect();
        let mut states = self.store.rule_states(&self.instance, &ids)?.into_iter();
        let given: BTreeSet<(&str, bool)> = rules
            .iter()
            .map(|rule| (rule.id.destination.as_str(), is_both(rule)))
            .collect();
        let found = rules.iter().zip(&others).map(|(rule, other)| {
            let other = other.as_ref()?;
            let state = states.next()?;
            let below = other.destination.starts_with('.');
            let stays = leaving != Some(other);
            let there = state.wanted.as_ref().is_some_and(|it| below || is_both(it)) && stays;
            let along = match below {
                true => given.contains(&(other.destination.as_str(), false)),
                false => given.contains(&(other.destination.as_str(), true)),
            };
            (there || along).then(|| covered(rule, other))
        });
        Ok(found.collect())
    }
}

fn is_both(rule: &Rule) -> bool {
    rule.both == postseal_planner::policy::Both::Yes
}

pub(super) fn exists(rule: &Rule) -> Finding {
    let shown = rule.id.shown();
    Finding::new(
        "policy.exists",
        Severity::Error,
        format!("There is a rule for {shown} already."),
        format!("`postseal policy edit '{shown}' …` changes it."),
    )
}

pub(super) fn covered(rule: &Rule, other: &RuleId) -> Finding {
    let (shown, other) = (rule.id.shown(), other.shown());
    Finding::new(
        "policy.covered",
        Severity::Error,
        format!("{shown} and {other} would both write the row for the names below the domain."),
        format!(
            "Change the scope of one: `postseal policy edit '{}' --scope domain`.",
            other.trim_start_matches('.')
        ),
    )
}

fn managed_elsewhere(id: &RuleId, manager: &Manager) -> EngineError {
    let shown = id.shown();
    let finding = Finding::new(
        "policy.managed",
        Severity::Error,
        format!("The rule for {shown} is managed by {manager}, and is not changed here."),
        format!(
            "{} A rule of your own for {shown} may stand beside it: what both demand holds.",
            manager.place()
        ),
    );
    EngineError::Refused(finding.into())
}

fn unknown(id: &RuleId) -> EngineError {
    EngineError::Unknown {
        what: "rule for",
        name: id.shown(),
    }
}

impl RulesWished {
    /// Counts a wish, and tells it where it is one of the first.
    pub(crate) fn note(&mut self, state: &RuleState, wanted: Option<&Rule>) {
        match (&state.wanted, wanted) {
            (None, Some(_)) => self.added += 1,
            (Some(now), Some(wanted)) if now == wanted => {
                self.same += 1;
                return;
            }
            (Some(_), Some(_)) => self.changed += 1,
            (_, None) => self.removed += 1,
        }
        if self.shown.len() < SHOWN {
            self.shown.push(RuleState {
                id: state.id.clone(),
                in_force: state.wanted.clone(),
                wanted: wanted.cloned(),
            });
        }
    }

    /// The refusal, where nothing was stored because of it.
    pub fn refusal(&self) -> Option<Refusal> {
        let findings: Vec<Finding> = self
            .refused
            .iter()
            .flat_map(|refused| refused.findings.clone())
            .collect();
        (!findings.is_empty()).then_some(Refusal { findings })
    }
}
