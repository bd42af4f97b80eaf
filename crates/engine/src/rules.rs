//! Rules for destinations: wishes about them, and what an operation does with them.
//!
//! Owns: judging a wish before it is stored, and from rules in the store to the map of a plan.
//! Never: decides which rule wins (the planner does), or holds all of them in memory.

mod compiled;
mod import;
mod judged;
mod rows;
mod servers;
mod source;
mod tables;
mod wished;

use crate::domains::MOST;
use crate::{Engine, EngineError};
pub use import::{RulesImported, Stored, Wholeness};
use postseal_planner::intent::{Key, Named, Policies};
use postseal_planner::plan::{Plan, PolicyMap, Step};
use postseal_planner::policy::{Lookup, Overruled, RuleId};
use postseal_planner::{Finding, Intent, Severity};
use postseal_store::{InstanceState, OperationKind, RuleState, RuleTake, RuleView};
use rows::Rows;
pub use servers::Look;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Seek;
use std::path::PathBuf;
use std::sync::Arc;
pub use tables::{TableDrift, TableRead, TablesRead};
pub use wished::{Added, Forced, Refused, RuleRequest, RulesWished};

/// So many changes are shown with a plan.
const SHOWN: usize = 200;

/// What a plan does with the rules for destinations.
#[derive(Clone, Debug)]
pub struct RuleChanges {
    /// What is taken into force with it.
    pub take: RuleTake,
    /// Which rules its map is made of.
    pub view: RuleView,
    /// How many rules change.
    pub count: u64,
    /// The first of them, before and after.
    pub shown: Vec<RuleState>,
    /// What the map must answer.
    pub lookups: Vec<Lookup>,
    /// Rules that others overrule.
    pub overruled: Vec<Overruled>,
    /// The rows as they were rendered, where the store's folder could take them: a file without a
    /// name.
    spool: Option<Arc<File>>,
}

impl Default for RuleChanges {
    fn default() -> Self {
        Self {
            take: RuleTake::None,
            view: RuleView::InForce,
            count: 0,
            shown: Vec::new(),
            lookups: Vec::new(),
            overruled: Vec::new(),
            spool: None,
        }
    }
}

impl Engine<'_> {
    /// What is wanted with the rules as they are wished.
    pub(crate) fn with_rules(
        &self,
        intent: &Intent,
        state: &InstanceState,
        kind: &OperationKind,
    ) -> Result<(Intent, RuleChanges), EngineError> {
        let mut changes = RuleChanges::default();
        let mut intent = intent.clone().with_rules_of(&state.desired);
        if *kind != OperationKind::Apply {
            return Ok((intent, changes));
        }
        let count = self.store.pending_rules(&self.instance)?;
        // Another value is wanted for the parameter that names the adopted tables: what answered
        // by them must go on to.
        let renamed = has_own_maps(&intent) && !has_own_maps(&state.desired);
        if count > 0 {
            let revision = self.store.rules_revision(&self.instance)?;
            changes.take = RuleTake::Wishes { revision };
            changes.view = RuleView::Wanted;
            changes.count = count;
            changes.shown = self.pending_shown()?;
        }
        if count > 0 || (renamed && intent.tables.is_some()) {
            let rendered = self.rendered(&mut changes)?;
            self.put_rows(&mut intent, rendered, renamed, state)?;
        }
        Ok((intent, changes))
    }

    /// The rows of the rules, answered by the adopted tables while they are the same.
    fn put_rows(
        &self,
        intent: &mut Intent,
        rendered: Option<Policies>,
        renamed: bool,
        state: &InstanceState,
    ) -> Result<(), EngineError> {
        if let Some(tables) = &mut intent.tables
            && tables.named == Named::Still
        {
            let same = match rendered {
                Some(rows) => rows == tables.policies,
                None => tables.policies.rows == 0,
            };
            if same && !renamed {
                return Ok(());
            }
            self.refuse_edited_tables(state)?;
            tables.named = Named::NoMore;
        }
        intent.policies = rendered;
        Ok(())
    }

    /// What taking an operation back does with the rules.
    pub(crate) fn rules_taken_back(
        &self,
        of: u64,
        undone: &Plan,
    ) -> Result<RuleChanges, EngineError> {
        let mut changes = RuleChanges::default();
        if undone.intent.has_rules_of(&undone.earlier) {
            return Ok(changes);
        }
        let swapped = self.store.rule_changes(of, SHOWN)?;
        changes.take = RuleTake::Reverse { of };
        changes.view = RuleView::Before(of);
        changes.count = self.store.count_rule_changes(of)?;
        changes.shown = swapped
            .into_iter()
            .map(|state| RuleState {
                in_force: state.wanted,
                wanted: state.in_force,
                ..state
            })
            .collect();
        self.rendered(&mut changes)?;
        Ok(changes)
    }

    /// Renders, with the rows put aside: what the map comes to, and what it must answer.
    fn rendered(&self, changes: &mut RuleChanges) -> Result<Option<Policies>, EngineError> {
        let mut rows = Rows::new(
            &*self.store,
            &self.instance,
            changes.view,
            self.expected_rows()?,
        );
        let mut spool = tempfile::tempfile_in(&self.guards).ok();
        let rendered = rows.exhausted(&mut spool)?;
        changes.spool = spool.map(Arc::new);
        changes.lookups = changed_lookups(&changes.shown, &self.contested(&changes.shown)?);
        let Some(rendered) = rendered else {
            return Ok(None);
        };
        changes.lookups.extend(rendered.lookups);
        changes.overruled = rendered.overruled;
        Ok(Some(rendered.policies))
    }

    /// Destinations for which more than one manager may have a rule: what is written for them is
    /// the stricter one's.
    fn contested(&self, shown: &[RuleState]) -> Result<BTreeSet<String>, EngineError> {
        let managed = self.store.managed_rules(&self.instance, MOST)?;
        let by_hand = shown.iter().filter(|state| state.id.manager.is_empty());
        let there: BTreeSet<&str> = managed
            .iter()
            .map(|state| state.id.destination.as_str())
            .collect();
        let mut contested: BTreeSet<String> = by_hand
            .map(|state| state.id.destination.clone())
            .filter(|destination| there.contains(destination.as_str()))
            .collect();
        let mut ids = BTreeSet::new();
        for state in managed.iter().chain(shown) {
            if state.id.manager.is_empty() {
                continue;
            }
            let by_hand = RuleId {
                manager: String::new(),
                ..state.id.clone()
            };
            for id in [state.id.clone(), by_hand] {
                ids.insert(id);
            }
        }
        let ids: Vec<RuleId> = ids.into_iter().collect();
        let mut earlier: Option<RuleId> = None;
        for state in self.store.rule_states(&self.instance, &ids)? {
            let is_there = state.in_force.is_some() || state.wanted.is_some();
            let is_shown = shown.iter().any(|one| one.id == state.id);
            if !is_there && !is_shown {
                continue;
            }
            if let Some(earlier) = earlier.replace(state.id.clone())
                && earlier.destination == state.id.destination
            {
                contested.insert(earlier.destination);
            }
        }
        Ok(contested)
    }

    fn pending_shown(&self) -> Result<Vec<RuleState>, EngineError> {
        let filter = postseal_store::RuleFilter {
            pending: postseal_store::Pending::Only,
            ..Default::default()
        };
        Ok(self.store.list_rules(&self.instance, &filter, 0, SHOWN)?)
    }

    /// How many rows there will be, roughly: it spreads the samples.
    fn expected_rows(&self) -> Result<u64, EngineError> {
        let state = self.state()?;
        let now = state.desired.rows().map_or(0, |policies| policies.rows);
        Ok(now.max(self.store.pending_rules(&self.instance)?))
    }

    /// Makes the map that a plan installs, beside the one that answers now, and asks it.
    pub(crate) fn make_policy_map(
        &self,
        plan: &Plan,
        changes: &RuleChanges,
    ) -> Result<(), EngineError> {
        let Some(map) = map_of(plan) else {
            return Ok(());
        };
        if let Some(mut spool) = changes.spool.as_deref() {
            spool.rewind().map_err(unread)?;
            self.host.install_policy_map(map, &mut spool)?;
            return self.answers(map, &changes.lookups);
        }
        let mut rows = Rows::new(
            &*self.store,
            &self.instance,
            changes.view,
            map.policies.rows,
        );
        self.host.install_policy_map(map, &mut rows)?;
        let made = rows.rendered();
        if made.map(|made| made.policies) != Some(map.policies) {
            return Err(EngineError::Stale(
                "the rules for destinations have changed meanwhile; run `postseal plan` again"
                    .to_owned(),
            ));
        }
        let sample = made.map(|made| made.lookups.clone()).unwrap_or_default();
        let lookups: Vec<Lookup> = changes.lookups.iter().cloned().chain(sample).collect();
        self.answers(map, &lookups)
    }

    /// Stops where a map does not answer as its rows say.
    fn answers(&self, map: &PolicyMap, lookups: &[Lookup]) -> Result<(), EngineError> {
        let findings = self.ask_policy_map(map, lookups);
        match findings.is_empty() {
            true => Ok(()),
            false => Err(EngineError::Rehearsal { findings }),
        }
    }

    /// Maps that neither the files nor the state before this change names go. That one stays, for
    /// who puts an old main.cf back by hand: without its map all mail would be deferred.
    pub(crate) fn remove_older_maps(&mut self, plan: &Plan) -> Result<(), EngineError> {
        if plan.intent.policies == plan.earlier.policies {
            return Ok(());
        }
        let directory = std::path::Path::new(&self.instance);
        let earlier = plan.earlier.policies.iter();
        let stays: Vec<PathBuf> = earlier
            .flat_map(|earlier| postseal_planner::policy_map_files(directory, earlier))
            .collect();
        // A map of ours that was adopted as a table after a release: a rollback names it again.
        let intents = [&plan.earlier, &plan.intent].into_iter();
        let tables = intents.filter_map(|intent| intent.tables.as_ref());
        let adopted: Vec<&PathBuf> = tables
            .flat_map(|tables| tables.tables.iter().map(|table| &table.path))
            .collect();
        let is_adopted = |file: &PathBuf| {
            let of = |path: &&PathBuf| file == *path || file.with_extension("") == **path;
            adopted.iter().any(of)
        };
        let folder = postseal_planner::installed_folder(directory);
        let all = self.host.policy_maps(&folder).into_iter();
        let older = all.filter(|file| !stays.contains(file) && !is_adopted(file));
        self.remove_files_unnamed(older)
    }

    /// Whether a map answers as its rows say.
    pub(crate) fn ask_policy_map(&self, map: &PolicyMap, lookups: &[Lookup]) -> Vec<Finding> {
        let keys: Vec<String> = lookups.iter().map(|lookup| lookup.key.clone()).collect();
        let name = map.name();
        let answers = match self.host.lookups(&name, &keys) {
            Ok(answers) => answers,
            Err(error) => {
                let why = crate::undo::whole_chain(&error);
                return vec![wrong(&name, &format!("It cannot be asked: {why}."))];
            }
        };
        let differ = lookups.iter().zip(answers).filter_map(|(lookup, answer)| {
            let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".into());
            (lookup.value != answer).then(|| {
                let (wanted, got) = (text(&lookup.value), text(&answer));
                format!("{}: {got}, not {wanted}", lookup.key)
            })
        });
        let differ: Vec<String> = differ.collect();
        if differ.is_empty() {
            return Vec::new();
        }
        let finding = wrong(&name, "It does not answer as its rows say.");
        vec![differ.into_iter().fold(finding, Finding::seen)]
    }
}

fn unread(source: std::io::Error) -> EngineError {
    EngineError::Local {
        action: "read the rows that were put aside",
        source,
    }
}

/// Whether the tables of policies are set by hand (`set param.smtp_tls_policy_maps=…`).
fn has_own_maps(intent: &Intent) -> bool {
    let set = |key: &Key| matches!(key, Key::Param(name) if name == "smtp_tls_policy_maps");
    intent.settings.keys().any(set)
}

/// The map that a plan makes.
pub(crate) fn map_of(plan: &Plan) -> Option<&PolicyMap> {
    plan.steps.iter().find_map(|step| match step {
        Step::InstallPolicyMap(map) => Some(map),
        _ => None,
    })
}

/// The keys of changed rules: what they were is gone, and what they are is there.
fn changed_lookups(shown: &[RuleState], contested: &BTreeSet<String>) -> Vec<Lookup> {
    let mut lookups = Vec::new();
    let sure = shown
        .iter()
        .filter(|state| !contested.contains(&state.id.destination));
    for state in sure {
        if let (Some(gone), None) = (&state.in_force, &state.wanted) {
            let keys = gone.keys().into_iter();
            lookups.extend(keys.map(|key| Lookup { key, value: None }));
        }
        if let Some(there) = &state.wanted {
            let value = Some(there.policy.clone());
            let keys = there.keys().into_iter();
            lookups.extend(keys.map(|key| Lookup {
                key,
                value: value.clone(),
            }));
        }
    }
    lookups
}

fn wrong(map: &str, what: &str) -> Finding {
    Finding::new(
        "policy.map-answers-wrong",
        Severity::Fatal,
        format!("The map of policies {map} cannot be used. {what}"),
        "Nothing was changed. Look at the disk and at what postmap(1) says of the map.",
    )
}

#[cfg(test)]
mod tests;
