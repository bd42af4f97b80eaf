//! Whether a source is as it was when its rows became rules.
//!
//! Owns: telling an edited one by its digest, and refusing to undo the edit. Never: reads a row.

use super::super::source::digest;
use super::{TableDrift, name_of, words};
use crate::{Engine, EngineError};
use postseal_planner::Digest;
use postseal_planner::intent::{AdoptedTables, Named, PolicyTable};
use postseal_planner::plan::{Plan, PlanFinding};
use postseal_planner::policy::Candidate;
use postseal_store::InstanceState;
use std::io;

impl Engine<'_> {
    /// The adopted tables that answer and whose sources are not as they were.
    pub(crate) fn table_drift(&self, state: &InstanceState) -> Vec<TableDrift> {
        let tables = state.desired.tables.as_ref();
        let named = tables.filter(|tables| tables.named == Named::Still);
        named.map_or_else(Vec::new, |tables| self.tables_edited(tables))
    }

    /// What is said of a way back to tables that were edited while the map of the rules answered: they
    /// answer with other rows than the rules say then.
    pub(crate) fn edited_and_back(&self, plan: &Plan) -> Option<PlanFinding> {
        let [earlier, then] = [&plan.earlier, &plan.intent].map(|intent| intent.tables.as_ref());
        let back = then.filter(|tables| tables.named == Named::Still)?;
        if earlier.is_some_and(|tables| tables.named == Named::Still) {
            return None;
        }
        let edited = self.tables_edited(back);
        (!edited.is_empty()).then(|| PlanFinding {
            finding: words::edited_and_back(&edited),
            was_so_before: false,
        })
    }

    pub(super) fn tables_edited(&self, tables: &AdoptedTables) -> Vec<TableDrift> {
        let edited = tables.tables.iter().filter_map(|table| {
            let now = self.digest_of(table);
            let what = match now {
                Ok(now) if now == table.digest => return None,
                Ok(_) => "was edited by hand".to_owned(),
                Err(why) => format!("cannot be read: {why}"),
            };
            Some(TableDrift {
                table: table.name.clone(),
                path: table.path.clone(),
                what,
            })
        });
        edited.collect()
    }

    pub(in crate::rules) fn digest_of(&self, table: &PolicyTable) -> Result<Digest, String> {
        let stream = self.host.open(&table.path);
        let stream = stream.map_err(|error| postseal_planner::whole_chain(&error))?;
        digest(stream).map_err(|error: io::Error| error.to_string())
    }

    /// Refuses to put the rules in the place of tables that were edited since they were adopted.
    pub(crate) fn refuse_edited_tables(&self, state: &InstanceState) -> Result<(), EngineError> {
        let edited = self.table_drift(state);
        if edited.is_empty() {
            return Ok(());
        }
        Err(EngineError::Refused(words::edited(&edited).into()))
    }
}

/// Whether main.cf names just these tables.
pub(super) fn is_of(known: &AdoptedTables, candidates: &[Candidate]) -> bool {
    let mut named = candidates.iter();
    let ahead = |name: &String| named.next().is_some_and(|one| name_of(one) == name);
    if !known.before.iter().all(ahead) {
        return false;
    }
    let same = |table: &PolicyTable| match named.next() {
        Some(Candidate::Source(source)) => {
            source.name == table.name && source.table == table.table && source.path == table.path
        }
        _ => false,
    };
    known.tables.iter().all(same) && named.next().is_none()
}
