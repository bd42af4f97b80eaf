//! What the store knows of an instance that is linted.
//!
//! Owns: findings about rules in force. Never: needs a store; where there is none that can be read,
//! nothing is said.

use crate::config::Global;
use crate::session::Session;
use postseal_engine::DueRules;
use postseal_planner::Finding;
use postseal_planner::lint::REVIEW_DUE as DUE;

/// What is said of the instance.
pub(super) fn findings(global: &Global) -> Vec<Finding> {
    let due = Session::as_it_is(global).and_then(|mut session| {
        let due = session.engine().rules_due();
        Ok(due?)
    });
    due.ok()
        .filter(|due| due.count > 0)
        .map(|due| found(&due))
        .into_iter()
        .collect()
}

fn found(due: &DueRules) -> Finding {
    let rules = match due.count {
        1 => "1 rule for a destination is".to_owned(),
        n => format!("{n} rules for destinations are"),
    };
    let list = format!("`postseal policy list --due {}` shows them. ", due.today);
    Finding::new(
        DUE.code,
        DUE.severity,
        format!("{rules} to be looked at again; the day has come."),
        list + DUE.remedy,
    )
}
