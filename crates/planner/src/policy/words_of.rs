//! Rules as evidence of what is said of several at once.
//!
//! Owns: how many are shown. Never: what is said.

use super::Rule;
use super::useless::SHOWN;
use crate::finding::Finding;

/// The finding with the first of the rules, and how many more there are.
pub(super) fn with_rows(finding: Finding, rules: &[&Rule]) -> Finding {
    let mut rows: Vec<String> = rules
        .iter()
        .map(|rule| format!("{} {}", rule.id.shown(), rule.policy))
        .collect();
    // Rules of several managers may be one row.
    rows.dedup();
    let more = rows.len().saturating_sub(SHOWN);
    let shown = rows.into_iter().take(SHOWN);
    let finding = shown.fold(finding, Finding::seen);
    match more {
        0 => finding,
        more => finding.seen(format!("and {more} more rules")),
    }
}
