//! Findings as a SARIF 2.1.0 log (OASIS), for code scanning.
//!
//! Owns: the translation. Never: a finding left out: what is ignored is there, and marked so.

use super::super::ignore::Told;
use postseal_planner::finding::Evidence;
use postseal_planner::lint;
use postseal_planner::{Finding, Severity};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// The log of one run.
pub(super) fn log(told: &Told) -> Value {
    let ignored = told.ignored.iter();
    let results: Vec<Value> = told
        .findings
        .iter()
        .map(|finding| result(finding, None))
        .chain(ignored.map(|(finding, reason)| result(finding, Some(reason))))
        .collect();
    let all = told.findings.iter();
    let all = all.chain(told.ignored.iter().map(|(finding, _)| finding));
    let codes: BTreeSet<&str> = all.map(|finding| &*finding.code).collect();
    let rules: Vec<Value> = codes.into_iter().map(rule).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "postseal",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "results": results,
        }],
    })
}

fn rule(code: &str) -> Value {
    let Some(rule) = lint::explained(code) else {
        return json!({"id": code});
    };
    json!({
        "id": code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": format!("{} See: {}", rule.remedy, rule.references.join("; "))},
        "defaultConfiguration": {"level": level(rule.severity)},
    })
}

fn result(finding: &Finding, ignored: Option<&String>) -> Value {
    let places = finding.evidence.iter().filter_map(location);
    let mut result = json!({
        "ruleId": finding.code,
        "level": level(finding.severity),
        "message": {"text": format!("{} {}", finding.message, finding.remedy)},
        "locations": places.collect::<Vec<Value>>(),
    });
    if let (Some(fix), Value::Object(fields)) = (&finding.fix, &mut result) {
        // Wishes are no text edits, which is all that SARIF's `fixes` can say.
        fields.insert("properties".to_owned(), json!({"fix": fix}));
    }
    if let (Some(reason), Value::Object(fields)) = (ignored, &mut result) {
        let reason = json!([{"kind": "external", "justification": reason}]);
        fields.insert("suppressions".to_owned(), reason);
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error | Severity::Fatal => "error",
    }
}

fn location(seen: &Evidence) -> Option<Value> {
    let file = uri(seen.file.as_deref()?);
    let mut place = json!({"artifactLocation": {"uri": file}});
    if let (Some(line), Value::Object(fields)) = (seen.line, &mut place) {
        let region = json!({"startLine": line, "snippet": {"text": seen.text}});
        fields.insert("region".to_owned(), region);
    }
    Some(json!({"physicalLocation": place}))
}

/// A relative path stays one, an absolute path is a `file:` URI (RFC 8089 §2); what RFC 3986 §2.3
/// does not leave as it is, is written by its number.
fn uri(path: &Path) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(byte);
    let text: String = path
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(|byte| match plain(byte) {
            true => char::from(*byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect();
    match path.is_absolute() {
        true => format!("file://{text}"),
        false => text,
    }
}
