//! The words of `policy list` about what a rule comes to.
//!
//! Owns: why it does not hold, and what its servers showed. Never: decides.

use postseal_engine::Hindrance;
use postseal_planner::preflight::AddressSeen;
use postseal_planner::report::Outcome;
use postseal_planner::{Preflight, calendar};

/// Why a rule does not hold, in the place of “in force”.
pub(super) fn hindered(hindrance: &Hindrance) -> String {
    match hindrance {
        Hindrance::NotAnswered => "not answered by the map, see `postseal drift`".to_owned(),
        Hindrance::NotAsked => "not asked, see `postseal drift`".to_owned(),
        Hindrance::Shadowed { table, policy } => {
            format!("does nothing: {table} is asked before it and says {policy}")
        }
        Hindrance::Idle(why) => format!("does nothing: {why}"),
        Hindrance::Unkept(code) => format!("in force, and cannot be kept on this host ({code})"),
    }
}

/// The same of a rule that is not in force yet.
pub(super) fn would(hindrance: &Hindrance) -> String {
    match hindrance {
        Hindrance::Idle(why) => format!(", would do nothing: {why}"),
        Hindrance::Unkept(code) => format!(", cannot be kept on this host ({code})"),
        // Only what is in force is asked for.
        Hindrance::NotAnswered | Hindrance::NotAsked | Hindrance::Shadowed { .. } => String::new(),
    }
}

/// The stable word for it.
pub(super) const fn word(hindrance: &Hindrance) -> &'static str {
    match hindrance {
        Hindrance::NotAnswered => "not-answered",
        Hindrance::NotAsked => "not-asked",
        Hindrance::Shadowed { .. } => "shadowed",
        Hindrance::Idle(_) => "idle",
        Hindrance::Unkept(_) => "unkept",
    }
}

/// What was seen at its servers, and when.
pub(super) fn servers(seen: &Preflight, policy: &str) -> String {
    let word = match seen.outcome_for(policy) {
        _ if seen.policy != policy => "seen for another policy",
        outcome => in_words(seen, outcome),
    };
    format!("{word} {}", calendar::minute(seen.at))
}

/// An outcome; where mail passes, whether it does at every server.
pub(in super::super) fn in_words(seen: &Preflight, outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass if fails_at(seen).next().is_some() => "pass, but not at every server",
        Outcome::Pass if !is_whole(seen) => "pass, but not every server could be seen",
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Undetermined => "undetermined",
    }
}

/// The addresses where mail would not be delivered as the policy demands.
pub(super) fn fails_at(seen: &Preflight) -> impl Iterator<Item = &AddressSeen> {
    let addresses = seen.hosts.iter().flat_map(|host| &host.addresses);
    addresses.filter(|one| one.outcome == Outcome::Fail)
}

/// Whether each server passed.
fn is_whole(seen: &Preflight) -> bool {
    let passes = |one: &AddressSeen| one.outcome == Outcome::Pass;
    let mut hosts = seen.hosts.iter();
    hosts.all(|host| host.trouble.is_none() && host.addresses.iter().all(passes))
}

#[cfg(test)]
mod tests;
