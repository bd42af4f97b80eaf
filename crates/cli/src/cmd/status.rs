//! `status`: desired, written, effective and observed, side by side.
//!
//! Owns: the table. Never: paints what was not seen.

use super::cert;
use super::history::{document as operation_document, outcome, when};
use crate::answer::Answer;
use crate::config::Global;
use crate::failure::Failure;
use crate::session::Session;
use crate::table;
use postseal_engine::{Changes, Status};
use postseal_planner::facts::MasterState;
use postseal_planner::report::Outcome;
use serde_json::json;

pub(crate) fn run(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let status = session.engine().status()?;
    Ok(Answer::new(text(&status), document(&status)))
}

fn text(status: &Status) -> String {
    let mut rows: Vec<Vec<String>> = status
        .services
        .iter()
        .map(|service| {
            let levels = &service.levels;
            let (desired, written) = (levels.desired.clone(), levels.written.clone());
            vec![
                service.service.clone(),
                desired,
                written,
                levels.effective.clone(),
                observed(status, &service.service),
            ]
        })
        .collect();
    let out = &status.outbound;
    let (desired, written) = (out.desired.clone(), out.written.clone());
    rows.push(vec![
        "outbound".to_owned(),
        desired,
        written,
        out.effective.clone(),
        "? not seen".to_owned(),
    ]);
    let head = ["service", "desired", "written", "effective", "observed"];
    let mut text = table::render(&head, &rows);
    if status.master == MasterState::Stopped {
        text.push_str("Postfix does not run.\n");
    }
    for view in &status.certificates {
        text.push_str(&cert::line(view));
    }
    text + &attention(status)
}

/// What asks for the administrator's attention, and the last operation.
fn attention(status: &Status) -> String {
    let mut text = String::new();
    if !status.drift.drift.is_empty() {
        let edited = match status.drift.drift.len() {
            1 => "1 owned key was".to_owned(),
            n => format!("{n} owned keys were"),
        };
        text.push_str(&format!(
            "Drift: {edited} edited by hand; see `postseal drift`.\n"
        ));
    }
    if status.pending == Changes::Some {
        text.push_str("Wishes are pending; see `postseal plan`.\n");
    }
    if let Some(open) = &status.open {
        let until = open
            .new
            .confirm_by_ms
            .map(|by| format!(" until {}", when(by)));
        text.push_str(&format!(
            "Operation {} awaits confirmation{}: `postseal confirm` keeps it, `postseal rollback` undoes it.\n",
            open.id,
            until.unwrap_or_default()
        ));
    }
    if let Some(last) = &status.last {
        text.push_str(&format!(
            "Last operation: {} at {}, {}\n",
            last.id,
            when(last.new.started_ms),
            outcome(last)
        ));
    }
    text
}

fn observed(status: &Status, service: &str) -> String {
    let judged: Vec<_> = status
        .observed
        .judgements
        .iter()
        .filter(|j| j.service == service)
        .collect();
    let worst = judged.iter().max_by_key(|judged| judged.outcome);
    let Some(worst) = worst else {
        return "? not looked at".to_owned();
    };
    let mark = match worst.outcome {
        Outcome::Pass => "ok",
        Outcome::Undetermined => "?",
        Outcome::Fail => "FAIL",
    };
    let why = worst
        .findings
        .first()
        .map(|finding| format!(" {}", finding.message))
        .unwrap_or_default();
    format!("{mark}{why}")
}

fn document(status: &Status) -> serde_json::Value {
    json!({
        "changed": false,
        "master_running": status.master != MasterState::Stopped,
        "services": status.services,
        "outbound": status.outbound,
        "observed": status.observed,
        "certificates": status.certificates.iter().map(cert::document).collect::<Vec<_>>(),
        "drift": status.drift.drift,
        "pending": status.pending == Changes::Some,
        "last_operation": status.last.as_ref().map(operation_document),
        "open_operation": status.open.as_ref().map(operation_document),
    })
}
