//! Tables of an administrator that are asked after the rules.
//!
//! Owns: which they are, for main.cf and for each service with tables of its own, and whether a rule
//! before a row demands less than the row did. Never: opens or asks one.
//!
//! The first answer holds. A rule that comes to stand before a stricter row weakens what was demanded
//! so far, and Postfix says nothing of it.

use super::tables::{Candidate, candidate};
use super::{Rule, dialect};
use crate::compile::policies::{PARAMETER, is_policy_map};
use crate::explain::is_domain;
use crate::facts::Facts;
use crate::finding::{Finding, Severity};
use crate::intent::{AdoptedTables, Named};
use crate::resolve::parents;
use crate::version::PostfixVersion;
use crate::view::{Files, Service, View};
use mailtls::policy::Policy;
use std::path::PathBuf;

/// A value of `smtp_tls_policy_maps` into which the map of the rules goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `main.cf`, or the service (`custom/unix`) whose `-o` it is.
    pub name: String,
    /// Its tables, in the order in which they are asked.
    pub tables: Vec<AskedTable>,
}

/// A table in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedTable {
    /// As `postmap` is asked for it.
    pub table: String,
    /// Its source, where it has one.
    pub path: Option<PathBuf>,
    /// Where it stands.
    pub stands: Stands,
}

/// Where a table stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// It holds rules, or is asked before them.
    First,
    /// It is asked after the rules.
    Behind,
}

/// A row that a rule would be asked before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stricter {
    /// [`Place::name`]s.
    pub places: Vec<String>,
    /// The table.
    pub table: String,
    /// Its source, and the row's line in it, as far as they are known.
    pub at: Option<Line>,
    /// The key.
    pub key: String,
    /// Its right-hand side.
    pub policy: String,
}

/// A line of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The source.
    pub path: PathBuf,
    /// Line number.
    pub line: usize,
}

/// The places with a table that is asked after the rules; none where there is no such table.
pub fn places(facts: &Facts, tables: Option<&AdoptedTables>) -> Vec<Place> {
    let files = Files::of(facts);
    let view = files.view(facts);
    let main = view.raw(None, PARAMETER).unwrap_or_default();
    let own = view.services.iter().filter(|one| one.is_smtp_client());
    let own = own.filter_map(|service| {
        let value = service.overrides.get(PARAMETER)?;
        is_for_rules(value, tables).then(|| (Some(service), value.clone()))
    });
    let all = std::iter::once((None, main)).chain(own);
    let places = all.map(|(service, value)| place(&view, service, &value, tables));
    let behind = |one: &AskedTable| one.stands == Stands::Behind;
    places.filter(|one| one.tables.iter().any(behind)).collect()
}

/// Whether the map of the rules is named in a `-o`, as `compile::policies` does.
fn is_for_rules(value: &str, tables: Option<&AdoptedTables>) -> bool {
    let named = postfix_cf::elements(value).any(is_policy_map);
    let parted = tables.is_none_or(|tables| tables.parted(value).is_some());
    !value.trim().is_empty() && (named || parted)
}

fn place(
    view: &View<'_>,
    service: Option<&Service>,
    value: &str,
    tables: Option<&AdoptedTables>,
) -> Place {
    let answers = tables.filter(|tables| tables.named == Named::Still);
    let is_first = |name: &str| {
        let mut adopted = answers.iter().flat_map(|tables| &tables.tables);
        let mut before = tables.iter().flat_map(|tables| &tables.before);
        is_policy_map(name)
            || adopted.any(|table| table.name == name)
            || before.any(|table| table == name)
    };
    let asked = postfix_cf::elements(value).map(|name| {
        let stands = match is_first(name) {
            true => Stands::First,
            false => Stands::Behind,
        };
        let (table, path) = match candidate(view, name) {
            Candidate::Source(source) => (source.table, Some(source.path)),
            Candidate::Other { name, .. } => (view.expanded(service, &name), None),
        };
        AskedTable {
            table,
            path,
            stands,
        }
    });
    Place {
        name: service.map_or_else(|| "main.cf".to_owned(), |service| service.id.clone()),
        tables: asked.collect(),
    }
}

/// The keys that smtp(8) asks for one after the other where a rule has this one.
pub fn asked_for(key: &str) -> Vec<&str> {
    let above = is_domain(key.trim_start_matches('.')).then(|| parents(key));
    std::iter::once(key)
        .chain(above.into_iter().flatten())
        .collect()
}

/// Whether a rule's policy demands less than that of a row which it would be asked before. A row that
/// Postfix refuses demands nothing.
pub fn weakens(policy: &str, row: &str, version: PostfixVersion) -> bool {
    let parsed = |text: &str| Policy::parse(text, dialect(version)).ok();
    let (Some(new), Some(now)) = (parsed(policy), parsed(row)) else {
        return false;
    };
    !new.level.demands_all_of(now.level) || (new.level == now.level && !new.keeps(&now))
}

/// What is said of a rule that is weaker than rows which it would be asked before.
pub fn weaker(rule: &Rule, rows: &[Stricter]) -> Option<Finding> {
    let first = rows.first()?;
    let (shown, policy) = (rule.id.shown(), &rule.policy);
    let message = format!(
        "A rule for {shown} with `{policy}` would weaken what {} demands: there, {} has `{}`. The \
         rules are asked first.",
        first.places.join(", "),
        named(first),
        first.policy,
    );
    let remedy = format!(
        "Make it as strict: `{}`; or take the row out of its table first. `--force --reason TEXT` \
         puts the rule before it all the same.",
        super::command(&rule.id.shown(), None, &first.policy)
    );
    let finding = Finding::new("policy.weakens", Severity::Error, message, remedy);
    Some(rows.iter().fold(finding, |finding, row| {
        let text = format!("{} {} ({})", row.key, row.policy, row.places.join(", "));
        match &row.at {
            Some(at) => finding.at(&at.path, at.line, text),
            None => finding.seen(format!("{}: {text}", row.table)),
        }
    }))
}

fn named(row: &Stricter) -> String {
    match &row.at {
        Some(at) => format!("{}:{}", at.path.display(), at.line),
        None => row.table.clone(),
    }
}

#[cfg(test)]
mod tests;
