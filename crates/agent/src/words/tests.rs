//! What a task is on the command line.

use super::words;
use postseal_planner::task::Task;

fn said(task: &str) -> String {
    words(&Task::read(task).unwrap()).join(" ")
}

#[test]
fn no_text_becomes_an_option() {
    assert_eq!(
        said(
            r#"{"task": "policy-add", "destination": "--force", "level": "-x", "rule": {"note": "--reason=x"}}"#
        ),
        "policy add --note=--reason=x -- --force -x"
    );
    assert_eq!(
        said(r#"{"task": "set", "pairs": ["--config=/tmp/x"]}"#),
        "set -- --config=/tmp/x"
    );
    assert_eq!(
        said(r#"{"task": "cert-renew", "names": ["--force"]}"#),
        "cert renew -- --force"
    );
}

#[test]
fn what_changes_postfix_asks_nobody() {
    assert_eq!(
        said(
            r#"{"task": "apply", "plan": "12ab", "confirm_within": 300, "accept": [{"code": "a.b", "host": "mx.example"}]}"#
        ),
        "apply --yes --accept=a.b=mx.example --confirm-within=300s -- 12ab"
    );
    assert_eq!(
        said(r#"{"task": "rollback", "check": true}"#),
        "rollback --check"
    );
}

#[test]
fn lists_are_said_one_by_one() {
    assert_eq!(
        said(r#"{"task": "cert-bind", "name": "mx", "places": {"services": [587, 465]}}"#),
        "cert bind --service=587 --service=465 -- mx"
    );
}
