//! Rows that a table before theirs answers otherwise.
//!
//! Owns: asking the tables that stand before one, where they are files of this host. Never: asks a
//! server (`ldap:`, `mysql:` …) for thousands of keys, or calls it wrong that our map comes first.

use postseal_host::Host;
use postseal_planner::facts::Facts;
use postseal_planner::intent::{AdoptedTables, Named};
use postseal_planner::policy::{Candidate, Rule, Source, SourceRow, named_tables};
use postseal_planner::{Finding, Severity, is_policy_map};

/// Types that are asked without leaving this host.
const LOCAL: [&str; 12] = [
    "hash", "btree", "lmdb", "cdb", "dbm", "texthash", "regexp", "pcre", "cidr", "inline",
    "static", "unionmap",
];

/// So many rows are shown.
const MOST_SHOWN: usize = 10;

/// What is said of rows of a table that others before it answer.
pub(super) fn shadowed(
    host: &dyn Host,
    facts: &Facts,
    source: &Source,
    rows: &[SourceRow],
) -> Vec<Finding> {
    let tables = named_tables(facts).into_iter();
    let before: Vec<String> = tables
        .map(asked)
        .take_while(|table| *table != source.table)
        .filter(|table| is_local(table) && !is_policy_map(table))
        .collect();
    // It stands in master.cf only.
    let is_named = named_tables(facts)
        .into_iter()
        .any(|one| asked(one) == source.table);
    if !is_named {
        return Vec::new();
    }
    let keys: Vec<String> = rows.iter().map(|row| row.key.to_lowercase()).collect();
    let mut found = Vec::new();
    for table in before {
        let Ok(answers) = host.lookups(&table, &keys) else {
            continue;
        };
        let answered = rows.iter().zip(answers);
        let other: Vec<(&SourceRow, String)> = answered
            .filter_map(|(row, answer)| Some((row, answer.filter(|now| *now != row.value)?)))
            .collect();
        if !other.is_empty() {
            found.push(finding(&table, source, &other));
        }
    }
    found
}

fn finding(table: &str, source: &Source, rows: &[(&SourceRow, String)]) -> Finding {
    let what = match rows.len() {
        1 => "A row does nothing".to_owned(),
        n => format!("{n} rows do nothing"),
    };
    let finding = answered_by(
        table,
        format!(
            "{what}: {table} is asked before {}, and has another policy.",
            source.name
        ),
    );
    let shown = rows.iter().take(MOST_SHOWN);
    let shown = shown.fold(finding, |finding, (row, now)| {
        let text = format!("{} {}: {table} says {now}", row.key, row.value);
        finding.at(&source.path, row.line, text)
    });
    match rows.len().saturating_sub(MOST_SHOWN) {
        0 => shown,
        more => shown.seen(format!("and {more} more rows")),
    }
}

/// What is said of one rule in force.
pub(super) fn rule_shadowed(rule: &Rule, table: &str, policy: &str) -> Finding {
    let shown = rule.id.shown();
    let message =
        format!("The rule for {shown} does nothing: {table} is asked before it and says {policy}.");
    answered_by(table, message).seen(format!("{shown} {}", rule.policy))
}

fn answered_by(table: &str, message: String) -> Finding {
    Finding::new(
        "policy.shadowed",
        Severity::Warning,
        message,
        format!(
            "Take {table} out of smtp_tls_policy_maps, or put it behind, and `postseal drift --adopt`."
        ),
    )
}

fn asked(candidate: Candidate) -> String {
    match candidate {
        Candidate::Source(source) => source.table,
        Candidate::Other { name, .. } => name,
    }
}

/// The tables of main.cf that are asked before the first in which rules stand; none where rules stand in
/// none of them.
pub(super) fn asked_before_rules(facts: &Facts, tables: Option<&AdoptedTables>) -> Vec<String> {
    let adopted = tables.filter(|tables| tables.named == Named::Still);
    let is_adopted = |name: &str| {
        let mut adopted = adopted.iter().flat_map(|tables| &tables.tables);
        adopted.any(|table| table.name == name)
    };
    let has_rules = |one: &Candidate| match one {
        Candidate::Source(source) => is_policy_map(&source.table) || is_adopted(&source.name),
        Candidate::Other { .. } => false,
    };
    let named = named_tables(facts);
    let first = named.iter().position(has_rules).unwrap_or_default();
    named.into_iter().take(first).map(asked).collect()
}

pub(super) fn is_local(table: &str) -> bool {
    let kind = table.split_once(':').map_or("", |(kind, _)| kind);
    LOCAL.contains(&kind) && !table.contains('$')
}
