//! The map of a plan: made, asked, and cleared away.
//!
//! Owns: making it beside the one that answers, and holding its answers against its rows. Never:
//! decides what is in it.

use super::RuleChanges;
use super::answering::Answering;
use super::rows::Rows;
use crate::{Engine, EngineError};
use postseal_planner::plan::{Plan, PolicyMap, Step};
use postseal_planner::policy::Lookup;
use postseal_planner::{Finding, Severity};
use std::io::Seek;
use std::path::PathBuf;

impl Engine<'_> {
    /// Makes the map that a plan installs, beside the one that answers now, and asks it.
    pub(crate) fn make_policy_map(
        &self,
        plan: &Plan,
        changes: &RuleChanges,
    ) -> Result<(), EngineError> {
        let Some(map) = map_of(plan) else {
            return Ok(());
        };
        if plan.intent.policies == plan.earlier.policies {
            // It answers now, and is not replaced by one that was not asked.
            self.tried_aside(map, &|aside| self.make_map(aside, changes))?;
        }
        self.make_map(map, changes)
    }

    /// Makes a map and asks it.
    fn make_map(&self, map: &PolicyMap, changes: &RuleChanges) -> Result<(), EngineError> {
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
        self.ask_answering(&Answering::map(map), lookups)
    }

    /// Whether those who answer say what the rules say.
    pub(super) fn ask_answering(&self, answering: &Answering, lookups: &[Lookup]) -> Vec<Finding> {
        let keys: Vec<String> = lookups.iter().map(|lookup| lookup.key.clone()).collect();
        let name = answering.name();
        let answers = match answering.ask(self.host, &keys) {
            Ok(answers) => answers,
            Err(error) => {
                let why = postseal_planner::whole_chain(&error);
                return vec![wrong(&name, &format!("It cannot be asked: {why}."))];
            }
        };
        let differ = lookups.iter().zip(answers).filter_map(|(lookup, answer)| {
            let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".into());
            (!answering.holds(lookup, answer.as_deref())).then(|| {
                let (wanted, got) = (text(&lookup.value), text(&answer));
                format!("{}: {got}, not {wanted}", lookup.key)
            })
        });
        let differ: Vec<String> = differ.collect();
        if differ.is_empty() {
            return Vec::new();
        }
        let finding = wrong(&name, "It does not answer as its rules say.");
        vec![differ.into_iter().fold(finding, Finding::seen)]
    }
}

fn unread(source: std::io::Error) -> EngineError {
    EngineError::Local {
        action: "read the rows that were put aside",
        source,
    }
}

/// The map that a plan makes.
pub(crate) fn map_of(plan: &Plan) -> Option<&PolicyMap> {
    plan.steps.iter().find_map(|step| match step {
        Step::InstallPolicyMap(map) => Some(map),
        _ => None,
    })
}

fn wrong(map: &str, what: &str) -> Finding {
    Finding::new(
        "policy.map-answers-wrong",
        Severity::Fatal,
        format!("The map of policies {map} cannot be used. {what}"),
        "Nothing was changed. Look at the disk and at what postmap(1) says of the map.",
    )
}
