//! What a preflight says of servers that are seen so and so: every code has a story that brings it
//! and a near miss that does not; and what is asked, looked at and trusted on the way.

#![allow(clippy::expect_used, reason = "helpers of tests")]

mod asked;
mod stage;
#[path = "../support/mod.rs"]
mod support;

use postseal_planner::{Severity, lint};
use stage::Stage;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// `### CODE SEVERITY OUTCOME` or `### !CODE OUTCOME`, then a stage (see `stage`).
const STORIES: &str = include_str!("stories.txt");

struct Story {
    code: &'static str,
    /// `None`: a near miss.
    severity: Option<&'static str>,
    outcome: &'static str,
    text: &'static str,
}

fn stories() -> Vec<Story> {
    STORIES.split("### ").skip(1).map(story).collect()
}

fn story(text: &'static str) -> Story {
    let (head, body) = text.split_once('\n').expect("a head and a body");
    match head.split(' ').collect::<Vec<_>>()[..] {
        [code, outcome] => Story {
            code: code.strip_prefix('!').expect("a near miss"),
            severity: None,
            outcome,
            text: body,
        },
        [code, severity, outcome] => Story {
            code,
            severity: Some(severity),
            outcome,
            text: body,
        },
        _ => panic!("no head of a story: {head}"),
    }
}

#[test]
fn stories_bring_their_code_and_near_misses_do_not() {
    let mut wrong = Vec::new();
    for Story {
        code,
        severity,
        outcome,
        text,
    } in stories()
    {
        let seen = Stage::read(text).judged();
        let severities = seen.findings.iter().filter(|one| one.code == code);
        let severities: Vec<&str> = severities.map(|one| word(one.severity)).collect();
        let right = severities == severity.as_slice();
        if !right || format!("{:?}", seen.outcome).to_lowercase() != outcome {
            wrong.push(format!("{code} {severity:?} {outcome}\n{text}  {seen:#?}"));
        }
        for finding in &seen.findings {
            assert!(finding.remedy.ends_with('.'), "{finding:?}");
            assert!(finding.message.ends_with('.'), "{finding:?}");
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
        Severity::Fatal => "fatal",
    }
}

/// The codes that the sources name.
fn codes() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/preflight");
    let mut codes = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("a module with parts") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            continue;
        }
        let text = fs::read_to_string(path).expect("a source");
        let literals = text.split('"').skip(1).step_by(2);
        codes.extend(
            literals
                .filter(|one| one.starts_with("policy."))
                .map(str::to_owned),
        );
    }
    codes
}

#[test]
fn no_code_without_a_story_and_a_near_miss() {
    let stories = stories();
    let of = |fires: bool| -> BTreeSet<String> {
        let those = stories.iter().filter(|one| one.severity.is_some() == fires);
        those.map(|one| one.code.to_owned()).collect()
    };
    let known = codes();
    assert!(known.len() > 20, "{known:?}");
    assert_eq!(of(true), known, "stories");
    assert_eq!(of(false), known, "near misses");
    for code in &known {
        let rule = lint::explained(code);
        let rule = rule.unwrap_or_else(|| panic!("{code} is not explained"));
        assert!(
            rule.why.ends_with('.') && rule.remedy.ends_with('.'),
            "{code}"
        );
        assert!(!rule.title.ends_with('.'), "{code}");
    }
}

#[test]
fn the_strongest_policy_that_works_is_suggested_with_what_stops_the_stronger_ones() {
    let mut wrong = Vec::new();
    for (stage, wanted) in [
        ("at 192.0.2.1 clear\n", Some("may")),
        ("at 192.0.2.1 tls self\n", Some("encrypt")),
        ("at 192.0.2.1 tls mx\n", Some("secure match=mx.example.com")),
        (
            "at 192.0.2.1 tls mail\n",
            Some("secure match=mail.example.org"),
        ),
        ("at 192.0.2.1 454\n", Some("may")),
        ("at 192.0.2.1 421\n", None),
        ("", None),
    ] {
        let text = format!(
            "hop customer.test\ndns mx customer.test mx.example.com insecure\n\
             dns a mx.example.com 192.0.2.1 insecure\n{stage}"
        );
        let strongest = Stage::read(&text).judged().strongest;
        if strongest.policy.as_deref() != wanted {
            wrong.push(format!("{stage}{strongest:#?}"));
        }
        assert!(strongest.stronger.iter().all(|one| one.why.ends_with('.')));
        assert_eq!(strongest.stronger.is_empty(), wanted.is_none());
    }
    // Two servers: only what both can. What could not be seen does not count.
    let two = "hop customer.test\ndns mx customer.test mx.example.com mail.example.org\n\
               dns a mx.example.com 192.0.2.1\ndns a mail.example.org 192.0.2.2\n\
               main smtp_dns_support_level = dnssec\n";
    let record = stage::tlsa("mail");
    let tlsa = format!("dns tlsa mx.example.com 25 mx\ndns tlsa mail.example.org 25 {record}\n");
    let tlsa = tlsa.as_str();
    let without = "dns tlsa mx.example.com 25\ndns tlsa mail.example.org 25\n";
    let both = "secure match=mx.example.com:mail.example.org";
    for (records, one, other, wanted) in [
        (tlsa, "tls mx", "tls mail", "dane-only"),
        (tlsa, "tls mx", "silent", "dane-only"),
        (without, "tls mx", "tls mail", both),
        (tlsa, "tls next", "tls mail", both),
        (tlsa, "tls self", "tls mail", "encrypt"),
        (tlsa, "tls mx", "tls self", "encrypt"),
        (tlsa, "clear", "tls mail", "may"),
    ] {
        let stage = format!("{two}{records}at 192.0.2.1 {one}\nat 192.0.2.2 {other}\n");
        let strongest = Stage::read(&stage).judged().strongest;
        if strongest.policy.as_deref() != Some(wanted) {
            wrong.push(format!("{stage}{strongest:#?}"));
        }
    }
    // A name below the domain itself has not to be written out.
    let below = "hop example.com\ndns mx example.com mx.example.com insecure\n\
                 dns a mx.example.com 192.0.2.1 insecure\nat 192.0.2.1 tls mx\n";
    let strongest = Stage::read(below).judged().strongest;
    assert_eq!(
        strongest.policy.as_deref(),
        Some("secure"),
        "{strongest:#?}"
    );
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn who_knows_a_server_by_its_key_is_not_told_to_take_whatever_answers() {
    const KEY: &str = "C0:BB:FE:D9:25:9E:27:21:22:D1:FE:0F:A4:1A:D4:F7:2F:2A:25:DA:08:15:0C:65:45:1D:49:10:0E:F0:FD:59";
    let seen = |policy: &str, shown: &str| {
        let stage = format!(
            "hop customer.test\ndns mx customer.test mx.example.com insecure\n\
             dns a mx.example.com 192.0.2.1 insecure\nmain smtp_tls_fingerprint_digest = sha256\n\
             policy {policy}\nat 192.0.2.1 tls {shown}\n"
        );
        Stage::read(&stage).judged()
    };
    let holds = seen(&format!("fingerprint match={KEY}"), "self");
    let own = format!("fingerprint match={KEY}");
    assert_eq!(holds.strongest.policy, Some(own.clone()));
    assert_eq!(holds.strongest.stronger, []);
    // The ladder goes on below it, and says why it would not hold.
    let other = seen("fingerprint match=AA:BB", "self");
    assert_eq!(other.strongest.policy.as_deref(), Some("encrypt"));
    assert_eq!(
        other.strongest.stronger[0].policy,
        "fingerprint match=AA:BB"
    );
    assert!(other.strongest.stronger[0].why.contains(KEY));
    let remedy = &other.findings[0].remedy;
    assert!(
        !remedy.contains("encrypt") && remedy.contains("telephone"),
        "{remedy}"
    );
    // Another proof is told.
    let proved = seen("fingerprint match=AA:BB", "mx");
    let remedy = &proved.findings[0].remedy;
    assert!(remedy.contains("`secure match=mx.example.com`"), "{remedy}");
    // Who did not ask for it is not told of it.
    let encrypt = seen("encrypt", "self").strongest;
    assert_eq!(encrypt.policy.as_deref(), Some("encrypt"));
}

#[test]
fn where_a_fallback_relay_takes_the_mail_it_is_not_said_to_wait() {
    let stage = "hop [192.0.2.1]\nat 192.0.2.1 clear\n";
    let message = |more: &str| {
        let seen = Stage::read(&format!("{stage}{more}")).judged();
        seen.findings[0].message.clone()
    };
    assert!(message("").contains("waits in the queue"));
    let relayed = message("main smtp_fallback_relay = [relay.example.com], other.example.com\n");
    assert!(
        relayed.contains("[relay.example.com], other.example.com"),
        "{relayed}"
    );
}

#[test]
fn a_result_can_be_stored_and_read_again() {
    for story in stories() {
        let seen = Stage::read(story.text).judged();
        let text = serde_json::to_string(&seen).expect("it can be written");
        assert_eq!(
            serde_json::from_str::<postseal_planner::Preflight>(&text).ok(),
            Some(seen)
        );
    }
}
