//! The benchmark harness: contenders side by side, medians, ratios, docs/BENCHMARKS.md.
//!
//! Owns: how a run is measured and how it is written down. Never: knows a scenario (they are in
//! `benches/compare`), compares numbers of two different runs, fails a build for a slow machine.

mod banner;
mod criterion;
mod machine;
mod measure;
mod record;

pub use banner::BannerWatch;
pub use criterion::{Throughput, throughputs};
pub use machine::Machine;
pub use measure::{Contender, Rounds, Sample, Series, Task, compare};
pub use record::{Section, seconds};

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A command could not be started or watched.
    #[error("{command}: {source}")]
    Run {
        /// Its words.
        command: String,
        /// Why.
        source: std::io::Error,
    },
    /// A command ended otherwise than it should; a wrong run is no measurement.
    #[error("{command}: {ended}\n{output}")]
    Exit {
        /// Its words.
        command: String,
        /// How it ended.
        ended: String,
        /// The end of what it printed.
        output: String,
    },
    /// A file could not be read, made or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Fewer rounds than a median is worth.
    #[error("{0} rounds: a median wants 5 or more")]
    Rounds(usize),
    /// criterion left no measurements below this folder.
    #[error("{0}: no measurements of criterion here")]
    Empty(PathBuf),
}

impl BenchError {
    /// The fault of a file.
    #[must_use]
    pub fn file(path: &Path, source: std::io::Error) -> Self {
        let path = path.to_path_buf();
        Self::File { path, source }
    }
}

/// Builds the scenarios and hands them `arguments`. They are a bench target of this crate, so
/// that `cargo xtask check` need not build the test kit to begin.
#[must_use]
pub fn launch(root: &Path, arguments: &[String]) -> ExitCode {
    let mut command = Command::new(crate::cargo());
    command
        .args(["bench", "--quiet", "--package", "xtask"])
        .args(["--bench", "compare", "--"])
        .args(arguments)
        .current_dir(root);
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: cannot run cargo: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests;
