//! `init` and `release`.
//!
//! Owns: their words. Never: touches a byte of Postfix.

use crate::answer::{Answer, findings_text};
use crate::change::Change;
use crate::config::Global;
use crate::failure::Failure;
use crate::session::Session;
use postseal_engine::{Adoption, Again, TableRead, TablesRead};
use postseal_planner::Severity;
use postseal_planner::intent::Owned;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn init(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::open(global)?;
    let mut engine = session.engine();
    let adoption = engine.init()?;
    let instance = engine.instance.clone();
    let said = said(&instance, &adoption) + &tables(&adoption.tables);
    let worth: Vec<_> = adoption
        .findings
        .iter()
        .filter(|f| f.severity >= Severity::Warning || f.code.starts_with("policy.table-"))
        .collect();
    let noticed = if worth.is_empty() {
        String::new()
    } else {
        format!("As it is now:\n{}", findings_text(worth))
    };
    let document = change(&adoption)
        .findings(&adoption.findings)
        .document(json!({
            "instance": instance,
            "owned": adoption.owned,
            "tables": adoption.tables.adopted,
        }));
    Ok(Answer::new(said + &noticed, document))
}

fn said(instance: &str, adoption: &Adoption) -> String {
    let main = adoption.owned.main.len();
    let services = adoption.owned.services.values();
    let overrides: usize = services.map(|service| service.len()).sum();
    match adoption.again {
        Again::First => format!(
            "Adopted {instance}: {main} TLS parameters of main.cf and {overrides} of master.cf's -o options. No byte of Postfix was changed.\n"
        ),
        Again::Unchanged => {
            format!("{instance} was adopted before; no TLS parameter has changed since.\n")
        }
        Again::TakenOver => format!(
            "{instance} was adopted before; the hand edits since then are taken over:\n{}",
            change(adoption).diff()
        ),
    }
}

/// The tables of policies whose rows are rules now.
pub(super) fn tables(read: &TablesRead) -> String {
    if !read.is_news() {
        return String::new();
    }
    let rules = |rows: u64| match rows {
        1 => "1 rule is".to_owned(),
        rows => format!("{rows} rules are"),
    };
    let line = |table: &TableRead| {
        format!(
            "{} in force from the rows of {}.\n",
            rules(table.rows),
            table.table
        )
    };
    let lines: String = read.adopted.iter().map(line).collect();
    let how = match lines.is_empty() {
        true => "The rules of tables that are no longer named are forgotten.\n",
        false => {
            "`postseal policy list` shows them. The first change of a rule puts a map of all of them in the table's place; its file stays as it is.\n"
        }
    };
    lines + how
}

/// The owned parameters before and after.
fn change(adoption: &Adoption) -> Change {
    let (before, after) = (values(&adoption.before), values(&adoption.owned));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let adopted = Change::default().of("adopted", adoption.again != Again::First, true);
    let adopted = tables_changed(adopted, &adoption.tables);
    names.into_iter().fold(adopted, |change, name| {
        let value = |values: &BTreeMap<String, String>| values.get(name).cloned();
        change.of(name.clone(), value(&before), value(&after))
    })
}

/// The tables of policies before and after.
pub(super) fn tables_changed(change: Change, read: &TablesRead) -> Change {
    let both = read.earlier.iter().chain(&read.adopted);
    let names: BTreeSet<&String> = both.map(|table| &table.table).collect();
    let rows = |tables: &[TableRead], name: &String| {
        let table = tables.iter().find(|table| table.table == *name)?;
        Some(format!("{} rows ({})", table.rows, table.digest.short(8)))
    };
    names.into_iter().fold(change, |change, name| {
        let (before, after) = (rows(&read.earlier, name), rows(&read.adopted, name));
        change.of(format!("rules of {name}"), before, after)
    })
}

fn values(owned: &Owned) -> BTreeMap<String, String> {
    let of_services = owned.services.iter().flat_map(|(service, options)| {
        options
            .iter()
            .map(move |(name, value)| (format!("{service} {name}"), value.clone()))
    });
    owned.main.clone().into_iter().chain(of_services).collect()
}

pub(crate) fn release(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let mut engine = session.engine();
    engine.release()?;
    let text = format!(
        "Postseal has forgotten {}; Postfix stays as it is.\n",
        engine.instance
    );
    let document = Change::default()
        .of("adopted", true, false)
        .document(json!({"instance": engine.instance}));
    Ok(Answer::new(text, document))
}
