//! Rules that are weaker than rows of tables which they would be asked before.
//!
//! Owns: asking these tables, each once for many keys, and finding the row's line. Never: decides what
//! is weaker (the planner does); asks a server (`ldap:`, `mysql:` …) for more than a thousand keys.

use super::shadowed::is_local;
use super::source::{More, each_row};
use crate::propose::Proposal;
use crate::{Engine, EngineError};
use postfix_cf::table::Content;
use postseal_host::Host;
use postseal_planner::Finding;
use postseal_planner::facts::Facts;
use postseal_planner::intent::AdoptedTables;
use postseal_planner::plan::PlanFinding;
use postseal_planner::policy::{
    AskedTable, Line, Place, Rule, RuleId, Stands, Stricter, asked_for, places, weakens, weaker,
    written,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// So many keys are asked of a server.
const MOST_ASKED: usize = 1_000;
/// Rules held against the tables at once.
const TOGETHER: usize = 10_000;
/// So many of them are told.
const TOLD: usize = 100;

/// Table → key → answer.
type Known = BTreeMap<String, BTreeMap<String, String>>;

/// What each of the rules would weaken, in their order.
pub(super) fn weakened(
    host: &dyn Host,
    facts: &Facts,
    tables: Option<&AdoptedTables>,
    rules: &[&Rule],
) -> Vec<Option<Finding>> {
    let places = places(facts, tables);
    if places.is_empty() {
        return vec![None; rules.len()];
    }
    let mut all = Vec::with_capacity(rules.len());
    for rules in rules.chunks(TOGETHER) {
        let known = known(host, &places, rules);
        let mut rows: Vec<Vec<Stricter>> = rules
            .iter()
            .map(|rule| stricter(facts, &places, &known, rule))
            .collect();
        find_lines(host, &places, &mut rows);
        all.extend(
            rules
                .iter()
                .zip(rows)
                .map(|(rule, rows)| weaker(rule, &rows)),
        );
    }
    all
}

/// What the tables answer for all keys that matter.
fn known(host: &dyn Host, places: &[Place], rules: &[&Rule]) -> Known {
    let keys: Vec<String> = rules.iter().flat_map(|rule| rule.keys()).collect();
    let asked: BTreeSet<&str> = keys.iter().flat_map(|key| asked_for(key)).collect();
    let asked: Vec<String> = asked.into_iter().map(str::to_owned).collect();
    let mut known = Known::new();
    for table in places.iter().flat_map(|place| &place.tables) {
        let name = &table.table;
        let few = is_local(name) || asked.len() <= MOST_ASKED;
        if known.contains_key(name) || !few {
            continue;
        }
        // A table that cannot be asked is for others to tell.
        let answers = host.lookups(name, &asked).unwrap_or_default();
        let pairs = asked.iter().zip(answers);
        let found = pairs.filter_map(|(key, answer)| Some((key.clone(), answer?)));
        known.insert(name.clone(), found.collect());
    }
    known
}

/// The rows that a rule would come before, and that demand more.
fn stricter(facts: &Facts, places: &[Place], known: &Known, rule: &Rule) -> Vec<Stricter> {
    let mut found: Vec<Stricter> = Vec::new();
    for place in places {
        for key in rule.keys() {
            let Some((table, key, policy)) = answer(place, known, &key) else {
                continue;
            };
            if table.stands == Stands::First || !weakens(&rule.policy, policy, facts.version) {
                continue;
            }
            let same = |one: &&mut Stricter| one.table == table.table && one.key == key;
            match found.iter_mut().find(same) {
                Some(row) => row.places.push(place.name.clone()),
                None => found.push(Stricter {
                    places: vec![place.name.clone()],
                    table: table.table.clone(),
                    at: None,
                    key: key.to_owned(),
                    policy: policy.to_owned(),
                }),
            }
        }
    }
    found
}

/// What smtp(8) finds there now: for each key the first table with an answer.
fn answer<'k>(
    place: &'k Place,
    known: &'k Known,
    key: &'k str,
) -> Option<(&'k AskedTable, String, &'k str)> {
    asked_for(key).into_iter().find_map(|key| {
        place.tables.iter().find_map(|table| {
            let found = known.get(&table.table)?.get(key)?;
            Some((table, key.to_owned(), found.as_str()))
        })
    })
}

/// Each source is read once.
fn find_lines(host: &dyn Host, places: &[Place], rows: &mut [Vec<Stricter>]) {
    let tables = places.iter().flat_map(|place| &place.tables);
    let sources: BTreeMap<&String, &Path> = tables
        .filter_map(|one| Some((&one.table, one.path.as_deref()?)))
        .collect();
    for (table, path) in sources {
        let of = |row: &&mut Stricter| row.table == *table;
        let keys: BTreeSet<String> = rows
            .iter_mut()
            .flatten()
            .filter(of)
            .map(|row| row.key.clone())
            .collect();
        let lines = lines(host, path, &keys);
        for row in rows.iter_mut().flatten().filter(of) {
            row.at = lines.get(&row.key).map(|line| Line {
                path: path.to_owned(),
                line: *line,
            });
        }
    }
}

fn lines(host: &dyn Host, path: &Path, keys: &BTreeSet<String>) -> BTreeMap<String, usize> {
    let mut lines = BTreeMap::new();
    if keys.is_empty() {
        return lines;
    }
    let Ok(stream) = host.open(path) else {
        return lines;
    };
    // What cannot be read has no line.
    let _ = each_row(stream, &mut |row| {
        if let Content::Pair { key, .. } = &row.content {
            let key = String::from_utf8_lossy(key).to_lowercase();
            if keys.contains(&key) {
                lines.entry(key).or_insert(row.line);
            }
        }
        match lines.len() < keys.len() {
            true => More::Wanted,
            false => More::Enough,
        }
    });
    lines
}

impl Engine<'_> {
    /// Refuses a plan that puts rules before stricter rows: rules that are new, or such a table.
    /// Rules that were put down for a reason are left out.
    pub(crate) fn refuse_weakening(&self, proposal: &Proposal) -> Result<(), EngineError> {
        let found = self.weakened_by(proposal, |rule| rule.about.reason.is_none())?;
        super::refuse(found)
    }

    /// What is said with a plan of rules that weaken something for a reason.
    pub(crate) fn weakened_for_a_reason(
        &self,
        proposal: &Proposal,
    ) -> Result<Vec<PlanFinding>, EngineError> {
        let found = self.weakened_by(proposal, |rule| rule.about.reason.is_some())?;
        let told = found.into_iter().map(|finding| PlanFinding {
            finding,
            was_so_before: true,
        });
        Ok(told.collect())
    }

    fn weakened_by(
        &self,
        proposal: &Proposal,
        of: impl Fn(&Rule) -> bool,
    ) -> Result<Vec<Finding>, EngineError> {
        let (facts, plan) = (&proposal.facts, &proposal.plan);
        let tables = proposal.state.desired.tables.as_ref();
        let mut found = Vec::new();
        if plan.is_empty() || plan.intent.policies.is_none() || places(facts, tables).is_empty() {
            return Ok(found);
        }
        let view = proposal.rules.view;
        let mut after: Option<RuleId> = None;
        loop {
            let page = self
                .store
                .rules(&self.instance, view, after.as_ref(), TOGETHER)?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            let written = written(&page);
            let rules: Vec<&Rule> = written.iter().filter(|rule| of(rule)).collect();
            let weakened = weakened(self.host, facts, tables, &rules);
            found.extend(weakened.into_iter().flatten());
            self.stop_if_interrupted()?;
        }
        let more = found.len().saturating_sub(TOLD);
        found.truncate(TOLD);
        if let (Some(last), 1..) = (found.last_mut(), more) {
            *last = last.clone().seen(format!("and {more} more rules"));
        }
        Ok(found)
    }
}
