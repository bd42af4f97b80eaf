//! Undo: put the old bytes back.
//!
//! Owns: the way back, for a change that failed, was not confirmed, or was interrupted: the
//! plan's file steps in reverse order, each only where the file still holds what the plan wrote,
//! then a reload, then the proof that the old state is effective. Never: deletes what it did not
//! write, or overwrites a later hand edit.

mod stored;

use crate::apply::Applied;
use crate::verify::{Interrupt, Looked};
use crate::{End, Engine, EngineError, Event, Stage};
use postfix_cf::{MainCf, MasterCf};
use postseal_host::{HostError, Snapshot};
use postseal_planner::facts::{Facts, MasterState};
use postseal_planner::plan::{Cf, Edit, Plan, Step};
use postseal_planner::report::{Outcome, Verdict};
use postseal_planner::{Digest, Finding, Severity, whole_chain};
use postseal_store::{Close, Operation, OperationOutcome, Phase, StoreError};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use stored::Attributes;

/// How long the old state has to show itself after a reload.
const OLD_STATE: Duration = Duration::from_secs(5);
/// How long after a stop and start.
const RESTARTED: Duration = Duration::from_secs(10);

/// What is needed to undo an operation.
pub(crate) struct Undo {
    pub(crate) operation: u64,
    pub(crate) plan: Plan,
    pub(crate) snapshots: Vec<Snapshot>,
    pub(crate) reason: String,
    /// Who ended Postfix, should it not run.
    pub(crate) ender: Ender,
}

/// Who ends Postfix between the beginning of a change and its undoing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ender {
    /// The change, whose reload or stop and start it did not survive: it is started again.
    Change,
    /// Somebody else, who starts it again.
    Somebody,
}

impl Undo {
    pub(crate) fn of_applied(applied: &Applied, reason: String) -> Self {
        Self {
            operation: applied.operation,
            plan: applied.rehearsed.approved.proposal.plan.clone(),
            snapshots: applied.snapshots.clone(),
            reason,
            ender: match applied.disturbed {
                MasterState::Running(_) => Ender::Change,
                MasterState::Stopped => Ender::Somebody,
            },
        }
    }

    /// From the operation log, after a crash or a passed deadline.
    pub(crate) fn of_stored(operation: &Operation, reason: String) -> Option<Self> {
        let snapshots: Option<Vec<Snapshot>> = operation
            .new
            .snapshots
            .iter()
            .map(stored::snapshot)
            .collect();
        Some(Self {
            operation: operation.id,
            plan: operation.new.plan.clone(),
            snapshots: snapshots?,
            reason,
            ender: stored::ender(operation),
        })
    }
}

impl Engine<'_> {
    /// Undoes, and says so: as the error that it is for whoever wanted the change.
    pub(crate) fn rolled_back(&mut self, undo: &Undo, mut findings: Vec<Finding>) -> EngineError {
        match self.undo(undo) {
            Ok(told) => {
                findings.extend(told);
                EngineError::RolledBack {
                    operation: undo.operation,
                    reason: undo.reason.clone(),
                    findings,
                }
            }
            Err(worse) => worse,
        }
    }

    /// Puts the old bytes back, makes them effective, proves it, and closes the operation. The
    /// answer is what is wrong all the same, and that Postfix was stopped and started for it.
    pub(crate) fn undo(&mut self, undo: &Undo) -> Result<Vec<Finding>, EngineError> {
        self.tell(Event::Stage {
            stage: Stage::RollBack,
        });
        self.tell(Event::RollingBack {
            reason: undo.reason.clone(),
        });
        let phase = Phase::RollingBack {
            reason: undo.reason.clone(),
            running: matches!(self.host.master(), Ok(MasterState::Running(_))),
        };
        // A store that cannot be written (a full disk) must not keep the old bytes away. The next
        // start undoes the operation again and finds the files as they should be.
        let _ = self.store.journal(undo.operation, &phase);
        self.restore_files(undo)?;
        let mut told: Vec<Finding> = self.make_effective(undo)?.into_iter().collect();
        let looked = self.prove_old_state(undo.operation)?;
        told.extend(looked.restarted);
        let verdict = looked.verdict;
        self.remove_unnamed(&undo.plan.steps)?;
        self.close_undone(undo, &verdict)
            .map_err(|source| EngineError::Unnoted {
                operation: undo.operation,
                end: End::Undone,
                source,
            })?;
        Ok(told)
    }

    fn close_undone(&mut self, undo: &Undo, verdict: &Verdict) -> Result<(), StoreError> {
        self.store.journal(undo.operation, &Phase::RolledBack)?;
        let close = Close {
            ended_ms: self.clock.now_ms(),
            outcome: OperationOutcome::RolledBack {
                reason: undo.reason.clone(),
            },
            sentences: sentences(verdict),
            state: None,
        };
        self.store.close_operation(undo.operation, &close)
    }

    /// The plan's publishing steps backwards, so that every state on the way was tried. All files
    /// are looked at before the first is touched.
    fn restore_files(&mut self, undo: &Undo) -> Result<(), EngineError> {
        let mut restored = Vec::new();
        for (snapshot, edit) in self.to_restore(undo)? {
            // Restoring main.cf acts at once; master.cf waits for a reload. Between the two, the
            // services must be the old ones before main.cf gets older than they are.
            if snapshot.file == Cf::Main && restored.contains(&Cf::Master) {
                self.reload_if_running()?;
            }
            self.host.restore(snapshot, edit.after)?;
            restored.push(snapshot.file);
        }
        Ok(())
    }

    /// The files that hold what the plan wrote, in the order of the way back; a conflict where
    /// one holds neither that nor what it held before.
    fn to_restore<'u>(&self, undo: &'u Undo) -> Result<Vec<(&'u Snapshot, &'u Edit)>, EngineError> {
        let published = undo.plan.steps.iter().rev().filter_map(|step| match step {
            Step::Publish { file } => Some(*file),
            _ => None,
        });
        let mut written = Vec::new();
        for file in published {
            let (Some(edit), Some(snapshot)) = (
                undo.plan.edit(file),
                undo.snapshots.iter().find(|snapshot| snapshot.file == file),
            ) else {
                continue;
            };
            // A leftover that cannot be removed is no reason not to go back.
            let _ = self.host.sweep(file);
            let now = Digest::of(&self.host.snapshot(file)?.bytes);
            if now == edit.after && now != edit.before {
                written.push((snapshot, edit));
            } else if now != edit.before {
                return Err(EngineError::Conflict {
                    operation: undo.operation,
                    reason: format!(
                        "{} was edited by somebody else meanwhile; compare it with `postseal diff {}` and run `postseal recover` again",
                        snapshot.path.display(),
                        undo.operation
                    ),
                });
            }
        }
        Ok(written)
    }

    /// Reloads; starts what the change's own reload has ended, but never what somebody else has
    /// stopped.
    fn make_effective(&mut self, undo: &Undo) -> Result<Option<Finding>, EngineError> {
        match (self.host.master()?, undo.ender) {
            (MasterState::Running(_), _) => self.host.reload()?,
            (MasterState::Stopped, Ender::Somebody) => {}
            (MasterState::Stopped, Ender::Change) => {
                let why = "its master process ended during the change";
                let started = self.restart(undo.operation, why);
                return Ok(Some(started.unwrap_or_else(|error| not_started(&error))));
            }
        }
        Ok(None)
    }

    /// Looks until the old state shows itself; stops and starts Postfix where a service is
    /// throttled dead, because a reload does not heal that for a minute.
    fn prove_old_state(&mut self, operation: u64) -> Result<Looked, EngineError> {
        let facts = self.observe()?;
        if facts.master == MasterState::Stopped {
            return Ok(Looked::default());
        }
        let expectations = expectations_of(&facts, &self.state()?.desired);
        let looked = self.poll(&expectations, OLD_STATE, Interrupt::Ignore);
        if looked.verdict.outcome() == Outcome::Pass || !self.is_throttled(&looked) {
            return Ok(looked);
        }
        let why = "a service accepted connections and had no process to answer them";
        let restarted = Some(self.restart(operation, why)?);
        let looked = self.poll(&expectations, RESTARTED, Interrupt::Ignore);
        Ok(Looked {
            restarted,
            ..looked
        })
    }

    /// Stops and starts Postfix, and says so to whoever listens, in the log, and in the answer.
    pub(crate) fn restart(&mut self, operation: u64, why: &str) -> Result<Finding, HostError> {
        self.tell(Event::Restarted {
            reason: why.to_owned(),
        });
        self.host.restart()?;
        // A store that cannot be written must not hold up what is done to Postfix.
        let reason = why.to_owned();
        let _ = self.store.journal(operation, &Phase::Restarted { reason });
        Ok(restarted(why))
    }

    /// Whether a silent service is throttled dead: it has no process, though somebody waits for its
    /// greeting. One that is slow or busy has one, and stopping it would cut its sessions.
    pub(crate) fn is_throttled(&self, looked: &Looked) -> bool {
        let silent = looked.reports.iter().filter(|report| report.is_silent());
        let silent: Vec<&str> = silent.map(|report| report.service.as_str()).collect();
        if silent.is_empty() {
            return false;
        }
        let served = self.host.served();
        served.is_none_or(|served| silent.iter().any(|service| !served.contains(*service)))
    }

    /// Keys, chains and maps that these steps wrote and neither file names. Keys stay sealed in
    /// the store.
    pub(crate) fn remove_unnamed(&mut self, steps: &[Step]) -> Result<(), EngineError> {
        let main = self.host.snapshot(Cf::Main)?.bytes;
        let master = self.host.snapshot(Cf::Master)?.bytes;
        let mut texts = vec![main, master];
        // What a map of names is made of is named by its rows; those of maps first.
        for step in steps.iter().rev() {
            let files = match step {
                Step::InstallChain { path, .. } => vec![path.clone()],
                Step::InstallSniMap(map) => map.files(),
                Step::InstallPolicyMap(map) => map.files(),
                _ => continue,
            };
            let name = files[0].file_name().unwrap_or_default();
            let named = texts.iter().any(|text| contains(text, name.as_bytes()));
            match step {
                Step::InstallSniMap(map) if named => texts.push(map.source.clone().into_bytes()),
                _ if named || name.is_empty() => {}
                _ => files.iter().try_for_each(|file| self.host.remove(file))?,
            }
        }
        Ok(())
    }

    /// Removes those of `files` that neither configuration file names, by their own name or by
    /// that of the source that they were compiled of.
    pub(crate) fn remove_files_unnamed(
        &mut self,
        files: impl Iterator<Item = PathBuf>,
    ) -> Result<(), EngineError> {
        let main = self.host.snapshot(Cf::Main)?.bytes;
        let master = self.host.snapshot(Cf::Master)?.bytes;
        for file in files {
            let name = file.file_name().unwrap_or_default().as_bytes();
            let source = name.split(|byte| *byte == b'.').next().unwrap_or(name);
            if !contains(&main, source) && !contains(&master, source) {
                self.host.remove(&file)?;
            }
        }
        Ok(())
    }

    fn reload_if_running(&mut self) -> Result<(), EngineError> {
        if let MasterState::Running(_) = self.host.master()? {
            self.host.reload()?;
        }
        Ok(())
    }
}

/// Whoever was in the middle of something was cut off.
fn restarted(why: &str) -> Finding {
    let message = format!("Postfix was stopped and started: {why}. Its sessions were cut.");
    let remedy = "Nothing has to be done: mail servers try again by themselves; somebody who was just \
                  sending a message sends it again.";
    Finding::new("postfix.restarted", Severity::Warning, message, remedy)
}

/// Postfix is down, and the old files cannot be the reason that this change brought.
fn not_started(error: &HostError) -> Finding {
    let message = format!(
        "Postfix does not run: it could not be started again with the old files: {}",
        whole_chain(error)
    );
    let remedy = "Read the log, mend what it names, and run `postfix start`.";
    Finding::new("postfix.not-started", Severity::Fatal, message, remedy)
}

/// What the files as they are promise.
pub(crate) fn expectations_of(
    facts: &Facts,
    intent: &postseal_planner::Intent,
) -> Vec<postseal_planner::report::ServiceExpectation> {
    postseal_planner::expect(
        &MainCf::parse(&facts.main_cf.bytes),
        &MasterCf::parse(&facts.master_cf.bytes),
        facts,
        intent,
    )
}

/// What a verdict proved, a sentence each.
pub(crate) fn sentences(verdict: &Verdict) -> Vec<String> {
    verdict
        .judgements
        .iter()
        .flat_map(|judged| judged.sentences.clone())
        .collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

/// The duration after which the proof of a change gives up.
pub(crate) const PROOF: Duration = Duration::from_secs(10);

/// What to ask the planner for the plan back to before `undone`.
pub(crate) fn rollback_request<'a>(
    undone: &'a Operation,
    state: &'a postseal_store::InstanceState,
) -> postseal_planner::RollbackRequest<'a> {
    let before = |file| {
        undone
            .new
            .snapshots
            .iter()
            .find(|snapshot| snapshot.file == file)
    };
    postseal_planner::RollbackRequest {
        undone: &undone.new.plan,
        main_before: before(Cf::Main).map(|snapshot| snapshot.bytes.as_slice()),
        master_before: before(Cf::Master).map(|snapshot| snapshot.bytes.as_slice()),
        in_force: &state.desired,
        parent: state.head,
    }
}
