//! Words and tasks, each made of the other.

use super::of;
use crate::args::Args;
use clap::CommandFactory;
use postseal_planner::task::Task;

/// Tasks with every field that a command line can say.
const TASKS: [&str; 42] = [
    r#"{"task": "init"}"#,
    r#"{"task": "release"}"#,
    r#"{"task": "status"}"#,
    r#"{"task": "show", "parameters": ["smtpd_tls_protocols"], "expand": true, "service": "submission/inet"}"#,
    r#"{"task": "show", "all": true}"#,
    r#"{"task": "show", "cipher_list": true}"#,
    r#"{"task": "explain", "what": "a@b.example", "sender": "c@d.example"}"#,
    r#"{"task": "lint"}"#,
    r#"{"task": "lint", "fix": true, "with": ["level.none"]}"#,
    r#"{"task": "set", "pairs": ["mode=may"]}"#,
    r#"{"task": "set", "pairs": ["mode=may"], "beside": {"unset": ["profile.inbound"], "bind": ["mx"], "unbind": ["old"], "whole": true, "check": true}}"#,
    r#"{"task": "unset", "keys": ["inbound", "outbound"]}"#,
    r#"{"task": "discard"}"#,
    r#"{"task": "plan", "diff": true}"#,
    r#"{"task": "apply", "plan": "0123456789ab", "accept": [{"code": "a.b", "host": "mx.example"}], "confirm_within": 90}"#,
    r#"{"task": "confirm"}"#,
    r#"{"task": "rollback", "operation": 7, "check": true}"#,
    r#"{"task": "history", "limit": 5}"#,
    r#"{"task": "diff", "operation": 1, "upto": 3}"#,
    r#"{"task": "drift", "restore": true}"#,
    r#"{"task": "verify"}"#,
    r#"{"task": "probe", "targets": ["mx.example", "[::1]:465"], "smtps": true, "full": true}"#,
    r#"{"task": "export", "in_force": true}"#,
    r#"{"task": "profile-diff", "name": "strict", "other": "compatible"}"#,
    r#"{"task": "policy-list", "filter": {"search": "x", "level": "may", "owner": "o", "tag": "t", "due": "2027-01-01", "pending": true}, "limit": 5, "skip": 10}"#,
    r#"{"task": "policy-add", "destination": "a.example", "level": "secure", "follow": true, "rule": {"match": "nexthop", "protocols": ">=TLSv1.2", "ciphers": "high", "exclude": "MD5", "servername": "x.example", "connection_reuse": true, "scope": "both", "note": "n", "owner": "o", "tags": ["a", "b"], "until": "2027-01-01"}, "checks": {"force_reason": "why", "no_preflight": true}}"#,
    r#"{"task": "policy-edit", "destination": "a.example", "level": "may", "without": ["match"]}"#,
    r#"{"task": "policy-remove", "destinations": ["a.example", "b.example"]}"#,
    r#"{"task": "policy-remove", "destinations": ["a.example"], "was": "0f"}"#,
    r#"{"task": "policy-check", "destinations": ["a.example"], "policy": "secure"}"#,
    r#"{"task": "policy-export", "format": "csv", "in_force": true}"#,
    r#"{"task": "domain-add", "domain": "a.example", "words": {"next_hop": "[b.example]:587", "level": "secure", "match": "nexthop", "note": "n", "requires_auth": true, "smtps": true}}"#,
    r#"{"task": "domain-edit", "domain": "a.example", "words": {"requires_auth": false}}"#,
    r#"{"task": "domain-edit", "domain": "a.example", "words": {"note": "n"}, "was": "0f"}"#,
    r#"{"task": "domain-remove", "domains": ["a.example"], "was": "0f"}"#,
    r#"{"task": "domain-sync", "checks": {"no_preflight": true}}"#,
    r#"{"task": "cert-tlsa", "name": "mx", "mx": ["mx.example"]}"#,
    r#"{"task": "cert-self-signed", "name": "mx", "domains": ["a.example", "b.example"], "key": {"kind": "rsa-2048", "renew": true}, "days": 30}"#,
    r#"{"task": "cert-issue", "name": "mx", "domains": ["a.example"], "keys": ["ecdsa-p256", "rsa-2048"], "order": {"staging": true, "agree_terms": true, "contacts": ["a@b.example"]}}"#,
    r#"{"task": "cert-renew", "names": ["mx"], "force": true}"#,
    r#"{"task": "cert-bind", "name": "mx", "places": {"services": [587, 465]}, "allow_self_signed": true}"#,
    r#"{"task": "cert-delete", "name": "mx", "version": 2}"#,
];

#[test]
fn a_task_becomes_words_and_words_the_same_task() {
    for text in TASKS {
        let task = Task::read(text).unwrap();
        let words = postseal_agent::words(&task);
        let command = Args::command();
        let all = std::iter::once("postseal".to_owned()).chain(words.clone());
        let said = command.clone().try_get_matches_from(all);
        let said = said.unwrap_or_else(|error| panic!("{words:?}: {error}"));
        assert_eq!(of(&said, &command).unwrap(), task, "{words:?}");
    }
}

#[test]
fn what_has_no_task_is_said_on_the_host() {
    for words in [
        "try",
        "recover",
        "user add alice",
        "cert export mx --key --yes-export-private-key",
        "cert import mx --cert chain.pem",
        "policy add a.example secure --tafile /etc/x.pem",
        "cert issue mx --dns-hook /bin/x",
        "lint /etc/postfix",
        "apply -f wanted.toml",
    ] {
        let command = Args::command();
        let all = std::iter::once("postseal").chain(words.split(' '));
        let said = command.clone().try_get_matches_from(all).unwrap();
        let failure = of(&said, &command).unwrap_err();
        assert_eq!(failure.code(), "task.local-only", "{words}");
    }
}
