//! docs/BENCHMARKS.md: a section a scenario, each replaced whole by the run that makes it.

use super::{BenchError, Machine};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

const TITLE: &str = "# Benchmarks

Ratios are taken in one run: contenders side by side, interleaved, the median of five rounds or
more. Times differ from machine to machine; ratios hardly do.
";

/// What one scenario found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The scenario's word on the command line.
    pub name: String,
    /// What was measured, in a sentence or two.
    pub about: String,
    /// The columns.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

impl Section {
    /// The section as Markdown between its markers. `date` and `command` are the caller's.
    #[must_use]
    pub fn markdown(&self, date: &str, command: &str, machine: &Machine) -> String {
        let Self { name, about, .. } = self;
        let machine = machine.line();
        let mut text = format!(
            "{}\n## {name}\n\n{about}\n\n{date} · {machine}\n`{command}`\n\n",
            begin(name)
        );
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {} |", self.head.join(" | "));
        let _ = writeln!(text, "|{}", " --- |".repeat(self.head.len()));
        for row in &self.rows {
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        text + &end(name) + "\n"
    }

    /// The table for a terminal.
    #[must_use]
    pub fn plain(&self) -> String {
        let lines = || std::iter::once(&self.head).chain(&self.rows);
        let width = |column: usize| {
            let cells = lines().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let mut text = String::new();
        for line in lines() {
            for (cell, width) in line.iter().zip(&widths) {
                let _ = write!(text, "{cell:<width$}  ");
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text
    }

    /// Puts the section into the file at `path`, in place of its older self.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn write(&self, path: &Path, markdown: &str) -> Result<(), BenchError> {
        let old = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => TITLE.to_owned(),
            Err(error) => return Err(BenchError::file(path, error)),
        };
        let new = replaced(&old, &self.name, markdown);
        std::fs::write(path, new).map_err(|error| BenchError::file(path, error))
    }
}

/// `old` with the section of that name replaced, or added at the end.
pub(super) fn replaced(old: &str, name: &str, markdown: &str) -> String {
    let (begin, end) = (begin(name), end(name) + "\n");
    let place = old.find(&begin).and_then(|from| {
        let length = old[from..].find(&end)? + end.len();
        Some(from..from + length)
    });
    match place {
        Some(range) => format!("{}{markdown}{}", &old[..range.start], &old[range.end..]),
        None => format!("{old}\n{markdown}"),
    }
}

/// A duration with three digits that matter: `1.23 s`, `45.6 ms`, `789 µs`.
#[must_use]
pub fn seconds(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    let (value, unit) = match micros {
        1e6.. => (micros / 1e6, "s"),
        1e3.. => (micros / 1e3, "ms"),
        _ => (micros, "µs"),
    };
    let digits = match value {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}")
}

fn begin(name: &str) -> String {
    format!("<!-- begin {name} -->")
}

fn end(name: &str) -> String {
    format!("<!-- end {name} -->")
}
