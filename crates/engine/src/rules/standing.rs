//! Whether rules in force hold.
//!
//! Owns: holding the rules of a list against what Postfix finds for them, where their mail goes, and
//! what this host can keep; all from one picture of the instance, a table asked once for all of them.
//! Never: decides what speaks against a rule (the planner does).

use super::answering::Answering;
use super::judged::{Against, against, is_against};
use super::live::touched_findings;
use super::meet::beside;
use super::shadowed::{asked_before_rules, is_local, rule_shadowed};
use super::ways::by_recipient;
use crate::domains::MOST;
use crate::{Engine, EngineError, observe_unadopted};
use mailtls::policy::Policy;
use postseal_planner::Finding;
use postseal_planner::facts::Facts;
use postseal_planner::intent::AdoptedTables;
use postseal_planner::policy::{
    Home, Judged, Lookup, Rule, RuleId, Useless, dialect, never_asked, own_late, passed_by,
    route_unknown,
};
use postseal_store::{InstanceState, RuleState};
use std::collections::{BTreeMap, BTreeSet};

/// Rules whose keys are asked in one call, and that are judged together.
const TOGETHER: usize = 10_000;
/// A name below a domain that no table will name.
const BELOW: &str = "any-name-below";

/// Why a rule in force does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// The map of the rules answers otherwise, or not at all.
    NotAnswered,
    /// A client that its mail leaves by does not ask the map of the rules.
    NotAsked,
    /// A table that is asked before has another policy.
    Shadowed {
        /// Which.
        table: String,
        /// What it says.
        policy: String,
    },
    /// Mail does not meet it; why, in a few words.
    Idle(String),
    /// This host cannot keep it; the code of what speaks against it.
    Unkept(String),
}

/// What speaks against rules in force.
#[derive(Clone, Debug, Default)]
pub struct Hindered {
    /// Rules in force that do not hold.
    pub rules: BTreeMap<RuleId, Hindrance>,
    /// Rules that would not, once they are in force as they are wished.
    pub wished: BTreeMap<RuleId, Hindrance>,
    /// What is said of them together, and of followed rules whose mail takes another way.
    pub findings: Vec<Finding>,
}

impl Engine<'_> {
    /// Which of these rules do not hold, or will not.
    ///
    /// # Errors
    /// What the store fails with.
    pub fn hindered(&self, states: &[RuleState]) -> Result<Hindered, EngineError> {
        let facts = match observe_unadopted(self.host) {
            Ok(facts) => facts,
            // What cannot be looked at, others tell.
            Err(error) => return self.unseen(&error),
        };
        let mut found = Hindered::default();
        let state = self.state()?;
        for states in states.chunks(TOGETHER) {
            self.hinder(&state, &facts, states, &mut found)?;
        }
        found.findings.extend(self.route_changes_in(&facts)?);
        Ok(found)
    }

    fn unseen(&self, error: &EngineError) -> Result<Hindered, EngineError> {
        let follows = self.is_following()?;
        let unknown = follows.then(|| route_unknown(&postseal_planner::whole_chain(error)));
        Ok(Hindered {
            findings: unknown.into_iter().collect(),
            ..Hindered::default()
        })
    }

    fn hinder(
        &self,
        state: &InstanceState,
        facts: &Facts,
        states: &[RuleState],
        found: &mut Hindered,
    ) -> Result<(), EngineError> {
        let rules: Vec<&Rule> = states
            .iter()
            .filter_map(|one| one.in_force.as_ref())
            .collect();
        let seen = self.in_place_of(state, facts, states)?;
        let tables = state.desired.tables.as_ref();
        let hindered = self.told((facts, tables), &rules, Some(&seen), found)?;
        found.rules.extend(hindered);
        let wished = states.iter().filter(|one| is_other_row(one));
        let wished = wished.filter_map(|one| one.wanted.as_ref());
        // The entry of a domain is made before its route, and the plan makes its client.
        let wished: Vec<&Rule> = wished.filter(|rule| rule.about.entry.is_none()).collect();
        let hindered = self.told((facts, tables), &wished, None, found)?;
        found.wished.extend(hindered);
        Ok(())
    }

    /// What Postfix finds in the place of those in force.
    fn in_place_of(
        &self,
        state: &InstanceState,
        facts: &Facts,
        states: &[RuleState],
    ) -> Result<Seen, EngineError> {
        let answering = Answering::of(state, facts);
        let asking = answering.map(|one| one.asking(state, facts));
        let mut seen = Seen {
            untold: asking.unwrap_or_default().untold,
            missed: self.not_answered(state, facts, states)?,
            before: BTreeMap::new(),
        };
        let rules = states.iter().filter_map(|one| one.in_force.as_ref());
        let rules: Vec<&Rule> = rules.collect();
        for table in asked_before_rules(facts, state.desired.tables.as_ref()) {
            self.ask_before(&table, facts, &rules, &mut seen.before);
        }
        Ok(seen)
    }

    /// Why Postfix finds something else in the place of rules in force, as findings.
    pub(super) fn answered_otherwise(
        &self,
        state: &InstanceState,
        facts: &Facts,
        states: &[RuleState],
    ) -> Result<Vec<Finding>, EngineError> {
        let seen = self.in_place_of(state, facts, states)?;
        let rules = states.iter().filter_map(|one| one.in_force.as_ref());
        let rules: Vec<&Rule> = rules.collect();
        let not_asked = match rules.is_empty() {
            true => None,
            false => self.map_not_asked(state, facts),
        };
        let mut found = Vec::from_iter(not_asked);
        for rule in rules {
            match seen.of(rule, &Judged::default()) {
                Some(Hindrance::Shadowed { table, policy }) => {
                    found.push(rule_shadowed(rule, &table, &policy));
                }
                Some(Hindrance::NotAnswered) => found.extend(touched_findings(self.host, facts)),
                _ => {}
            }
        }
        Ok(found)
    }

    /// What is told of rules together, and which of them do not hold. What Postfix finds in their place is
    /// known of those in force.
    fn told(
        &self,
        (facts, tables): (&Facts, Option<&AdoptedTables>),
        rules: &[&Rule],
        seen: Option<&Seen>,
        found: &mut Hindered,
    ) -> Result<Vec<(RuleId, Hindrance)>, EngineError> {
        let home = match seen {
            Some(_) => Home::InForce(tables),
            None => Home::Rules(tables),
        };
        let against = against(self.host, facts, home, rules);
        let pairs = rules.iter().zip(&against);
        let pairs: Vec<(&Rule, &Judged)> = pairs.map(|(rule, one)| (*rule, &one.met)).collect();
        let mut told = passed_by(&pairs);
        told.extend(never_asked(&pairs));
        let parts = by_recipient(self.host, facts, rules)?;
        let met = parts.into_iter().zip(&against);
        let met = met.filter(|(_, against)| against.useless.is_empty());
        told.extend(met.flat_map(|(parts, _)| parts));
        told.retain(|one| !found.findings.contains(one));
        found.findings.extend(told);
        let mut hindered = Vec::new();
        for (rule, against) in rules.iter().zip(against) {
            // An entry is made before its route: how its own mail goes matters once it is in force.
            let late = || seen.and_then(|_| own_late(rule, &against.met));
            let fault = fault(&against).or_else(late);
            let hindrance = seen.and_then(|seen| seen.of(rule, &against.met));
            let hindrance = hindrance.or_else(|| of(&against, fault.as_ref()));
            if let Some(Hindrance::Unkept(code)) = &hindrance {
                let known = |one: &Finding| one.code == *code && is_against(one);
                let news = !found.findings.iter().any(known);
                found.findings.extend(fault.filter(|_| news));
            }
            hindered.extend(hindrance.map(|one| (rule.id.clone(), one)));
        }
        Ok(hindered)
    }

    /// The destinations of rules in force that the map answers otherwise, or not at all.
    fn not_answered(
        &self,
        state: &InstanceState,
        facts: &Facts,
        states: &[RuleState],
    ) -> Result<BTreeSet<String>, EngineError> {
        let Some(answering) = Answering::of(state, facts) else {
            return Ok(BTreeSet::new());
        };
        let expected = self.expected_of(states)?;
        let keys: Vec<String> = expected.iter().map(|one| one.key.clone()).collect();
        let wrong: BTreeSet<&str> = match answering.ask(self.host, &keys) {
            Ok(answers) => {
                let differ = expected.iter().zip(answers);
                let differ = differ.filter(|(one, had)| !answering.holds(one, had.as_deref()));
                differ.map(|(one, _)| one.key.as_str()).collect()
            }
            Err(_) => keys.iter().map(String::as_str).collect(),
        };
        let rules = states.iter().filter_map(|state| state.in_force.as_ref());
        let of = |rule: &&Rule| rule.keys().iter().any(|key| wrong.contains(key.as_str()));
        Ok(rules
            .filter(of)
            .map(|rule| rule.id.destination.clone())
            .collect())
    }

    /// What the map must say of rules; the store is asked for those only that meet others.
    fn expected_of(&self, states: &[RuleState]) -> Result<Vec<Lookup>, EngineError> {
        let managed = self.store.managed_rules(&self.instance, MOST)?.into_iter();
        let managed: BTreeSet<String> = managed.map(|state| state.id.destination).collect();
        let is_shared = |state: &&RuleState| {
            let mut beside = beside(&state.id).into_iter();
            beside.any(|destination| managed.contains(&destination))
        };
        let (shared, own): (Vec<&RuleState>, Vec<&RuleState>) = states.iter().partition(is_shared);
        let shared: Vec<RuleState> = shared.into_iter().cloned().collect();
        let mut expected = self.expected(&shared)?;
        for rule in own.into_iter().filter_map(|state| state.in_force.as_ref()) {
            expected.extend(rule.keys().into_iter().map(|key| Lookup {
                key,
                value: Some(rule.policy.clone()),
            }));
        }
        Ok(expected)
    }

    /// What a table that is asked before the rules has for their keys.
    fn ask_before(
        &self,
        table: &str,
        facts: &Facts,
        rules: &[&Rule],
        before: &mut BTreeMap<String, Other>,
    ) {
        let mut keys: Vec<String> = rules.iter().flat_map(|rule| asked(rule)).collect();
        keys.sort();
        keys.dedup();
        keys.retain(|key| !before.contains_key(key));
        // A table that cannot be asked defers all mail; `lint` and `explain` tell it.
        let answers = match is_local(table) {
            true => self.host.lookups(table, &keys).unwrap_or_default(),
            false => Vec::new(),
        };
        let found = keys.into_iter().zip(answers);
        before.extend(found.filter_map(|(key, answer)| {
            let answer = answer?;
            let read = Policy::parse(&answer, dialect(facts.version));
            let other = Other {
                table: table.to_owned(),
                policy: read.map_or(answer, |policy| policy.to_string()),
            };
            Some((key, other))
        }));
    }
}

/// What another table answers.
struct Other {
    table: String,
    policy: String,
}

/// What Postfix finds in the place of rules.
struct Seen {
    /// The transports whose clients do not ask the rules.
    untold: BTreeSet<String>,
    missed: BTreeSet<String>,
    before: BTreeMap<String, Other>,
}

impl Seen {
    fn of(&self, rule: &Rule, met: &Judged) -> Option<Hindrance> {
        if met.clients.iter().any(|one| self.untold.contains(one)) {
            return Some(Hindrance::NotAsked);
        }
        if self.missed.contains(&rule.id.destination) {
            return Some(Hindrance::NotAnswered);
        }
        let mut others = asked(rule)
            .into_iter()
            .filter_map(|key| self.before.get(&key));
        let other = others.find(|other| other.policy != rule.policy)?;
        Some(Hindrance::Shadowed {
            table: other.table.clone(),
            policy: other.policy.clone(),
        })
    }
}

/// The keys that smtp(8) looks up for what a rule is for: patterns see the whole name.
fn asked(rule: &Rule) -> Vec<String> {
    let keys = rule.keys().into_iter().map(|key| key.to_lowercase());
    let with_names = keys.flat_map(|key| {
        let name = key.starts_with('.').then(|| format!("{BELOW}{key}"));
        std::iter::once(key).chain(name)
    });
    with_names.collect()
}

/// What the ways of the mail and this host say against a rule.
fn of(against: &Against, fault: Option<&Finding>) -> Option<Hindrance> {
    let idle = against.useless.iter().find_map(Useless::in_short);
    idle.map(Hindrance::Idle)
        .or_else(|| fault.map(|fault| Hindrance::Unkept(fault.code.to_string())))
}

/// The first fault that speaks against a rule, and is not only told of it.
fn fault(against: &Against) -> Option<Finding> {
    let mut faults = against.faults.iter();
    faults.find(|one| is_against(one)).cloned()
}

/// Whether a rule is wished that writes other rows than the one in force.
fn is_other_row(state: &RuleState) -> bool {
    let stays = |now: &Rule| {
        let wanted = state.wanted.as_ref();
        wanted.is_some_and(|wanted| wanted.writes_as(now))
    };
    state.wanted.is_some() && !state.in_force.as_ref().is_some_and(stays)
}
