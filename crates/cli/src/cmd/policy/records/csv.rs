//! Rules as lines of CSV.
//!
//! Owns: the columns, and what is wrong with a line. Never: what a rule's words mean.

use super::{COLUMNS, Record, Request, refused, request};
use crate::cmd::policy::input::{Ended, Input};
use mailtls::policy::Dialect;
use postseal_engine::Refused;
use postseal_planner::whole_chain;
use std::borrow::Cow;

/// Lines of CSV. Without a head the columns are destination and policy.
pub(in crate::cmd::policy) fn csv_rules(
    input: Input,
    dialect: Dialect,
) -> impl Iterator<Item = Request> {
    let fill = input.fill();
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .from_reader(Ended::new(input));
    let mut columns: Vec<String> = COLUMNS[..2].iter().map(ToString::to_string).collect();
    let mut first = true;
    let mut broken = false;
    let mut line = ::csv::StringRecord::new();
    std::iter::from_fn(move || {
        // After an error of the disk nothing more can be read.
        while !broken {
            let read = reader.read_record(&mut line);
            fill.empty();
            match read {
                Ok(false) => return None,
                Ok(true) if line.as_slice().contains(['\n', '\r']) => {
                    first = false;
                    return Some(Err(run_on(&line, reader.position().line())));
                }
                Ok(true) if std::mem::take(&mut first) && is_head(&line) => {
                    let names = line.iter().map(|name| name.trim().to_ascii_lowercase());
                    columns = names.collect();
                    if let Some(why) = bad_head(&columns) {
                        // No line could be read.
                        broken = true;
                        return Some(Err(refused(line_of(&line), "", "policy.bad-file", &why)));
                    }
                }
                Ok(true) => return Some(csv_rule(&line, &columns, dialect)),
                Err(error) => {
                    let at = error.position().map(::csv::Position::line);
                    let at = at.and_then(|line| usize::try_from(line).ok());
                    broken = matches!(error.kind(), ::csv::ErrorKind::Io(_));
                    let why = whole_chain(&error);
                    return Some(Err(refused(at, "", "policy.bad-file", &why)));
                }
            }
        }
        None
    })
}

fn is_head(line: &::csv::StringRecord) -> bool {
    line.get(0).is_some_and(|name| name.trim() == "destination")
}

/// A record of several lines: no word of a rule has a line break in it, so a quote is open.
fn run_on(line: &::csv::StringRecord, next: u64) -> Refused {
    let at = line_of(line);
    let last = usize::try_from(next)
        .unwrap_or(usize::MAX)
        .saturating_sub(1);
    let lines = match at {
        Some(first) if first < last => format!("lines {first} to {last} are read as one"),
        _ => "it runs to the end of the file".to_owned(),
    };
    let why = format!("a quote is opened and not closed in its line: {lines}");
    let destination = line.get(0).unwrap_or_default();
    refused(at, destination, "policy.bad-file", &why)
}

/// What is wrong with the names of the columns.
fn bad_head(columns: &[String]) -> Option<String> {
    let unknown = columns.iter().find(|one| !COLUMNS.contains(&one.as_str()));
    let twice = || (1..columns.len()).find(|i| columns[..*i].contains(&columns[*i]));
    match unknown {
        Some(name) => Some(format!(
            "the head of the file names the column {name:?}; those of rules are {}",
            COLUMNS.join(", ")
        )),
        None => twice().map(|i| format!("the head of the file names two columns {}", columns[i])),
    }
}

fn line_of(line: &::csv::StringRecord) -> Option<usize> {
    let at = line.position().map(::csv::Position::line);
    at.and_then(|line| usize::try_from(line).ok())
}

fn csv_rule(line: &::csv::StringRecord, columns: &[String], dialect: Dialect) -> Request {
    let at = line_of(line);
    let mut record = Record::default();
    for (column, value) in columns
        .iter()
        .zip(line)
        .map(|(name, value)| (name, value.trim()))
    {
        let some = || Some(Cow::Borrowed(value));
        match column.as_str() {
            "destination" => record.destination = Cow::Borrowed(value),
            "policy" => record.policy = Cow::Borrowed(value),
            "scope" => record.scope = some(),
            "note" => record.note = some(),
            "owner" => record.owner = some(),
            "tags" => record.tags = some(),
            "until" => record.until = some(),
            "follow" => record.follow = some(),
            "reason" => record.reason = some(),
            // A head that names others was refused.
            _ => {}
        }
    }
    if line.len() > columns.len() {
        let why = format!("{} columns, where {} are known", line.len(), columns.len());
        return Err(refused(at, &record.destination, "policy.bad-file", &why));
    }
    if line.len() == 1 && record.destination.contains([';', '\t']) {
        let why = "it has one column; columns are parted by commas";
        return Err(refused(at, &record.destination, "policy.bad-file", why));
    }
    request(&record, at, dialect)
}
