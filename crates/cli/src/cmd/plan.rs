//! `plan`: what `apply` would do.
//!
//! Owns: the words. Never: changes anything.

mod concerned;
mod peers;

use super::policy::rule::{met_document, met_text};
use crate::answer::{Answer, findings_text};
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use postseal_engine::{EngineError, Proposal, RowChange, RuleChanges};
use postseal_planner::Plan;
use postseal_store::StoreError;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Said of what only the history will tell.
const NO_FILE: &str =
    "  No file of Postfix changes; it is an operation all the same, and can be undone.\n";

/// Over the rows of rules that change.
const HEAD: &str = "--- rules for destinations\n+++ rules for destinations\n";
/// So many rows are shown.
const ROWS_SHOWN: usize = 100;

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
pub(crate) struct PlanArgs {
    /// Only the diff
    #[arg(long)]
    diff: bool,
    /// Count the TLS sessions of these logs that it would leave out (- for standard input)
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "diff")]
    from_log: Vec<PathBuf>,
}

pub(crate) fn run(args: &PlanArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::reading(global)?;
    let mut engine = session.engine();
    let proposal = match engine.show_plan() {
        // It can be looked at; `apply` makes it again.
        Err(EngineError::Store(StoreError::Disk { .. })) => engine.propose(),
        shown => shown,
    }?;
    if args.diff {
        return Ok(Answer::new(whole_diff(&proposal), document(&proposal)));
    }
    let (mut text, mut document) = (text(&proposal), document(&proposal));
    if !args.from_log.is_empty() {
        let counts = peers::counted(&proposal, &args.from_log)?;
        text.push_str(&peers::text(&counts));
        document["log"] = json!(counts);
    }
    Ok(Answer::new(text, document))
}

/// `--check` of any command that would change something.
pub(crate) fn checked(proposal: &Proposal, only_diff: OnlyDiff) -> Answer {
    let text = match only_diff {
        OnlyDiff::Yes => whole_diff(proposal),
        OnlyDiff::No => text(proposal),
    };
    let exit = match proposal.has_news() {
        true => Exit::Pending,
        false => Exit::Done,
    };
    let mut document = document(proposal);
    document["undoes"] = json!(proposal.kind.undoes());
    Answer::new(text, document).exit(exit)
}

/// Whether only the diff is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnlyDiff {
    Yes,
    No,
}

/// A plan for people: sentences, findings, diff, confirmations, rules.
pub(crate) fn text(proposal: &Proposal) -> String {
    let plan = &proposal.plan;
    let mut text = match (proposal.has_news(), plan.is_empty()) {
        (false, _) => "Nothing to do.\n".to_owned(),
        (true, is_empty) => {
            let files = if is_empty { NO_FILE } else { "" };
            format!("Plan {}\n{files}", plan.id.short(12))
        }
    };
    for sentence in &plan.sentences {
        text.push_str(&format!("  {sentence}\n"));
    }
    for excluded in peers::exclusions(proposal) {
        text.push_str(&format!("  {}\n", excluded.sentence));
    }
    text.push_str(&findings(plan));
    text.push_str(&diff(plan));
    for confirmation in &plan.confirmations {
        text.push_str(&format!(
            "{}\n  Confirm with: --accept {}={}\n",
            confirmation.message, confirmation.code, confirmation.answer
        ));
    }
    text + &rules(&proposal.rules)
}

/// The rules that change with a plan.
fn rules(rules: &RuleChanges) -> String {
    let mut text = concerned::text(&rules.concerned);
    if !rules.shown.is_empty() {
        text.push_str("Rules for destinations:\n");
    }
    text.extend(rules.shown.iter().map(super::policy::line::line));
    let more = rules.count.saturating_sub(rules.shown.len() as u64);
    if more > 0 {
        text.push_str(&format!("… and {more} more\n"));
    }
    text.extend(met_text(&rules.met));
    text.push_str(&findings_text(&rules.routes));
    text
}

fn rules_document(rules: &RuleChanges) -> Value {
    let changes: Vec<Value> = rules
        .shown
        .iter()
        .map(|state| {
            json!({
                "destination": state.id.destination,
                "before": state.in_force,
                "after": state.wanted,
            })
        })
        .collect();
    json!({
        "count": rules.count,
        "changes": changes,
        "met": met_document(&rules.met),
        "routes_changed": rules.routes,
        "concerned": concerned::document(&rules.concerned),
    })
}

/// The unified diffs, and the rows of rules that change: of those main.cf shows another name only.
pub(crate) fn whole_diff(proposal: &Proposal) -> String {
    diff(&proposal.plan) + &rows(&proposal.rules)
}

fn rows(rules: &RuleChanges) -> String {
    let line = |sign: char, key: &str, policy: &Option<String>| {
        let policy = policy.as_ref()?;
        Some(format!("{sign}{key} {policy}\n"))
    };
    let shown = rules.rows.iter().take(ROWS_SHOWN);
    let lines = shown.flat_map(|RowChange { key, before, after }| {
        [line('-', key, before), line('+', key, after)]
    });
    let lines: String = lines.flatten().collect();
    let unseen = rules.count.saturating_sub(rules.shown.len() as u64);
    let cut = rules.rows.len().saturating_sub(ROWS_SHOWN) as u64;
    let more = match (unseen, cut) {
        (0, 0) => String::new(),
        (0, cut) => format!("# and {cut} more rows\n"),
        (unseen, cut) => format!("# and {cut} more rows, and those of {unseen} more rules\n"),
    };
    match lines.is_empty() && more.is_empty() {
        true => String::new(),
        false => format!("{HEAD}{lines}{more}"),
    }
}

/// The unified diffs.
pub(crate) fn diff(plan: &Plan) -> String {
    plan.edits.iter().map(|edit| edit.diff.as_str()).collect()
}

/// A plan for programs.
pub(crate) fn document(proposal: &Proposal) -> Value {
    let plan = &proposal.plan;
    json!({
        "changed": false,
        "pending": proposal.has_news(),
        "plan": plan.id,
        "sentences": plan.sentences,
        "excluded": peers::exclusions(proposal),
        "diff": diff(plan),
        "steps": plan.steps,
        "expectations": plan.expectations,
        "confirmations": plan.confirmations,
        "before": plan.base,
        "after": after(plan),
        "findings": plan.findings,
        "rules": rules_document(&proposal.rules),
    })
}

/// Digests of the files that it changes, as they would be.
pub(crate) fn after(plan: &Plan) -> serde_json::Value {
    plan.edits
        .iter()
        .map(|edit| {
            (
                format!("{:?}_cf", edit.file).to_lowercase(),
                json!(edit.after),
            )
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn findings(plan: &Plan) -> String {
    let (old, new): (Vec<_>, Vec<_>) = plan
        .findings
        .iter()
        .partition(|finding| finding.was_so_before);
    let mut text = findings_text(new.iter().map(|finding| &finding.finding));
    if !old.is_empty() {
        text.push_str("Was so before:\n");
        text.push_str(&findings_text(old.iter().map(|finding| &finding.finding)));
    }
    text
}
