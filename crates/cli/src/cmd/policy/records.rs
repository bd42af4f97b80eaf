//! Rules as lines of CSV, rows of a Postfix map, and records of JSON.
//!
//! Owns: reading each form, line by line, and saying what is wrong with a line. Never: holds more
//! than one rule, or judges where mail goes.
//!
//! What a line does not say stays as it is: a column that is not there, a field that is not in a
//! record. What it says to be empty goes.

mod csv;

pub(super) use self::csv::csv_rules;
use clap::ValueEnum;
use mailtls::policy::Dialect;
use postfix_cf::table;
use postseal_engine::{Refused, RuleRequest};
use postseal_planner::policy::{
    About, Given, RowReader, Rule, Scopes, Unread, follows, is_seen, scope_of,
};
use postseal_planner::{Finding, Severity};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// How rules are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The source of a Postfix map; what a map does not know stands in comments
    #[default]
    Map,
    /// With a head: destination, policy, scope, note, owner, tags, until, follow, reason
    Csv,
    /// {"schema": 1, "rules": […]}
    Json,
    /// The rules of the declarative file: schema = 1 and [[rules]]
    Toml,
}

/// The columns of CSV, as they are written.
pub(super) const COLUMNS: [&str; 9] = [
    "destination",
    "policy",
    "scope",
    "note",
    "owner",
    "tags",
    "until",
    "follow",
    "reason",
];

/// A rule as CSV and JSON have it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Record<'a> {
    pub(super) destination: Cow<'a, str>,
    pub(super) policy: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<Cow<'a, str>>,
    /// With blanks between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tags: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Cow<'a, str>>,
    /// `yes`: the rule is for recipients, and follows their mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) follow: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Cow<'a, str>>,
}

/// The document of [`Format::Json`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document<'a> {
    pub(super) schema: u32,
    #[serde(borrow)]
    pub(super) rules: &'a RawValue,
}

/// Lines read together, and how many such chunks ahead.
const TOGETHER: usize = 2_000;
const AHEAD: usize = 4;
/// More letters of what is no destination are not told.
const LONGEST_TOLD: usize = 100;
/// How often a waiting import looks whether it is to end.
const HEED: Duration = Duration::from_millis(200);

pub(crate) type Request = Result<RuleRequest, Refused>;

/// The same rules, read and parsed by another thread some thousand lines ahead. They end where the
/// work is to end.
pub(super) fn ahead<'a>(
    rows: impl Iterator<Item = Request> + Send + 'static,
    interrupted: &'a AtomicBool,
) -> impl Iterator<Item = Request> + 'a {
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
    let more = move || {
        while !interrupted.load(Ordering::Relaxed) {
            match take.recv_timeout(HEED) {
                Ok(some) => return Some(some),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        None
    };
    std::iter::from_fn(more).flatten()
}

/// Rows of a Postfix map. What stands in comments right above a row is said of its rule; what is
/// said of none is in `unread` at the end.
pub(super) fn map_rules<'a>(
    source: &'a [u8],
    dialect: Dialect,
    unread: &'a mut Vec<Unread>,
) -> impl Iterator<Item = Request> + 'a {
    let mut rows = table::rows(source);
    let mut reader = Some(RowReader::new(dialect, Scopes::AsMarked));
    std::iter::from_fn(move || {
        for row in rows.by_ref() {
            match reader.as_mut()?.read(&row) {
                None => {}
                Some(Ok(row)) => {
                    return Some(Ok(RuleRequest {
                        rule: row.rule,
                        given: row.given,
                        line: Some(row.line),
                    }));
                }
                Some(Err(bad)) => {
                    let line = Some(bad.line);
                    return Some(Err(refused(line, &bad.key, bad.code, &bad.why)));
                }
            }
        }
        unread.extend(reader.take()?.finish());
        None
    })
}

/// The records of the array `rules` of `document`, one after the other.
pub(super) fn json_rules<'a>(
    rules: &'a RawValue,
    document: &[u8],
    dialect: Dialect,
) -> impl Iterator<Item = Request> + use<'a> {
    let mut rest = rules.get().strip_prefix('[');
    let breaks = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
    let skipped = move |text: &str| breaks(text.as_bytes());
    let before = rules.get().as_ptr().addr() - document.as_ptr().addr();
    let mut line = 1 + breaks(&document[..before]);
    std::iter::from_fn(move || {
        let text = rest?;
        let begin = text.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        line += skipped(&text[..text.len() - begin.len()]);
        // The whole is well-formed; only what is in it may not be a rule.
        let mut values = serde_json::Deserializer::from_str(begin).into_iter::<&RawValue>();
        let (at, value) = (line, values.next()?.ok()?.get());
        line += skipped(value);
        rest = Some(&begin[value.len()..]);
        let record: Result<Record<'_>, _> = serde_json::from_str(value);
        Some(match record {
            Ok(record) => request(&record, Some(at), dialect),
            Err(error) => {
                let said = error.to_string();
                let why = said.split(" at line ").next().unwrap_or_default();
                let at = at + error.line().saturating_sub(1);
                Err(refused(Some(at), "", "policy.bad-file", why))
            }
        })
    })
}

pub(super) fn request(record: &Record<'_>, line: Option<usize>, dialect: Dialect) -> Request {
    let word = |word: &Option<Cow<'_, str>>| {
        let text = word.as_deref().unwrap_or_default().trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let about = About {
        note: word(&record.note),
        owner: word(&record.owner),
        tags: word(&record.tags)
            .map(|tags| tags.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default(),
        until: word(&record.until),
        reason: word(&record.reason),
        entry: None,
        follow: None,
    };
    let follows = follows(word(&record.follow).as_deref());
    let scope = word(&record.scope).as_deref().map(scope_of).transpose();
    // What `export` writes for names below a domain is `.domain` with the scope beside it.
    let destination = match scope {
        Ok(Some(_)) => record.destination.trim_start_matches('.'),
        _ => &record.destination,
    };
    scope
        .and_then(|scope| Rule::new(destination, scope, &record.policy, dialect))
        .and_then(|rule| rule.with(about))
        .and_then(|rule| Ok(if follows? { rule.following() } else { rule }))
        .map(|rule| RuleRequest {
            rule,
            given: record.given(),
            line,
        })
        .map_err(|error| refused(line, &record.destination, error.code(), &error.to_string()))
}

pub(super) fn refused(
    line: Option<usize>,
    destination: &str,
    code: &'static str,
    why: &str,
) -> Refused {
    let remedy = "Mend the line; `policy import --partial` stores the others.";
    Refused {
        line,
        destination: told(destination),
        findings: vec![Finding::new(code, Severity::Error, why, remedy)],
    }
}

/// What a file has in the place of a destination, as a person can read it.
fn told(destination: &str) -> String {
    let seen = |c: char| {
        if is_seen(c) {
            c
        } else {
            char::REPLACEMENT_CHARACTER
        }
    };
    let mut told: String = destination.chars().take(LONGEST_TOLD).map(seen).collect();
    if destination.chars().nth(LONGEST_TOLD).is_some() {
        told.push('…');
    }
    told
}

impl Record<'_> {
    /// What it says.
    fn given(&self) -> Given {
        let words = [
            (&self.scope, Given::SCOPE),
            (&self.note, Given::NOTE),
            (&self.owner, Given::OWNER),
            (&self.tags, Given::TAGS),
            (&self.until, Given::UNTIL),
            (&self.reason, Given::REASON),
        ];
        let said = words.iter().filter(|(word, _)| word.is_some());
        said.fold(Given::NONE, |given, (_, word)| given.and(*word))
    }

    /// Its cells, in the order of [`COLUMNS`].
    pub(super) fn cells(&self) -> [&str; COLUMNS.len()] {
        fn word<'r>(word: &'r Option<Cow<'_, str>>) -> &'r str {
            word.as_deref().unwrap_or_default()
        }
        [
            &self.destination,
            &self.policy,
            word(&self.scope),
            word(&self.note),
            word(&self.owner),
            word(&self.tags),
            word(&self.until),
            word(&self.follow),
            word(&self.reason),
        ]
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
        reason: word(&about.reason),
    }
}
