//! `policy add --follow`, `sync`: rules that follow mail to its next hops.
//!
//! Owns: their words. Never: finds a next hop.

use super::rule::{Words, answer, told};
use crate::answer::Answer;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use postseal_planner::policy::{Manager, Rule, RuleId};
use postseal_planner::{Finding, Severity};

pub(super) fn sync(global: &Global) -> Result<Answer, Failure> {
    let wished = Session::existing(global)?.engine().sync_followed()?;
    // A rule that could not be brought along stands where mail does not go any more.
    let left = |finding: &Finding| finding.severity >= Severity::Error;
    let exit = match wished.findings.iter().any(left) {
        true => Exit::Pending,
        false => Exit::Done,
    };
    Ok(answer(&wished).exit(exit))
}

/// Wishes for a rule for recipients that follows their mail.
pub(super) fn wish(rule: Rule, words: &Words, global: &Global) -> Result<Answer, Failure> {
    let id = &rule.id.destination;
    if id.starts_with('[') || id.contains(':') {
        let told = format!("{id} is a next hop already; --follow is for the domain of recipients");
        return Err(Failure::new(Exit::Data, "policy.bad-destination", told));
    }
    let mut session = Session::existing(global)?;
    let (forced, look) = words.checks.asked()?;
    let wished = session.engine().follow_rule(rule, None, &forced, look)?;
    told(&wished)
}

/// A rule's destination, as a person reads it; of one that follows mail its recipients first.
pub(super) fn shown(id: &RuleId) -> String {
    match recipient(id) {
        Some(recipient) => format!("{} → {}", recipient.shown(), id.shown()),
        None => id.shown(),
    }
}

/// The recipients whose mail a rule follows.
pub(super) fn recipient(id: &RuleId) -> Option<RuleId> {
    match Manager::of(id) {
        Some(Manager::Recipient(destination)) => Some(RuleId {
            destination,
            manager: String::new(),
        }),
        _ => None,
    }
}
