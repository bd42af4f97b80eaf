//! The path itself: the stages of a change, in order.
//!
//! Owns: what comes after what. Never: decides anything; every decision is a stage's.

use crate::approve::Acceptance;
use crate::propose::Proposal;
use crate::{Engine, EngineError};
use postseal_planner::facts::MasterState;
use postseal_planner::plan::PlanFinding;
use postseal_planner::report::Verdict;
use postseal_planner::{Finding, Plan, Severity};
use postseal_store::RuleTake;
use std::time::Duration;

/// How long a good change stays without a word from the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Kept as soon as it is proved.
    Now,
    /// Rolled back unless `confirm` comes within this time.
    Within(Duration),
}

/// What a change came to.
#[derive(Clone, Debug)]
pub struct Changed {
    /// How it ended.
    pub outcome: Outcome,
    /// The operation that it undid, where it was a rollback.
    pub undone: Option<u64>,
    /// The plan that was carried out.
    pub plan: Plan,
    /// What the scratch instance showed.
    pub rehearsed: Verdict,
    /// What could not be rehearsed, a sentence each.
    pub not_rehearsed: Vec<String>,
    /// What was broken before the operation that was undone, and is broken again.
    pub broken_again: Vec<Finding>,
    /// What was broken before on the wire, and is still: kept all the same.
    pub still_broken: Vec<Finding>,
    /// That Postfix was stopped and started, or could not be started again.
    pub restarted: Vec<Finding>,
    /// What the live wire showed.
    pub proved: Verdict,
    /// Whether Postfix ran, so that its wire could show anything.
    pub master: MasterState,
}

impl Changed {
    /// What it brought that was not so before: warnings, and names that mail clients may miss.
    pub fn brought(&self) -> impl Iterator<Item = &Finding> {
        let new = self.plan.findings.iter().filter(|one| !one.was_so_before);
        let told = |one: &&Finding| {
            one.severity >= Severity::Warning || one.code == "cert.names-of-clients"
        };
        new.map(|one| &one.finding).filter(told)
    }
}

/// How a change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There was nothing to do.
    Nothing,
    /// In force; where its plan is empty, no file of Postfix is another.
    Kept {
        /// The operation.
        operation: u64,
    },
    /// An unconfirmed operation was undone.
    Undone {
        /// The operation.
        operation: u64,
    },
    /// In force until a deadline.
    Awaiting {
        /// The operation.
        operation: u64,
        /// Milliseconds since the epoch.
        confirm_by_ms: i64,
    },
}

impl Engine<'_> {
    /// `apply`: with a plan's id exactly that plan, else what is wished now.
    pub fn apply(
        &mut self,
        plan: Option<&str>,
        accepted: &[Acceptance],
        keep: Keep,
    ) -> Result<Changed, EngineError> {
        let _lock = self.host.lock()?;
        self.settle_what_is_open()?;
        self.refuse_while_open()?;
        let proposal = match plan {
            Some(id) => self.propose_shown(id)?,
            None => self.propose()?,
        };
        self.carry_out(proposal, accepted, keep)
    }

    /// Refuses rules that their servers bar, where a plan takes any; told is whose servers could not be
    /// seen.
    pub(crate) fn refuse_barred(
        &mut self,
        proposal: &Proposal,
        accepted: &[Acceptance],
    ) -> Result<Vec<Finding>, EngineError> {
        match proposal.rules.take {
            RuleTake::Wishes { .. } if !proposal.plan.is_empty() => {
                self.refuse_what_servers_bar(proposal, accepted)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Approve → rehearse → apply → verify → keep, for any plan. The lock is held by the caller.
    pub(crate) fn carry_out(
        &mut self,
        proposal: Proposal,
        accepted: &[Acceptance],
        keep: Keep,
    ) -> Result<Changed, EngineError> {
        let mut plan = proposal.plan.clone();
        let undone = proposal.kind.undoes();
        if plan.is_empty() {
            return match proposal.has_news() {
                true => self.keep_unseen(self.approve(proposal, accepted)?),
                false => self.keep_without_change(proposal),
            };
        }
        let unseen = self.refuse_barred(&proposal, accepted)?;
        plan.findings
            .extend(unseen.into_iter().map(|finding| PlanFinding {
                finding,
                was_so_before: false,
            }));
        let approved = self.approve(proposal, accepted)?;
        self.refuse_taken_ports(&approved.proposal)?;
        let rehearsed = match self.rehearse(approved) {
            Ok(rehearsed) => rehearsed,
            Err(error) => {
                // A map was made for it that nothing names.
                self.remove_unnamed(&plan.steps)?;
                return Err(error);
            }
        };
        let (rehearsal, not_rehearsed) =
            (rehearsed.verdict.clone(), rehearsed.not_rehearsed.clone());
        let broken_again = rehearsed.again.clone();
        self.stop_if_interrupted()?;
        let applied = self.carry_out_steps(rehearsed, keep)?;
        let settled = self.verify_and_settle(applied, keep)?;
        Ok(Changed {
            outcome: settled.outcome,
            undone,
            plan,
            rehearsed: rehearsal,
            not_rehearsed,
            broken_again,
            still_broken: settled.still_broken,
            restarted: settled.restarted.into_iter().collect(),
            proved: settled.proved,
            master: settled.master,
        })
    }
}
