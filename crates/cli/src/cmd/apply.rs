//! `apply`, `confirm`, `rollback`, `recover` and the guard.
//!
//! Owns: their words, and the prompt for a typed confirmation.
//! Never: decides whether a change is good.

use super::plan::{self, OnlyDiff};
use crate::answer::{Answer, findings_text};
use crate::config::{Global, Output};
use crate::failure::{Exit, Failure};
use crate::session::Session;
use postseal_engine::{Acceptance, Changed, Keep, Outcome, Proposal, Recovery};
use postseal_planner::facts::MasterState;
use postseal_planner::report::{Outcome as Judged, Verdict};
use postseal_planner::{Finding, Plan};
use serde_json::json;
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// Said when there was no wire to look at.
const BLIND: &str = "Postfix does not run: the files are in place and were rehearsed, but nothing \
    could be proved on the wire. They take effect at `postfix start`; then run `postseal verify`.\n";

/// Options of whatever changes the live instance.
#[derive(Debug, clap::Args)]
pub(crate) struct ChangeArgs {
    /// Stop after the plan; exit 2 when there is something to do
    #[arg(long)]
    check: bool,
    /// With --check: only the diff
    #[arg(long)]
    diff: bool,
    /// Do not ask whether to go on
    #[arg(long)]
    yes: bool,
    /// Accept a risk in type (repeatable)
    #[arg(long, value_name = "CODE=HOST", value_parser = acceptance)]
    accept: Vec<Acceptance>,
    /// Roll back unless confirmed within this time, e.g. 5m or 90s
    #[arg(long, value_name = "TIME", value_parser = duration)]
    confirm_within: Option<Duration>,
}

/// Arguments of `apply`.
#[derive(Debug, clap::Args)]
pub(crate) struct ApplyArgs {
    /// Exactly this plan, as `postseal plan` showed it (at least 8 digits of its id)
    #[arg(value_name = "PLAN")]
    plan: Option<String>,
    #[command(flatten)]
    change: ChangeArgs,
}

/// Arguments of `rollback`.
#[derive(Debug, clap::Args)]
pub(crate) struct RollbackArgs {
    /// The operation to undo [default: the newest kept one]
    #[arg(value_name = "OP")]
    operation: Option<u64>,
    #[command(flatten)]
    change: ChangeArgs,
}

/// Arguments of `guard`.
#[derive(Debug, clap::Args)]
pub(crate) struct GuardArgs {
    operation: u64,
}

pub(crate) fn apply(args: &ApplyArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let mut engine = session.engine();
    if args.change.check {
        let plan = engine.propose()?.plan;
        return Ok(plan::checked(&plan, args.change.only_diff()));
    }
    let mut accepted = args.change.accept.clone();
    if may_ask(&args.change, global) {
        ask(&engine.propose()?, &mut accepted)?;
    }
    session.heed_interrupts()?;
    let mut engine = session.engine();
    let changed = engine.apply(args.plan.as_deref(), &accepted, args.change.keep())?;
    Ok(answer(&changed))
}

pub(crate) fn rollback(args: &RollbackArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let mut engine = session.engine();
    if args.change.check {
        let plan = engine.propose_rollback(args.operation)?.plan;
        return Ok(plan::checked(&plan, args.change.only_diff()));
    }
    session.heed_interrupts()?;
    let mut engine = session.engine();
    let accepted = args.change.accept.clone();
    let changed = engine.rollback(args.operation, &accepted, args.change.keep())?;
    Ok(answer(&changed))
}

pub(crate) fn confirm(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let operation = session.engine().confirm()?;
    let text = format!("Operation {operation} is kept.\n");
    Ok(Answer::new(
        text,
        json!({"changed": true, "operation": operation, "outcome": "kept"}),
    ))
}

pub(crate) fn recover(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::as_it_is(global)?;
    let (text, document) = match session.engine().recover()? {
        Recovery::Nothing => (
            "Nothing was interrupted.\n".to_owned(),
            json!({"changed": false, "recovery": "nothing"}),
        ),
        Recovery::Awaiting { operation } => (
            format!("Operation {operation} awaits confirmation, and its guard lives.\n"),
            json!({"changed": false, "recovery": "awaiting", "operation": operation}),
        ),
        Recovery::Kept { operation, phase } => (
            format!("Operation {operation} had been proved; it is kept.\n"),
            json!({"changed": true, "recovery": "kept", "operation": operation, "found": phase}),
        ),
        Recovery::Undone {
            operation,
            phase,
            trouble,
        } => (
            format!(
                "Operation {operation} was interrupted; the old files are back.\n{}",
                findings_text(trouble.as_slice())
            ),
            json!({
                "changed": true, "recovery": "undone", "operation": operation, "found": phase,
                "findings": trouble.as_slice(),
            }),
        ),
    };
    Ok(Answer::new(text, document))
}

pub(crate) fn guard(args: &GuardArgs, global: &Global) -> Result<Answer, Failure> {
    // A session of its own, so that the operator's logout does not end it.
    let _ = rustix::process::setsid();
    let mut session = Session::as_it_is(global)?;
    session.engine().guard(args.operation)?;
    Ok(Answer::new("", json!({})))
}

impl ChangeArgs {
    pub(crate) fn accepted(&self) -> Vec<Acceptance> {
        self.accept.clone()
    }

    pub(crate) fn keep(&self) -> Keep {
        self.confirm_within.map_or(Keep::Now, Keep::Within)
    }

    fn only_diff(&self) -> OnlyDiff {
        if self.diff {
            OnlyDiff::Yes
        } else {
            OnlyDiff::No
        }
    }
}

fn may_ask(args: &ChangeArgs, global: &Global) -> bool {
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    terminal && !args.yes && global.output == Output::Text
}

/// Shows the plan and asks: a plain yes, or the host's name where the risk wants it typed.
fn ask(proposal: &Proposal, accepted: &mut Vec<Acceptance>) -> Result<(), Failure> {
    let shown = &proposal.plan;
    if shown.is_empty() {
        return Ok(());
    }
    eprint!("{}", plan::text(shown));
    let open = shown
        .confirmations
        .iter()
        .filter(|wanted| !accepted.iter().any(|a| a.code == wanted.code));
    let mut typed = Vec::new();
    for wanted in open {
        let answer = prompt(&format!("Type {} to accept this: ", wanted.answer))?;
        typed.push(Acceptance {
            code: wanted.code.clone(),
            answer,
        });
    }
    if typed.is_empty()
        && !["y", "yes"].contains(&prompt("Apply this plan? [y/N] ")?.to_lowercase().as_str())
    {
        return Err(Failure::new(
            Exit::Failed,
            "apply.declined",
            "nothing was changed".to_owned(),
        ));
    }
    accepted.extend(typed);
    Ok(())
}

fn prompt(question: &str) -> Result<String, Failure> {
    eprint!("{question}");
    let failed =
        |error: std::io::Error| Failure::new(Exit::Failed, "apply.no-answer", error.to_string());
    std::io::stderr().flush().map_err(failed)?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(failed)?;
    Ok(line.trim().to_owned())
}

/// The answer of whatever ended in a change.
pub(crate) fn answer(changed: &Changed) -> Answer {
    let (text, outcome, operation) = match changed.outcome {
        Outcome::Nothing => ("Nothing to do.\n".to_owned(), "nothing", None),
        Outcome::Kept { operation } => (
            format!("Operation {operation} is kept.\n"),
            "kept",
            Some(operation),
        ),
        Outcome::Undone { operation } => (
            format!("Operation {operation} is rolled back.\n"),
            "rolled-back",
            Some(operation),
        ),
        Outcome::Awaiting { operation, .. } => (
            format!(
                "Operation {operation} is in force until its deadline: `postseal confirm` keeps it.\n"
            ),
            "awaiting-confirmation",
            Some(operation),
        ),
    };
    let mut said = String::new();
    said.push_str(&proved(&changed.proved));
    for sentence in &changed.not_rehearsed {
        said.push_str(&format!("Not rehearsed: {sentence}\n"));
    }
    said.push_str(&text);
    said.push_str(&broken_again(&changed.broken_again));
    let in_force = matches!(
        changed.outcome,
        Outcome::Kept { .. } | Outcome::Awaiting { .. }
    );
    let blind = in_force && changed.master == MasterState::Stopped;
    if blind {
        said.push_str(BLIND);
    }
    let document = json!({
        "changed": changed.outcome != Outcome::Nothing,
        "outcome": outcome,
        "operation": operation,
        "plan": changed.plan.id,
        "diff": plan::diff(&changed.plan),
        "before": changed.plan.base,
        "after": after(&changed.plan),
        "rehearsed": changed.rehearsed,
        "not_rehearsed": changed.not_rehearsed,
        "proved": changed.proved,
        "master_running": changed.master != MasterState::Stopped,
        "broken_again": changed.broken_again,
        "findings": changed.plan.findings,
    });
    let unseen = in_force && changed.proved.outcome() == Judged::Undetermined;
    Answer::new(said, document).exit(if blind || unseen {
        Exit::Undetermined
    } else {
        Exit::Done
    })
}

fn broken_again(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let text = findings_text(findings);
    format!("What was broken before the operation that was undone is broken again:\n{text}")
}

/// What the wire proved, a line each.
pub(crate) fn proved(verdict: &Verdict) -> String {
    let mut text = String::new();
    for judged in &verdict.judgements {
        for sentence in &judged.sentences {
            text.push_str(&format!("{sentence}\n"));
        }
        text.push_str(&findings_text(&judged.findings));
    }
    text
}

fn after(plan: &Plan) -> serde_json::Value {
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

fn acceptance(text: &str) -> Result<Acceptance, String> {
    let (code, answer) = text.split_once('=').ok_or("expected CODE=HOST")?;
    Ok(Acceptance {
        code: code.to_owned(),
        answer: answer.to_owned(),
    })
}

/// Times as Postfix writes them: a number with s, m, h or d; at most a week.
fn duration(text: &str) -> Result<Duration, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number
        .parse()
        .map_err(|_| "expected a time such as 5m or 90s".to_owned())?;
    let factor = match unit {
        "s" | "" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return Err("expected s, m, h or d after the number".to_owned()),
    };
    let seconds = number.saturating_mul(factor);
    if (1..=7 * 86400).contains(&seconds) {
        Ok(Duration::from_secs(seconds))
    } else {
        Err("expected between one second and a week".to_owned())
    }
}
