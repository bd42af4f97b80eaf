//! `history` and `diff`: the operation log, and what was noted beside it.
//!
//! Owns: their words. Never: shows a private key or an unmasked credential (diffs are stored
//! masked).

use super::plan;
use crate::answer::Answer;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use crate::table;
use jiff::Timestamp;
use postseal_engine::{Wish, wishes};
use postseal_store::{AuditEntry, Operation, OperationKind, OperationOutcome, Phase};
use serde_json::json;

/// So many rules of an operation are shown.
const RULES_SHOWN: usize = 10_000;

/// Arguments of `history`.
#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// How many, newest first
    #[arg(long, short = 'n', default_value_t = 50)]
    limit: usize,
}

/// Arguments of `diff`.
#[derive(Debug, clap::Args)]
pub(crate) struct DiffArgs {
    /// The operation
    #[arg(value_name = "OP")]
    operation: u64,
    /// Up to this later operation
    #[arg(value_name = "OP")]
    upto: Option<u64>,
}

pub(crate) fn history(args: &HistoryArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::reading(global)?;
    let engine = session.engine();
    let operations = engine.history(args.limit)?;
    let noted = engine.audit_log(args.limit)?;
    let mut rows: Vec<(i64, Vec<String>)> = operations
        .iter()
        .map(|operation| (operation.new.started_ms, row(operation)))
        .chain(noted.iter().map(|entry| (entry.at_ms, noted_row(entry))))
        .collect();
    rows.sort_by_key(|(at_ms, _)| std::cmp::Reverse(*at_ms));
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(_, row)| row)
        .take(args.limit)
        .collect();
    let documents: Vec<_> = operations.iter().map(document).collect();
    let noted: Vec<_> = noted.iter().map(noted_document).collect();
    let text = if rows.is_empty() {
        "No operation yet.\n".to_owned()
    } else {
        table::wrapped(&["op", "when", "who", "what", "outcome"], &rows)
    };
    Ok(Answer::new(
        text,
        json!({"changed": false, "operations": documents, "noted": noted}),
    ))
}

/// What was noted is no operation, and nothing leads back from it.
fn noted_row(entry: &AuditEntry) -> Vec<String> {
    let who = entry.actor.clone();
    vec![
        "-".to_owned(),
        when(entry.at_ms),
        who,
        entry.what.clone(),
        "noted".to_owned(),
    ]
}

fn noted_document(entry: &AuditEntry) -> serde_json::Value {
    json!({"at": when(entry.at_ms), "actor": entry.actor, "what": entry.what})
}

pub(crate) fn diff(args: &DiffArgs, global: &Global) -> Result<Answer, Failure> {
    if args.upto.is_some_and(|upto| upto < args.operation) {
        let message = "the second operation is older than the first".to_owned();
        return Err(
            Failure::new(Exit::Usage, "diff.order", message).hint("Name the older one first.")
        );
    }
    let mut session = Session::reading(global)?;
    let engine = session.engine();
    let mut text = String::new();
    let mut operations = Vec::new();
    for id in args.operation..=args.upto.unwrap_or(args.operation) {
        match engine.operation(id) {
            Ok(operation) => operations.push(operation),
            Err(error) if id == args.operation => return Err(error.into()),
            Err(_) => break,
        }
    }
    for operation in &operations {
        text.push_str(&plan::diff(&operation.new.plan));
        let rules = engine.rule_changes(operation.id, RULES_SHOWN)?;
        text.extend(rules.iter().map(super::policy::line::line));
    }
    let documents: Vec<_> = operations.iter().map(document).collect();
    Ok(Answer::new(
        text.clone(),
        json!({"changed": false, "diff": text, "operations": documents}),
    ))
}

fn row(operation: &Operation) -> Vec<String> {
    vec![
        operation.id.to_string(),
        when(operation.new.started_ms),
        operation.new.actor.clone(),
        subject(operation),
        outcome(operation),
    ]
}

/// An operation in a few words: the wishes it put in force. The rest is told by `diff OP`.
pub(crate) fn subject(operation: &Operation) -> String {
    let plan = &operation.new.plan;
    match &operation.new.kind {
        OperationKind::Apply => {
            let wishes = wishes(&plan.earlier, &plan.intent);
            let words: Vec<String> = wishes.iter().map(word).collect();
            if !words.is_empty() {
                words.join(" ")
            } else if plan.is_empty() {
                "rules, their rows as before".to_owned()
            } else {
                "what was in force, written anew".to_owned()
            }
        }
        OperationKind::Rollback { of } => format!("rollback of {of}"),
        OperationKind::RestoreDrift => "drift put back".to_owned(),
        OperationKind::Renewal { certificate } => format!("renewal of {certificate}"),
    }
}

/// A wish as it could be typed.
pub(crate) fn word(wish: &Wish) -> String {
    // Several certificates, each `name (fingerprint)`.
    let names = |text: &str| {
        let names = text.split("), ").filter_map(|one| one.split(' ').next());
        names.collect::<Vec<_>>().join(",")
    };
    match (&wish.after, wish.key.as_str()) {
        (Some(after), "certificate") => format!("certificate={}", names(after)),
        (None, "certificate") => {
            let before = wish.before.as_deref().unwrap_or_default();
            format!("unbind {}", names(before))
        }
        (Some(after), key) => format!("{key}={after}"),
        (None, key) => format!("unset {key}"),
    }
}

pub(crate) fn outcome(operation: &Operation) -> String {
    match &operation.outcome {
        None if operation.journal.contains(&Phase::AwaitingConfirmation) => {
            "awaits confirmation".to_owned()
        }
        None => "open".to_owned(),
        Some(OperationOutcome::Kept) => format!("kept{}", restarted(operation)),
        Some(OperationOutcome::RolledBack { reason }) => {
            format!("rolled back: {reason}{}", restarted(operation))
        }
        Some(OperationOutcome::Failed { reason }) => format!("failed: {reason}"),
    }
}

/// That Postfix was stopped and started on the way, and why.
fn restarted(operation: &Operation) -> String {
    let reasons = operation.journal.iter().filter_map(|phase| match phase {
        Phase::Restarted { reason } => Some(reason.as_str()),
        _ => None,
    });
    let reasons: Vec<&str> = reasons.collect();
    match reasons.as_slice() {
        [] => String::new(),
        reasons => format!(
            " (Postfix was stopped and started, its sessions cut: {})",
            reasons.join("; ")
        ),
    }
}

pub(crate) fn when(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| format!("{at:.0}"))
}

pub(crate) fn document(operation: &Operation) -> serde_json::Value {
    let waits = match (operation.ended_ms, operation.journal.last()) {
        (None, Some(Phase::AwaitingConfirmation)) => Some(()),
        _ => None,
    };
    json!({
        "operation": operation.id,
        "kind": operation.new.kind,
        "started": when(operation.new.started_ms),
        "ended": operation.ended_ms.map(when),
        "actor": operation.new.actor,
        "subject": subject(operation),
        "plan": operation.new.plan.id,
        "outcome": operation.outcome,
        "confirm_by": waits.and(operation.new.confirm_by_ms).map(when),
        "journal": operation.journal,
        "sentences": operation.sentences,
        "diff": plan::diff(&operation.new.plan),
    })
}
