//! `plan`: what `apply` would do.
//!
//! Owns: the words. Never: changes anything.

mod concerned;

use crate::answer::{Answer, findings_text};
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use postseal_engine::{EngineError, Proposal, RuleChanges};
use postseal_planner::Plan;
use postseal_planner::policy::Met;
use postseal_store::StoreError;
use serde_json::{Value, json};

/// Said of what only the history will tell.
const NO_FILE: &str =
    "  No file of Postfix changes; it is an operation all the same, and can be undone.\n";

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
pub(crate) struct PlanArgs {
    /// Only the diff
    #[arg(long)]
    diff: bool,
}

pub(crate) fn run(args: &PlanArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::reading(global)?;
    let mut engine = session.engine();
    let proposal = match engine.show_plan() {
        // It can be looked at; `apply` makes it again.
        Err(EngineError::Store(StoreError::Disk { .. })) => engine.propose(),
        shown => shown,
    }?;
    let text = if args.diff {
        diff(&proposal.plan)
    } else {
        text(&proposal)
    };
    Ok(Answer::new(text, document(&proposal)))
}

/// `--check` of any command that would change something.
pub(crate) fn checked(proposal: &Proposal, only_diff: OnlyDiff) -> Answer {
    let text = match only_diff {
        OnlyDiff::Yes => diff(&proposal.plan),
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
    for sentence in rules.met.iter().filter_map(Met::sentence) {
        text.push_str(&format!("{sentence}\n"));
    }
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
    let met: Vec<Value> = rules
        .met
        .iter()
        .map(|met| {
            let all = met.rules.iter();
            let all: Vec<Value> = all
                .map(|rule| json!({"manager": rule.id.manager, "policy": rule.policy}))
                .collect();
            json!({"destination": met.destination, "policy": met.policy(), "rules": all})
        })
        .collect();
    json!({
        "count": rules.count,
        "changes": changes,
        "met": met,
        "routes_changed": rules.routes,
        "concerned": concerned::document(&rules.concerned),
    })
}

/// The unified diffs.
pub(crate) fn diff(plan: &Plan) -> String {
    plan.edits.iter().map(|edit| edit.diff.as_str()).collect()
}

/// A plan for programs.
fn document(proposal: &Proposal) -> Value {
    let plan = &proposal.plan;
    json!({
        "changed": false,
        "pending": proposal.has_news(),
        "plan": plan.id,
        "sentences": plan.sentences,
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
