//! `policy rows`: rules as the console's pages show them, handed to the agent in pieces: those that are shown otherwise than
//! at a mark, where it is cheap to know which, else all.
//!
//! Owns: which words and marks a rule has there. Never: holds more than a page; hands anything over where nothing has
//! changed.

use super::super::follow::shown;
use super::super::was::digest;
use super::stream::PAGE;
use super::{Page, instead, scope, stands};
use crate::answer::Answer;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use clap::Args;
use postseal_engine::{Hindrance, RuleNews};
use postseal_planner::Preflight;
use postseal_planner::report::Outcome;
use postseal_store::desk::{RuleMark, RuleRow};
use postseal_store::{RuleFilter, RuleState};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Bytes in a piece; one rule, with all that is said of it, is less. The agent reads lines of four times as many.
const PIECE: usize = 64 * 1024;
/// The events: pieces of all rules, and of a change.
const ALL: &str = "rules";
const CHANGES: &str = "changed-rules";
/// What a mark ends with where the map of the rules did not answer for some of them: when it does again, no change of a rule
/// tells.
const UNANSWERED: &str = ".unanswered";

/// Arguments of `policy rows`.
#[derive(Debug, Args)]
pub(crate) struct RowsArgs {
    /// Only what is another than at this mark, where that is cheap to know; nothing where nothing is
    #[arg(long, value_name = "MARK")]
    unless: Option<String>,
    /// Nothing where it is not cheap to know
    #[arg(long, requires = "unless")]
    only_changes: bool,
}

pub(crate) fn run(args: &RowsArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::reading(global)?;
    // Read first: what changes meanwhile is read the next time.
    let mark = session.engine().rules_mark()?;
    let since = args.unless.as_deref();
    if since.map(|since| since.trim_end_matches(UNANSWERED)) == Some(&mark) {
        return Ok(answered(&json!({"mark": since, "same": true, "rows": 0})));
    }
    let mut told = Told::default();
    if let Some(since) = since
        && let Some(news) = session.engine().rules_since(since, &mark)?
    {
        told.changes(&news, &mut session)?;
        // Where a rule is not answered for, others may not be either.
        if !told.is_unanswered {
            let rows = told.rows;
            let document = json!({"mark": mark, "same": false, "rows": rows, "since": since});
            return Ok(answered(&document));
        }
    }
    if args.only_changes {
        return Ok(answered(
            &json!({"mark": mark, "same": false, "rows": 0, "later": true}),
        ));
    }
    told = Told::default();
    told.all(&mut session)?;
    let mark = match told.is_unanswered {
        true => mark + UNANSWERED,
        false => mark,
    };
    Ok(answered(
        &json!({"mark": mark, "same": false, "rows": told.rows}),
    ))
}

fn answered(document: &Value) -> Answer {
    let mut document = document.clone();
    document["changed"] = false.into();
    Answer::new(String::new(), document)
}

/// What was handed over.
#[derive(Default)]
struct Told {
    rows: usize,
    /// Whether the map of the rules does not answer for one of them.
    is_unanswered: bool,
}

impl Told {
    fn all(&mut self, session: &mut Session) -> Result<(), Failure> {
        loop {
            let all = RuleFilter::default();
            let found = session.engine().list_rules(&all, self.rows, PAGE)?;
            let is_last = found.len() < PAGE;
            self.page(&Page::of(found, session)?, ALL)?;
            if is_last {
                return Ok(());
            }
        }
    }

    fn changes(&mut self, news: &RuleNews, session: &mut Session) -> Result<(), Failure> {
        pieces(news.destinations.iter(), CHANGES, "destinations")?;
        for rules in news.rules.chunks(PAGE) {
            self.page(&Page::of(rules.to_vec(), session)?, CHANGES)?;
        }
        Ok(())
    }

    fn page(&mut self, page: &Page, event: &str) -> Result<(), Failure> {
        let rules = page.rules.iter();
        pieces(rules.map(|state| row(state, page)), event, "rules")?;
        self.rows += page.rules.len();
        let mut hindered = page
            .rules
            .iter()
            .map(|state| page.standings.hindrance(state));
        self.is_unanswered |= hindered.any(|one| one == Some(&Hindrance::NotAnswered));
        Ok(())
    }
}

/// Tells all of them under a key of an event, as many in a line as it may hold.
fn pieces<T: Serialize>(
    all: impl Iterator<Item = T>,
    event: &str,
    key: &str,
) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::new(Exit::Failed, "policy.rows", error.to_string());
    let tell = |piece: &str| {
        let line = format!("{{\"event\":\"{event}\",\"{key}\":[{piece}]}}\n");
        io::stderr().write_all(line.as_bytes()).map_err(failed)
    };
    let mut piece = String::new();
    for one in all {
        let one = serde_json::to_string(&one).map_err(|error| failed(error.into()))?;
        if piece.len() + one.len() > PIECE && !piece.is_empty() {
            tell(&piece)?;
            piece.clear();
        }
        if !piece.is_empty() {
            piece.push(',');
        }
        piece.push_str(&one);
    }
    match piece.is_empty() {
        true => Ok(()),
        false => tell(&piece),
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
        digest: digest(state.wanted.as_ref()),
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
