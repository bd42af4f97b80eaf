//! The administrator's tables of policies: their rows as rules.
//!
//! Owns: which of them are adopted, that what is adopted is what Postfix answers, and whether one
//! was edited since. Never: writes one, or holds its rows.
//!
//! Each source is read twice: once to see whether every row is a rule and the compiled table has
//! just these rows, and once to stage them. Of a million rows only hashes are in memory.

mod edited;
mod known;
mod words;

use super::compiled::{Compiled, Seen, compared};
use super::rows::Rows;
use super::source::{More, each_row};
use crate::{Engine, EngineError};
use edited::is_of;
use known::{as_known, rules_answer, told};
use postseal_planner::facts::Facts;
use postseal_planner::intent::{AdoptedTables, Named, Owned, Policies, PolicyTable};
use postseal_planner::policy::{
    BadRow, Candidate, RowReader, Scopes, Source, Unread, dialect, named_tables,
    services_with_tables,
};
use postseal_planner::{Digest, Finding, Refusal, is_policy_map};
use postseal_store::{InstanceState, RuleView, RuleWish};
use std::path::PathBuf;
pub use words::unread_words;
use words::{
    AHEAD, BAD_ROWS, Left, bad_rows, behind, both_forms, joined, left, left_after, not_compiled,
    other_service, other_type,
};

/// Rows staged together.
const CHUNK: usize = 10_000;

/// What became of the administrator's tables of policies.
#[derive(Clone, Debug, Default)]
pub struct TablesRead {
    /// Those whose rows are rules now, in order.
    pub adopted: Vec<TableRead>,
    /// Those whose rows were rules before.
    pub earlier: Vec<TableRead>,
    /// Those that stay as they are, and why, and what else is worth knowing.
    pub findings: Vec<Finding>,
    /// What is to be remembered; `None` where no table is adopted.
    pub(crate) tables: Option<AdoptedTables>,
    /// Whether the rules in force are to be put in the place of earlier ones.
    pub(crate) staged: bool,
}

impl TablesRead {
    /// Whether the rules in force come to be others, or come to be at all.
    pub fn is_news(&self) -> bool {
        self.staged
    }
}

/// A table whose rows are rules.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TableRead {
    /// As it is written in `smtp_tls_policy_maps`.
    pub table: String,
    /// Its source.
    pub path: PathBuf,
    /// How many rows it has.
    pub rows: u64,
    /// Of its source.
    pub digest: Digest,
}

/// An adopted table whose source is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TableDrift {
    /// As it is written in `smtp_tls_policy_maps`.
    pub table: String,
    /// Its source.
    pub path: PathBuf,
    /// What is the matter, in words: `was edited` …
    pub what: String,
}

/// What one table came to.
enum Looked {
    Adopted(PolicyTable, Vec<Finding>),
    Left(Left),
}

/// What all of them came to.
#[derive(Default)]
struct Looks {
    tables: Vec<PolicyTable>,
    /// Those that stay before them, as they are written.
    before: Vec<String>,
    left: Vec<Left>,
}

impl Engine<'_> {
    /// Reads the tables that main.cf names and stages the rows of those that can be adopted: as
    /// many as stand before the first that cannot, so that the order in which they are asked means
    /// the same. `now` is what is in force.
    pub(crate) fn read_tables(
        &mut self,
        facts: &Facts,
        owned: &Owned,
        now: Option<&InstanceState>,
    ) -> Result<TablesRead, EngineError> {
        let candidates = named_tables(facts);
        if let Some(state) = now.filter(|state| rules_answer(state)) {
            return Ok(TablesRead {
                findings: behind(&candidates, state),
                tables: state.desired.tables.clone(),
                ..TablesRead::default()
            });
        }
        let known = now.and_then(|state| state.desired.tables.as_ref());
        if let Some(known) = known
            && is_of(known, &candidates)
            && self.tables_edited(known).is_empty()
        {
            return Ok(as_known(TablesRead::default(), Some(known)));
        }
        self.store.drop_staged()?;
        let read = self.staged_tables(facts, candidates, known);
        if read.is_err() {
            self.store.drop_staged()?;
        }
        let mut read = read?;
        let tables = read.tables.iter();
        let others = tables.flat_map(|tables| services_with_tables(owned, tables));
        let others: Vec<Finding> = others
            .map(|(service, own)| other_service(service, own))
            .collect();
        read.findings.extend(others);
        Ok(read)
    }

    fn staged_tables(
        &mut self,
        facts: &Facts,
        candidates: Vec<Candidate>,
        known: Option<&AdoptedTables>,
    ) -> Result<TablesRead, EngineError> {
        let mut read = TablesRead {
            staged: known.is_some(),
            earlier: known.map_or_else(Vec::new, |known| known.tables.iter().map(told).collect()),
            ..TablesRead::default()
        };
        let adopted = known.map_or(&[][..], |known| &known.tables);
        let Looks {
            tables,
            before,
            left,
        } = self.looked_at(facts, candidates, adopted, &mut read.findings)?;
        let was_adopted = |left: &&Left| adopted.iter().any(|known| known.name == left.name);
        let lost = left.iter().filter(was_adopted).cloned();
        let findings: Vec<Finding> = lost.map(Left::refused).collect();
        if !findings.is_empty() {
            return Err(EngineError::Refused(Refusal { findings }));
        }
        read.findings.extend(left.into_iter().map(Left::stays));
        if known.is_some_and(|known| known.tables == tables && known.before == before) {
            self.store.drop_staged()?;
            return Ok(as_known(read, known));
        }
        if tables.is_empty() {
            return Ok(read);
        }
        let rows = tables.iter().map(|table| table.rows).sum();
        let policies = self.staged_policies(rows)?;
        read.findings.extend(both_forms(policies.rows, rows));
        read.adopted = tables.iter().map(told).collect();
        read.staged = true;
        read.tables = Some(AdoptedTables {
            tables,
            policies,
            named: Named::Still,
            before,
        });
        Ok(read)
    }

    /// Looks at one table after the other, up to the first that cannot be adopted. What stands before
    /// those that were adopted and cannot be is none of them: somebody put it there.
    fn looked_at(
        &mut self,
        facts: &Facts,
        candidates: Vec<Candidate>,
        adopted: &[PolicyTable],
        findings: &mut Vec<Finding>,
    ) -> Result<Looks, EngineError> {
        // What stands before a map of ours (after `release`) was put there, too.
        let is_known = |one: &Candidate| {
            let name = name_of(one);
            is_policy_map(name) || adopted.iter().any(|known| known.name == name)
        };
        let ahead = candidates.iter().position(is_known).unwrap_or(0);
        let mut looks = Looks::default();
        let mut candidates = candidates.into_iter().enumerate();
        for (at, candidate) in candidates.by_ref() {
            let one = match self.look_at_table(facts, candidate)? {
                Looked::Adopted(table, told) => {
                    findings.extend(told);
                    looks.tables.push(table);
                    continue;
                }
                Looked::Left(one) => one,
            };
            if at >= ahead {
                looks.left.push(one);
                break;
            }
            let earlier = looks.tables.drain(..);
            let earlier = earlier.map(|table| words::left(&table.name, AHEAD));
            for left in earlier.chain([one]) {
                looks.before.push(left.name.clone());
                findings.push(left.ahead());
            }
            self.store.drop_staged()?;
        }
        let after = candidates.map(|(_, after)| left_after(&after));
        looks.left.extend(after);
        Ok(looks)
    }

    /// What the staged rules come to.
    fn staged_policies(&mut self, rows: u64) -> Result<Policies, EngineError> {
        // A stage is there, if an empty one.
        self.store.stage_rules(&[])?;
        if let Some(id) = self.store.covered_rules(&self.instance, 1)?.first() {
            return Err(EngineError::Refused(super::import::covered(id).into()));
        }
        let mut rows = Rows::new(&*self.store, &self.instance, RuleView::Staged, rows);
        let rendered = rows.exhausted(&mut None)?;
        Ok(rendered.map_or_else(
            || Policies {
                digest: Digest::of(b""),
                rows: 0,
            },
            |rendered| rendered.policies,
        ))
    }

    /// Judges a table, and stages its rows where all of them are rules.
    fn look_at_table(
        &mut self,
        facts: &Facts,
        candidate: Candidate,
    ) -> Result<Looked, EngineError> {
        let source = match candidate {
            Candidate::Source(source) => source,
            Candidate::Other { name, why } => return Ok(Looked::Left(other_type(&name, &why))),
        };
        let judged = match self.judge_table(facts, &source)? {
            Ok(judged) => judged,
            Err(left) => return Ok(Looked::Left(left)),
        };
        let staged = self.stage_table(facts, &source)?;
        if staged != Some(judged.digest) {
            let path = source.path.display();
            return Err(EngineError::Stale(format!(
                "{path} was edited while it was read; say it again"
            )));
        }
        let unread = unread_words(judged.unread).into_iter();
        let unread = unread.map(|one| one.in_file(&source.path));
        let told = joined(&source, judged.joined).into_iter().chain(unread);
        let told = told.collect();
        let table = PolicyTable {
            name: source.name,
            table: source.table,
            path: source.path,
            digest: judged.digest,
            rows: judged.rows,
        };
        Ok(Looked::Adopted(table, told))
    }

    /// Whether every row is a rule, and the compiled table has just these rows.
    fn judge_table(
        &self,
        facts: &Facts,
        source: &Source,
    ) -> Result<Result<Judged, Left>, EngineError> {
        let mut seen = Seen::default();
        let mut bad: Vec<BadRow> = Vec::new();
        let mut reader = RowReader::new(dialect(facts.version), Scopes::OfKeys);
        let read = self.each_row_of(source, &mut |row| {
            let judged = reader.read(row);
            bad.extend(judged.and_then(|row| row.and_then(|row| seen.put(row)).err()));
            match bad.len() < BAD_ROWS && seen.has_room() && !self.is_interrupted() {
                true => More::Wanted,
                false => More::Enough,
            }
        });
        self.stop_if_interrupted()?;
        let whole = match read {
            Ok(whole) => whole,
            Err(why) => return Ok(Err(left(&source.name, &why))),
        };
        if !bad.is_empty() {
            return Ok(Err(bad_rows(source, &bad)));
        }
        let Some(digest) = whole else {
            return Ok(Err(left(
                &source.name,
                "it has more rows than can be adopted",
            )));
        };
        let (rows, joined) = (seen.rows(), seen.joined());
        match compared(self.host, source, seen) {
            Compiled::Same => Ok(Ok(Judged {
                digest,
                rows,
                joined,
                unread: reader.finish(),
            })),
            Compiled::Unknown(why) => {
                let why = format!("what Postfix finds in it cannot be listed: {why}");
                Ok(Err(left(&source.name, &why)))
            }
            Compiled::Differs(differences) => Ok(Err(not_compiled(source, differences))),
        }
    }

    fn stage_table(
        &mut self,
        facts: &Facts,
        source: &Source,
    ) -> Result<Option<Digest>, EngineError> {
        let mut reader = RowReader::new(dialect(facts.version), Scopes::OfKeys);
        let mut chunk = Vec::with_capacity(CHUNK);
        let mut failed = None;
        let stream = self.host.open(&source.path)?;
        let store = &mut *self.store;
        let read = each_row(stream, &mut |row| {
            if let Some(Ok(row)) = reader.read(row) {
                chunk.push(RuleWish::Put(row.rule));
            }
            if chunk.len() == CHUNK {
                failed = store.stage_rules(&chunk).err();
                chunk.clear();
            }
            match failed {
                None => More::Wanted,
                Some(_) => More::Enough,
            }
        });
        if let Some(error) = failed {
            return Err(error.into());
        }
        self.store.stage_rules(&chunk)?;
        read.map_err(|source| EngineError::Local {
            action: "read a table of policies",
            source,
        })
    }

    /// The rows of a source; in words why it cannot be read.
    fn each_row_of(
        &self,
        source: &Source,
        work: &mut dyn FnMut(&postfix_cf::table::Row<'_>) -> More,
    ) -> Result<Option<Digest>, String> {
        let unread = |why: String| format!("its source cannot be read: {why}");
        let stream = self.host.open(&source.path);
        let stream = stream.map_err(|error| unread(postseal_planner::whole_chain(&error)))?;
        each_row(stream, work).map_err(|error| unread(error.to_string()))
    }
}

/// A source whose rows are rules.
struct Judged {
    digest: Digest,
    rows: u64,
    /// Rows of more than one line.
    joined: u64,
    unread: Vec<Unread>,
}

/// As it is written.
fn name_of(candidate: &Candidate) -> &str {
    let (Candidate::Source(Source { name, .. }) | Candidate::Other { name, .. }) = candidate;
    name
}
