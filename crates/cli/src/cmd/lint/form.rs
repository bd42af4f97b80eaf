//! Forms of lint's answer: text, JSON, SARIF, and annotations of a GitHub workflow.
//!
//! Owns: how findings are written for each reader. Never: which ones there are, or the exit code.

mod sarif;

use super::ignore::Told;
use crate::answer::{Answer, findings_text};
use crate::config::{Global, Output, Talk};
use crate::failure::{Exit, Failure};
use clap::ValueEnum;
use postseal_planner::finding::Taken;
use postseal_planner::{Finding, Severity};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// One JSON document, as with --json.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions: an annotation at each line.
    Github,
}

/// Only the form that is asked for is made: a large file has thousands of findings.
pub(super) fn answer(told: &Told, form: Option<Form>, global: &Global) -> Result<Answer, Failure> {
    let json = global.output == Output::Json;
    Ok(match form {
        None | Some(Form::Json) if json => Answer::new("", document(told)),
        Some(_) if json => {
            let text = "--format and --json ask for two forms of one answer".to_owned();
            return Err(Failure::new(Exit::Usage, "lint.two-forms", text)
                .hint("Leave --json out (or json = true in postseal.toml)."));
        }
        None | Some(Form::Text) => Answer::new(text(told, global), Value::Null),
        Some(Form::Json) => Answer::new(printed(&with_schema(document(told))), Value::Null),
        Some(Form::Sarif) => Answer::new(printed(&sarif::log(told)), Value::Null),
        Some(Form::Github) => Answer::new(github(told), Value::Null),
    })
}

fn printed(document: &Value) -> String {
    format!("{document:#}\n")
}

fn with_schema(mut document: Value) -> Value {
    if let Value::Object(fields) = &mut document {
        fields.insert("schema".to_owned(), Value::from(1));
    }
    document
}

fn document(told: &Told) -> Value {
    let ignored: Vec<Value> = told
        .ignored
        .iter()
        .map(|(finding, reason)| json!({"finding": finding, "reason": reason}))
        .collect();
    json!({"changed": false, "findings": told.findings, "ignored": ignored})
}

fn text(told: &Told, global: &Global) -> String {
    let mut text = match told.findings.is_empty() {
        true => "Nothing found.\n".to_owned(),
        false => told.findings.iter().map(with_fix).collect(),
    };
    // Writing to a String cannot fail.
    let _ = match (told.ignored.len(), global.talk) {
        (0, _) => Ok(()),
        (1, Talk::Normal) => writeln!(text, "1 finding is ignored by postseal.toml (-v shows it)."),
        (count, Talk::Normal) => {
            writeln!(
                text,
                "{count} findings are ignored by postseal.toml (-v shows them)."
            )
        }
        _ => told.ignored.iter().try_for_each(|(finding, reason)| {
            let told = findings_text([finding]);
            write!(text, "ignored ({reason}): {told}")
        }),
    };
    text
}

/// A finding, and whether `--fix` mends it.
pub(super) fn with_fix(finding: &Finding) -> String {
    let mut text = findings_text([finding]);
    if let Some(fix) = &finding.fix {
        let wishes = fix.set.join(" ");
        // Writing to a String cannot fail.
        let _ = match fix.taken {
            Taken::ByItself => writeln!(text, "    --fix: {wishes}"),
            Taken::ByName => writeln!(
                text,
                "    --fix --with {}: {wishes}\n        {}",
                finding.code, fix.says
            ),
        };
    }
    text
}

/// <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>
fn github(told: &Told) -> String {
    told.findings.iter().map(annotation).collect()
}

fn annotation(finding: &Finding) -> String {
    let level = match finding.severity {
        Severity::Info => "notice",
        Severity::Warning => "warning",
        Severity::Error | Severity::Fatal => "error",
    };
    let mut properties = Vec::new();
    let place = finding.evidence.iter().find(|seen| seen.file.is_some());
    if let Some(place) = place {
        let file = place.file.as_ref().map(|file| file.display().to_string());
        properties.push(format!("file={}", property(&file.unwrap_or_default())));
        properties.extend(place.line.map(|line| format!("line={line}")));
    }
    properties.push(format!("title={}", property(&finding.code)));
    let message = format!("{} {}", finding.message, finding.remedy);
    format!("::{level} {}::{}\n", properties.join(","), data(&message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
