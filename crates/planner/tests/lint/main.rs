//! Lint: every rule fires where it must and is silent beside it.
//!
//! `cases.txt` holds what bare files show; `host.rs` what takes a host's files and the time.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod around;
mod borrowed;
mod cases;
mod corpus;
mod credentials;
mod fixes;
mod host;
mod many;
mod mutated;
mod pem;
mod reference;

use postseal_planner::lint::{self, LintInput};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn no_rule_without_a_firing_case() {
    let mut fired: BTreeSet<String> = cases::firing_codes();
    fired.extend(host::firing_codes());
    fired.extend(around::firing_codes());
    let codes = [
        credentials::CODE,
        credentials::BY_SERVER,
        credentials::UNDETERMINED,
    ];
    fired.extend(codes.map(str::to_owned));
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
    assert!(lint::RULES.len() >= 190, "{} rules", lint::RULES.len());
    for pair in lint::RULES.windows(2) {
        assert!(pair[0].code < pair[1].code, "{} twice", pair[0].code);
    }
    for rule in lint::RULES.iter() {
        assert!(rule.code.contains('.'), "{}", rule.code);
        assert!(!rule.title.ends_with('.'), "{}", rule.code);
        assert!(rule.why.ends_with('.'), "{}: why", rule.code);
        assert!(!rule.references.is_empty(), "{}: references", rule.code);
        assert_eq!(lint::rule(rule.code), Some(rule));
    }
    assert_eq!(lint::rule("no.such-rule"), None);
}

/// What import says of a file can be looked up too: every code that mailtls' bad ones lead to.
#[test]
fn codes_of_other_verbs_can_be_explained() {
    let bad = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mailtls/tests/bad-certs");
    let mut codes = BTreeSet::new();
    for folder in fs::read_dir(bad).unwrap() {
        let expected = fs::read_to_string(folder.unwrap().path().join("expected"));
        let expected = expected.unwrap_or_default();
        codes.extend(expected.split_whitespace().map(str::to_owned));
    }
    codes.remove("ok");
    let more = [
        "cert.key-kind",
        "cert.key-owner",
        "cert.key-writable",
        "cert.too-many",
        "cert.unexpected-object",
        "cert.bound",
        "cert.ends-with-its-ca",
        "cert.issuer-of-bound",
        "cert.kind-gone",
        "cert.names-gone",
        "cert.needed-by-rollback",
        "cert.only-version",
        "policy.bad-fingerprint",
        "policy.bad-match",
        "policy.ca-file-unusable",
        "policy.fallback-in-clear",
        "policy.map-touched",
        "policy.follows-not",
        "policy.never-asked",
        "policy.never-matches",
        "policy.no-fingerprint",
        "policy.nobody-trusted",
        "policy.passed-by",
        "policy.replaced-table-edited",
        "policy.route-changed",
        "policy.rows-sampled",
        "policy.shadowed",
        "policy.table-ahead",
        "policy.table-back-edited",
        "policy.word-unread",
    ];
    codes.extend(more.map(str::to_owned));
    for code in &codes {
        let rule = lint::explained(code).unwrap_or_else(|| panic!("{code} is not explained"));
        assert!(
            rule.why.ends_with('.') && rule.remedy.ends_with('.'),
            "{code}"
        );
        assert!(!rule.title.ends_with('.'), "{code}");
    }
    assert!(codes.len() > 40, "{codes:?}");
}

#[test]
fn nothing_to_look_at_is_nothing_to_say() {
    assert_eq!(lint::lint(&LintInput::default()), []);
}
