//! Settle: keep or undo what was applied; confirm.
//!
//! Owns: the end of every operation. Never: leaves one open without a deadline.

use crate::apply::Applied;
use crate::approve::Approved;
use crate::change::{Changed, Keep, Outcome};
use crate::propose::Proposal;
use crate::rehearse::{Was, is_closed, log_findings};
use crate::rules::map_of;
use crate::status::in_force_by;
use crate::undo::{PROOF, Undo, sentences};
use crate::verify::{Interrupt, Looked};
use crate::{End, Engine, EngineError, Event, Stage, adopt};
use postseal_host::LogLook;
use postseal_planner::facts::MasterState;
use postseal_planner::plan::{Cf, Plan};
use postseal_planner::report::{Judgement, Outcome as Judged, Verdict};
use postseal_planner::{Finding, Severity, owned, whole_chain};
use postseal_store::{
    Close, InstanceState, Operation, OperationKind, OperationOutcome, Phase, StoreError,
};
use std::time::Duration;

/// After this long without an answer from a service that did not answer before either and has no
/// process, Postfix is stopped and started: the master throttles it, and a reload does not change that.
const THROTTLED: Duration = Duration::from_millis(1500);

/// A change that came to its end.
pub(crate) struct Settled {
    pub(crate) outcome: Outcome,
    pub(crate) proved: Verdict,
    pub(crate) still_broken: Vec<Finding>,
    pub(crate) restarted: Option<Finding>,
    pub(crate) master: MasterState,
}

/// What the wire said of a change.
enum Proof {
    Good {
        looked: Looked,
        master: MasterState,
    },
    Missing {
        first: Finding,
        others: Vec<Finding>,
    },
}

impl Engine<'_> {
    /// Proves the applied plan on the wire, then keeps it or puts the old bytes back.
    pub(crate) fn verify_and_settle(
        &mut self,
        applied: Applied,
        keep: Keep,
    ) -> Result<Settled, EngineError> {
        let (looked, master) = match self.prove_and_note(&applied) {
            Ok(Proof::Good { looked, master }) => (looked, master),
            Ok(Proof::Missing { first, others }) => {
                let undo = Undo::of_applied(&applied, first.message.clone());
                let misses = std::iter::once(first).chain(others).collect();
                return Err(self.rolled_back(&undo, misses));
            }
            Err(error) => {
                let undo = Undo::of_applied(&applied, whole_chain(&error));
                return Err(self.rolled_back(&undo, Vec::new()));
            }
        };
        let operation = applied.operation;
        let outcome = match (keep, applied.confirm_by_ms) {
            (Keep::Within(_), Some(confirm_by_ms)) => {
                if let Err(error) = self.set_guard(operation) {
                    let finding = unguarded(&error);
                    let undo = Undo::of_applied(&applied, finding.message.clone());
                    return Err(self.rolled_back(&undo, vec![finding]));
                }
                Outcome::Awaiting {
                    operation,
                    confirm_by_ms,
                }
            }
            _ => {
                self.close_proved(operation, &looked.verdict)?;
                Outcome::Kept { operation }
            }
        };
        Ok(Settled {
            outcome,
            still_broken: still_broken(&applied, &looked.verdict),
            proved: looked.verdict,
            restarted: looked.restarted,
            master,
        })
    }

    /// Looks, judges, and notes in the journal what was proved. An error here means that nothing
    /// was noted.
    fn prove_and_note(&mut self, applied: &Applied) -> Result<Proof, EngineError> {
        self.tell(Event::Stage {
            stage: Stage::Prove,
        });
        let master = self.host.master()?;
        let mut looked = match master {
            MasterState::Running(_) => self.prove(applied)?,
            MasterState::Stopped => Looked::default(),
        };
        looked.verdict.judgements.extend(unproved(applied));
        self.tell(Event::Proved {
            verdict: looked.verdict.clone(),
        });
        self.stop_if_interrupted()?;
        let mut misses = self.new_misses(applied, &looked)?.into_iter();
        if let Some(first) = misses.next() {
            let others = misses.collect();
            return Ok(Proof::Missing { first, others });
        }
        let phase = match applied.confirm_by_ms {
            Some(_) => {
                let sentences = sentences(&looked.verdict);
                let proved = Phase::Proved { sentences };
                self.store.journal(applied.operation, &proved)?;
                Phase::AwaitingConfirmation
            }
            None => Phase::Verified,
        };
        self.store.journal(applied.operation, &phase)?;
        Ok(Proof::Good { looked, master })
    }

    /// Closes what the journal says is proved. Should that fail, the next start does it.
    fn close_proved(&mut self, operation: u64, verdict: &Verdict) -> Result<(), EngineError> {
        match self.close_kept(operation, verdict) {
            Err(EngineError::Store(source)) => Err(EngineError::Unnoted {
                operation,
                end: End::Kept,
                source,
            }),
            other => other,
        }
    }

    /// Looks until nothing is amiss that was not so before, or that this change is to mend: a process
    /// from before it may answer for a moment more.
    fn prove(&mut self, applied: &Applied) -> Result<Looked, EngineError> {
        let expectations = &applied.rehearsed.approved.proposal.plan.expectations;
        let was_silent = applied
            .rehearsed
            .baseline
            .reports
            .iter()
            .any(postseal_planner::Report::is_silent);
        let mut restarted = None;
        if was_silent {
            let looked = self.poll(expectations, THROTTLED, Interrupt::Heed);
            if looked.verdict.outcome() == Judged::Pass {
                return Ok(looked);
            }
            if self.is_throttled(&looked) {
                let why = "a service was throttled by the master before this change, and a reload \
                           does not revive it";
                restarted = Some(self.restart(applied.operation, why)?);
            }
        }
        let good = |verdict: &Verdict| {
            let is_new = new_misses(applied, verdict).next().is_some();
            !is_new && to_be_mended(applied, verdict).next().is_none()
        };
        let looked = self.poll_until(expectations, PROOF, Interrupt::Heed, good);
        Ok(Looked {
            restarted,
            ..looked
        })
    }

    /// What the wire or the log misses that was not missing before.
    fn new_misses(&self, applied: &Applied, looked: &Looked) -> Result<Vec<Finding>, EngineError> {
        let proposal = &applied.rehearsed.approved.proposal;
        let ran = matches!(proposal.facts.master, MasterState::Running(_));
        if ran && self.host.master()? == MasterState::Stopped {
            return Ok(vec![not_running(applied.disturbed)]);
        }
        let mut misses: Vec<Finding> = new_misses(applied, &looked.verdict)
            .flat_map(|miss| miss.findings.clone())
            .collect();
        if let Some(map) = map_of(&proposal.plan) {
            misses.extend(self.ask_policy_map(map, &proposal.rules.lookups));
        }
        if let LogLook::Lines(lines) = self.host.log_since(&applied.rehearsed.log_mark) {
            misses.extend(
                log_findings(&lines)
                    .into_iter()
                    .filter(|found| found.severity == Severity::Fatal)
                    .filter(|found| applied.rehearsed.baseline.had_logged(found) == Was::Not),
            );
        }
        Ok(misses)
    }

    /// Keeps what no file of Postfix tells: an operation like any other, so that each rollback undoes
    /// what was done last. There is nothing to rehearse, to prove, or to wait for.
    pub(crate) fn keep_unseen(&mut self, approved: Approved) -> Result<Changed, EngineError> {
        let operation = self.open_unseen(&approved)?;
        let proved = Verdict::default();
        self.store.journal(operation, &Phase::Verified)?;
        self.close_proved(operation, &proved)?;
        let Proposal {
            plan, facts, kind, ..
        } = approved.proposal;
        Ok(unseen(
            Outcome::Kept { operation },
            plan,
            kind,
            facts.master,
        ))
    }

    /// Remembers the files as they are, where there is nothing to do.
    pub(crate) fn keep_without_change(
        &mut self,
        proposal: Proposal,
    ) -> Result<Changed, EngineError> {
        let Proposal {
            plan,
            facts,
            state,
            kind,
            ..
        } = proposal;
        let draft = state
            .draft
            .map(|draft| kind.draft_after(&plan.intent, draft));
        let next = InstanceState {
            desired: plan.intent.clone(),
            draft: draft.flatten(),
            written: owned::of(&facts),
            base: adopt::base(&facts),
            head: state.head,
        };
        self.store.adopt(&self.instance, &next)?;
        if next.draft.is_none() {
            self.store.set_draft(&self.instance, None)?;
        }
        Ok(unseen(Outcome::Nothing, plan, kind, facts.master))
    }

    /// Closes an operation as kept: its intent is in force, and what it wrote is what was
    /// written. An edit by hand since is drift.
    pub(crate) fn close_kept(
        &mut self,
        operation: u64,
        verdict: &Verdict,
    ) -> Result<(), EngineError> {
        let Some(open) = self.store.operation(operation)? else {
            return Err(StoreError::NotOpen(operation).into());
        };
        self.remove_keys_of_the_undone(&open)?;
        self.remove_older_maps(&open.new.plan)?;
        let sentences = match verdict.judgements.as_slice() {
            [] => open.proof().to_vec(),
            _ => sentences(verdict),
        };
        let written = match open.new.written {
            Some(written) => written,
            None => owned::of(&self.observe()?),
        };
        let state = InstanceState {
            head: Some(operation),
            ..in_force_by(&open.new.plan, written)
        };
        let close = Close {
            ended_ms: self.clock.now_ms(),
            outcome: OperationOutcome::Kept,
            sentences,
            state: Some(state),
        };
        Ok(self.store.close_operation(operation, &close)?)
    }

    /// Before a rollback is closed: what only the undone operation had installed goes too.
    fn remove_keys_of_the_undone(&mut self, open: &Operation) -> Result<(), EngineError> {
        let OperationKind::Rollback { of } = open.new.kind else {
            return Ok(());
        };
        match self.store.operation(of)? {
            Some(undone) => self.remove_unnamed(&undone.new.plan.steps),
            None => Ok(()),
        }
    }

    /// `confirm`: keeps the operation that awaits it.
    pub fn confirm(&mut self) -> Result<u64, EngineError> {
        let _lock = self.host.lock()?;
        self.settle_what_is_open()?;
        let Some(open) = self.store.open(&self.instance)? else {
            return Err(EngineError::Unknown {
                what: "operation",
                name: "awaiting confirmation".to_owned(),
            });
        };
        self.close_kept(open.id, &Verdict::default())?;
        Ok(open.id)
    }
}

/// A change that no look at Postfix tells of.
fn unseen(outcome: Outcome, plan: Plan, kind: OperationKind, master: MasterState) -> Changed {
    Changed {
        outcome,
        undone: kind.undoes(),
        plan,
        rehearsed: Verdict::default(),
        not_rehearsed: Vec::new(),
        broken_again: Vec::new(),
        still_broken: Vec::new(),
        restarted: Vec::new(),
        proved: Verdict::default(),
        master,
    }
}

/// What the wire misses that it did not miss before.
fn new_misses<'a>(
    applied: &'a Applied,
    verdict: &'a Verdict,
) -> impl Iterator<Item = &'a Judgement> {
    let missed = verdict.judgements.iter();
    let missed = missed.filter(|judged| judged.outcome != Judged::Pass);
    missed.filter(|miss| was(applied, miss) == Was::Not)
}

/// Whether a miss was there before.
fn was(applied: &Applied, miss: &Judgement) -> Was {
    let wanted = &applied.rehearsed.approved.proposal.plan.expectations;
    let wanted = wanted.iter().find(|e| e.service == miss.service);
    applied.rehearsed.baseline.had(wanted, miss)
}

/// What the wire shows to be wrong, though the scratch instance with these files had it right. A port
/// at which nothing listens is not waited for: a reload opens none.
fn to_be_mended<'a>(
    applied: &'a Applied,
    verdict: &'a Verdict,
) -> impl Iterator<Item = &'a Judgement> {
    let rehearsed = &applied.rehearsed.verdict.judgements;
    let failed = verdict.judgements.iter();
    let failed = failed.filter(|judged| judged.outcome == Judged::Fail && !is_closed(judged));
    failed.filter(|miss| {
        let mut tried = rehearsed.iter();
        let tried = tried.find(|tried| tried.service == miss.service);
        tried.is_some_and(|tried| tried.outcome == Judged::Pass)
    })
}

/// What was broken before, and is still. Where a rollback leads back to what was broken, that is said
/// of the rehearsal already.
fn still_broken(applied: &Applied, verdict: &Verdict) -> Vec<Finding> {
    let judged = verdict.judgements.iter();
    let still = judged.filter(|miss| was(applied, miss) == Was::SoBefore);
    still.flat_map(|miss| miss.findings.clone()).collect()
}

/// What of the new state no look can prove.
fn unproved(applied: &Applied) -> Vec<Judgement> {
    let Proposal { plan, facts, .. } = &applied.rehearsed.approved.proposal;
    let bytes = |file, now| plan.edit(file).map_or(now, |edit| edit.bytes.as_slice());
    let main = bytes(Cf::Main, &facts.main_cf.bytes);
    postseal_planner::unproved(main, bytes(Cf::Master, &facts.master_cf.bytes), facts)
}

/// Nobody would take back what nobody confirms.
fn unguarded(error: &std::io::Error) -> Finding {
    Finding::new(
        "guard.not-started",
        Severity::Fatal,
        format!("The guard of the change could not be started: {error}."),
        "Apply without --confirm-within, or find out why no second process can be started.",
    )
}

/// Postfix ran when the change began and runs no more: ended by the change's reload, or stopped
/// by somebody before it.
fn not_running(disturbed: MasterState) -> Finding {
    let found = |code, message, remedy| Finding::new(code, Severity::Fatal, message, remedy);
    match disturbed {
        MasterState::Running(_) => found(
            "postfix.master-ended",
            "Postfix's master process ended after the reload.",
            "Read the log: a service name, address or process that master cannot use ends it.",
        ),
        MasterState::Stopped => found(
            "postfix.stopped",
            "Postfix was stopped by somebody else while the change was under way.",
            "Start it, and apply again.",
        ),
    }
}
