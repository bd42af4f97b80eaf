//! Wishes as `status` and `history` name them.

#![allow(clippy::unwrap_used, reason = "a test")]

use super::{Wish, wishes};
use mailtls::Fingerprint;
use postseal_planner::intent::{Binding, Intent, Place};
use postseal_planner::{PostfixVersion, settings};

fn intent(pairs: &[(&str, &str)]) -> Intent {
    let version: PostfixVersion = "3.7.11".parse().unwrap();
    let mut intent = Intent::default();
    for (key, value) in pairs {
        for wish in settings::parse(key, value, version).unwrap() {
            intent = intent.with(wish);
        }
    }
    intent
}

fn said(before: &Intent, after: &Intent) -> Vec<String> {
    let word = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let line = |wish: Wish| format!("{} {} {}", wish.key, word(wish.before), word(wish.after));
    wishes(before, after).into_iter().map(line).collect()
}

#[test]
fn only_what_differs_is_a_wish() {
    let before = intent(&[("mode", "may"), ("smtps", "on")]);
    assert_eq!(said(&before, &before), Vec::<String>::new());
    let after = intent(&[
        ("mode", "may"),
        ("outbound", "encrypt"),
        ("submission", "on"),
    ]);
    assert_eq!(
        said(&before, &after),
        ["outbound may encrypt", "submission - on", "smtps on -"]
    );
}

#[test]
fn a_certificate_under_the_same_name_is_told_by_its_fingerprint() {
    let bound = |der: &[u8], allow_self_signed| Intent {
        bindings: vec![Binding {
            name: "mx".to_owned(),
            fingerprint: Fingerprint::of(der),
            allow_self_signed,
            place: Place::Server,
        }],
        ..Intent::default()
    };
    let (old, new) = (bound(b"old", false), bound(b"new", true));
    let told = said(&old, &new);
    let [line] = told.as_slice() else {
        unreachable!("{told:?}");
    };
    assert!(line.starts_with("certificate mx (") && line.ends_with(", self-signed allowed)"));
    assert_eq!(said(&old, &old), Vec::<String>::new());
    assert_eq!(said(&old, &Intent::default()).len(), 1);
}
