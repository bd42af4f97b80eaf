//! Rows in force held against where mail goes now.
//!
//! Owns: which rows of the tables are judged: all of some thousand, of more a sample that is spread
//! evenly. Never: needs a store: what Postfix looks up is what counts, whoever wrote it.
//!
//! A route that is changed after a rule was made takes its effect away, and Postfix says nothing.

use super::RuleChanges;
use super::judged::{judged, met};
use super::shadowed::shadowed;
use super::source::{More, each_row};
use super::uncompiled::uncompiled;
use super::ways::{by_recipient, ways_of_parts};
use crate::domains::{MOST as MANAGED, entry};
use crate::{Engine, EngineError};
use postfix_cf::table::Content;
use postseal_host::Host;
use postseal_planner::facts::Facts;
use postseal_planner::plan::PlanFinding;
use postseal_planner::policy::{
    Cause, Home, IdleRow, Judged, Manager, RowReader, Rule, RuleId, Scopes, Source, SourceRow,
    dialect, idle, never_asked, passed_by, policy_sources, sampled,
};
use postseal_planner::{Finding, Intent, Severity};

/// Managers that hold their rules against the routes themselves.
const FOLLOWS: &str = "recipient ";
/// So many rows of a table are judged, at the most; never fewer than half of it.
pub(super) const MOST: usize = 5_000;

/// What is said of rows that do nothing.
#[derive(Clone, Debug, Default)]
pub struct IdleRows {
    /// Rows that mail never meets, as far as they were judged.
    pub rows: Vec<IdleRow>,
    /// Rows for next hops that no route names.
    unasked: Vec<Unasked>,
    /// What else is worth knowing: that only a sample was judged.
    pub notes: Vec<Finding>,
}

/// A row for a next hop that no route names.
#[derive(Clone, Debug)]
struct Unasked {
    rule: Rule,
    met: Judged,
}

impl IdleRows {
    /// All of it as findings.
    pub fn findings(&self) -> Vec<Finding> {
        let mut found = idle(&self.rows);
        found.extend(self.never_asked());
        found.extend(self.notes.iter().cloned());
        found
    }

    /// What is said of rows for next hops that no route names.
    pub fn never_asked(&self) -> Vec<Finding> {
        let unasked = self.unasked.iter().map(|one| (&one.rule, &one.met));
        never_asked(&unasked.collect::<Vec<_>>())
    }

    /// The rules that do nothing, each once.
    pub fn rules(&self) -> Vec<&Rule> {
        let mut rules: Vec<&Rule> = Vec::new();
        for row in &self.rows {
            let known = |rule: &&Rule| rule.id == row.rule.id;
            if !rules.iter().any(known) {
                rules.push(&row.rule);
            }
        }
        rules
    }
}

/// The rows of the client's tables of policies that mail never meets. A table that cannot be read or
/// asked is for others to tell.
pub fn idle_rows(host: &dyn Host, facts: &Facts) -> IdleRows {
    let mut found = IdleRows::default();
    for source in policy_sources(facts) {
        found.notes.extend(uncompiled(host, &source));
        let Some(spread) = spread(host, facts, &source) else {
            continue;
        };
        let rules: Vec<&Rule> = spread.kept.iter().map(|row| &row.rule).collect();
        let judged = met(host, facts, Home::Table(&source.name), &rules);
        let pairs: Vec<(&Rule, &Judged)> = rules.iter().copied().zip(&judged).collect();
        found.notes.extend(passed_by(&pairs));
        let unasked = pairs
            .iter()
            .filter(|(_, met)| met.instead.is_some() || !met.perhaps_in.is_empty());
        found.unasked.extend(unasked.map(|(rule, met)| Unasked {
            rule: (*rule).clone(),
            met: (*met).clone(),
        }));
        let met = pairs.iter().filter(|(_, met)| met.useless.is_empty());
        let met: Vec<&Rule> = met.map(|(rule, _)| *rule).collect();
        // What cannot be asked is told by those that look into the tables.
        let parts = by_recipient(host, facts, &met).unwrap_or_default();
        found.notes.extend(parts.into_iter().flatten());
        for (row, judged) in spread.kept.iter().zip(judged) {
            let told = |cause: &Cause| !matches!(cause, Cause::TableFailed(_));
            let useless = judged.useless.into_iter().filter(|one| told(&one.cause));
            found.rows.extend(useless.map(|useless| IdleRow {
                path: source.path.clone(),
                line: row.line,
                rule: row.rule.clone(),
                useless,
            }));
        }
        let shadowed = shadowed(host, facts, &source, &spread.kept);
        found.notes.extend(shadowed);
        if spread.every > 1 {
            let note = sampled(&source.name, spread.kept.len(), spread.seen);
            found.notes.push(note);
        }
    }
    found
}

impl Engine<'_> {
    /// The same without the rules that were put down although it was known, and those whose manager
    /// follows the routes by itself.
    pub(crate) fn idle_in_force(&self, facts: &Facts) -> Result<IdleRows, EngineError> {
        let mut found = idle_rows(self.host, facts);
        let mut ids: Vec<RuleId> = found.rules().iter().map(|rule| rule.id.clone()).collect();
        ids.extend(found.unasked.iter().map(|one| one.rule.id.clone()));
        if ids.is_empty() {
            return Ok(found);
        }
        let by_hand = self.store.rule_states(&self.instance, &ids)?;
        let managed = self.store.managed_rules(&self.instance, MANAGED)?;
        let states = by_hand.into_iter().chain(managed);
        let rules: Vec<Rule> = states.filter_map(|state| state.in_force).collect();
        found.unasked.retain(|one| {
            let id = &one.rule.id;
            let mut of_row = rules
                .iter()
                .filter(|rule| rule.id.destination == id.destination);
            !of_row.any(|rule| rule.about.reason.is_some() || !rule.id.manager.is_empty())
        });
        found.rows.retain(|row| {
            let of_row = |rule: &&Rule| rule.id.destination == row.rule.id.destination;
            let mut of_row = rules.iter().filter(of_row);
            !of_row.any(|rule| is_known(rule) && !is_news_of_a_way(rule, &row.useless.cause))
        });
        Ok(found)
    }

    /// What is said with a plan: of the rules that change with it and of those in force.
    pub(crate) fn idle_with(
        &self,
        facts: &Facts,
        intent: &Intent,
        changes: &RuleChanges,
    ) -> Result<Vec<PlanFinding>, EngineError> {
        let changed = changes.shown.iter();
        let wanted = changed.filter_map(|state| state.wanted.as_ref());
        let (known, wanted): (Vec<&Rule>, Vec<&Rule>) = wanted.partition(|rule| is_known(rule));
        let parts = self.parts_of_known(facts, intent, &known);
        let beside = self.wished_for_fallbacks(facts)?;
        let with: Vec<&Rule> = wanted.iter().copied().chain(&beside).collect();
        let mut new = judged(self.host, facts, intent.tables.as_ref(), &with);
        new.truncate(wanted.len());
        ways_of_parts(self.host, facts, &wanted, &mut new)?;
        let new = new.into_iter().flatten();
        let mut found = self.idle_in_force(facts)?;
        let changes_shown = &changes.shown;
        let changes = |row: &IdleRow| {
            let destination = &row.rule.id.destination;
            let mut shown = changes_shown.iter();
            shown.any(|state| state.id.destination == *destination)
        };
        found.rows.retain(|row| !changes(row));
        found.unasked.retain(|one| {
            let mut shown = changes_shown.iter();
            !shown.any(|state| state.id.destination == one.rule.id.destination)
        });
        found
            .notes
            .retain(|note| note.severity >= Severity::Warning);
        let with = |was_so_before| {
            move |finding| PlanFinding {
                finding,
                was_so_before,
            }
        };
        let old = found.findings().into_iter().map(with(true));
        Ok(new.chain(parts).map(with(false)).chain(old).collect())
    }

    /// What is said of a part of the mail for rules whose managers tell the rest.
    fn parts_of_known(&self, facts: &Facts, intent: &Intent, rules: &[&Rule]) -> Vec<Finding> {
        let rules = rules.iter().filter(|rule| rule.about.reason.is_none());
        let rules: Vec<&Rule> = rules.copied().collect();
        let home = Home::Rules(intent.tables.as_ref());
        let judged = match rules.is_empty() {
            true => Vec::new(),
            false => met(self.host, facts, home, &rules),
        };
        let pairs: Vec<(&Rule, &Judged)> = rules.iter().copied().zip(&judged).collect();
        passed_by(&pairs)
    }
}

/// Whether that it does nothing is known, or is for others to tell.
fn is_known(rule: &Rule) -> bool {
    let entry = entry(rule);
    let of_credentials = entry.requires_auth || entry.smtps;
    let by_key = Manager::of(&rule.id) == Some(Manager::Passwords);
    let told_by_manager = of_credentials || by_key || rule.id.manager.starts_with(FOLLOWS);
    rule.about.reason.is_some() || told_by_manager
}

/// What the managers of rules do not tell themselves. That a domain's entry has a reason says
/// something of its servers only: nobody put down that it does nothing.
fn is_news_of_a_way(rule: &Rule, cause: &Cause) -> bool {
    let begins_in_clear = matches!(cause, Cause::BeginsInClear { .. });
    match Manager::of(&rule.id) {
        None => false,
        Some(Manager::Recipient(_)) => rule.about.reason.is_none() && begins_in_clear,
        Some(_) => begins_in_clear || matches!(cause, Cause::NotAsked { .. }),
    }
}

/// Rows of a source; `None` where it cannot be read.
fn spread(host: &dyn Host, facts: &Facts, source: &Source) -> Option<Spread<SourceRow>> {
    let mut spread = Spread::new(MOST);
    let stream = host.open(&source.path).ok()?;
    let read = each_row(stream, &mut |row| {
        // What is not taken is not parsed: there may be a million.
        if matches!(row.content, Content::Pair { .. })
            && spread.takes_next()
            && let Some(Ok(row)) = RowReader::new(dialect(facts.version), Scopes::OfKeys).read(row)
        {
            spread.kept.push(row);
        }
        More::Wanted
    });
    read.is_ok().then_some(spread)
}

/// Every n-th row, with n doubled whenever there are too many.
pub(super) struct Spread<R> {
    most: usize,
    /// One of so many is kept.
    pub(super) every: u64,
    seen: u64,
    pub(super) kept: Vec<R>,
}

impl<R> Spread<R> {
    pub(super) const fn new(most: usize) -> Self {
        Self {
            most,
            every: 1,
            seen: 0,
            kept: Vec::new(),
        }
    }

    /// Whether the next row is one of them.
    pub(super) fn takes_next(&mut self) -> bool {
        let at = self.seen;
        self.seen += 1;
        if at.is_multiple_of(self.every) && self.kept.len() == self.most {
            let mut nth = 0_usize;
            self.kept.retain(|_| {
                nth += 1;
                nth % 2 == 1
            });
            self.every *= 2;
        }
        at.is_multiple_of(self.every)
    }
}

#[cfg(test)]
mod tests;
