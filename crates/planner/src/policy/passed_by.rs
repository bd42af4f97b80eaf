//! Rules that hold for a part of the mail only.
//!
//! Owns: the words about services that send to a rule's next hop without asking it. Never: finds them
//! (`routed` does, and `fallback` relays that take what is left); `late` has those of mail that cannot
//! arrive.

use super::judge::Judged;
use super::useless::{Cause, Of, Said};
use super::words_of::with_rows;
use super::{Rule, fallback, late};
use crate::finding::{Finding, Severity};
use std::collections::BTreeMap;

/// The code of what is said of services.
pub const PASSED_BY: &str = "policy.passed-by";

/// What is said of rules that some of the mail for their next hops does not meet, or does not arrive at
/// the server with: a finding a service, and one a fallback relay.
pub fn passed_by(rules: &[(&Rule, &Judged)]) -> Vec<Finding> {
    let mut causes: BTreeMap<&Cause, Vec<&Rule>> = BTreeMap::new();
    for (rule, judged) in rules {
        for cause in &judged.passed_by {
            causes.entry(cause).or_default().push(rule);
        }
    }
    let found = causes.into_iter();
    found
        .filter_map(|(cause, rules)| finding(cause, &rules))
        .chain(late::told(rules))
        .chain(fallback::told(rules))
        .collect()
}

fn finding(cause: &Cause, rules: &[&Rule]) -> Option<Finding> {
    let first = rules.first()?;
    let shown = first.id.shown();
    let said = cause.said(&Of {
        name: &shown,
        policies: &[&first.policy],
        row: String::new(),
    });
    let Said::Unmet { why, remedy, seen } = said else {
        return None;
    };
    let (of, it) = match rules {
        [_] => (shown, "it".to_owned()),
        rules => (
            "some next hops".to_owned(),
            format!("{} of them", rules.len()),
        ),
    };
    let message = format!(
        "Routes send mail for {of} by several services, and a part of it {why}: the rule for {it} \
         does nothing there."
    );
    let finding = Finding::new(PASSED_BY, Severity::Warning, message, remedy).seen(seen);
    Some(with_rows(finding, rules))
}
