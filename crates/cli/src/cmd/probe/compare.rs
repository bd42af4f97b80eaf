//! `probe --compare`: an earlier report, and what changed since.
//!
//! Owns: reading what `--json` printed, and the words. Never: decides which facts count.

use crate::failure::{Exit, Failure};
use postseal_planner::full::{FullAt, Looks, full_changes};
use postseal_planner::probed::{Change, ProbeTarget, Probed, changes};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

/// No report is larger.
const LIMIT: u64 = 256 << 20;

/// What an earlier report has.
#[derive(Deserialize)]
pub(super) struct Report {
    schema: u64,
    probed: Vec<Probed>,
    /// Of `--full`.
    #[serde(default)]
    full: Vec<FullAt>,
}

/// An earlier report, of one of these targets at least; `None` where none is asked for.
pub(super) fn earlier(
    path: Option<&Path>,
    targets: &[ProbeTarget],
) -> Result<Option<Report>, Failure> {
    path.map(|path| read(path, targets)).transpose()
}

fn read(path: &Path, targets: &[ProbeTarget]) -> Result<Report, Failure> {
    let failed = |why: String| {
        let message = format!("cannot compare with {}: {why}", path.display());
        Failure::new(Exit::Data, "probe.bad-report", message)
            .hint("Save one by `postseal probe TARGET --json > FILE`.")
    };
    let is_file = std::fs::metadata(path).map(|meta| meta.is_file());
    match is_file {
        Ok(true) => {}
        Ok(false) => return Err(failed("it is no file".to_owned())),
        Err(error) => return Err(failed(error.to_string())),
    }
    let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    let mut bytes = Vec::new();
    let read = file.take(LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > LIMIT {
        return Err(failed("larger than 256 MiB".to_owned()));
    }
    let report: Report =
        serde_json::from_slice(&bytes).map_err(|error| failed(format!("no report: {error}")))?;
    match report.schema {
        1 => {}
        other => return Err(failed(format!("its schema is {other}, not 1"))),
    }
    let missing = missing(&report.probed, targets);
    match missing.len() == targets.len() {
        true => Err(failed(nothing_of(&missing, &report.probed))),
        false => Ok(report),
    }
}

/// Targets that the earlier report does not have.
fn missing<'t>(earlier: &[Probed], targets: &'t [ProbeTarget]) -> Vec<&'t str> {
    let had: BTreeSet<&str> = earlier.iter().map(|one| one.target.as_str()).collect();
    let all = targets.iter().map(|one| one.text.as_str());
    all.filter(|target| !had.contains(target)).collect()
}

fn nothing_of(missing: &[&str], earlier: &[Probed]) -> String {
    let had: Vec<&str> = earlier.iter().map(|one| one.target.as_str()).collect();
    match had.as_slice() {
        [] => format!("it has no target, so nothing of {}", some(missing)),
        had => format!("it has nothing of {}, but of {}", some(missing), some(had)),
    }
}

/// The first ones, and how many more.
fn some(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>();
    match names.len() {
        many if many > SHOWN => format!("{} and {} more", shown.join(", "), many - SHOWN),
        _ => shown.join(", "),
    }
}

/// What came of comparing.
pub(super) struct Compared<'t> {
    pub(super) changes: Vec<Change>,
    /// Targets that the earlier report does not have.
    pub(super) not_compared: Vec<&'t str>,
    /// Servers that only one of the reports looked at in full.
    pub(super) full_not_compared: Vec<String>,
}

impl<'t> Compared<'t> {
    pub(super) fn of(earlier: &Report, now: Looks<'_>, targets: &'t [ProbeTarget]) -> Self {
        let (probed, full) = (&earlier.probed, &earlier.full);
        let in_full = full_changes(Looks { probed, full }, now);
        let mut changes = changes(probed, now.probed);
        changes.extend(in_full.changes);
        Self {
            changes,
            not_compared: missing(probed, targets),
            full_not_compared: in_full.not_compared,
        }
    }
}

/// A line for each change.
pub(super) fn text(compared: Option<&Compared<'_>>) -> String {
    let Some(Compared {
        changes,
        not_compared,
        full_not_compared,
    }) = compared
    else {
        return String::new();
    };
    let mut text = match not_compared.as_slice() {
        [] => String::new(),
        names => format!("The earlier report has nothing of {}.\n", some(names)),
    };
    if !full_not_compared.is_empty() {
        let places: Vec<&str> = full_not_compared.iter().map(String::as_str).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "Not compared is what --full finds at {}: only one of the two reports has it.",
            some(&places)
        );
    }
    if changes.is_empty() {
        return text + "Nothing changed since the earlier report.\n";
    }
    text.push_str("Changed since the earlier report:\n");
    for one in changes {
        let words = |value: &Option<String>| match value.as_deref() {
            None | Some("") => "-".to_owned(),
            Some(value) => value.to_owned(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "  {} {}: {} → {}",
            one.about,
            one.fact,
            words(&one.before),
            words(&one.after)
        );
    }
    text
}
