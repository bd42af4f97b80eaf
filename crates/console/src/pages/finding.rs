//! Findings, wherever they stand.
//!
//! Owns: one as it is shown. Never: judges.

use super::doc::Doc;
use super::glance::mark;

/// A finding as it is shown.
pub(crate) struct Found {
    pub(crate) code: String,
    pub(crate) severity: String,
    pub(crate) message: String,
    pub(crate) remedy: String,
    pub(crate) evidence: Vec<String>,
}

impl Found {
    /// Those of a list, the worst first.
    pub(crate) fn all(doc: &Doc, key: &str) -> Vec<Self> {
        Self::sorted(doc.list(key).iter().map(Self::of).collect())
    }

    /// The worst first.
    pub(crate) fn sorted(mut all: Vec<Self>) -> Vec<Self> {
        all.sort_by_key(|found| std::cmp::Reverse(rank(&found.severity)));
        all
    }

    /// Whether it is an error or worse.
    pub(crate) fn is_error(&self) -> bool {
        rank(&self.severity) >= rank("error")
    }

    /// As the state of a look.
    pub(crate) fn state(&self) -> &'static str {
        match self.severity.as_str() {
            "info" => "note",
            "warning" => "warning",
            _ => "fail",
        }
    }

    /// The shape that stands beside its colour.
    pub(crate) fn mark(&self) -> &'static str {
        match self.state() {
            "note" => "i",
            state => mark(state),
        }
    }

    /// One of a list.
    pub(crate) fn of(doc: &Doc) -> Self {
        // A plan's findings stand beside their place in time.
        let doc = doc.inner("finding");
        Self {
            code: doc.text("code"),
            severity: doc.text("severity"),
            message: doc.text("message"),
            remedy: doc.text("remedy"),
            evidence: doc.list("evidence").iter().map(place).collect(),
        }
    }
}

/// How many there are of each severity, the worst first, in words.
pub(crate) fn counted(all: &[Found]) -> Vec<String> {
    let words = [
        ("fatal", "fatal", "fatal"),
        ("error", "error", "errors"),
        ("warning", "warning", "warnings"),
        ("info", "note", "notes"),
    ];
    let count = |severity| {
        all.iter()
            .filter(|found| found.severity == severity)
            .count()
    };
    words
        .into_iter()
        .filter_map(|(severity, one, many)| match count(severity) {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {many}")),
        })
        .collect()
}

fn rank(severity: &str) -> usize {
    let ranks = ["info", "warning", "error", "fatal"];
    ranks
        .iter()
        .position(|rank| *rank == severity)
        .unwrap_or(ranks.len())
}

fn place(evidence: &Doc) -> String {
    let (file, line, text) = (
        evidence.text("file"),
        evidence.text("line"),
        evidence.text("text"),
    );
    match (file.is_empty(), line.is_empty()) {
        (true, _) => text,
        (false, true) => format!("{file}: {text}"),
        (false, false) => format!("{file}:{line}: {text}"),
    }
}
