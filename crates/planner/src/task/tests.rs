//! Tasks as text: what is read, and what is refused.

use super::{Beside, Effect, Task, TaskError};

fn read(text: &str) -> Result<Task, TaskError> {
    Task::read(text)
}

fn refused(text: &str) -> &'static str {
    read(text).unwrap_err().code()
}

#[test]
fn a_task_is_a_verb_with_its_words() {
    let task = read(r#"{"task": "set", "pairs": ["mode=may", "submission=on"]}"#).unwrap();
    let pairs = vec!["mode=may".to_owned(), "submission=on".to_owned()];
    let beside = Beside::default();
    assert_eq!(task, Task::Set { pairs, beside });
    assert_eq!(task.effect(), Effect::Wish);
    let apply = read(r#"{"task": "apply", "confirm_within": 300}"#).unwrap();
    assert_eq!(apply.effect(), Effect::Change);
    for look in [
        r#"{"task": "apply", "check": true}"#,
        r#"{"task": "drift"}"#,
        r#"{"task": "drift", "restore": true, "check": true}"#,
        r#"{"task": "set"}"#,
        r#"{"task": "set", "pairs": ["mode=may"], "beside": {"bind": ["mx"], "check": true}}"#,
        r#"{"task": "lint"}"#,
        r#"{"task": "cert-request"}"#,
    ] {
        assert_eq!(read(look).unwrap().effect(), Effect::Look, "{look}");
    }
    for wish in [
        r#"{"task": "drift", "adopt": true}"#,
        r#"{"task": "lint", "fix": true}"#,
        r#"{"task": "set", "beside": {"unbind": ["mx"]}}"#,
        r#"{"task": "cert-import", "name": "mx", "sealed": "YWdl"}"#,
        r#"{"task": "release"}"#,
        r#"{"task": "cert-issue", "name": "mx"}"#,
    ] {
        assert_eq!(read(wish).unwrap().effect(), Effect::Wish, "{wish}");
    }
    let restored = read(r#"{"task": "drift", "restore": true}"#).unwrap();
    assert_eq!(restored.effect(), Effect::Change);
}

#[test]
fn what_nobody_has_defined_is_no_task() {
    for text in [
        "",
        "[]",
        "{}",
        r#"{"task": "run", "command": "id"}"#,
        r#"{"task": "status", "path": "/etc/passwd"}"#,
        r#"{"task": "policy-add", "destination": "a.example", "level": "secure", "rule": {"tafile": "/x"}}"#,
        r#"{"task": "cert-export", "name": "mx", "key": true}"#,
        r#"{"task": "cert-import", "name": "mx", "cert": "/etc/ssl/private/x.pem"}"#,
        r#"{"task": "cert-import", "name": "mx", "sealed": "-----BEGIN PRIVATE KEY-----"}"#,
        r#"{"task": "cert-request", "name": "mx", "ca": "own"}"#,
        r#"{"task": "cert-issue", "name": "mx", "order": {"ca": "https://169.254.169.254/"}}"#,
    ] {
        assert_eq!(refused(text), "task.unreadable", "{text}");
    }
}

#[test]
fn what_names_something_local_is_said_on_the_host() {
    for text in [
        r#"{"task": "set", "pairs": ["param.smtpd_tls_cert_file=/root/x"]}"#,
        r#"{"task": "set", "pairs": ["param.smtp_tls_policy_maps=pipemap:{x}"]}"#,
        r#"{"task": "set", "pairs": ["param.submission/inet/smtpd_tls_CAfile=/root/x"]}"#,
        r#"{"task": "set", "pairs": [" param.smtpd_tls_cert_file = /root/x"]}"#,
        r#"{"task": "set", "pairs": ["trust.outbound=/etc/shadow"]}"#,
        r#"{"task": "unset", "keys": ["param.smtpd_tls_chain_files"]}"#,
        r#"{"task": "set", "beside": {"unset": ["param.smtpd_tls_chain_files"], "check": true}}"#,
        r#"{"task": "policy-import", "format": "csv", "text": "a.example,secure TAfile=/etc/shadow"}"#,
        r#"{"task": "policy-add", "destination": "a.example", "level": "secure tafile=/x"}"#,
        r#"{"task": "policy-add", "destination": "a.example", "level": "secure", "rule": {"match": "a TAfile=/x"}}"#,
        r#"{"task": "policy-edit", "destination": "a.example", "level": "secure tafile=/x"}"#,
        r#"{"task": "policy-edit", "destination": "a.example", "rule": {"servername": "a tafile=/x"}}"#,
        r#"{"task": "policy-check", "destinations": ["a.example"], "policy": "secure tafile=/x"}"#,
        r#"{"task": "domain-add", "domain": "a.example", "words": {"level": "secure tafile=/x"}}"#,
        r#"{"task": "domain-edit", "domain": "a.example", "words": {"match": "a tafile=/x"}}"#,
        r#"{"task": "probe", "targets": ["127.0.0.1:22"]}"#,
        r#"{"task": "probe", "targets": ["[::1]:6379"]}"#,
        r#"{"task": "probe", "targets": ["mx.example:"]}"#,
    ] {
        assert_eq!(refused(text), "task.local-only", "{text}");
    }
    for text in [
        r#"{"task": "set", "pairs": ["param.tls_preempt_cipherlist=yes"]}"#,
        r#"{"task": "set", "pairs": ["trust.outbound=system"]}"#,
        r#"{"task": "policy-add", "destination": "a.example", "level": "secure", "rule": {"note": "its tafile is on the host"}}"#,
        r#"{"task": "probe", "targets": ["mx.example:25", "mx.example", "2001:db8::1", "[2001:db8::1]:465"]}"#,
    ] {
        read(text).unwrap();
    }
}

#[test]
fn texts_and_lists_are_bounded() {
    let long = "x".repeat(super::LONGEST_TEXT + 1);
    let text = format!(r#"{{"task": "explain", "what": "{long}"}}"#);
    assert_eq!(refused(&text), "task.too-long");
    let many = vec!["\"a.example\""; super::LONGEST_LIST + 1].join(",");
    let text = format!(r#"{{"task": "policy-remove", "destinations": [{many}]}}"#);
    assert_eq!(refused(&text), "task.too-long");
    // Each of them is short enough.
    let text = "x".repeat(super::LONGEST_TEXT);
    let many = vec![format!("\"{text}\""); super::LONGEST_LIST].join(",");
    let text = format!(r#"{{"task": "policy-remove", "destinations": [{many}]}}"#);
    assert_eq!(refused(&text), "task.too-long");
    let text = r#"{"task": "set", "pairs": ["mode=may\nsmtpd_banner=x"]}"#;
    assert_eq!(refused(text), "task.control-character");
    let text = r#"{"task": "policy-add", "destination": "a.example", "level": "may", "rule": {"note": "a\u0000b"}}"#;
    assert_eq!(refused(text), "task.control-character");
}
