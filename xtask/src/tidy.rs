//! The laws of the house, held by a program.
//!
//! Owns: the order of the rules and the report. Never: changes a file, stops at the first
//! offence. Each rule family is one file and works on values in memory, so that its tests are
//! samples written as strings.

mod directions;
mod graph;
mod licences;
mod lines;
mod lints;
mod purity;
mod size;
mod text;
mod token;
mod tree;

pub use graph::{Crate, Graph};
pub use tree::{File, Tree};

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Why the rules could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum TidyError {
    /// A file or folder could not be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// `cargo metadata` failed.
    #[error("cargo metadata failed: {0}")]
    Metadata(#[from] cargo_metadata::Error),
    /// deny.toml is missing or does not name the allowed licences.
    #[error("deny.toml: {0}")]
    Deny(String),
}

/// One broken law: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offence {
    path: PathBuf,
    line: usize,
    what: String,
    remedy: &'static str,
}

impl Offence {
    fn new(path: &Path, line: usize, what: impl Into<String>, remedy: &'static str) -> Self {
        let (path, what) = (path.to_path_buf(), what.into());
        Self {
            path,
            line,
            what,
            remedy,
        }
    }
}

impl fmt::Display for Offence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, line) = (self.path.display(), self.line);
        write!(out, "{path}:{line}: {}; {}", self.what, self.remedy)
    }
}

/// What the rules found.
#[derive(Debug, Default)]
pub struct Report {
    /// All offences, in the order of the files.
    pub offences: Vec<Offence>,
    /// What is worth knowing and forbids nothing.
    pub notes: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for note in &self.notes {
            writeln!(out, "{note}")?;
        }
        for offence in &self.offences {
            writeln!(out, "{offence}")?;
        }
        match self.offences.len() {
            0 => write!(out, "tidy: in order"),
            1 => write!(out, "tidy: 1 offence"),
            many => write!(out, "tidy: {many} offences"),
        }
    }
}

/// Asks all rules about the workspace at `root`.
///
/// # Errors
/// When the files, `cargo metadata` or deny.toml cannot be read.
pub fn run(root: &Path) -> Result<Report, TidyError> {
    let tree = Tree::read(root)?;
    let graph = Graph::read(root)?;
    let allowed = licences::allowed(&tree)?;
    Ok(judge(&tree, &graph, &allowed))
}

/// Runs the rules, prints the report; the exit code says whether there were offences.
#[must_use]
pub fn main(root: &Path) -> ExitCode {
    match run(root) {
        Ok(report) => {
            println!("{report}");
            ExitCode::from(u8::from(!report.offences.is_empty()))
        }
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            eprintln!("tidy: {error}{}", cause.unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

fn judge(tree: &Tree, graph: &Graph, allowed: &[String]) -> Report {
    let mut report = Report::default();
    for file in tree.files() {
        text::judge(file, &mut report.offences);
        size::judge_file(file, &mut report.offences);
        lints::judge(file, &mut report.offences);
        purity::judge(file, graph, &mut report.offences);
    }
    size::judge_shares(tree, graph, &mut report.offences);
    directions::judge(graph, &mut report.offences);
    licences::judge(graph, allowed, &mut report);
    lines::judge(tree, graph, &mut report);
    report.offences.sort();
    report
}

#[cfg(test)]
mod tests;
