//! Rules that this host cannot keep: that a plan would make useless, and those in force.
//!
//! Owns: holding the policies of all rules against the files, as they are or as a plan leaves them, and
//! telling for which rules that matters. Never: judges one; judges rule by rule where all could be kept.

use super::judged::{Against, against, met, policies_unkept};
use crate::domains;
use crate::propose::Proposal;
use crate::{Engine, EngineError};
use postseal_planner::facts::Facts;
use postseal_planner::intent::AdoptedTables;
use postseal_planner::plan::{Cf, OutboundChange, PlanFinding};
use postseal_planner::policy::{Home, Manager, Rule, expects_tls, own_late};
use postseal_planner::{Finding, Severity};
use postseal_store::{InstanceState, RuleTake, RuleView};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// So many different policies are judged.
const MOST: usize = 1_000;
/// So many rules with a policy that some client could not keep.
const MOST_RULES: usize = 10_000;
/// So many of them are shown.
const SHOWN: usize = 5;

/// What rules of one policy lack, for one cause.
struct Fault {
    policy: String,
    finding: Finding,
    rules: Vec<String>,
}

impl Fault {
    fn is_of(&self, policy: &str, finding: &Finding) -> bool {
        self.policy == policy && self.finding.code == finding.code
    }

    fn told(self) -> Finding {
        // The first stands in it already.
        let more = self.rules.len().saturating_sub(SHOWN);
        let shown = self.rules.into_iter().take(SHOWN).skip(1);
        let told = shown.fold(self.finding, Finding::seen);
        match more {
            0 => told,
            more => told.seen(format!("and {more} more rules")),
        }
    }
}

/// Faults with the rules that they are about, the worst first; what mends several is said once.
fn told(faults: Vec<Fault>) -> Vec<Finding> {
    let mut causes: Vec<Fault> = Vec::new();
    for fault in faults {
        let alike = |one: &&mut Fault| {
            let (one, other) = (&one.finding, &fault.finding);
            (&one.code, one.severity, &one.remedy) == (&other.code, other.severity, &other.remedy)
        };
        match causes.iter_mut().find(alike) {
            Some(known) => known.rules.extend(fault.rules),
            None => causes.push(fault),
        }
    }
    causes.sort_by_key(|one| Reverse(one.finding.severity));
    causes.into_iter().map(Fault::told).collect()
}

impl Engine<'_> {
    /// Refuses a plan that takes from rules what they need (a CA, DNSSEC), or puts rules in force
    /// that lack it. Rules that were put down for a reason are left out.
    pub(crate) fn refuse_faulty_rules(&self, proposal: &Proposal) -> Result<(), EngineError> {
        let plan = &proposal.plan;
        let settings = plan.outbound != OutboundChange::None;
        let takes = proposal.rules.take != RuleTake::None;
        if plan.is_empty() || !(settings || takes) {
            return Ok(());
        }
        let wanted = self.left_faulty(proposal)?;
        if wanted.is_empty() {
            return Ok(());
        }
        let tables = proposal.state.desired.tables.as_ref();
        let before = self.faults(&proposal.facts, tables, RuleView::InForce)?;
        let is_news = |fault: &Fault| {
            let mut earlier = before.iter();
            !earlier.any(|earlier| earlier.is_of(&fault.policy, &fault.finding))
        };
        super::refuse(told(wanted.into_iter().filter(is_news).collect()))
    }

    /// What is said with a plan of rules that could not be kept before, and cannot after it.
    pub(crate) fn still_faulty(
        &self,
        proposal: &Proposal,
    ) -> Result<Vec<PlanFinding>, EngineError> {
        let told = told(self.left_faulty(proposal)?).into_iter();
        let told = told.map(|finding| PlanFinding {
            finding,
            was_so_before: true,
        });
        Ok(told.collect())
    }

    /// What rules in force lack, as the files are now.
    pub(crate) fn faulty_in_force(
        &self,
        state: &InstanceState,
        facts: &Facts,
    ) -> Result<Vec<Finding>, EngineError> {
        let tables = state.desired.tables.as_ref();
        let mut found = self.late_in_force(facts, tables)?;
        found.extend(told(self.faults(facts, tables, RuleView::InForce)?));
        Ok(found)
    }

    /// Managed rules in force whose own mail goes by a client that begins in clear, where TLS is expected
    /// from the first byte. What was put down with a reason is known; that of an entry is about servers.
    fn late_in_force(
        &self,
        facts: &Facts,
        tables: Option<&AdoptedTables>,
    ) -> Result<Vec<Finding>, EngineError> {
        let managed = self.store.managed_rules(&self.instance, domains::MOST)?;
        let in_force = managed.into_iter().filter_map(|state| state.in_force);
        let follows = |rule: &Rule| matches!(Manager::of(&rule.id), Some(Manager::Recipient(_)));
        let is_known = |rule: &Rule| rule.about.reason.is_some() && follows(rule);
        let rules: Vec<Rule> = in_force
            .filter(|rule| expects_tls(&rule.id.destination) && !is_known(rule))
            .collect();
        if rules.is_empty() {
            return Ok(Vec::new());
        }
        let rules: Vec<&Rule> = rules.iter().collect();
        let judged = met(self.host, facts, Home::InForce(tables), &rules);
        let each = rules.iter().zip(&judged);
        Ok(each.filter_map(|(rule, met)| own_late(rule, met)).collect())
    }

    fn left_faulty(&self, proposal: &Proposal) -> Result<Vec<Fault>, EngineError> {
        let tables = proposal.plan.intent.tables.as_ref();
        self.faults(&after(proposal), tables, proposal.rules.view)
    }

    /// Each policy is held against each client that asks the rules; where one could not be kept, its
    /// rules are held against where their mail goes.
    fn faults(
        &self,
        facts: &Facts,
        tables: Option<&AdoptedTables>,
        view: RuleView,
    ) -> Result<Vec<Fault>, EngineError> {
        let policies = self.store.policies(&self.instance, view, MOST)?;
        let unkept = policies_unkept(self.host, facts, tables, &policies);
        if unkept.is_empty() {
            return Ok(Vec::new());
        }
        let rules = self
            .store
            .rules_with(&self.instance, view, &unkept, MOST_RULES)?;
        let rules: Vec<&Rule> = rules.iter().collect();
        let against = against(self.host, facts, Home::Rules(tables), &rules);
        Ok(grouped(&rules, against))
    }
}

/// By policy and code.
fn grouped(rules: &[&Rule], against: Vec<Against>) -> Vec<Fault> {
    let mut found: BTreeMap<&str, Vec<Fault>> = BTreeMap::new();
    for (rule, against) in rules.iter().zip(against) {
        let own = found.entry(&rule.policy).or_default();
        let row = format!("{} {}", rule.id.shown(), rule.policy);
        let bad = |finding: &Finding| finding.severity >= Severity::Error;
        for finding in against.faults.into_iter().filter(bad) {
            match own.iter_mut().find(|one| one.finding.code == finding.code) {
                Some(known) => known.rules.push(row.clone()),
                None => own.push(Fault {
                    policy: rule.policy.clone(),
                    finding,
                    rules: vec![row.clone()],
                }),
            }
        }
    }
    found.into_values().flatten().collect()
}

/// The picture with the files as the plan leaves them.
fn after(proposal: &Proposal) -> Facts {
    let mut facts = proposal.facts.clone();
    for edit in &proposal.plan.edits {
        match edit.file {
            Cf::Main => facts.main_cf.bytes.clone_from(&edit.bytes),
            Cf::Master => facts.master_cf.bytes.clone_from(&edit.bytes),
        }
    }
    facts
}
