//! `status --nagios`: one line, performance data, and a plugin's exit codes.
//!
//! Owns: the form of the line. Never: ends without it, not even where nothing could be looked at; a monitor reads
//! standard output only.

use super::judged::{self, in_use};
use crate::answer::Answer;
use crate::config::Global;
use crate::failure::Exit;
use crate::session::Session;
use jiff::Timestamp;
use mailtls::lifetime_limits as limits_of;
use postseal_engine::{Listed, Status};
use postseal_planner::notice::{Note, State};
use postseal_planner::report::Outcome;
use serde_json::json;

const fn exit(state: State) -> Exit {
    match state {
        State::Ok => Exit::Done,
        State::Warning => Exit::Failed,
        State::Critical => Exit::Pending,
        State::Unknown => Exit::Undetermined,
    }
}

pub(super) fn run(global: &Global) -> Answer {
    let (status, notes) = match Session::reading(global) {
        Ok(mut session) => judged::look(&mut session, global),
        Err(failure) => (None, vec![judged::unknown(&failure)]),
    };
    answer(&notes, &status.as_ref().map(numbers).unwrap_or_default())
}

fn answer(notes: &[Note], numbers: &str) -> Answer {
    let causes = judged::worst_first(notes);
    let state = causes.first().map_or(State::Ok, |worst| worst.state);
    let said: Vec<&str> = causes.iter().map(|note| note.said.as_str()).collect();
    let said = match said.is_empty() {
        true => "every service as it should be".to_owned(),
        false => said.join("; "),
    };
    // A bar would begin the performance data.
    let line = format!("POSTSEAL {}: {said}", state.word()).replace(['\n', '\r', '|'], " ");
    let text = if numbers.is_empty() {
        format!("{line}\n")
    } else {
        format!("{line} | {numbers}\n")
    };
    let document = json!({"changed": false, "state": state.word(), "said": line});
    Answer::new(text, document).exit(exit(state))
}

/// The days left below which that is told: as a warning, and as critical.
fn limits(view: &Listed) -> [i64; 2] {
    let (from, to) = (view.leaf.not_before, view.leaf.not_after);
    limits_of(from, to).map(|seconds| seconds.div_euclid(86_400))
}

/// Services that pass, of how many; days left of each certificate in use.
fn numbers(status: &Status) -> String {
    let judged = &status.observed.judgements;
    let good = judged.iter().filter(|j| j.outcome == Outcome::Pass).count();
    let mut numbers = vec![format!("ports_ok={good};;;0;{}", judged.len())];
    for view in in_use(status) {
        let left = days_left(view);
        let name = &view.name;
        let [warn, critical] = limits(view);
        numbers.push(format!("'{name}_days'={left};{warn}:;{critical}:"));
    }
    numbers.join(" ")
}

fn days_left(view: &Listed) -> i64 {
    // Whole days on both sides, as the words say them.
    view.leaf
        .not_after
        .saturating_sub(Timestamp::now().as_second())
        / 86_400
}
