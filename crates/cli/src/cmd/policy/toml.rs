//! Rules as tables of TOML: `[[rules]]`.
//!
//! Owns: reading and writing that form, with the line of what is wrong. Never: judges where mail
//! goes, or knows the other sections of a document.

use super::records::{Record, Request, record, refused, request};
use crate::cmd::document::lines::{Lines, unknown_key};
use mailtls::policy::Dialect;
use postseal_planner::policy::Rule;
use std::borrow::Cow;
use std::fmt::Write as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The fields of a rule, as they are written.
const FIELDS: &str = "destination, policy, scope, note, owner, tags, until, follow, reason";

/// The tables of an array.
pub(crate) fn toml_rules(
    rules: &[Spanned<DeValue<'_>>],
    lines: &Lines<'_>,
    dialect: Dialect,
) -> Vec<Request> {
    rules
        .iter()
        .map(|rule| match rule.get_ref() {
            DeValue::Table(table) => toml_rule(table, lines.of(rule), lines, dialect),
            _ => Err(refused(
                Some(lines.of(rule)),
                "",
                "policy.bad-file",
                "a rule is a table: [[rules]]",
            )),
        })
        .collect()
}

fn toml_rule(table: &DeTable<'_>, at: usize, lines: &Lines<'_>, dialect: Dialect) -> Request {
    let mut record = Record::default();
    for (key, value) in table {
        let line = lines.of(value);
        let told = |why: &str| refused(Some(line), "", "policy.bad-file", why);
        let text = text(value).ok_or_else(|| told(&format!("{} is a text", key.get_ref())));
        let yes = || match value.get_ref() {
            DeValue::Boolean(true) => Ok(Cow::Borrowed("yes")),
            DeValue::Boolean(false) => Ok(Cow::Borrowed("no")),
            _ => Err(told("follow is true or false")),
        };
        match key.get_ref().as_ref() {
            "destination" => record.destination = text?,
            "policy" => record.policy = text?,
            "scope" => record.scope = Some(text?),
            "note" => record.note = Some(text?),
            "owner" => record.owner = Some(text?),
            "tags" => {
                let tags = tags(value).ok_or_else(|| told("tags is an array of texts"))?;
                record.tags = Some(tags);
            }
            "until" => record.until = Some(text?),
            "follow" => record.follow = Some(yes()?),
            "reason" => record.reason = Some(text?),
            other => return Err(told(&unknown_key(other, "a rule", FIELDS))),
        }
    }
    request(&record, Some(at), dialect)
}

/// A text, or a date, which TOML writes without quotes.
fn text<'d>(value: &'d Spanned<DeValue<'_>>) -> Option<Cow<'d, str>> {
    match value.get_ref() {
        DeValue::String(text) => Some(Cow::Borrowed(text)),
        DeValue::Datetime(date) => Some(Cow::Owned(date.to_string())),
        _ => None,
    }
}

/// Tags, with blanks between.
fn tags<'d>(value: &'d Spanned<DeValue<'_>>) -> Option<Cow<'d, str>> {
    let DeValue::Array(tags) = value.get_ref() else {
        return None;
    };
    let tags: Option<Vec<&str>> = tags.iter().map(|tag| tag.get_ref().as_str()).collect();
    tags.map(|tags| Cow::Owned(tags.join(" ")))
}

/// A rule as it is written, after an empty line.
pub(crate) fn rule_text(rule: &Rule, text: &mut String) {
    let record = record(rule);
    text.push_str("\n[[rules]]\n");
    let shown = rule.id.shown();
    // Writing to a String cannot fail.
    let _ = match shown == rule.id.destination {
        true => writeln!(text, "destination = {}", quoted(&record.destination)),
        false => writeln!(
            text,
            "destination = {} # {shown}",
            quoted(&record.destination)
        ),
    };
    field(text, "policy", Some(&record.policy));
    field(text, "scope", record.scope.as_deref());
    if rule.about.follow.is_some() {
        text.push_str("follow = true\n");
    }
    field(text, "note", record.note.as_deref());
    field(text, "owner", record.owner.as_deref());
    if !rule.about.tags.is_empty() {
        let tags: Vec<String> = rule.about.tags.iter().map(|tag| quoted(tag)).collect();
        let _ = writeln!(text, "tags = [{}]", tags.join(", "));
    }
    field(text, "until", record.until.as_deref());
    field(text, "reason", record.reason.as_deref());
}

/// A line `name = "value"`, where there is a value.
pub(crate) fn field(text: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name} = {}", quoted(value));
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
