//! Tables that the map of the rules has taken the place of.
//!
//! Owns: telling that one of them was edited since. Never: reads one that is as it was adopted, or
//! one that is asked still.
//!
//! Nobody looks into such a table any more, and who edits it out of habit is told by nothing.

use super::source::{More, each_row};
use crate::{Engine, EngineError};
use postseal_planner::facts::Facts;
use postseal_planner::intent::{Named, PolicyTable};
use postseal_planner::policy::{RowReader, RuleId, Scopes, SourceRow, dialect, policy_sources};
use postseal_planner::{Finding, Severity};
use postseal_store::InstanceState;

/// Rows held against the rules together.
const TOGETHER: usize = 10_000;
/// So many rows are shown.
const SHOWN: usize = 5;

/// How a table differs from the rules in force.
#[derive(Default)]
struct Differs {
    rows: u64,
    count: usize,
    shown: Vec<(usize, String)>,
}

impl Engine<'_> {
    /// The tables that were edited since they were replaced, where their rows are not the rules'.
    pub(crate) fn replaced_edited(
        &self,
        state: &InstanceState,
        facts: &Facts,
    ) -> Result<Vec<Finding>, EngineError> {
        let tables = state.desired.tables.as_ref();
        let Some(tables) = tables.filter(|tables| tables.named == Named::NoMore) else {
            return Ok(Vec::new());
        };
        let asked = policy_sources(facts);
        let mut found = Vec::new();
        for table in &tables.tables {
            let is_asked = asked.iter().any(|source| source.path == table.path);
            let now = self.digest_of(table);
            // Gone, or out of reach: then nobody edits it.
            let edited = now.is_ok_and(|now| now != table.digest);
            if is_asked || !edited {
                continue;
            }
            let differs = self.held_against_rules(table, facts)?;
            found.extend(differs.and_then(|differs| differs.finding(table)));
        }
        Ok(found)
    }

    fn held_against_rules(
        &self,
        table: &PolicyTable,
        facts: &Facts,
    ) -> Result<Option<Differs>, EngineError> {
        let Ok(stream) = self.host.open(&table.path) else {
            return Ok(None);
        };
        let mut reader = RowReader::new(dialect(facts.version), Scopes::OfKeys);
        let mut differs = Differs::default();
        let mut chunk: Vec<SourceRow> = Vec::new();
        let mut failed = None;
        let read = each_row(stream, &mut |row| {
            match reader.read(row) {
                Some(Ok(row)) => chunk.push(row),
                Some(Err(bad)) => differs.put(bad.line, bad.key),
                None => {}
            }
            if chunk.len() == TOGETHER {
                failed = self.compare(&mut chunk, &mut differs).err();
            }
            match failed {
                None => More::Wanted,
                Some(_) => More::Enough,
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        self.compare(&mut chunk, &mut differs)?;
        Ok(read.is_ok().then_some(differs))
    }

    fn compare(
        &self,
        chunk: &mut Vec<SourceRow>,
        differs: &mut Differs,
    ) -> Result<(), EngineError> {
        let ids: Vec<RuleId> = chunk.iter().map(|row| row.rule.id.clone()).collect();
        let states = self.store.rule_states(&self.instance, &ids)?;
        for (row, state) in chunk.drain(..).zip(states) {
            differs.rows += 1;
            let rule = state.in_force.or(state.wanted);
            let same = rule.is_some_and(|rule| {
                // A rule for both writes this row, too.
                rule.policy == row.rule.policy && rule.keys().contains(&row.key.to_lowercase())
            });
            if !same {
                differs.put(row.line, format!("{} {}", row.key, row.value));
            }
        }
        Ok(())
    }
}

impl Differs {
    fn put(&mut self, line: usize, text: String) {
        self.count += 1;
        if self.shown.len() < SHOWN {
            self.shown.push((line, text));
        }
    }

    fn finding(self, table: &PolicyTable) -> Option<Finding> {
        let gone = table.rows.saturating_sub(self.rows);
        let what = match (self.count, gone) {
            (0, 0) => return None,
            (0, 1) => "a row was taken out of it".to_owned(),
            (0, gone) => format!("{gone} rows were taken out of it"),
            (1, _) => "a row of it is not as the rules are".to_owned(),
            (n, _) => format!("{n} rows of it are not as the rules are"),
        };
        let path = table.path.display();
        let remedy = match self.count {
            0 => format!(
                "`postseal policy remove` takes rules out; then remove {path}, which nothing names."
            ),
            _ => format!("`postseal policy import {path}` makes rules of its rows; or remove it."),
        };
        let finding = Finding::new(
            "policy.replaced-table-edited",
            Severity::Warning,
            format!(
                "{path} was edited, and Postfix does not look into it: the map of the rules has \
                 taken its place, and {what}."
            ),
            remedy,
        );
        let shown = self.shown.into_iter();
        Some(shown.fold(finding, |finding, (line, text)| {
            finding.at(&table.path, line, text)
        }))
    }
}
