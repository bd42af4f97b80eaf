//! Rules that a plan would make useless, or that never worked.
//!
//! Owns: holding the policies of all rules against the files as a plan leaves them. Never: judges
//! one; repeats what was so before and is in force.

use super::judged::policies_judged;
use crate::propose::Proposal;
use crate::{Engine, EngineError};
use postseal_planner::facts::Facts;
use postseal_planner::plan::{Cf, OutboundChange};
use postseal_planner::{Finding, Refusal, Severity};
use postseal_store::{RuleTake, RuleView};

/// So many different policies are judged.
const MOST: usize = 1_000;

impl Engine<'_> {
    /// Refuses a plan that takes from rules what they need (a CA, DNSSEC), or puts rules in force
    /// that lack it. Rules that were put down for a reason are left out.
    pub(crate) fn refuse_faulty_rules(&self, proposal: &Proposal) -> Result<(), EngineError> {
        let plan = &proposal.plan;
        let settings = plan.outbound != OutboundChange::None;
        let takes = matches!(proposal.rules.take, RuleTake::Wishes { .. });
        if plan.is_empty() || !(settings || takes) {
            return Ok(());
        }
        let view = if takes {
            RuleView::Wanted
        } else {
            RuleView::InForce
        };
        let wanted = self.store.policies(&self.instance, view, MOST)?;
        let bad = |finding: &Finding| finding.severity >= Severity::Error;
        let mut findings = policies_judged(self.host, &after(proposal), &wanted);
        findings.retain(bad);
        if findings.is_empty() {
            return Ok(());
        }
        let now = self
            .store
            .policies(&self.instance, RuleView::InForce, MOST)?;
        let before = policies_judged(self.host, &proposal.facts, &now);
        let same = |one: &Finding, other: &Finding| {
            one.code == other.code && one.evidence == other.evidence
        };
        findings.retain(|finding| !before.iter().any(|earlier| same(finding, earlier)));
        match findings.is_empty() {
            true => Ok(()),
            false => Err(EngineError::Refused(Refusal { findings })),
        }
    }
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
