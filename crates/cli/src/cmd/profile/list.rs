//! `profile list`.
//!
//! Owns: the table, and that the Postfix here is too old for it. Never: needs a store, root or Postfix;
//! without a store nothing is said of what is in force.

use super::{facts, profiles, too_old as too_old_for};
use crate::answer::Answer;
use crate::config::Global;
use crate::table;
use postseal_planner::profile::{Chosen, Direction, PROFILES, Profile};
use serde_json::{Value, json};

pub(super) fn run(global: &Global) -> Answer {
    let known = profiles(global);
    let state = |profile: &Profile| -> String {
        let Some(known) = &known else {
            return "-".to_owned();
        };
        let in_force = directions(&known.in_force, profile);
        let wished = directions(&known.wished, profile);
        match (in_force.as_str(), wished.as_str()) {
            ("", "") => "-".to_owned(),
            (now, then) if now == then => now.to_owned(),
            (now, "") => format!("{now} (not wished any more)"),
            ("", then) => format!("wished: {then}"),
            (now, then) => format!("{now} (wished: {then})"),
        }
    };
    let rows: Vec<Vec<String>> = PROFILES
        .iter()
        .map(|profile| {
            vec![
                profile.name.to_owned(),
                profile.version.to_owned(),
                if profile.unfit.is_some() {
                    "unfit"
                } else {
                    "fit"
                }
                .to_owned(),
                state(profile),
                profile.meaning.to_owned(),
            ]
        })
        .collect();
    let head = ["profile", "version", "port 25", "in force", "meaning"];
    let all: Vec<Value> = PROFILES
        .iter()
        .map(|profile| {
            let mut document = document(profile);
            let of = |chosen: &Vec<Chosen>| json!(names(chosen, profile));
            document["in_force"] = known.as_ref().map_or(Value::Null, |all| of(&all.in_force));
            document["wished"] = known.as_ref().map_or(Value::Null, |all| of(&all.wished));
            document
        })
        .collect();
    let too_old = facts(global).ok();
    let too_old = too_old.and_then(|facts| too_old_for(facts.version));
    let mut text = table::wrapped(&head, &rows);
    if let Some(why) = &too_old {
        text.push_str(&format!("None of them can be had here: {why}.\n"));
    }
    let document = json!({"changed": false, "profiles": all, "too_old": too_old});
    Answer::new(text, document)
}

/// A profile without its parameters.
pub(super) fn document(profile: &Profile) -> Value {
    let directions = [
        Direction::Inbound,
        Direction::Submission,
        Direction::Outbound,
    ];
    json!({
        "name": profile.name,
        "version": profile.version,
        "directions": directions,
        "meaning": profile.meaning,
        "source": profile.source,
        "fits_port_25": profile.unfit.is_none(),
        "unfit": profile.unfit,
    })
}

fn names(chosen: &[Chosen], profile: &Profile) -> Vec<Direction> {
    let ours = chosen.iter().filter(|one| one.profile == profile.name);
    ours.map(|one| one.direction)
        .filter(|direction| *direction != Direction::Shared)
        .collect()
}

fn directions(chosen: &[Chosen], profile: &Profile) -> String {
    let names = names(chosen, profile);
    match names.len() {
        3 => "everywhere".to_owned(),
        _ => {
            let words: Vec<&str> = names.iter().map(|one| one.name()).collect();
            words.join(", ")
        }
    }
}
