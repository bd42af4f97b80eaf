//! `drift`: hand edits of what Postseal owns.
//!
//! Owns: their words. Never: treats other bytes as drift.

use super::apply::{ChangeArgs, answer};
use crate::answer::Answer;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use crate::table;
use postseal_engine::{Changes, DriftReport};
use serde_json::json;

/// Arguments of `drift`.
#[derive(Debug, clap::Args)]
pub(crate) struct DriftArgs {
    /// Take the hand edits over: what is in the files is what is wanted
    #[arg(long, conflicts_with = "restore")]
    adopt: bool,
    /// Put the owned keys back, on the one path
    #[arg(long)]
    restore: bool,
    #[command(flatten)]
    change: ChangeArgs,
}

pub(crate) fn run(args: &DriftArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let mut engine = session.engine();
    if args.restore {
        session.heed_interrupts()?;
        let mut engine = session.engine();
        let changed = engine.restore_drift(&args.change.accepted(), args.change.keep())?;
        return Ok(answer(&changed));
    }
    if args.adopt {
        let report = engine.adopt_drift()?;
        let changed = !report.drift.is_empty();
        let text = if changed {
            format!("Taken over:\n{}", rows(&report))
        } else {
            "No owned key has changed.\n".to_owned()
        };
        return Ok(Answer::new(text, document(&report, changed)));
    }
    let report = engine.drift()?;
    let news = match report.other_bytes {
        Changes::Some => "Other lines of the files have changed; Postseal does not own them.\n",
        Changes::None => "",
    };
    let text = if report.drift.is_empty() {
        format!("No owned key has changed.\n{news}")
    } else {
        let remedy = "Take them over with `postseal drift --adopt`, or put them back with `postseal drift --restore`.\n";
        format!("{}{remedy}", rows(&report))
    };
    let exit = if report.drift.is_empty() {
        Exit::Done
    } else {
        Exit::Pending
    };
    Ok(Answer::new(text, document(&report, false)).exit(exit))
}

fn rows(report: &DriftReport) -> String {
    let rows: Vec<Vec<String>> = report
        .drift
        .iter()
        .map(|drift| {
            let value =
                |value: &Option<String>| value.clone().unwrap_or_else(|| "(absent)".to_owned());
            vec![
                drift.place.clone(),
                drift.parameter.clone(),
                value(&drift.written),
                value(&drift.now),
            ]
        })
        .collect();
    table::render(&["place", "parameter", "written", "now"], &rows)
}

fn document(report: &DriftReport, changed: bool) -> serde_json::Value {
    json!({
        "changed": changed,
        "drift": report.drift,
        "other_bytes_changed": report.other_bytes == Changes::Some,
    })
}
