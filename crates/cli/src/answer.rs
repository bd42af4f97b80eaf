//! Answers for people and for programs.
//!
//! Owns: the one place that chooses text or JSON. Never: computes an answer.

use crate::config::{Colored, Global, Output};
use crate::failure::Exit;
use postseal_planner::Finding;
use serde_json::{Map, Value};
use std::io::Write;
use std::process::ExitCode;

/// What a command answers.
#[derive(Debug)]
pub(crate) struct Answer {
    /// For people, with the final newline.
    pub(crate) text: String,
    /// For programs; `schema` is added.
    pub(crate) json: Value,
    /// How the process ends.
    pub(crate) exit: Exit,
}

impl Answer {
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        Self {
            text: text.into(),
            json,
            exit: Exit::Done,
        }
    }

    #[must_use]
    pub(crate) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Prints it. A closed pipe ends the output, not the command's result.
    pub(crate) fn print(&self, global: &Global) -> ExitCode {
        let mut stdout = std::io::stdout().lock();
        let _ = match global.output {
            Output::Text => {
                stdout.write_all(paint(&printable(&self.text), global.color).as_bytes())
            }
            Output::Json => writeln!(stdout, "{:#}", self.document()),
        };
        self.exit.into()
    }

    fn document(&self) -> Value {
        let mut document = Map::from_iter([("schema".to_owned(), Value::from(1))]);
        if let Value::Object(fields) = &self.json {
            document.extend(fields.clone());
        }
        Value::Object(document)
    }
}

/// A finding as lines of text: what, where, what to do.
pub(crate) fn finding_lines(finding: &Finding) -> Vec<String> {
    let severity = format!("{:?}", finding.severity).to_lowercase();
    let mut lines = vec![format!(
        "{severity}: {} [{}]",
        finding.message, finding.code
    )];
    for evidence in &finding.evidence {
        let place = match (&evidence.file, evidence.line) {
            (Some(file), Some(line)) => format!("{}:{line}: ", file.display()),
            (Some(file), None) => format!("{}: ", file.display()),
            _ => String::new(),
        };
        lines.push(format!("    {place}{}", evidence.text));
    }
    lines.push(format!("    remedy: {}", finding.remedy));
    lines
}

/// Findings as text, one after the other.
pub(crate) fn findings_text<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> String {
    findings
        .into_iter()
        .flat_map(finding_lines)
        .fold(String::new(), |text, line| text + &line + "\n")
}

/// Text from files and from the wire cannot steer the terminal: control characters but newline
/// and tab become U+FFFD.
pub(crate) fn printable(text: &str) -> String {
    let safe = |c: char| {
        if c.is_control() && !"\n\t".contains(c) {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    text.chars().map(safe).collect()
}

/// Colours diffs and severities, a line each.
fn paint(text: &str, color: Colored) -> String {
    if color == Colored::No {
        return text.to_owned();
    }
    text.split_inclusive('\n').map(paint_line).collect()
}

fn paint_line(line: &str) -> String {
    const KINDS: [(&str, &str); 7] = [
        ("---", ""),
        ("+++", ""),
        ("+", "32"),
        ("-", "31"),
        ("fatal:", "1;31"),
        ("error:", "31"),
        ("warning:", "33"),
    ];
    let kind = KINDS.iter().find(|(start, _)| line.starts_with(start));
    match (kind, line.strip_suffix('\n')) {
        (Some((_, code)), Some(words)) if !code.is_empty() => {
            format!("\x1b[{code}m{words}\x1b[0m\n")
        }
        _ => line.to_owned(),
    }
}
