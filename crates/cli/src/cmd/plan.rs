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
        text(&proposal.plan) + &rules(&proposal.rules)
    };
    let mut document = document(&proposal.plan);
    document["rules"] = rules_document(&proposal.rules);
    Ok(Answer::new(text, document))
}

/// `--check` of any command that would change something.
pub(crate) fn checked(proposal: &Proposal, only_diff: OnlyDiff) -> Answer {
    let plan = &proposal.plan;
    let undoes = proposal.kind.undoes();
    let text = match undoes {
        _ if only_diff == OnlyDiff::Yes => diff(plan),
        Some(of) => format!("Back to before operation {of}.\n{}", text(plan)),
        None => text(plan),
    };
    let text = match only_diff {
        OnlyDiff::Yes => text,
        OnlyDiff::No => text + &rules(&proposal.rules),
    };
    let exit = if plan.is_empty() {
        Exit::Done
    } else {
        Exit::Pending
    };
    let mut document = document(plan);
    document["undoes"] = json!(undoes);
    document["rules"] = rules_document(&proposal.rules);
    Answer::new(text, document).exit(exit)
}

/// Whether only the diff is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnlyDiff {
    Yes,
    No,
}

/// A plan for people: sentences, findings, diff, confirmations.
pub(crate) fn text(plan: &Plan) -> String {
    if plan.is_empty() {
        return "Nothing to do.\n".to_owned() + &findings(plan);
    }
    let mut text = format!("Plan {}\n", plan.id.short(12));
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
    text
}

/// The rules that change with a plan.
fn rules(rules: &RuleChanges) -> String {
    let mut text = concerned::text(&rules.concerned);
    if !rules.shown.is_empty() {
        text.push_str("Rules for destinations:\n");
    }
    text.extend(rules.shown.iter().map(super::policy::rule::line));
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
pub(crate) fn document(plan: &Plan) -> Value {
    json!({
        "changed": false,
        "pending": !plan.is_empty(),
        "plan": plan.id,
        "sentences": plan.sentences,
        "diff": diff(plan),
        "steps": plan.steps,
        "expectations": plan.expectations,
        "confirmations": plan.confirmations,
        "before": plan.base,
        "after": after(plan),
        "findings": plan.findings,
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
