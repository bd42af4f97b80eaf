//! `drift`: hand edits of what Postseal owns, parameters and files.
//!
//! Owns: their words. Never: treats other bytes as drift.

use super::apply::ChangeArgs;
use super::{instance, plan};
use crate::answer::{Answer, findings_text};
use crate::change::Change;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use crate::table;
use postseal_engine::{Changes, DriftReport, TableDrift};
use postseal_planner::{FileDrift, Severity};
use serde_json::json;

const REMEDY: &str = "`postseal drift --restore` writes them anew from the store.\n";

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
    let mut session = match args.adopt || (args.restore && !args.change.is_check()) {
        true => Session::existing(global)?,
        false => Session::reading(global)?,
    };
    let mut engine = session.engine();
    if args.restore {
        if args.change.is_check() {
            let proposal = engine.propose_restore()?;
            return Ok(plan::checked(&proposal, args.change.only_diff()));
        }
        let accepted = args.change.consent(global, || engine.propose_restore())?;
        session.heed_interrupts()?;
        let mut engine = session.engine();
        let changed = engine.restore_drift(&accepted, args.change.keep())?;
        let answer = args.change.answer(&changed);
        return Ok(answer.and(&findings_text(changed.brought())));
    }
    if args.adopt && args.change.is_check() {
        return Ok(tried(&engine.only_tried(|engine| engine.adopt_drift())?));
    }
    if args.adopt {
        return Ok(adopted(&engine.adopt_drift()?));
    }
    let report = engine.drift()?;
    let news = match report.other_bytes {
        Changes::Some => "Other lines of the files have changed; Postseal does not own them.\n",
        Changes::None => "",
    };
    let text = match (report.drift.is_empty(), report.files.is_empty()) {
        (true, true) if report.is_empty() => format!("No owned key has changed.\n{news}"),
        (true, true) => format!("{}{news}", tables(&report)),
        (true, false) => format!("{}{REMEDY}{}{news}", files(&report), tables(&report)),
        (false, _) => {
            let remedy = "Take the keys over with `postseal drift --adopt`, or put all back with `postseal drift --restore`.\n";
            format!(
                "{}{}{remedy}{}",
                rows(&report),
                files(&report),
                tables(&report)
            )
        }
    };
    let exit = if report.is_empty() {
        Exit::Done
    } else {
        Exit::Pending
    };
    let document = Change::default().document(document(&report));
    Ok(Answer::new(text, document).exit(exit))
}

/// What `--adopt` would take over.
fn tried(report: &DriftReport) -> Answer {
    let (text, exit) = match report.drift.is_empty() && !report.taken.is_news() {
        true => ("No owned key has changed.\n".to_owned(), Exit::Done),
        false => {
            let taken = [
                rows(report),
                given_up(report),
                instance::tables(&report.taken),
            ];
            let text = format!(
                "Would be taken over, and nothing was stored:\n{}",
                taken.concat()
            );
            (text, Exit::Pending)
        }
    };
    Answer::new(text, Change::default().document(document(report))).exit(exit)
}

/// What `--adopt` took over.
fn adopted(report: &DriftReport) -> Answer {
    let text = match (report.drift.is_empty(), report.taken.is_news()) {
        (true, true) => String::new(),
        (true, false) => "No owned key has changed.\n".to_owned(),
        (false, _) => format!("Taken over:\n{}{}", rows(report), given_up(report)),
    };
    let left = report.taken.findings.iter();
    let left: Vec<_> = left.filter(|f| f.severity >= Severity::Warning).collect();
    let text = text + &instance::tables(&report.taken) + &findings_text(left);
    let files = match report.files.is_empty() {
        true => String::new(),
        false => format!(
            "Not taken over, because files follow the store:\n{}{REMEDY}",
            files(report)
        ),
    };
    // What is left is drift as before.
    let exit = match report.files.is_empty() {
        true => Exit::Done,
        false => Exit::Pending,
    };
    let document = instance::tables_changed(taken_over(report), &report.taken)
        .findings(&report.taken.findings)
        .document(document(report));
    Answer::new(text + &files, document).exit(exit)
}

/// The wishes that the edits ended.
fn given_up(report: &DriftReport) -> String {
    let lines = report.given_up.iter();
    lines
        .map(|wish| {
            format!(
                "No longer in force, because the files say otherwise: {}\n",
                wish.ended()
            )
        })
        .collect()
}

/// A line for each file that somebody touched.
fn files(report: &DriftReport) -> String {
    let line = |file: &FileDrift| format!("{} {}\n", file.path.display(), file.what);
    report.files.iter().map(line).collect()
}

/// A line for each table of policies whose rows are rules no more.
fn tables(report: &DriftReport) -> String {
    if report.tables.is_empty() {
        return String::new();
    }
    let line = |table: &TableDrift| format!("{} {}\n", table.path.display(), table.what);
    let lines: String = report.tables.iter().map(line).collect();
    lines + "Rules are made of the rows there: `postseal drift --adopt` takes them over.\n"
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

fn taken_over(report: &DriftReport) -> Change {
    report
        .drift
        .iter()
        .fold(Change::default(), |change, drift| {
            let name = format!("{} {}", drift.place, drift.parameter);
            change.of(name, drift.written.clone(), drift.now.clone())
        })
}

fn document(report: &DriftReport) -> serde_json::Value {
    json!({
        "drift": report.drift,
        "drift_files": report.files,
        "drift_tables": report.tables,
        "given_up": report.given_up,
        "tables": report.taken.adopted,
        "other_bytes_changed": report.other_bytes == Changes::Some,
    })
}
