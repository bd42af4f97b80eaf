//! `policy rows`: all rules as the console's pages show them, handed to the agent in pieces.
//!
//! Owns: which words and marks a rule has there. Never: holds more than a page; hands anything over where nothing has
//! changed.

use super::super::follow::shown;
use super::super::rule;
use super::stream::PAGE;
use super::{Page, instead, scope, stands};
use crate::answer::Answer;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use clap::Args;
use postseal_engine::Hindrance;
use postseal_planner::Preflight;
use postseal_planner::report::Outcome;
use postseal_store::desk::{RuleMark, RuleRow};
use postseal_store::{RuleFilter, RuleState};
use serde_json::json;
use std::io::{self, Write};

/// Rules in a piece.
const PIECE: usize = 500;

/// Arguments of `policy rows`.
#[derive(Debug, Args)]
pub(crate) struct RowsArgs {
    /// Nothing where the mark is still this one
    #[arg(long, value_name = "MARK")]
    unless: Option<String>,
}

pub(crate) fn run(args: &RowsArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::reading(global)?;
    // Read first: what changes meanwhile is read the next time.
    let mark = session.engine().rules_mark()?;
    let answer = |rows: usize, same: bool| {
        let document = json!({"changed": false, "mark": mark, "same": same, "rows": rows});
        Answer::new(String::new(), document)
    };
    if args.unless.as_ref() == Some(&mark) {
        return Ok(answer(0, true));
    }
    let mut rows = 0;
    loop {
        let all = RuleFilter::default();
        let found = session.engine().list_rules(&all, rows, PAGE)?;
        let is_last = found.len() < PAGE;
        rows += found.len();
        let page = Page::of(found, &mut session)?;
        for piece in page.rules.chunks(PIECE) {
            let piece: Vec<RuleRow> = piece.iter().map(|state| row(state, &page)).collect();
            let told = json!({"event": "rules", "rules": piece});
            let line = format!("{told}\n");
            io::stderr()
                .write_all(line.as_bytes())
                .map_err(|error| Failure::new(Exit::Failed, "policy.rows", error.to_string()))?;
        }
        if is_last {
            return Ok(answer(rows, false));
        }
    }
}

fn row(state: &RuleState, page: &Page) -> RuleRow {
    let rule = state.wanted.as_ref().or(state.in_force.as_ref());
    let about = rule.map(|rule| rule.about.clone()).unwrap_or_default();
    let seen = page.look(state);
    let written = page.standings.written(state);
    let looked = seen.zip(written.as_deref());
    RuleRow {
        destination: state.id.destination.clone(),
        manager: state.id.manager.clone(),
        shown: shown(&state.id),
        policy: rule.map(|rule| rule.policy.clone()).unwrap_or_default(),
        scope: rule
            .map(|rule| scope(rule).name().to_owned())
            .unwrap_or_default(),
        owner: about.owner.unwrap_or_default(),
        note: about.note.unwrap_or_default(),
        tags: about.tags,
        until: about.until.unwrap_or_default(),
        standing: stands(state, &page.standings) + &instead(state, &page.standings),
        marks: marks(state, page, looked),
        next_hop: seen.map(|seen| seen.nexthop.clone()).unwrap_or_default(),
        outcome: looked
            .map(|(seen, policy)| word(seen.outcome_for(policy)).to_owned())
            .unwrap_or_default(),
        sentence: seen.map(|seen| seen.sentence.clone()).unwrap_or_default(),
        looked: seen.map_or(0, |seen| seen.at),
        strongest: seen
            .and_then(|seen| seen.strongest.policy.clone())
            .unwrap_or_default(),
        digest: rule::digest(state.wanted.as_ref()),
    }
}

fn marks(state: &RuleState, page: &Page, looked: Option<(&Preflight, &str)>) -> Vec<RuleMark> {
    let hindrance = page.standings.hindrance(state);
    let either = [hindrance, page.standings.wished(state)];
    let is_idle = |one: &Hindrance| matches!(one, Hindrance::Idle(_) | Hindrance::Shadowed { .. });
    let outcome = looked.map(|(seen, policy)| seen.outcome_for(policy));
    let is_stronger = looked.is_some_and(|(seen, policy)| {
        let strongest = seen.strongest.policy.as_deref();
        strongest.is_some_and(|strongest| level(strongest) != level(policy))
    });
    let all = [
        (RuleMark::Failing, outcome == Some(Outcome::Fail)),
        (RuleMark::Idle, either.into_iter().flatten().any(is_idle)),
        (RuleMark::Managed, !state.id.manager.is_empty()),
        // Where a rule fails, the strongest that works is a weaker one.
        (
            RuleMark::Stronger,
            outcome == Some(Outcome::Pass) && is_stronger,
        ),
        (RuleMark::Pending, state.is_pending()),
        (RuleMark::Hindered, hindrance.is_some()),
    ];
    let held = all.into_iter().filter(|(_, holds)| *holds);
    held.map(|(mark, _)| mark).collect()
}

fn level(policy: &str) -> &str {
    policy.split(' ').next().unwrap_or_default()
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Undetermined => "undetermined",
    }
}
