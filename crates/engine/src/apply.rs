//! Apply: `Rehearsed` → `Applied`.
//!
//! Owns: the only place where live files change: journal row and snapshots first, then the plan's
//! steps in the plan's order, each noted in the journal when it is done. Never: decides an order,
//! skips a step, or goes on after one that failed.

use crate::approve::Approved;
use crate::change::Keep;
use crate::propose::Proposal;
use crate::rehearse::Rehearsed;
use crate::undo::Undo;
use crate::verify::Interrupt;
use crate::{Engine, EngineError, Event, Stage};
use postfix_cf::{MainCf, MasterCf};
use postseal_host::Snapshot;
use postseal_planner::facts::MasterState;
use postseal_planner::intent::Owned;
use postseal_planner::plan::{Cf, Plan, Step};
use postseal_planner::{Digest, owned};
use postseal_store::{Before, Close, NewOperation, OperationOutcome, Phase, StoredSnapshot};
use std::time::Duration;

/// How long `Await` waits for what was published to be effective.
const EFFECTIVE: Duration = Duration::from_secs(8);

/// A plan whose steps are all done. Must be verified and settled.
#[derive(Debug)]
#[must_use = "an applied plan is neither kept nor undone until it is settled"]
pub(crate) struct Applied {
    pub(crate) operation: u64,
    pub(crate) rehearsed: Rehearsed,
    pub(crate) snapshots: Vec<Snapshot>,
    pub(crate) confirm_by_ms: Option<i64>,
    /// The master that was reloaded, or stopped and started; should it not run afterwards, it
    /// was this change that ended it.
    pub(crate) disturbed: MasterState,
}

impl Engine<'_> {
    /// Carries the steps out. On a failure the old bytes are put back before this returns.
    pub(crate) fn carry_out_steps(
        &mut self,
        rehearsed: Rehearsed,
        keep: Keep,
    ) -> Result<Applied, EngineError> {
        self.tell(Event::Stage {
            stage: Stage::Apply,
        });
        let started_ms = self.clock.now_ms();
        let confirm_by_ms = match keep {
            Keep::Now => None,
            Keep::Within(time) => {
                Some(started_ms.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
            }
        };
        let snapshots = self.snapshots(&rehearsed)?;
        let operation = self.open(&rehearsed, &snapshots, started_ms, confirm_by_ms)?;
        let mut applied = Applied {
            operation,
            rehearsed,
            snapshots,
            confirm_by_ms,
            disturbed: MasterState::Stopped,
        };
        let steps = applied.rehearsed.approved.proposal.plan.steps.clone();
        for (n, step) in steps.iter().enumerate() {
            if let Err(error) = self.step_and_note(&mut applied, n, step) {
                return Err(self.give_up(&applied, error));
            }
            self.tell(Event::Step {
                n,
                what: describe(step),
            });
        }
        Ok(applied)
    }

    /// Snapshots of the files that the plan changes; each must still be what the plan was made
    /// from.
    fn snapshots(&self, rehearsed: &Rehearsed) -> Result<Vec<Snapshot>, EngineError> {
        let plan = &rehearsed.approved.proposal.plan;
        let mut snapshots = Vec::new();
        for edit in &plan.edits {
            let snapshot = self.host.snapshot(edit.file)?;
            if Digest::of(&snapshot.bytes) != edit.before {
                return Err(postseal_host::HostError::Stale {
                    path: snapshot.path,
                }
                .into());
            }
            snapshots.push(snapshot);
        }
        Ok(snapshots)
    }

    fn open(
        &mut self,
        rehearsed: &Rehearsed,
        snapshots: &[Snapshot],
        started_ms: i64,
        confirm_by_ms: Option<i64>,
    ) -> Result<u64, EngineError> {
        let proposal = &rehearsed.approved.proposal;
        let running = is_running(proposal);
        let new = NewOperation {
            snapshots: snapshots.iter().map(stored).collect(),
            confirm_by_ms,
            before: rehearsed.baseline.remembered(running),
            ..self.operation_of(proposal, started_ms)
        };
        self.opened(&new)
    }

    /// Opens an operation whose plan does nothing: no file is touched, so none is snapshotted, and
    /// nobody has to confirm it.
    pub(crate) fn open_unseen(&mut self, approved: &Approved) -> Result<u64, EngineError> {
        let new = self.operation_of(&approved.proposal, self.clock.now_ms());
        self.opened(&new)
    }

    fn operation_of(&self, proposal: &Proposal, started_ms: i64) -> NewOperation {
        NewOperation {
            instance: self.instance.clone(),
            kind: proposal.kind.clone(),
            actor: self.actor.clone(),
            started_ms,
            plan: proposal.plan.clone(),
            snapshots: Vec::new(),
            confirm_by_ms: None,
            before: Before {
                running: is_running(proposal),
                ..Before::default()
            },
            written: Some(written_by(proposal)),
            rules: proposal.rules.take,
        }
    }

    fn opened(&mut self, new: &NewOperation) -> Result<u64, EngineError> {
        let operation = self.store.open_operation(new)?;
        self.tell(Event::Opened { operation });
        Ok(operation)
    }

    fn step_and_note(
        &mut self,
        applied: &mut Applied,
        n: usize,
        step: &Step,
    ) -> Result<(), EngineError> {
        self.stop_if_interrupted()?;
        self.step(applied, step)?;
        Ok(self.store.journal(applied.operation, &Phase::Step { n })?)
    }

    fn step(&mut self, applied: &mut Applied, step: &Step) -> Result<(), EngineError> {
        let plan = &applied.rehearsed.approved.proposal.plan;
        match step {
            Step::InstallChain { path, .. } => {
                let Some(bytes) = applied.rehearsed.private.get(path) else {
                    return Err(EngineError::Unknown {
                        what: "key for",
                        name: path.display().to_string(),
                    });
                };
                self.host.install(path, bytes)?;
            }
            Step::InstallSniMap(map) => self.host.install_sni_map(map)?,
            // The rehearsal has made it; nothing names it yet.
            Step::InstallPolicyMap(_) => {}
            Step::Publish { file } => {
                if let Some(edit) = plan.edit(*file) {
                    self.host.publish(*file, &edit.bytes, edit.before)?;
                }
            }
            Step::Reload | Step::Restart => {
                // What somebody has stopped is not ours to start.
                if let running @ MasterState::Running(_) = self.host.master()? {
                    applied.disturbed = running;
                    match step {
                        Step::Restart => self.host.restart()?,
                        _ => self.host.reload()?,
                    }
                }
            }
            Step::Await => self.await_services(applied, plan),
        }
        Ok(())
    }

    /// Waits until the services of the new master.cf show what the state between the renames
    /// promises, or the deadline passes; the proof at the end decides.
    fn await_services(&self, applied: &Applied, plan: &Plan) {
        let facts = &applied.rehearsed.approved.proposal.facts;
        let master = plan
            .edit(Cf::Master)
            .map_or(&facts.master_cf.bytes, |edit| &edit.bytes);
        let expectations = postseal_planner::expect(
            &MainCf::parse(&facts.main_cf.bytes),
            &MasterCf::parse(master),
            facts,
            &plan.intent,
        );
        self.poll(&expectations, EFFECTIVE, Interrupt::Heed);
    }

    /// Puts the old bytes back, where any were replaced.
    fn give_up(&mut self, applied: &Applied, error: EngineError) -> EngineError {
        let undo = Undo::of_applied(applied, postseal_planner::whole_chain(&error));
        if self.is_untouched(applied) {
            return self.close_failed(&undo).err().unwrap_or(error);
        }
        self.rolled_back(&undo, Vec::new())
    }

    /// Whether Postfix and its two files are as they were. What cannot be seen counts as touched.
    fn is_untouched(&self, applied: &Applied) -> bool {
        let as_before = |snapshot: &Snapshot| {
            let now = self.host.snapshot(snapshot.file);
            now.is_ok_and(|now| now.bytes == snapshot.bytes)
        };
        applied.disturbed == MasterState::Stopped && applied.snapshots.iter().all(as_before)
    }

    fn close_failed(&mut self, undo: &Undo) -> Result<(), EngineError> {
        self.remove_unnamed(&undo.plan.steps)?;
        let close = Close {
            ended_ms: self.clock.now_ms(),
            outcome: OperationOutcome::Failed {
                reason: undo.reason.clone(),
            },
            sentences: Vec::new(),
            state: None,
        };
        Ok(self.store.close_operation(undo.operation, &close)?)
    }
}

/// The owned parameters once the plan's steps are done.
fn written_by(proposal: &Proposal) -> Owned {
    let Proposal { plan, facts, .. } = proposal;
    let main = plan.edit(Cf::Main).map(|edit| &edit.bytes);
    let master = plan.edit(Cf::Master).map(|edit| &edit.bytes);
    owned::read(
        &MainCf::parse(main.unwrap_or(&facts.main_cf.bytes)),
        &MasterCf::parse(master.unwrap_or(&facts.master_cf.bytes)),
    )
}

fn is_running(proposal: &Proposal) -> bool {
    matches!(proposal.facts.master, MasterState::Running(_))
}

/// A snapshot as the store keeps it.
pub(crate) fn stored(snapshot: &Snapshot) -> StoredSnapshot {
    StoredSnapshot {
        file: snapshot.file,
        digest: Digest::of(&snapshot.bytes),
        bytes: snapshot.bytes.clone(),
        attributes: crate::undo::Attributes::of(snapshot).to_json(),
    }
}

/// A step in an administrator's words.
pub(crate) fn describe(step: &Step) -> String {
    match step {
        Step::InstallChain { path, .. } => {
            format!("wrote key and certificates to {}", path.display())
        }
        Step::InstallSniMap(map) => format!("wrote the map of names {}", map.path.display()),
        Step::InstallPolicyMap(map) => {
            format!("wrote the map of policies {}", map.path.display())
        }
        Step::Publish { file: Cf::Main } => "replaced main.cf".to_owned(),
        Step::Publish { file: Cf::Master } => "replaced master.cf".to_owned(),
        Step::Reload => "reloaded Postfix".to_owned(),
        Step::Restart => "stopped and started Postfix".to_owned(),
        Step::Await => "waited for the services".to_owned(),
    }
}
