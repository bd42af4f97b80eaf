//! Documents that somebody filled with what harms a page.

use crate::served::{HOUR_MS, Served, heartbeat, now};
use crate::wire::Ask;
use postseal_console::{Verb, listed};
use postseal_store::desk::{Clerk as _, End, JobEvent, JobState, Role, RuleMark, RuleRow};
use serde_json::{Value, json};

const SCRIPT: &str =
    "</td></bdi><script>alert(1)</script><img src=x onerror=alert(1)>\" onload=\"x";
/// Right-to-left override (Unicode 6.3 UAX 9): text after it is shown backwards until its isolate ends.
const OVERRIDE: &str = "invoice\u{202e}fdp.exe";

/// Every shape that pages look at, with `text` wherever there is text.
fn copies(text: &str) -> [(&'static str, Value); 9] {
    let finding = json!({"code": text, "severity": text, "message": text, "remedy": text,
        "evidence": [{"file": text, "line": 1, "text": text}]});
    let operation = json!({"operation": text, "subject": text, "actor": text, "started": text,
        "outcome": text, "sentences": [text], "diff": text});
    let certificate = json!({"name": text, "names": [text], "addresses": [text], "subject": text,
        "issuer": text, "serial": text, "key": text, "not_before": "2026-01-01T00:00:00Z",
        "not_after": "2026-12-01T00:00:00Z", "fingerprint": text, "has_key": true,
        "source": text, "used_by": [text], "version": text, "chain_length": text,
        "renewal": {"ca": text, "challenge": text, "failure": finding},
        "waiting": {"version": text, "not_after": text, "waits_for": [finding]}});
    let request = json!({"name": text, "names": [text], "made": "2026-01-01T00:00:00Z"});
    let rule = |policy| json!({"destination": text, "before": {"policy": policy}, "after": {"policy": text}});
    let level = json!({"service": text, "desired": text, "written": text, "effective": text});
    let judged = json!({"service": text, "outcome": "fail", "sentences": [text],
        "findings": [finding]});
    [
        (
            "status",
            json!({"services": [level], "outbound": level, "observed": {"judgements": [judged]},
                "wishes": [1], "last_operation": operation, "open_operation": operation}),
        ),
        (
            "certificates",
            json!({"certificates": [certificate], "requests": [request], "recipient": text}),
        ),
        (
            "plan",
            json!({"pending": true, "plan": text, "sentences": [text], "diff": text,
                "findings": [{"finding": finding}],
                "excluded": [{"sentence": text}],
                "rules": {"count": 2, "changes": [rule(text)],
                    "concerned": {"default": {"before": text, "after": text, "known": text}}},
                "confirmations": [{"code": text, "answer": text, "message": text}]}),
        ),
        (
            "domains",
            json!({"domains": [{"domain": text, "next_hop": text, "manager": text,
                "wanted": {"policy": text, "note": text}, "next_hops_now": [text]}],
                "credentials": [{"keys": [text], "next_hop": text, "level": text}]}),
        ),
        ("history", json!({"operations": [operation]})),
        ("findings", json!({"findings": [finding]})),
        (
            "keys",
            json!({"keys": [{"key": text, "values": text, "meaning": text, "default": text}]}),
        ),
        (
            "notify",
            json!({"to": [text], "critical": [text], "every_seconds": text,
                "told": {"state": text, "at": text, "causes": [{"state": text, "said": text}]},
                "hand_in": {"since": text, "tries": text, "error": text},
                "mails": [{"at": text, "subject": text, "to": [text], "queue_id": text,
                    "delivered": [{"to": text, "status": text, "words": text}]}]}),
        ),
        (
            "profiles",
            json!({"profiles": [{"name": text, "meaning": text, "unfit": text, "wished": [text]}]}),
        ),
    ]
}

/// A rule with `text` wherever there is text but in what it is known by.
fn rule(text: &str) -> RuleRow {
    let said = || text.to_owned();
    RuleRow {
        destination: "a.example".to_owned(),
        shown: said(),
        policy: said(),
        owner: said(),
        note: said(),
        tags: vec![said()],
        until: said(),
        standing: said(),
        next_hop: said(),
        outcome: said(),
        sentence: said(),
        looked: 1,
        strongest: said(),
        marks: vec![RuleMark::Stronger],
        digest: said(),
        ..RuleRow::default()
    }
}

/// A text in an address; a long one is cut there.
fn encoded(text: &str) -> String {
    let bytes = text.bytes().take(1_000);
    bytes.map(|byte| format!("%{byte:02X}")).collect()
}

/// Every page that one can see, once its copies and a job hold `text`.
fn pages(text: &str) -> Vec<(String, String)> {
    let (served, session) = Served::to(Role::Admin);
    let token = served.token("admin", Role::Admin, now() + HOUR_MS);
    for (what, document) in copies(text) {
        served.copy(what, &document.to_string());
    }
    served.rules(&[rule(text)]);
    let look = r#"{"task":"policy-check","destinations":["a.example"]}"#;
    let id = served.file(&token, look);
    let mut desk = served.desk();
    desk.claim(&heartbeat()).unwrap();
    let verdict = json!({"judgements": [{"outcome": text, "sentences": [text]}]});
    for (n, event) in ["step", text].iter().enumerate() {
        let event = JobEvent {
            n: n as u64 + 1,
            at_ms: now(),
            document: json!({"event": event, "what": text, "verdict": verdict}).to_string(),
        };
        desk.tell(id, &event).unwrap();
    }
    let seen = json!({"nexthop": text, "sentence": text, "policy": "x", "at": 1, "outcome": text,
        "hosts": [{"name": text, "trouble": text,
            "addresses": [{"address": text, "words": text, "outcome": text}]}],
        "findings": [{"message": text}], "strongest": {"policy": text}});
    let answer = json!({"text": text, "checked": [{"destination": text, "preflight": seen}], "error": {"message": text, "code": text, "hint": text}});
    let end = End {
        exit: 1,
        answer: answer.to_string(),
    };
    desk.end(id, JobState::Done, &end, now()).unwrap();
    listed()
        .filter(|route| route.verb == Verb::Get && !route.path.starts_with("/api/"))
        .filter(|route| !route.path.contains("{digest}"))
        .map(|route| route.path.replace("{id}", &id.to_string()))
        .map(|path| path.replace("{secret}", "none"))
        // Forms of one rule and of one entry name it.
        .map(|path| match path.as_str() {
            "/policies/edit" => format!("{path}?destination=a.example"),
            "/domains/edit" => format!("{path}?domain={}", encoded(text)),
            "/certificates/one" => {
                format!("{path}?name={}", encoded(&text[..text.len().min(300)]))
            }
            _ => path,
        })
        .map(|path| {
            let answer = served.ask(&Ask::get(&path).cookie(&session));
            assert!(
                matches!(answer.status, 200 | 303 | 400 | 404),
                "{path} {}",
                answer.status
            );
            (path, answer.body)
        })
        .collect()
}

#[test]
fn markup_in_a_document_is_text_on_every_page() {
    let pages = pages(SCRIPT);
    let shown = pages.iter().filter(|(_, body)| body.contains("alert(1)"));
    // Overview, SMTP TLS, policies and the form of one, its look at servers, domains and the form of one, plan, job, its
    // progress, history, findings, certificates, one of them, notifications.
    assert_eq!(shown.count(), 15);
    for (path, body) in pages {
        for harmful in ["<script>alert", "<img src=x", "\" onload"] {
            assert!(!body.contains(harmful), "{path}");
        }
    }
}

#[test]
fn text_that_turns_its_line_round_turns_no_other() {
    for (path, body) in pages(OVERRIDE) {
        for (at, _) in body.match_indices('\u{202e}') {
            let before = &body[..at];
            let opened = before.rfind('<').unwrap();
            let inside_tag = before.rfind('>').is_none_or(|end| end < opened);
            // In an attribute it is no line; in text it stands in an isolate (HTML §4.5.24) or in a cell of its own.
            let isolated = before.matches("<bdi").count() > before.matches("</bdi>").count();
            let context = &before[opened..];
            let alone = ["<option", "<td"]
                .iter()
                .any(|tag| context.starts_with(tag));
            assert!(inside_tag || isolated || alone, "{path}: {context}");
        }
    }
}

#[test]
fn a_text_of_a_megabyte_makes_no_page_of_many() {
    for (path, body) in pages(&"x".repeat(1 << 20)) {
        assert!(body.len() < 600_000, "{path} {}", body.len());
    }
}

#[test]
fn documents_of_another_shape_are_empty_cells() {
    let (served, session) = Served::to(Role::Admin);
    for document in [
        "no JSON",
        "[]",
        "7",
        r#"{"services": 3, "observed": [], "certificates": {}}"#,
    ] {
        for what in [
            "status",
            "certificates",
            "plan",
            "history",
            "findings",
            "keys",
            "profiles",
            "domains",
            "notify",
        ] {
            served.copy(what, document);
        }
        for path in [
            "/",
            "/smtp-tls",
            "/plan",
            "/history",
            "/findings",
            "/certificates",
            "/policies",
            "/domains",
            "/settings/notifications",
        ] {
            assert_eq!(
                served.ask(&Ask::get(path).cookie(&session)).status,
                200,
                "{path}"
            );
        }
    }
}
