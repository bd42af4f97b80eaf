//! Tables of policies that were not compiled since their source was edited.
//!
//! Owns: holding the rows of a source against what Postfix finds: all of some thousand, both ways; of
//! more a sample that is spread evenly. Never: trusts the time of a file, or looks at our own maps,
//! which are told of elsewhere.

use super::idle::{MOST, Spread};
use super::source::{More, each_row};
use postfix_cf::table::Content;
use postseal_host::Host;
use postseal_planner::policy::{Source, not_compiled};
use postseal_planner::{Finding, is_policy_map};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _};

/// So many differences are told.
const TOLD: usize = 10;
/// A listed row is no longer.
const LONGEST: u64 = 1 << 20;

/// A row of a source.
struct Line {
    key: String,
    value: String,
    line: usize,
}

/// What is said of a table that finds other rows than its source has. One that cannot be read or
/// asked is for others to tell.
pub(super) fn uncompiled(host: &dyn Host, source: &Source) -> Option<Finding> {
    let compiled = !source.table.starts_with("texthash:");
    if !compiled || is_policy_map(&source.table) {
        return None;
    }
    let spread = rows(host, source)?;
    let whole = spread.every == 1;
    let listed = whole.then(|| listed(host, source, &spread.kept)).flatten();
    let told = match listed {
        Some(told) => told,
        None => asked(host, source, &spread.kept)?,
    };
    (!told.is_empty()).then(|| not_compiled(source, told))
}

fn rows(host: &dyn Host, source: &Source) -> Option<Spread<Line>> {
    let mut spread = Spread::new(MOST);
    let stream = host.open(&source.path).ok()?;
    let read = each_row(stream, &mut |row| {
        if let Content::Pair { key, value } = &row.content
            && !key.contains(&b'"')
            && spread.takes_next()
        {
            spread.kept.push(Line {
                key: String::from_utf8_lossy(key).to_lowercase(),
                value: String::from_utf8_lossy(value).into_owned(),
                line: row.line,
            });
        }
        More::Wanted
    });
    read.is_ok().then_some(spread)
}

/// The differences, by listing the table; `None` where its type cannot be listed.
fn listed(host: &dyn Host, source: &Source, rows: &[Line]) -> Option<Vec<String>> {
    let mut wanted: HashMap<&str, (&Line, bool)> = HashMap::new();
    for row in rows {
        wanted.entry(&row.key).or_insert((row, false));
    }
    let mut listed = BufReader::new(host.table_rows(&source.table).ok()?);
    let mut line = Vec::new();
    let mut told = Vec::new();
    while told.len() < TOLD {
        line.clear();
        if (&mut listed)
            .take(LONGEST)
            .read_until(b'\n', &mut line)
            .ok()?
            == 0
        {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        let (key, value) = text.trim_end_matches('\n').split_once('\t')?;
        match wanted.get_mut(key.to_lowercase().as_str()) {
            Some((row, found)) => {
                *found = true;
                told.extend((row.value != value).then(|| other(row, value)));
            }
            None if key.contains('"') => {}
            None => told.push(format!(
                "{key}: Postfix finds “{value}”, the source has no such row"
            )),
        }
    }
    let missed = wanted.into_values().filter(|(_, found)| !found);
    let mut missed: Vec<&Line> = missed.map(|(row, _)| row).collect();
    missed.sort_by_key(|row| row.line);
    let room = TOLD.saturating_sub(told.len());
    told.extend(missed.into_iter().take(room).map(missing));
    Some(told)
}

/// The differences, by asking for the keys; `None` where the table cannot be asked.
fn asked(host: &dyn Host, source: &Source, rows: &[Line]) -> Option<Vec<String>> {
    let mut first: HashMap<&str, &Line> = HashMap::new();
    for row in rows {
        first.entry(&row.key).or_insert(row);
    }
    let mut rows: Vec<&Line> = first.into_values().collect();
    rows.sort_by_key(|row| row.line);
    let keys: Vec<String> = rows.iter().map(|row| row.key.clone()).collect();
    let answers = host.lookups(&source.table, &keys).ok()?;
    let told = rows
        .into_iter()
        .zip(answers)
        .filter_map(|(row, answer)| match answer {
            None => Some(missing(row)),
            Some(value) if value != row.value => Some(other(row, &value)),
            Some(_) => None,
        });
    Some(told.take(TOLD).collect())
}

fn other(row: &Line, value: &str) -> String {
    let Line { key, line, .. } = row;
    format!("{key}: Postfix finds “{value}”, the source has another policy (line {line})")
}

fn missing(row: &Line) -> String {
    let Line { key, line, .. } = row;
    format!("{key}: Postfix does not find it, the source has it (line {line})")
}
