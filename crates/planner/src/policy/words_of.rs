//! Rules as evidence of what is said of several at once.
//!
//! Owns: how many are shown. Never: what is said.

use super::Rule;
use super::useless::SHOWN;
use crate::finding::Finding;

/// The finding with the first of the rules, and how many more there are.
pub(super) fn with_rows(finding: Finding, rules: &[&Rule]) -> Finding {
    let rows = rules.iter().take(SHOWN);
    let finding = rows.fold(finding, |finding, rule| {
        finding.seen(format!("{} {}", rule.id.shown(), rule.policy))
    });
    match rules.len().saturating_sub(SHOWN) {
        0 => finding,
        more => finding.seen(format!("and {more} more rules")),
    }
}
