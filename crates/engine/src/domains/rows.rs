//! The rows that credentials will meet, before their map is made.
//!
//! Owns: for the planner the rows of the wanted rules, as far as a next hop with credentials looks
//! them up: the map itself does not stand there yet, and one of a million rows is not read. Never:
//! writes a file.

use super::MOST;
use crate::{Engine, EngineError};
use postseal_planner::credentials::next_hops;
use postseal_planner::facts::{Facts, FileLook};
use postseal_planner::policy::{Renderer, Rule, RuleId};
use postseal_planner::{Intent, policy_map_files};
use std::collections::{BTreeMap, BTreeSet};

impl Engine<'_> {
    /// The picture with these rows; `None` where nothing is missing.
    pub(crate) fn with_rows_for_credentials(
        &self,
        intent: &Intent,
        facts: &Facts,
    ) -> Result<Option<Facts>, EngineError> {
        let Some(policies) = &intent.policies else {
            return Ok(None);
        };
        let files = policy_map_files(&facts.config_directory, policies);
        let Some(source) = files.into_iter().next() else {
            return Ok(None);
        };
        if matches!(facts.files.get(&source), Some(FileLook::File { .. })) {
            return Ok(None);
        }
        let hops = next_hops(facts);
        if hops.is_empty() {
            return Ok(None);
        }
        let look = FileLook::File {
            bytes: self.rows_for(&hops)?.into(),
            mode: 0o644,
            uid: 0,
        };
        let mut facts = facts.clone();
        facts.files.insert(source.clone(), look);
        facts.unmade = Some(source);
        Ok(Some(facts))
    }

    fn rows_for(&self, hops: &BTreeSet<String>) -> Result<Vec<u8>, EngineError> {
        let ids: BTreeSet<RuleId> = hops.iter().flat_map(|hop| ids(hop)).collect();
        let ids: Vec<RuleId> = ids.into_iter().collect();
        let by_hand = self.store.rule_states(&self.instance, &ids)?;
        let managed = self.store.managed_rules(&self.instance, MOST)?;
        let all = by_hand.into_iter().chain(managed);
        let rules: BTreeMap<RuleId, Rule> = all
            .filter_map(|state| Some((state.id, state.wanted?)))
            .collect();
        let mut renderer = Renderer::new(0);
        let mut rows = Vec::new();
        for rule in rules.into_values() {
            renderer.push(rule, &mut rows);
        }
        renderer.finish(&mut rows);
        Ok(rows)
    }
}

/// The rules by hand that a next hop may meet: its own, and those of the domains above it.
fn ids(hop: &str) -> Vec<RuleId> {
    let id = |destination: &str| RuleId {
        destination: destination.to_ascii_lowercase(),
        manager: String::new(),
    };
    let mut found = vec![id(hop)];
    let mut rest = hop;
    while let Some((_, above)) = rest.split_once('.') {
        found.extend([id(above), id(&format!(".{above}"))]);
        rest = above;
    }
    found
}
