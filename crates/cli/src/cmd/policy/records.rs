//! Rules as lines of CSV, rows of a Postfix map, and records of JSON.
//!
//! Owns: reading each form, line by line, and saying what is wrong with a line. Never: holds more
//! than one rule, or judges where mail goes.

use crate::failure::whole_chain;
use clap::ValueEnum;
use mailtls::destination::Scope;
use mailtls::policy::Dialect;
use postfix_cf::table;
use postseal_engine::{Refused, RuleRequest};
use postseal_planner::policy::{About, RowReader, Rule, RuleError};
use postseal_planner::{Finding, Severity};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::Read;
use std::sync::mpsc;

/// How rules are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The source of a Postfix map; notes are comments
    #[default]
    Map,
    /// With a head: destination, policy, scope, note, owner, tags, until
    Csv,
    /// {"schema": 1, "rules": […]}
    Json,
}

/// A rule as CSV and JSON have it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Record<'a> {
    destination: Cow<'a, str>,
    policy: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Cow<'a, str>>,
    /// With blanks between.
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Cow<'a, str>>,
    /// `yes`: the rule is for recipients, and follows their mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    follow: Option<Cow<'a, str>>,
}

/// The document of [`Format::Json`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document<'a> {
    pub(super) schema: u32,
    #[serde(borrow)]
    pub(super) rules: Vec<Record<'a>>,
}

/// Lines read together, and how many such chunks ahead.
const TOGETHER: usize = 2_000;
const AHEAD: usize = 4;

pub(super) type Request = Result<RuleRequest, Refused>;

/// Lines of CSV. Without a head the columns are destination and policy.
pub(super) fn csv_rules(reader: impl Read, dialect: Dialect) -> impl Iterator<Item = Request> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(reader);
    let mut columns: Vec<String> = vec!["destination".to_owned(), "policy".to_owned()];
    let mut first = true;
    let mut broken = false;
    let mut line = csv::StringRecord::new();
    std::iter::from_fn(move || {
        // After an error of the disk nothing more can be read.
        while !broken {
            match reader.read_record(&mut line) {
                Ok(false) => return None,
                Ok(true) if std::mem::take(&mut first) && line.get(0) == Some("destination") => {
                    columns = line.iter().map(str::to_ascii_lowercase).collect();
                }
                Ok(true) => return Some(csv_rule(&line, &columns, dialect)),
                Err(error) => {
                    let at = error.position().map(csv::Position::line);
                    let at = at.and_then(|line| usize::try_from(line).ok());
                    broken = matches!(error.kind(), csv::ErrorKind::Io(_));
                    return Some(Err(refused(
                        at,
                        "",
                        "policy.bad-file",
                        &whole_chain(&error),
                    )));
                }
            }
        }
        None
    })
}

fn csv_rule(line: &csv::StringRecord, columns: &[String], dialect: Dialect) -> Request {
    let at = line.position().map(csv::Position::line);
    let at = at.and_then(|line| usize::try_from(line).ok());
    let mut record = Record::default();
    for (column, value) in columns.iter().zip(line) {
        let some = || Some(Cow::Borrowed(value)).filter(|value| !value.is_empty());
        match column.as_str() {
            "destination" => record.destination = Cow::Borrowed(value),
            "policy" => record.policy = Cow::Borrowed(value),
            "scope" => record.scope = some(),
            "note" => record.note = some(),
            "owner" => record.owner = some(),
            "tags" => record.tags = some(),
            "until" => record.until = some(),
            "follow" => record.follow = some(),
            other => {
                let why = format!("{other:?} is no column of rules");
                return Err(refused(at, value, "policy.bad-file", &why));
            }
        }
    }
    if line.len() > columns.len() {
        let why = format!("{} columns, where {} are known", line.len(), columns.len());
        return Err(refused(at, &record.destination, "policy.bad-file", &why));
    }
    request(&record, at, dialect)
}

/// The same rules, read and parsed by another thread some thousand lines ahead.
pub(super) fn ahead(
    rows: impl Iterator<Item = Request> + Send + 'static,
) -> impl Iterator<Item = Request> {
    let (give, take) = mpsc::sync_channel(AHEAD);
    std::thread::spawn(move || {
        let mut rows = rows.peekable();
        while rows.peek().is_some() {
            let some: Vec<Request> = rows.by_ref().take(TOGETHER).collect();
            if give.send(some).is_err() {
                return;
            }
        }
    });
    take.into_iter().flatten()
}

/// Rows of a Postfix map. A comment right above a row is its note.
pub(super) fn map_rules(source: &[u8], dialect: Dialect) -> impl Iterator<Item = Request> {
    let mut reader = RowReader::new(dialect);
    table::rows(source).filter_map(move |row| {
        let read = reader.read(&row)?;
        Some(match read {
            Ok(row) => Ok(RuleRequest {
                rule: row.rule,
                line: Some(row.line),
            }),
            Err(bad) => Err(refused(Some(bad.line), &bad.key, bad.code, &bad.why)),
        })
    })
}

pub(super) fn request(record: &Record<'_>, line: Option<usize>, dialect: Dialect) -> Request {
    let word = |word: &Option<Cow<'_, str>>| {
        let text = word.as_deref().unwrap_or_default().trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let scope = match word(&record.scope) {
        None => Ok(None),
        Some(text) => Scope::of(&text).map(Some).ok_or_else(|| RuleError::About {
            what: "the scope",
            why: format!("{text:?} is none of domain, subdomains, both"),
        }),
    };
    let tags = word(&record.tags).unwrap_or_default();
    let about = About {
        note: word(&record.note),
        owner: word(&record.owner),
        tags: tags.split_whitespace().map(str::to_owned).collect(),
        until: word(&record.until),
        reason: None,
        entry: None,
        follow: None,
    };
    let follows = match word(&record.follow).as_deref() {
        None | Some("no") => Ok(false),
        Some("yes") => Ok(true),
        Some(other) => Err(RuleError::About {
            what: "follow",
            why: format!("{other:?} is neither yes nor no"),
        }),
    };
    // What `export` writes for names below a domain is `.domain` with the scope beside it.
    let destination = match scope {
        Ok(Some(_)) => record.destination.trim_start_matches('.'),
        _ => &record.destination,
    };
    scope
        .and_then(|scope| Rule::new(destination, scope, &record.policy, dialect))
        .and_then(|rule| rule.with(about))
        .and_then(|rule| Ok(if follows? { rule.following() } else { rule }))
        .map(|rule| RuleRequest { rule, line })
        .map_err(|error| refused(line, &record.destination, error.code(), &error.to_string()))
}

fn refused(line: Option<usize>, destination: &str, code: &'static str, why: &str) -> Refused {
    let remedy = "Mend the line; `policy import --partial` stores the others.";
    Refused {
        line,
        destination: destination.to_owned(),
        findings: vec![Finding::new(code, Severity::Error, why, remedy)],
    }
}

pub(super) fn record(rule: &Rule) -> Record<'_> {
    let about = &rule.about;
    let word = |word: &'_ Option<String>| word.clone().map(Cow::Owned);
    Record {
        destination: Cow::Borrowed(&rule.id.destination),
        policy: Cow::Borrowed(&rule.policy),
        scope: Some(Cow::Borrowed(rule.scope().name())),
        note: word(&about.note),
        owner: word(&about.owner),
        tags: (!about.tags.is_empty()).then(|| Cow::Owned(about.tags.join(" "))),
        until: word(&about.until),
        follow: about.follow.map(|_| Cow::Borrowed("yes")),
    }
}
