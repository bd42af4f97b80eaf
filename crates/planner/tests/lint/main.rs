//! Lint: every rule fires where it must and is silent beside it.
//!
//! `cases.txt` holds what bare files show; `host.rs` what takes a host's files and the time.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod borrowed;
mod cases;
mod corpus;
mod host;
mod many;
mod pem;

use postseal_planner::lint::{self, LintInput};
use std::collections::BTreeSet;

#[test]
fn no_rule_without_a_firing_case() {
    let mut fired: BTreeSet<String> = cases::firing_codes();
    fired.extend(host::firing_codes());
    let silent: Vec<&str> = lint::RULES
        .iter()
        .map(|rule| rule.code)
        .filter(|code| !fired.contains(*code))
        .collect();
    assert!(silent.is_empty(), "no case makes these fire: {silent:?}");
    let unknown: Vec<&String> = fired
        .iter()
        .filter(|code| lint::rule(code).is_none())
        .collect();
    assert!(unknown.is_empty(), "cases name unknown rules: {unknown:?}");
}

#[test]
fn rules_can_be_explained() {
    assert!(lint::RULES.len() >= 45, "{} rules", lint::RULES.len());
    for pair in lint::RULES.windows(2) {
        assert!(pair[0].code < pair[1].code, "{} twice", pair[0].code);
    }
    for rule in lint::RULES.iter() {
        assert!(rule.code.contains('.'), "{}", rule.code);
        assert!(!rule.title.ends_with('.'), "{}", rule.code);
        assert!(rule.why.ends_with('.'), "{}: why", rule.code);
        assert_eq!(lint::rule(rule.code), Some(rule));
    }
    assert_eq!(lint::rule("no.such-rule"), None);
}

#[test]
fn nothing_to_look_at_is_nothing_to_say() {
    assert_eq!(lint::lint(&LintInput::default()), []);
}
