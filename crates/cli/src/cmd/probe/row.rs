//! One line of `probe`.
//!
//! Owns: its columns, aligned for people and tab-separated when piped. Never: decides.

use postseal_planner::report::Outcome;
use std::net::SocketAddr;

/// A line about one stage.
pub(super) struct Row<'r> {
    pub(super) target: &'r str,
    pub(super) host: &'r str,
    pub(super) address: Option<SocketAddr>,
    pub(super) stage: &'r str,
    pub(super) word: &'r str,
    pub(super) micros: Option<u64>,
    pub(super) words: &'r str,
}

impl Row<'_> {
    pub(super) fn aligned(&self) -> String {
        let time = self.micros.map(milliseconds).unwrap_or_default();
        let line = format!(
            "  {:<14}{:<13}{time:>9}  {}",
            self.stage, self.word, self.words
        );
        format!("{}\n", line.trim_end())
    }

    /// Target, host, address, stage, outcome, milliseconds, words.
    pub(super) fn separated(&self) -> String {
        let address = self.address.map(|one| one.to_string()).unwrap_or_default();
        let time = self.micros.map(|micros| format!("{}", micros / 1000));
        let cells = [
            self.target,
            self.host,
            &address,
            self.stage,
            self.word,
            &time.unwrap_or_default(),
            self.words,
        ];
        let cells: Vec<String> = cells
            .iter()
            .map(|cell| cell.replace(['\t', '\n', '\r'], " "))
            .collect();
        format!("{}\n", cells.join("\t"))
    }
}

fn milliseconds(micros: u64) -> String {
    format!("{}.{} ms", micros / 1000, micros % 1000 / 100)
}

pub(super) const fn word(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Pass) => "ok",
        Some(Outcome::Fail) => "no",
        Some(Outcome::Undetermined) => "undetermined",
        None => "-",
    }
}
