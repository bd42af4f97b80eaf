//! `policy remove`: wishes that rules were gone; and what is said where many are changed at once and somebody was quicker.
//!
//! Owns: from words or lines to ids. Never: removes some of them where one is not there.

use super::input::Input;
use super::rule::{answer, bad};
use super::was::{Seen, of_one, only_while};
use crate::answer::Answer;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use clap::Args;
use postseal_engine::EngineError;
use postseal_planner::policy::RuleId;
use postseal_store::StoreError;
use std::path::PathBuf;

/// No list is longer, in bytes.
const MOST: u64 = 256 << 20;

/// Arguments of `policy remove`.
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// The rules, as `policy list` shows them
    #[arg(value_name = "DESTINATION", required_unless_present = "from")]
    destinations: Vec<String>,
    /// A file with more of them, one a line; - for standard input
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Only while the rules are at this revision, which rises with every change of one
    #[arg(long, value_name = "NUMBER")]
    revision: Option<i64>,
    /// Only while the one rule that is named is that with this digest, as `policy list --json` gives it
    #[arg(long, value_name = "DIGEST", conflicts_with_all = ["from", "revision"])]
    was: Option<String>,
}

pub(super) fn run(args: &RemoveArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let mut all = args.destinations.clone();
    if let Some(file) = &args.from {
        let bytes = Input::open(file, &session)?.within(MOST)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        all.extend(lines.map(str::to_owned));
    }
    let ids = all
        .iter()
        .map(|text| RuleId::parse(text).map_err(|error| bad(error.into())))
        .collect::<Result<Vec<_>, _>>()?;
    let wished = match (&args.was, ids.as_slice()) {
        (Some(was), [id]) => {
            only_while(&Seen::Rule(id.clone()), Some(was), &mut session, |engine| {
                engine.remove_rules(&ids)
            })?
        }
        (Some(_), _) => return Err(of_one("rule")),
        (None, _) => session
            .engine()
            .at_revision(args.revision, |engine| engine.remove_rules(&ids))
            .map_err(held)?,
    };
    Ok(answer(&wished))
}

/// What is said where rules were changed since somebody looked at them.
pub(super) fn held(error: EngineError) -> Failure {
    match error {
        EngineError::Store(StoreError::RulesChanged) => Failure::new(
            Exit::Data,
            "policy.changed-meanwhile",
            "the rules have been changed since you looked at them".to_owned(),
        )
        .hint("Nothing was stored. Look at them as they are now, and choose again."),
        error => error.into(),
    }
}
