//! Tables that the map of the rules has taken the place of.
//!
//! Owns: telling that one of them was edited since. Never: reads one that is as it was adopted, or
//! one that is asked still.
//!
//! Nobody looks into such a table any more, and who edits it out of habit is told by nothing.

use super::source::{More, each_row};
use crate::{Engine, EngineError};
use postseal_planner::facts::Facts;
use postseal_planner::intent::{Intent, Named, PolicyTable};
use postseal_planner::policy::{
    BadRow, RowReader, Rule, RuleId, Scopes, SourceRow, command, dialect, policy_sources,
};
use postseal_planner::{Finding, Severity};
use postseal_store::{InstanceState, Operation, OperationOutcome, RuleState, RuleView};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// Rows held against the rules together.
const TOGETHER: usize = 10_000;
/// So many rows are shown.
const SHOWN: usize = 5;
/// How many operations are looked back.
const REACH: usize = 1000;

/// A row that is not as the rules are.
struct Edited {
    line: usize,
    /// The row, and what the rule says.
    text: String,
    /// What puts it in force; nothing where that would undo a newer rule.
    command: Option<String>,
}

/// A row that is not there any more.
struct Gone {
    destination: String,
    rule: Newer,
}

/// How a table differs from the rules in force.
#[derive(Default)]
struct Differs {
    count: usize,
    shown: Vec<Edited>,
}

/// What was read of the tables.
struct Held {
    /// The operation by which the map of the rules took their place.
    replaced_by: Option<u64>,
    /// The destinations that have a row in one of them. Of a million two look alike once in thirty
    /// million times.
    hasher: RandomState,
    rows: HashSet<u64>,
    /// Whether a table could not be read, so that no row is known to be gone.
    unread: bool,
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
        let is_edited = |table: &&PolicyTable| {
            let is_asked = asked.iter().any(|source| source.path == table.path);
            // Gone, or out of reach: then nobody edits it.
            !is_asked && self.digest_of(table).is_ok_and(|now| now != table.digest)
        };
        let edited: Vec<&PolicyTable> = tables.tables.iter().filter(is_edited).collect();
        if edited.is_empty() {
            return Ok(Vec::new());
        }
        let mut held = Held {
            replaced_by: self.replaced_by()?,
            hasher: RandomState::new(),
            rows: HashSet::new(),
            unread: false,
        };
        let mut told = Vec::new();
        // The first table that has a key made the rule, so all are read, in their order.
        for table in &tables.tables {
            let differs = self.held_against_rules(table, facts, &mut held)?;
            if edited.contains(&table) {
                told.push((table, differs));
            }
        }
        let mut gone = self.rows_gone(&held)?;
        let found = told.into_iter().map(|(table, differs)| {
            // Which of the tables a row was taken out of is not known.
            let gone = std::mem::take(&mut gone);
            differs.finding(table, &gone)
        });
        Ok(found.flatten().collect())
    }

    /// The operation by which the map of the rules took the place of the tables.
    fn replaced_by(&self) -> Result<Option<u64>, EngineError> {
        let history = self.store.history(&self.instance, REACH)?;
        let named = |intent: &Intent| intent.tables.as_ref().map(|tables| tables.named);
        let replaces = |operation: &&Operation| {
            let plan = &operation.new.plan;
            operation.outcome == Some(OperationOutcome::Kept)
                && named(&plan.earlier) == Some(Named::Still)
                && named(&plan.intent) == Some(Named::NoMore)
        };
        Ok(history.iter().find(replaces).map(|operation| operation.id))
    }

    fn held_against_rules(
        &self,
        table: &PolicyTable,
        facts: &Facts,
        held: &mut Held,
    ) -> Result<Differs, EngineError> {
        let mut differs = Differs::default();
        let Ok(stream) = self.host.open(&table.path) else {
            held.unread = true;
            return Ok(differs);
        };
        let mut reader = RowReader::new(dialect(facts.version), Scopes::OfKeys);
        let mut chunk: Vec<SourceRow> = Vec::new();
        let mut failed = None;
        let read = each_row(stream, &mut |row| {
            match reader.read(row) {
                Some(Ok(row)) if held.is_first(&row.rule.id) => chunk.push(row),
                Some(Err(bad)) => {
                    held.take_bad(&bad.key);
                    differs.put(|| Edited::bad(&bad));
                }
                Some(Ok(_)) | None => {}
            }
            if chunk.len() == TOGETHER {
                failed = self.compare(&mut chunk, held, &mut differs).err();
            }
            match failed {
                None => More::Wanted,
                Some(_) => More::Enough,
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        self.compare(&mut chunk, held, &mut differs)?;
        held.unread |= read.is_err();
        Ok(differs)
    }

    /// Tells of rows that are neither as the rules are, in force or wished, nor as they were when
    /// they became rules.
    fn compare(
        &self,
        chunk: &mut Vec<SourceRow>,
        held: &Held,
        differs: &mut Differs,
    ) -> Result<(), EngineError> {
        let ids: Vec<RuleId> = chunk.iter().map(|row| row.rule.id.clone()).collect();
        let states = self.store.rule_states(&self.instance, &ids)?;
        let others = chunk.drain(..).zip(states).filter(|(row, state)| {
            let rules = [&state.in_force, &state.wanted];
            !rules.into_iter().flatten().any(|rule| writes(rule, row))
        });
        let others: Vec<(SourceRow, RuleState)> = others.collect();
        let ids: Vec<RuleId> = others.iter().map(|(row, _)| row.rule.id.clone()).collect();
        let before = self.before(held, &ids)?;
        for ((row, state), before) in others.iter().zip(before) {
            if before.as_ref().is_some_and(|rule| writes(rule, row)) {
                continue;
            }
            let now = state.in_force.as_ref();
            let same = held.replaced_by.is_none() || policy(before.as_ref()) == policy(now);
            let newer = if same { Newer::No } else { Newer::Yes };
            differs.put(|| Edited::of(row, now, newer));
        }
        Ok(())
    }

    /// Rules as the tables said when the map took their place.
    fn before(&self, held: &Held, ids: &[RuleId]) -> Result<Vec<Option<Rule>>, EngineError> {
        match held.replaced_by {
            Some(operation) if !ids.is_empty() => {
                Ok(self.store.rules_before(&self.instance, operation, ids)?)
            }
            _ => Ok(vec![None; ids.len()]),
        }
    }

    /// The rules that came of rows which were taken out of the tables.
    fn rows_gone(&self, held: &Held) -> Result<Vec<Gone>, EngineError> {
        let mut gone = Vec::new();
        if held.unread || held.replaced_by.is_none() {
            return Ok(gone);
        }
        let mut after: Option<RuleId> = None;
        loop {
            let view = RuleView::InForce;
            let page = self
                .store
                .rules(&self.instance, view, after.as_ref(), TOGETHER)?;
            let Some(last) = page.last() else {
                return Ok(gone);
            };
            after = Some(last.id.clone());
            let by_hand = |rule: &Rule| rule.id.manager.is_empty() && !held.has(&rule.id);
            let lost: Vec<Rule> = page.into_iter().filter(by_hand).collect();
            let ids: Vec<RuleId> = lost.iter().map(|rule| rule.id.clone()).collect();
            let states = self.store.rule_states(&self.instance, &ids)?;
            let before = self.before(held, &ids)?;
            for ((rule, before), state) in lost.iter().zip(before).zip(states) {
                let Some(before) = before.filter(|_| state.wanted.is_some()) else {
                    continue;
                };
                gone.push(Gone {
                    destination: rule.id.shown(),
                    rule: match before.writes_as(rule) {
                        true => Newer::No,
                        false => Newer::Yes,
                    },
                });
            }
        }
    }
}

/// Whether a rule is this row. A rule for both writes more.
fn writes(rule: &Rule, row: &SourceRow) -> bool {
    rule.policy == row.rule.policy && rule.keys().contains(&row.key.to_lowercase())
}

fn policy(rule: Option<&Rule>) -> Option<&str> {
    rule.map(|rule| rule.policy.as_str())
}

impl Held {
    fn hash(&self, id: &RuleId) -> u64 {
        self.hasher.hash_one(&id.destination)
    }

    fn is_first(&mut self, id: &RuleId) -> bool {
        let hash = self.hash(id);
        self.rows.insert(hash)
    }

    fn has(&self, id: &RuleId) -> bool {
        self.rows.contains(&self.hash(id))
    }

    /// A row that is no rule any more is there all the same.
    fn take_bad(&mut self, key: &str) {
        if let Ok(id) = RuleId::parse(key) {
            self.is_first(&id);
        }
    }
}

impl Edited {
    fn of(row: &SourceRow, now: Option<&Rule>, newer: Newer) -> Self {
        let (key, value) = (&row.key, &row.value);
        let rule = match (now, newer) {
            (Some(rule), Newer::No) => format!("the rule is {}", rule.policy),
            (Some(rule), Newer::Yes) => format!("the rule was changed since, too: {}", rule.policy),
            (None, Newer::No) => "there is no rule".to_owned(),
            (None, Newer::Yes) => "the rule was removed since".to_owned(),
        };
        let command = || command(&row.rule.id.shown(), policy(now), &row.rule.policy);
        Self {
            line: row.line,
            text: format!("{key} {value} ({rule})"),
            command: (newer == Newer::No).then(command),
        }
    }

    fn bad(bad: &BadRow) -> Self {
        Self {
            line: bad.line,
            text: format!("{} is no rule: {}", bad.key, bad.why),
            command: None,
        }
    }
}

/// Whether a rule is newer than the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Newer {
    No,
    Yes,
}

impl Differs {
    fn put(&mut self, edited: impl FnOnce() -> Edited) {
        self.count += 1;
        if self.shown.len() < SHOWN {
            self.shown.push(edited());
        }
    }

    fn finding(mut self, table: &PolicyTable, gone: &[Gone]) -> Option<Finding> {
        let edited = match self.count {
            0 => None,
            1 => Some("a row of it is otherwise than the rules".to_owned()),
            n => Some(format!("{n} rows of it are otherwise than the rules")),
        };
        let taken = match gone.len() {
            0 => None,
            1 => Some("a row was taken out of it".to_owned()),
            n => Some(format!("{n} rows were taken out of it")),
        };
        let what: Vec<String> = edited.into_iter().chain(taken).collect();
        if what.is_empty() {
            return None;
        }
        self.shown.sort_by_key(|one| one.line);
        let path = table.path.display();
        let commands = self.shown.iter().filter_map(|one| one.command.clone());
        let commands = commands.chain(gone.iter().take(SHOWN).filter_map(Gone::command));
        let commands: Vec<String> = commands.map(|one| format!("`{one}`")).collect();
        let meant = match commands.is_empty() {
            true => "Put".to_owned(),
            false => format!(
                "What is meant by it are wishes about rules: {}, then `postseal apply`. Or put",
                commands.join(", ")
            ),
        };
        let finding = Finding::new(
            "policy.replaced-table-edited",
            Severity::Warning,
            format!(
                "{path} was edited, and Postfix does not look into it: the map of the rules has \
                 taken its place, and {}.",
                what.join(", and ")
            ),
            format!("{meant} it back as it was, or remove it: nothing names it."),
        );
        let finding = self.shown.into_iter().fold(finding, |finding, one| {
            finding.at(&table.path, one.line, one.text)
        });
        let gone = gone.iter().take(SHOWN);
        Some(gone.fold(finding, |finding, one| finding.seen(one.text())))
    }
}

impl Gone {
    fn command(&self) -> Option<String> {
        let command = || format!("postseal policy remove '{}'", self.destination);
        (self.rule == Newer::No).then(command)
    }

    fn text(&self) -> String {
        let rule = match self.rule {
            Newer::No => "the rule is there",
            Newer::Yes => "the rule was changed since",
        };
        format!("{} ({rule})", self.destination)
    }
}
