//! `probe --compare`: an earlier report, and what changed since.
//!
//! Owns: reading what `--json` printed, and the words. Never: decides which facts count.

use crate::failure::{Exit, Failure};
use postseal_planner::probed::{Change, Probed};
use serde::Deserialize;
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

/// No report is larger.
const LIMIT: u64 = 256 << 20;

#[derive(Deserialize)]
struct Report {
    schema: u64,
    probed: Vec<Probed>,
}

pub(super) fn read(path: &Path) -> Result<Vec<Probed>, Failure> {
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
        1 => Ok(report.probed),
        other => Err(failed(format!("its schema is {other}, not 1"))),
    }
}

/// A line for each change.
pub(super) fn text(changes: Option<&[Change]>) -> String {
    let Some(changes) = changes else {
        return String::new();
    };
    if changes.is_empty() {
        return "Nothing changed since the earlier report.\n".to_owned();
    }
    let mut text = "Changed since the earlier report:\n".to_owned();
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
