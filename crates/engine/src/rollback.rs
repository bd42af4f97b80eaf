//! Rollback: the operator's way back, to before an operation.
//!
//! Owns: which operation is meant, and the plan that undoes it. Never: a second path: what is kept
//! is undone like any other change is made; what still awaits confirmation, as the guard would.

use crate::approve::Acceptance;
use crate::change::{Changed, Keep, Outcome};
use crate::propose::Proposal;
use crate::{Engine, EngineError};
use postseal_planner::report::Verdict;
use postseal_planner::{Plan, rollback_looks, rollback_questions};
use postseal_store::{Operation, OperationKind, OperationOutcome};

/// How many operations a `rollback` without a number looks back; further back one names it.
const REACH: usize = 1000;

impl Engine<'_> {
    /// What `rollback` would do: undo the operation that awaits confirmation, else the newest kept
    /// one, or `operation`.
    pub fn propose_rollback(&mut self, operation: Option<u64>) -> Result<Proposal, EngineError> {
        let undone = match self.meant_awaiting(operation)? {
            Some(open) => open,
            None => {
                self.refuse_while_open()?;
                self.operation_to_undo(operation)?
            }
        };
        let mut facts = self.observe_with(&undone.new.plan.earlier)?;
        let state = self.in_force_now(&facts)?;
        let request = crate::undo::rollback_request(&undone, &state);
        for path in rollback_looks(&request, &facts) {
            let files = &mut facts.files;
            files
                .entry(path)
                .or_insert_with_key(|path| self.host.read(path));
        }
        // What was never confirmed goes back without waiting for anybody.
        if undone.outcome.is_some() {
            self.ask_dns(&mut facts, |facts| rollback_questions(&request, facts));
        }
        let mut plan = postseal_planner::rollback(&request, &facts, self.clock.now_unix())
            .map_err(EngineError::Refused)?;
        plan.findings.extend(self.edited_and_back(&plan));
        let mut rules = self.rules_taken_back(&undone, &state.desired)?;
        let kind = OperationKind::Rollback { of: undone.id };
        rules.concerned = self.concerned(&plan, &facts, &rules, &kind)?;
        let proposal = Proposal {
            plan,
            facts,
            state,
            kind,
            rules,
        };
        if undone.outcome.is_some() {
            self.refuse_faulty_rules(&proposal)?;
        }
        Ok(proposal)
    }

    /// `rollback`: the same path as any change, back to before an operation.
    pub fn rollback(
        &mut self,
        operation: Option<u64>,
        accepted: &[Acceptance],
        keep: Keep,
    ) -> Result<Changed, EngineError> {
        let _lock = self.host.lock()?;
        if let Some(open) = self.meant_awaiting(operation)? {
            return self.undo_awaiting(&open);
        }
        self.settle_what_is_open()?;
        let proposal = self.propose_rollback(operation)?;
        self.carry_out(proposal, accepted, keep)
    }

    /// The operation that awaits confirmation, where `rollback` means that one.
    fn meant_awaiting(&self, operation: Option<u64>) -> Result<Option<Operation>, EngineError> {
        let open = self.awaiting()?;
        Ok(open.filter(|open| operation.is_none_or(|id| id == open.id)))
    }

    fn undo_awaiting(&mut self, open: &Operation) -> Result<Changed, EngineError> {
        let undo = self.stored_undo(open, "by `rollback`, before it was confirmed")?;
        // Only what is told depends on it; the way back must not.
        let back = self.propose_rollback(Some(open.id));
        let plan = back.map_or_else(|_| open.new.plan.clone(), |proposal| proposal.plan);
        let restarted = self.undo(&undo)?;
        Ok(Changed {
            outcome: Outcome::Undone { operation: open.id },
            undone: Some(open.id),
            plan,
            rehearsed: Verdict::default(),
            not_rehearsed: Vec::new(),
            broken_again: Vec::new(),
            still_broken: Vec::new(),
            restarted,
            proved: Verdict::default(),
            master: self.host.master()?,
        })
    }

    fn operation_to_undo(&self, wanted: Option<u64>) -> Result<Operation, EngineError> {
        let id = match wanted {
            Some(id) => Some(id),
            None => self.newest_to_undo()?,
        };
        let unknown = |name: String| EngineError::Unknown {
            what: "kept operation",
            name,
        };
        let id = id.ok_or_else(|| unknown("to roll back".to_owned()))?;
        let found = self
            .store
            .operation(id)?
            .filter(|found| found.new.instance == self.instance);
        match found {
            Some(found) if found.outcome == Some(OperationOutcome::Kept) => Ok(found),
            _ => Err(unknown(id.to_string())),
        }
    }

    /// The newest kept operation that is neither a rollback nor rolled back already: repeated
    /// `rollback` walks back through history instead of going to and fro.
    fn newest_to_undo(&self) -> Result<Option<u64>, EngineError> {
        let next = self.next_to_undo()?;
        Ok(next.first().map(|operation| operation.id))
    }

    /// What the next rollbacks undo, the newest first, down to the first by which a file changed.
    pub(crate) fn next_to_undo(&self) -> Result<Vec<Operation>, EngineError> {
        let mut undone = Vec::new();
        let mut next = Vec::new();
        for operation in self.store.history(&self.instance, REACH)? {
            if operation.outcome != Some(OperationOutcome::Kept) {
                continue;
            }
            match operation.new.kind {
                _ if undone.contains(&operation.id) => {}
                OperationKind::Rollback { of } => undone.push(of),
                _ if self.leads_nowhere(&operation)? => {}
                _ => {
                    let files = !operation.new.plan.edits.is_empty();
                    next.push(operation);
                    if files {
                        break;
                    }
                }
            }
        }
        Ok(next)
    }

    /// Whether an operation wrote a file anew that had been lost: there is nothing to go back to.
    fn leads_nowhere(&self, operation: &Operation) -> Result<bool, EngineError> {
        let Plan {
            edits,
            intent,
            earlier,
            ..
        } = &operation.new.plan;
        Ok(edits.is_empty()
            && intent == earlier
            && self.store.count_rule_changes(operation.id)? == 0)
    }
}
