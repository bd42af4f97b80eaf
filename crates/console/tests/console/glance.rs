//! The one glance of the overview: green only where the wire, the certificates and the findings are.

use crate::served::{HOUR_MS, Served, heartbeat, now};
use crate::wire::Ask;
use postseal_store::desk::{Clerk as _, Heartbeat, Role};
use serde_json::{Value, json};

fn status() -> Value {
    json!({
        "master_running": true,
        "services": [
            {"service": "smtp/inet", "desired": "may", "written": "may", "effective": "may"},
            {"service": "submission/inet", "desired": "as adopted", "written": "encrypt (-o)", "effective": "encrypt"},
            {"service": "submissions/inet", "desired": "on", "written": "may", "effective": "wrapper"},
        ],
        "observed": {"judgements": [
            {"service": "smtp/inet", "outcome": "pass", "sentences": ["TLS 1.3 was seen."]},
            {"service": "submission/inet", "outcome": "pass", "sentences": ["AUTH under TLS."]},
            {"service": "submissions/inet", "outcome": "pass", "sentences": ["TLS 1.3 was seen."]},
        ]},
    })
}

fn certificate(until: &str, self_signed: bool, used_by: &[&str]) -> Value {
    json!({"name": "mx1", "has_key": true, "not_before": "2026-01-01T00:00:00Z", "not_after": until,
        "self_signed": self_signed, "used_by": used_by})
}

fn finding(code: &str, severity: &str) -> Value {
    json!({"code": code, "severity": severity, "message": format!("{code} was found."), "remedy": "Mend it."})
}

/// The overview where the agent is there and told this.
fn overview(status: &Value, certificates: &[Value], findings: &[Value]) -> String {
    planned(status, certificates, findings, &json!({"pending": false}))
}

fn planned(status: &Value, certificates: &[Value], findings: &[Value], plan: &Value) -> String {
    let (served, session) = Served::to(Role::Auditor);
    served.desk().beat(&heartbeat()).unwrap();
    served.copy("status", &status.to_string());
    let certificates = json!({"certificates": certificates});
    served.copy("certificates", &certificates.to_string());
    served.copy("findings", &json!({"findings": findings}).to_string());
    served.copy("plan", &plan.to_string());
    served.ask(&Ask::get("/").cookie(&session)).body
}

/// The first heading of a page: its class and its words.
fn glance(page: &str) -> (String, String) {
    let (_, rest) = page.split_once("<h1 class=\"page-title mb-2 ").unwrap();
    let (class, rest) = rest.split_once('"').unwrap();
    let (_, rest) = rest.split_once("<bdi>").unwrap();
    let (words, _) = rest.split_once('<').unwrap();
    (class.to_owned(), words.to_owned())
}

const LONG: &str = "2099-01-01T00:00:00Z";

#[test]
fn it_is_green_where_all_is_well() {
    let page = overview(
        &status(),
        &[certificate(LONG, false, &["smtpd"])],
        &[
            finding("syntax.overridden", "warning"),
            finding("a", "info"),
        ],
    );
    let (state, words) = glance(&page);
    assert_eq!(state, "pass", "{words}");
    assert!(words.contains("Every service showed"), "{words}");
    assert!(page.contains("1 warning, 1 note"), "{page}");
}

#[test]
fn a_certificate_that_nobody_can_verify_is_not_green() {
    let worse = [
        (
            certificate(LONG, true, &["smtpd"]),
            "warning",
            "self-signed",
        ),
        (
            certificate("2026-01-02T00:00:00Z", false, &["smtpd"]),
            "fail",
            "expired",
        ),
    ];
    for (certificate, state, word) in worse {
        let page = overview(&status(), &[certificate], &[]);
        let (seen, words) = glance(&page);
        assert!(seen == state && words.contains(word), "{seen} {words}");
    }
    // Another one of the store, which nobody is shown, does not matter.
    let page = overview(&status(), &[certificate(LONG, true, &[])], &[]);
    assert_eq!(glance(&page).0, "pass");
    // An operation that nobody has kept may be undone.
    let mut open = status();
    open["open_operation"] = json!({"operation": 7, "subject": "rollback of 6"});
    assert_eq!(
        glance(&overview(&open, &[], &[])).1,
        "Operation 7 is not ended."
    );
    let chain = [finding("cert.chain-incomplete", "warning")];
    assert_eq!(glance(&overview(&status(), &[], &chain)).0, "warning");
}

#[test]
fn the_worst_is_said_first_and_the_rest_below() {
    let errors = [
        finding("a", "error"),
        finding("b", "fatal"),
        finding("c", "info"),
    ];
    let used = [certificate(LONG, true, &["smtpd"])];
    let page = overview(&status(), &used, &errors);
    assert_eq!(
        glance(&page),
        ("fail".to_owned(), "2 findings are errors.".to_owned())
    );
    assert!(page.contains("<p class=\"mb-1 warning\">! <bdi>Certificate mx1 is self-signed"));
    assert!(page.contains("1 fatal, 1 error, 1 note"));
    let mut down = status();
    down["master_running"] = json!(false);
    assert_eq!(
        glance(&overview(&down, &used, &errors)).1,
        "Postfix does not run."
    );
}

#[test]
fn what_an_agent_saw_that_has_gone_is_not_green() {
    let (served, session) = Served::to(Role::Auditor);
    let long_ago = now() - HOUR_MS;
    let beat = Heartbeat {
        now_ms: long_ago,
        ..heartbeat()
    };
    served.desk().beat(&beat).unwrap();
    served.copy("status", &status().to_string());
    served.copy("certificates", r#"{"certificates": []}"#);
    served.copy("findings", r#"{"findings": []}"#);
    let page = served.ask(&Ask::get("/").cookie(&session)).body;
    let (state, words) = glance(&page);
    assert_eq!(state, "undetermined", "{words}");
    assert!(
        words.contains("last seen 60 min ago") || words.contains("last seen 1 h ago"),
        "{words}"
    );
}

#[test]
fn services_have_a_port_and_a_name_and_only_a_cell_that_differs_is_marked() {
    let page = overview(&status(), &[], &[]);
    for name in ["25 smtp", "587 submission", "465 submissions"] {
        assert!(page.contains(&format!("<bdi>{name}</bdi>")), "{name}");
    }
    assert!(!page.contains("class=\"differs\""), "{page}");
    let mut edited = status();
    edited["services"][0]["effective"] = json!("encrypt");
    let page = overview(&edited, &[], &[]);
    let marked: Vec<_> = page.match_indices("class=\"differs\"").collect();
    assert_eq!(marked.len(), 1, "{page}");
    assert!(page.contains("<td data-label=\"Effective\" class=\"differs\"><bdi>encrypt</bdi>"));
}

#[test]
fn what_a_plan_finds_against_a_certificate_in_use_counts_unless_the_plan_changes_something() {
    let found = json!([{"finding": finding("cert.chain-incomplete", "warning")}]);
    for (pending, state) in [(false, "warning"), (true, "pass")] {
        let plan = json!({"pending": pending, "findings": found});
        let page = planned(&status(), &[], &[], &plan);
        assert_eq!(glance(&page).0, state, "{page}");
    }
}
