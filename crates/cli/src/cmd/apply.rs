//! `apply`, `confirm`, `rollback`, `recover` and the guard.
//!
//! Owns: their words.
//! Never: decides whether a change is good.

mod ask;
mod declared;
mod values;

use super::history::{subject, when};
use super::plan::{self, OnlyDiff};
use crate::answer::{Answer, findings_text};
use crate::change::Change;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use postseal_engine::{
    Acceptance, Changed, Engine, EngineError, Keep, Outcome, Proposal, Recovery,
};
use postseal_planner::Finding;
use postseal_planner::facts::MasterState;
use postseal_planner::preflight::UNDETERMINED;
use postseal_planner::report::{Outcome as Judged, Verdict};
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;
use values::acceptance;
pub(crate) use values::duration;

/// Said of a change that is kept though something is wrong.
const STILL_BROKEN: &str = "What is wrong above was so before this change, and it has not mended it; \
    what else it is about is in force. `postseal verify` looks again.\n";

/// Said when there was no wire to look at.
const BLIND: &str = "Postfix does not run: the files are in place and were rehearsed, but nothing \
    could be proved on the wire. They take effect at `postfix start`; then run `postseal verify`.\n";

const KEPT: &str = "kept";
const AWAITING: &str = "awaiting-confirmation";
const UNDONE: &str = "rolled-back";

/// Options of whatever changes the live instance.
#[derive(Debug, clap::Args)]
pub(crate) struct ChangeArgs {
    /// Stop after the plan; exit 2 when there is something to do
    #[arg(long)]
    check: bool,
    /// Show the diff; with --check nothing else
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
    /// First make what is wished equal to this declarative file, as `postseal export` writes it; -
    /// for standard input
    #[arg(short, long, value_name = "FILE", conflicts_with = "plan")]
    file: Option<PathBuf>,
    #[command(flatten)]
    change: ChangeArgs,
}

/// Arguments of `rollback`.
#[derive(Debug, clap::Args)]
pub(crate) struct RollbackArgs {
    /// The operation to undo [default: the one that awaits confirmation, else the newest kept one]
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
    if let Some(file) = &args.file {
        return declared::apply(file, &args.change, global);
    }
    let mut session = args.change.session(global)?;
    let mut engine = session.engine();
    if args.change.check {
        return Ok(plan::checked(&engine.propose()?, args.change.only_diff()));
    }
    let accepted = args.change.consent(global, || engine.propose())?;
    session.heed_interrupts()?;
    let mut engine = session.engine();
    let changed = engine.apply(args.plan.as_deref(), &accepted, args.change.keep())?;
    Ok(args.change.answer(&changed))
}

pub(crate) fn rollback(args: &RollbackArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = args.change.session(global)?;
    let mut engine = session.engine();
    if args.change.check {
        let proposal = engine.propose_rollback(args.operation)?;
        let mut answer = plan::checked(&proposal, args.change.only_diff());
        if let (Some(of), OnlyDiff::No) = (proposal.kind.undoes(), args.change.only_diff()) {
            let back = format!("Back to before {}.\n", named(&engine, of));
            answer.text.insert_str(0, &back);
        }
        return Ok(answer);
    }
    let propose = || {
        let proposal = engine.propose_rollback(args.operation)?;
        if let Some(of) = proposal.kind.undoes() {
            eprintln!("Back to before {}.", named(&engine, of));
        }
        Ok(proposal)
    };
    let accepted = args.change.consent(global, propose)?;
    session.heed_interrupts()?;
    let mut engine = session.engine();
    let changed = engine.rollback(args.operation, &accepted, args.change.keep())?;
    let undone = changed.undone.map(|of| named(&engine, of));
    let mut answer = answer_naming(&changed, undone.as_deref());
    if args.change.diff {
        answer.text.insert_str(0, &plan::diff(&changed.plan));
    }
    Ok(answer.and(&findings_text(changed.brought())))
}

/// An operation, with what it was about.
fn named(engine: &Engine<'_>, id: u64) -> String {
    match engine.operation(id) {
        Ok(operation) => format!("operation {id} ({})", subject(&operation)),
        Err(_) => format!("operation {id}"),
    }
}

pub(crate) fn confirm(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let operation = session.engine().confirm()?;
    let text = format!("Operation {operation} is kept.\n");
    let change = Change::default().of("outcome", AWAITING, KEPT);
    let document = change.document(json!({"operation": operation, "outcome": KEPT}));
    Ok(Answer::new(text, document))
}

pub(crate) fn recover(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::as_it_is(global)?;
    let ended = |found, outcome: &str| Change::default().of("outcome", json!(found), outcome);
    let (text, document) = match session.engine().recover()? {
        Recovery::Nothing => (
            "Nothing was interrupted.\n".to_owned(),
            Change::default().document(json!({"recovery": "nothing"})),
        ),
        Recovery::Awaiting { operation } => (
            format!("Operation {operation} awaits confirmation, and its guard lives.\n"),
            Change::default().document(json!({"recovery": "awaiting", "operation": operation})),
        ),
        Recovery::Kept { operation, phase } => (
            format!("Operation {operation} had been proved; it is kept.\n"),
            ended(&phase, KEPT)
                .document(json!({"recovery": "kept", "operation": operation, "found": phase})),
        ),
        Recovery::Undone {
            operation,
            phase,
            findings,
        } => (
            format!(
                "Operation {operation} was interrupted; the old files are back.\n{}",
                findings_text(&findings)
            ),
            ended(&phase, UNDONE)
                .findings(&findings)
                .document(json!({"recovery": "undone", "operation": operation, "found": phase})),
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
    /// What only shows a change needs no room for it.
    fn session(&self, global: &Global) -> Result<Session, Failure> {
        match self.check {
            true => Session::reading(global),
            false => Session::existing(global),
        }
    }

    /// What was accepted on the command line, and on a terminal what is typed now: there nothing
    /// is done without a yes.
    pub(crate) fn consent(
        &self,
        global: &Global,
        propose: impl FnOnce() -> Result<Proposal, EngineError>,
    ) -> Result<Vec<Acceptance>, Failure> {
        let mut accepted = self.accept.clone();
        if ask::may_ask(self, global) {
            ask::ask(&propose()?, &mut accepted)?;
        }
        Ok(accepted)
    }

    /// The answer, after the diff where that is wanted.
    pub(crate) fn answer(&self, changed: &Changed) -> Answer {
        let mut answer = answer(changed);
        if self.diff {
            answer.text.insert_str(0, &plan::diff(&changed.plan));
        }
        answer
    }

    pub(crate) fn keep(&self) -> Keep {
        self.confirm_within.map_or(Keep::Now, Keep::Within)
    }

    pub(crate) fn is_check(&self) -> bool {
        self.check
    }

    pub(crate) fn only_diff(&self) -> OnlyDiff {
        if self.diff {
            OnlyDiff::Yes
        } else {
            OnlyDiff::No
        }
    }
}

/// The answer of whatever ended in a change.
pub(crate) fn answer(changed: &Changed) -> Answer {
    answer_naming(changed, None)
}

/// The same of a rollback; `undone` names the operation that it undid.
fn answer_naming(changed: &Changed, undone: Option<&str>) -> Answer {
    let mut said = String::new();
    said.push_str(&proved(&changed.proved));
    for sentence in &changed.not_rehearsed {
        said.push_str(&format!("Not rehearsed: {sentence}\n"));
    }
    said.push_str(&ending(changed, undone));
    said.push_str(&broken_again(&changed.broken_again));
    if !changed.still_broken.is_empty() {
        said.push_str(STILL_BROKEN);
    }
    said.push_str(&findings_text(&changed.restarted));
    let in_force = matches!(
        changed.outcome,
        Outcome::Kept { .. } | Outcome::Awaiting { .. }
    );
    let blind = in_force && !changed.plan.is_empty() && changed.master == MasterState::Stopped;
    if blind {
        said.push_str(BLIND);
    }
    let unseen = changed.plan.findings.iter().map(|one| &one.finding);
    said.push_str(&findings_text(
        unseen.filter(|one| one.code == UNDETERMINED),
    ));
    let document = json!({
        "changed": changed.outcome != Outcome::Nothing,
        "outcome": outcome(changed.outcome),
        "operation": operation(changed.outcome),
        "undone": changed.undone,
        "confirm_by": confirm_by(changed.outcome),
        "plan": changed.plan.id,
        "diff": plan::diff(&changed.plan),
        "before": changed.plan.base,
        "after": plan::after(&changed.plan),
        "rehearsed": changed.rehearsed,
        "not_rehearsed": changed.not_rehearsed,
        "proved": changed.proved,
        "master_running": changed.master != MasterState::Stopped,
        "broken_again": changed.broken_again,
        "still_broken": changed.still_broken,
        "restarted": changed.restarted,
        "findings": changed.plan.findings,
    });
    let unseen = in_force && changed.proved.outcome() == Judged::Undetermined;
    Answer::new(said, document).exit(if !changed.still_broken.is_empty() {
        // Findings, as of any other command that has some.
        Exit::Pending
    } else if blind || unseen {
        Exit::Undetermined
    } else {
        Exit::Done
    })
}

/// How it ended, in a sentence.
fn ending(changed: &Changed, undone: Option<&str>) -> String {
    let files = match changed.plan.is_empty() {
        true => " No file of Postfix changed.",
        false => "",
    };
    match changed.outcome {
        Outcome::Nothing => "Nothing to do.\n".to_owned(),
        Outcome::Kept { operation } => match undone {
            Some(of) => format!(
                "{} is undone, by operation {operation}.{files}\n",
                capital(of)
            ),
            None => format!("Operation {operation} is kept.{files}\n"),
        },
        Outcome::Undone { operation } => format!("Operation {operation} is rolled back.\n"),
        Outcome::Awaiting {
            operation,
            confirm_by_ms,
        } => format!(
            "Operation {operation} is in force until {}, then it is rolled back: `postseal confirm` keeps it, `postseal rollback` undoes it at once.\n",
            when(confirm_by_ms)
        ),
    }
}

/// A sentence begins so.
fn capital(text: &str) -> String {
    text.replacen("operation", "Operation", 1)
}

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Nothing => "nothing",
        Outcome::Kept { .. } => KEPT,
        Outcome::Undone { .. } => UNDONE,
        Outcome::Awaiting { .. } => AWAITING,
    }
}

const fn operation(outcome: Outcome) -> Option<u64> {
    match outcome {
        Outcome::Nothing => None,
        Outcome::Kept { operation }
        | Outcome::Undone { operation }
        | Outcome::Awaiting { operation, .. } => Some(operation),
    }
}

/// When it is rolled back unless somebody confirms it.
fn confirm_by(outcome: Outcome) -> Option<String> {
    match outcome {
        Outcome::Awaiting { confirm_by_ms, .. } => Some(when(confirm_by_ms)),
        _ => None,
    }
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
        // A miss is a sentence and a finding, in the same words.
        let missed = |sentence: &&String| judged.findings.iter().any(|f| f.message == **sentence);
        for sentence in judged.sentences.iter().filter(|said| !missed(said)) {
            text.push_str(&format!("{sentence}\n"));
        }
        text.push_str(&findings_text(&judged.findings));
    }
    text
}
