//! Answers for people and for programs.
//!
//! Owns: the one place that chooses text or JSON. Never: computes an answer.

use crate::config::{Colored, Global, Output, Talk};
use crate::failure::{Exit, Failure};
use postseal_planner::preflight::Obstacle;
use postseal_planner::{Finding, Severity};
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

/// What a command answers.
#[derive(Debug)]
pub(crate) struct Answer {
    /// For people, with the final newline.
    pub(crate) text: String,
    /// For programs; `schema` is added.
    pub(crate) json: Value,
    /// A long list of that document.
    rows: Option<Rows>,
    /// How the process ends.
    pub(crate) exit: Exit,
}

/// A long list of a document. Its members are kept as the text they end as: a `Value` takes five
/// times as much memory.
#[derive(Debug)]
pub(crate) struct Rows {
    name: &'static str,
    rows: Vec<String>,
}

impl Rows {
    pub(crate) fn new(name: &'static str) -> Self {
        let rows = Vec::new();
        Self { name, rows }
    }

    pub(crate) fn push(&mut self, row: &Value) {
        self.rows.push(row.to_string());
    }
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.rows.len()))?;
        for row in &self.rows {
            let row: &RawValue = serde_json::from_str(row).map_err(S::Error::custom)?;
            list.serialize_element(row)?;
        }
        list.end()
    }
}

impl Answer {
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        Self {
            text: text.into(),
            json,
            rows: None,
            exit: Exit::Done,
        }
    }

    /// With a long list for programs, a line a member.
    #[must_use]
    pub(crate) fn rows(mut self, rows: Rows) -> Self {
        self.rows = Some(rows);
        self
    }

    /// Everything has been written already.
    pub(crate) fn silent() -> Self {
        Self::new("", Value::Null)
    }

    #[must_use]
    pub(crate) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// With one more line for people.
    #[must_use]
    pub(crate) fn and(mut self, line: &str) -> Self {
        self.text.push_str(line);
        self
    }

    /// Prints it. A closed pipe ends the output, not the command's result.
    pub(crate) fn print(self, global: &Global) -> ExitCode {
        let exit = self.exit;
        let warnings = global.warnings.take();
        if global.output == Output::Text && global.talk != Talk::Quiet {
            for warning in &warnings {
                let text = warning.warning();
                let _ = std::io::stderr().write_all(printable(&text).as_bytes());
            }
        }
        let mut stdout = std::io::stdout().lock();
        let written = match global.output {
            Output::Text => {
                let text = printable(&self.text);
                match global.color {
                    Colored::No => stdout.write_all(text.as_bytes()),
                    Colored::Yes => stdout.write_all(paint(&text).as_bytes()),
                }
            }
            Output::Json if self.json.is_null() => Ok(()),
            Output::Json => {
                let text = global.behalf.as_ref().map(|_| printable(&self.text));
                self.write_json(text.as_deref(), &warnings, &mut stdout)
            }
        };
        match written.and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                let text = format!("postseal: the answer could not be written: {error}\n");
                let _ = std::io::stderr().write_all(text.as_bytes());
                Exit::Failed.into()
            }
            _ => exit.into(),
        }
    }

    fn write_json(
        &self,
        text: Option<&str>,
        warnings: &[Failure],
        into: &mut dyn Write,
    ) -> io::Result<()> {
        let mut into = BufWriter::new(into);
        let document = Document {
            answer: self,
            text,
            warnings,
        };
        serde_json::to_writer_pretty(&mut into, &document)?;
        into.write_all(b"\n")?;
        into.flush()
    }
}

/// An answer as one document.
struct Document<'a> {
    answer: &'a Answer,
    /// What people would read, for whoever shows it to them.
    text: Option<&'a str>,
    warnings: &'a [Failure],
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", &1)?;
        for (name, field) in self.answer.json.as_object().into_iter().flatten() {
            map.serialize_entry(name, field)?;
        }
        if let Some(rows) = &self.answer.rows {
            map.serialize_entry(rows.name, rows)?;
        }
        if let Some(text) = self.text {
            map.serialize_entry("text", text)?;
        }
        if !self.warnings.is_empty() {
            let warnings: Value = self.warnings.iter().map(Failure::document).collect();
            map.serialize_entry("warnings", &warnings)?;
        }
        map.end()
    }
}

/// Why nothing stronger than a policy would work, a line for each reason after `indent`.
pub(crate) fn obstacles(indent: &str, all: &[Obstacle]) -> String {
    let mut text = String::new();
    for same in all.chunk_by(|one, next| one.why == next.why) {
        let policies: Vec<&str> = same.iter().map(|one| one.policy.as_str()).collect();
        let why = same.first().map_or("", |one| one.why.as_str());
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{indent}not {}: {why}", policies.join(", "));
    }
    text
}

/// A severity in one word.
pub(crate) fn named(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
        Severity::Fatal => "fatal",
    }
}

/// Writes a finding as lines of text after `indent`: what, where, what to do.
pub(crate) fn write_finding(text: &mut String, indent: &str, finding: &Finding) {
    let severity = named(finding.severity);
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{indent}{severity}: {} [{}]",
        finding.message, finding.code
    );
    for evidence in &finding.evidence {
        let _ = match (&evidence.file, evidence.line) {
            (Some(file), Some(line)) => {
                write!(text, "{indent}    {}:{line}: ", file.display())
            }
            (Some(file), None) => write!(text, "{indent}    {}: ", file.display()),
            (None, Some(line)) => write!(text, "{indent}    line {line}: "),
            _ => write!(text, "{indent}    "),
        };
        let _ = writeln!(text, "{}", evidence.text);
    }
    let _ = writeln!(text, "{indent}    remedy: {}", finding.remedy);
}

/// Findings as text, one after the other.
pub(crate) fn findings_text<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> String {
    let mut text = String::new();
    for finding in findings {
        write_finding(&mut text, "", finding);
    }
    text
}

/// Text from files and from the wire cannot steer the terminal: control characters but newline
/// and tab become U+FFFD.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let safe = |c| {
        if steers(c) {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    text.chars().map(safe).collect()
}

/// Colours diffs and severities, a line each.
fn paint(text: &str) -> String {
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
