//! What `policy check DESTINATION` says of a rule.
//!
//! Owns: the policy that a rule will write once it is in force, and what is told of it beside its servers,
//! as `policy list` tells it. Never: looks at servers.

use super::judged::{against, is_against};
use super::ways::ways_of_parts;
use super::written::Others;
use crate::observe::observe_unadopted;
use crate::{Engine, EngineError};
use postseal_planner::policy::{Both, Rule, RuleId};
use postseal_planner::{Finding, Preflight};
use postseal_store::RuleState;
use std::collections::BTreeSet;

/// What is known of the rule of a destination, as it is wished.
#[derive(Clone, Debug, Default)]
pub struct RuleChecked {
    /// The policy of its row, where that is not in force yet and mail comes to it.
    pub pending: Option<String>,
    /// What is told of it.
    pub findings: Vec<Finding>,
}

impl Engine<'_> {
    /// What is known of the rules for a destination; nothing where there is none.
    ///
    /// # Errors
    /// [`EngineError::NotAdopted`], and what the host or the store fails with.
    pub fn check_rule(&self, destination: &str) -> Result<RuleChecked, EngineError> {
        let state = self.state()?;
        let Ok(id) = RuleId::parse(destination) else {
            return Ok(RuleChecked::default());
        };
        let states = self.rules_for(&BTreeSet::from([id.destination.clone()]))?;
        let wanted: Vec<&Rule> = states
            .iter()
            .filter_map(|one| one.wanted.as_ref())
            .collect();
        let facts = observe_unadopted(self.host)?;
        let mut findings = self.route_changes_of(&facts, &id.destination)?;
        findings.extend(self.answered_otherwise(&state, &facts, &states)?);
        if wanted.is_empty() {
            return Ok(RuleChecked {
                pending: self.pending_above(&id)?,
                findings,
            });
        }
        let written = self.written(&wanted, &[], Others::Wished)?;
        let rules: Vec<&Rule> = written.iter().map(|one| &one.rule).collect();
        let home = self.home_wished(&state)?;
        let against = against(self.host, &facts, home, &rules);
        let comes = against.iter().any(|one| one.useless.is_empty());
        let each = rules.iter().zip(against);
        let mut told: Vec<Vec<Finding>> =
            each.map(|(rule, one)| one.findings(&facts, rule)).collect();
        ways_of_parts(self.host, &facts, &rules, &mut told)?;
        let is_pending = states.iter().any(RuleState::is_pending);
        let policy = rules.first().map(|rule| rule.policy.clone());
        for (rule, told) in rules.iter().zip(told) {
            for finding in told {
                let finding = made_all_the_same(rule, finding);
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
        }
        Ok(RuleChecked {
            pending: policy.filter(|_| is_pending && comes),
            findings,
        })
    }

    /// Remembers what servers showed for the rows of rules to a client of theirs: `policy list` tells it.
    ///
    /// # Errors
    /// What the store fails with.
    pub fn remember_checked(&mut self, seen: &[Preflight]) -> Result<(), EngineError> {
        let hops = seen.iter().map(|one| one.nexthop.clone());
        let rows = self.rows_with(&hops.collect(), &[])?;
        let of_rules = |one: &&Preflight| rows.get(&one.nexthop) == Some(&one.policy);
        let of_rules: Vec<Preflight> = seen.iter().filter(of_rules).cloned().collect();
        let of_rules = self.looks_of_rules(&of_rules)?;
        Ok(self.store.put_preflights(&self.instance, &of_rules)?)
    }

    /// The policy of a rule for the names below a domain, where it is pending and covers a name.
    fn pending_above(&self, id: &RuleId) -> Result<Option<String>, EngineError> {
        let name = id.destination.as_str();
        if name.starts_with(['[', '.']) || name.contains(':') {
            return Ok(None);
        }
        let above = std::iter::successors(name.split_once('.'), |(_, rest)| rest.split_once('.'));
        for (_, domain) in above {
            let below = format!(".{domain}");
            let both = BTreeSet::from([below.clone(), domain.to_owned()]);
            let states = self.rules_for(&both)?.into_iter();
            let covers = |rule: &Rule| rule.id.destination == below || rule.both == Both::Yes;
            let mut states = states.filter(|one| one.wanted.as_ref().is_some_and(covers));
            if let Some(first) = states.next() {
                let pending = first.is_pending().then_some(first.wanted).flatten();
                return Ok(pending.map(|rule| rule.policy));
            }
        }
        Ok(None)
    }
}

/// Why a rule was made although something speaks against it.
fn made_all_the_same(rule: &Rule, finding: Finding) -> Finding {
    match &rule.about.reason {
        Some(reason) if is_against(&finding) => {
            finding.seen(format!("it was made all the same: {reason}"))
        }
        _ => finding,
    }
}
