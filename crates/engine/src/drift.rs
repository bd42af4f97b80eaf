//! Drift: hand edits of what Postseal owns, shown, taken over, or put back.
//!
//! Owns: comparing what was written with what is there. Never: treats other bytes of the files
//! as drift; they are news at most.

use crate::approve::Acceptance;
use crate::change::{Changed, Keep};
use crate::propose::Proposal;
use crate::wishes::Wish;
use crate::{Engine, EngineError, TableDrift, TablesRead, adopt};
use postseal_planner::intent::Binding;
use postseal_planner::owned::{self, Drift};
use postseal_planner::{Facts, FileDrift, Finding, Intent, Request, Severity, file_drift};
use postseal_store::{InstanceState, OperationKind};
use std::path::Path;

/// What `drift` answers.
#[derive(Clone, Debug, Default)]
pub struct DriftReport {
    /// Owned keys that differ from what was written.
    pub drift: Vec<Drift>,
    /// Files of ours in `postseal.d` that are not as they were written.
    pub files: Vec<FileDrift>,
    /// Adopted tables of policies that answer and were edited.
    pub tables: Vec<TableDrift>,
    /// The wishes that `drift --adopt` ended, because the files say otherwise.
    pub given_up: Vec<Wish>,
    /// What `drift --adopt` made of the tables of policies.
    pub taken: TablesRead,
    /// Whether anything else in the files has changed since.
    pub other_bytes: adopt::Changes,
}

impl DriftReport {
    /// Whether everything of ours is as it was written.
    pub fn is_empty(&self) -> bool {
        self.drift.is_empty() && self.files.is_empty() && self.tables.is_empty()
    }
}

impl Engine<'_> {
    /// Hand edits since the last kept operation or adoption.
    pub fn drift(&mut self) -> Result<DriftReport, EngineError> {
        let facts = self.observe()?;
        Ok(self.drift_of(&self.in_force_now(&facts)?, &facts))
    }

    /// Takes hand edits over: what is in the files is what is wanted from now on.
    pub fn adopt_drift(&mut self) -> Result<DriftReport, EngineError> {
        let _lock = self.host.lock()?;
        self.settle_what_is_open()?;
        self.refuse_while_open()?;
        let state = self.state()?;
        let facts = self.observe()?;
        let mut report = self.drift_of(&state, &facts);
        let request = Request {
            intent: &state.desired,
            in_force: &state.desired,
            parent: state.head,
            written: &state.written,
        };
        let desired = postseal_planner::take_over(&request, &facts, self.clock.now_unix());
        report.given_up = crate::wishes::wishes(&state.desired, &desired);
        let draft = state
            .draft
            .map(|draft| rebased(draft, &state.desired, &desired));
        let next = InstanceState {
            draft: draft.filter(|draft| *draft != desired),
            desired,
            written: owned::of(&facts),
            base: adopt::base(&facts),
            head: state.head,
        };
        report.taken = self.read_tables(&facts, &next.written, Some(&next))?;
        let intent = Intent {
            tables: report.taken.tables.clone(),
            ..next.desired.clone()
        };
        let stale = postseal_planner::stale_maps(&intent, &facts);
        let stale = stale.iter().map(|path| stale_map(path));
        report.taken.findings.extend(stale);
        self.put_adopted(&next, &report.taken)?;
        if !report.drift.is_empty() {
            self.note_done(&noted(&report))?;
        }
        Ok(report)
    }

    /// `drift --restore`: puts owned keys back, on the one path.
    pub fn restore_drift(
        &mut self,
        accepted: &[Acceptance],
        keep: Keep,
    ) -> Result<Changed, EngineError> {
        let _lock = self.host.lock()?;
        self.settle_what_is_open()?;
        let proposal = self.propose_restore()?;
        self.carry_out(proposal, accepted, keep)
    }

    /// What `drift --restore` would do.
    pub fn propose_restore(&mut self) -> Result<Proposal, EngineError> {
        self.refuse_while_open()?;
        let state = self.state()?;
        let facts = self.observe()?;
        let request = Request {
            intent: &state.desired,
            in_force: &state.desired,
            parent: state.head,
            written: &state.written,
        };
        let plan = postseal_planner::restore_drift(&request, &facts, self.clock.now_unix())
            .map_err(EngineError::Refused)?;
        Ok(Proposal {
            rules: crate::RuleChanges::default(),
            plan,
            facts,
            state,
            kind: OperationKind::RestoreDrift,
        })
    }
}

impl Engine<'_> {
    /// Hand edits between what was written and what is there.
    pub(crate) fn drift_of(&self, state: &InstanceState, facts: &Facts) -> DriftReport {
        DriftReport {
            tables: self.table_drift(state),
            ..edits(state, facts)
        }
    }
}

/// A map of ours that is not the one of the rules in force is nobody's table.
fn stale_map(path: &Path) -> Finding {
    let shown = path.display();
    Finding::new(
        "policy.stale-map",
        Severity::Warning,
        format!(
            "{shown} is an earlier map of the rules, or one of another host's: it is not taken over. \
             It answers until the next `postseal apply`, which names the map of the rules in its place."
        ),
        "`postseal policy list` shows the rules, `postseal plan` what would be written; an earlier \
         state comes back by `postseal rollback`.",
    )
}

fn edits(state: &InstanceState, facts: &Facts) -> DriftReport {
    let drift = owned::drift(&state.written, &owned::of(facts));
    let same = state.base == adopt::base(facts);
    let other_bytes = if same || !drift.is_empty() {
        adopt::Changes::None
    } else {
        adopt::Changes::Some
    };
    let request = Request {
        intent: &state.desired,
        in_force: &state.desired,
        parent: state.head,
        written: &state.written,
    };
    DriftReport {
        files: file_drift(&request, facts),
        drift,
        other_bytes,
        ..DriftReport::default()
    }
}

/// What is wished stands on what was taken over, or it would undo that: of what was in force, it holds
/// what still is.
fn rebased(draft: Intent, before: &Intent, after: &Intent) -> Intent {
    let mut draft = draft;
    let gone = |bound: &Binding| before.bindings.contains(bound) && !after.bindings.contains(bound);
    draft.bindings.retain(|bound| !gone(bound));
    let settings = &after.settings;
    draft.settings.retain(|key, setting| {
        before.settings.get(key) != Some(setting) || settings.contains_key(key)
    });
    if draft.exempt == before.exempt {
        draft.exempt = after.exempt.clone();
    }
    Intent {
        adopted: after.adopted.clone(),
        ..draft
    }
}

/// What was taken over, for `history`.
fn noted(report: &DriftReport) -> String {
    let keys = report.drift.iter();
    let keys: Vec<String> = keys
        .map(|drift| format!("{} {}", drift.place, drift.parameter))
        .collect();
    let ended: Vec<String> = report.given_up.iter().map(Wish::ended).collect();
    let mut what = format!("took hand edits over: {}", keys.join(", "));
    if !ended.is_empty() {
        what.push_str(&format!("; no longer in force: {}", ended.join(", ")));
    }
    what
}
