//! The one glance of the overview: green only where the wire, the certificates and the findings are.

use crate::served::{HOUR_MS, Served, heartbeat, now};
use crate::wire::Ask;
use postseal_store::desk::{Clerk as _, Heartbeat, Role, RuleMark, RuleRow};
use serde_json::{Value, json};

fn status() -> Value {
    json!({
        "judged": [],
        "observed_at": time(now()),
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

/// As documents write it.
fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().to_string()
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
    let page = overview(&status(), &[certificate(LONG, true, &["smtpd"])], &[]);
    let (seen, words) = glance(&page);
    assert!(
        seen == "warning" && words.contains("self-signed"),
        "{seen} {words}"
    );
    // Another one of the store, which nobody is shown, does not matter.
    for used_by in [&[][..], &["smtpd (pending)"]] {
        let page = overview(&status(), &[certificate(LONG, true, used_by)], &[]);
        assert_eq!(glance(&page).0, "pass");
    }
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
    down["judged"] = json!([{"state": "critical", "said": "Postfix does not run"}]);
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

#[test]
fn it_is_never_better_than_what_a_monitor_is_told() {
    let told = [
        (
            "critical",
            "fail",
            "port 25 is closed",
            "Port 25 is closed.",
        ),
        (
            "warning",
            "warning",
            "owned keys were edited by hand",
            "Owned keys were edited by hand.",
        ),
        (
            "unknown",
            "undetermined",
            "smtp/inet was not seen",
            "smtp/inet was not seen.",
        ),
    ];
    for (state, class, said, words) in told {
        let mut judged = status();
        judged["judged"] = json!([{"state": state, "said": said}]);
        let seen = glance(&overview(&judged, &[], &[]));
        assert_eq!(seen, (class.to_owned(), words.to_owned()));
    }
    // Where nothing was judged, nothing is known.
    let mut unjudged = status();
    unjudged["judged"] = Value::Null;
    assert_eq!(glance(&overview(&unjudged, &[], &[])).0, "undetermined");
    // What was seen long ago is no sight of now, though the agent is there.
    let mut old = status();
    old["observed_at"] = json!("2026-01-01T00:00:00Z");
    let (class, words) = glance(&overview(&old, &[], &[]));
    assert!(
        class == "undetermined" && words.contains("The last look was"),
        "{words}"
    );
    // The one finding that is an error is said, not counted.
    let page = overview(&status(), &[], &[finding("cert.expired", "error")]);
    assert_eq!(glance(&page).1, "cert.expired was found.");
}

#[test]
fn it_is_not_green_while_something_has_changed_since() {
    let (served, session) = Served::to(Role::Operator);
    served.desk().beat(&heartbeat()).unwrap();
    served.copy("status", &status().to_string());
    served.copy("certificates", r#"{"certificates": []}"#);
    served.copy("findings", r#"{"findings": []}"#);
    let seen = || glance(&served.ask(&Ask::get("/").cookie(&session)).body).0;
    assert_eq!(seen(), "pass");
    served.send_form(&session, "/plan/discard", &[]);
    assert_eq!(seen(), "undetermined");
}

#[test]
fn a_certificate_that_is_only_wished_is_not_in_use_and_one_from_a_file_is_shown() {
    let mut adopted = status();
    adopted["adopted_certificates"] = json!([{"path": "/etc/ssl/own.pem", "used_by": ["smtp/inet"],
        "key": "RSA 2048", "not_before": "2026-01-01T00:00:00Z", "not_after": LONG}]);
    let wished = certificate(LONG, false, &["smtpd (pending)"]);
    let page = overview(&adopted, &[wished], &[]);
    assert!(page.contains("? wished, not in force"), "{page}");
    let own = page.split("/etc/ssl/own.pem").nth(1).unwrap();
    assert!(own.contains("✓ in use"), "{own}");
    assert_eq!(page.matches("✓ in use").count(), 1, "{page}");
}

#[test]
fn a_service_that_is_only_wished_for_is_not_missed_on_the_wire() {
    let mut status = status();
    let to_come = json!({"service": "submission/inet", "desired": "on", "pending": true, "written": "-", "effective": "-"});
    status["services"][1] = to_come;
    status["observed"]["judgements"][1] = Value::Null;
    let page = overview(&status, &[certificate(LONG, false, &["smtpd"])], &[]);
    assert_eq!(glance(&page).0, "pass", "{page}");
    assert!(page.contains("not there yet"), "{page}");
}

#[test]
fn rules_that_are_not_as_they_should_be_are_counted_and_lead_to_their_page() {
    let (served, session) = Served::to(Role::Auditor);
    served.copy("status", &status().to_string());
    let page = || served.ask(&Ask::get("/").cookie(&session)).body;
    assert!(page().contains("? not listed yet"));
    served.rules(&[]);
    assert!(page().contains("none: all mail leaves at the default"));
    let rule = |destination: &str, marks: &[RuleMark]| RuleRow {
        destination: destination.to_owned(),
        policy: "encrypt".to_owned(),
        marks: marks.to_vec(),
        ..RuleRow::default()
    };
    served.rules(&[
        rule("a.example", &[RuleMark::Failing]),
        rule("b.example", &[RuleMark::Failing, RuleMark::Idle]),
        rule("c.example", &[]),
    ]);
    let page = page();
    assert!(page.contains("<a href=\"/policies\">3</a>"), "{page}");
    assert!(page.contains("href=\"/policies?kind=failing\">✗ 2 fail at their servers<"));
    assert!(page.contains("href=\"/policies?kind=idle\">! 1 never match<"));
    assert!(!page.contains("kind=hindered"));
}

#[test]
fn what_could_not_be_looked_at_is_not_green_and_no_empty_list() {
    let failed = json!({"changed": false, "findings": [], "error": {
        "code": "job.died", "message": "the process that carried this out has died", "hint": "See the log."}});
    for what in ["certificates", "findings", "plan"] {
        let (served, session) = Served::to(Role::Auditor);
        served.desk().beat(&heartbeat()).unwrap();
        served.copy("status", &status().to_string());
        served.copy("certificates", r#"{"certificates": []}"#);
        served.copy("findings", r#"{"findings": []}"#);
        served.copy("plan", r#"{"pending": false, "findings": []}"#);
        served.copy(what, &failed.to_string());
        let (state, words) = glance(&served.ask(&Ask::get("/").cookie(&session)).body);
        assert_eq!(state, "undetermined", "{what}: {words}");
        assert!(words.contains("has died"), "{what}: {words}");
        let findings = served.ask(&Ask::get("/findings").cookie(&session)).body;
        assert_eq!(findings.contains("Nothing found."), what != "findings");
    }
    // A plan is refused for its wishes, too: that says nothing of what is in force.
    let mut wished = status();
    wished["wishes"] = json!([{"key": "mode", "value": "encrypt"}]);
    assert_eq!(glance(&planned(&wished, &[], &[], &failed)).0, "pass");
}

#[test]
fn what_is_of_a_time_that_has_not_come_is_not_green() {
    let mut put_back = status();
    put_back["observed_at"] = json!(time(now() + HOUR_MS));
    let (state, words) = glance(&overview(&put_back, &[], &[]));
    assert_eq!(state, "undetermined", "{words}");
    let mut timeless = status();
    timeless["observed_at"] = Value::Null;
    assert_eq!(glance(&overview(&timeless, &[], &[])).0, "undetermined");
    // Nor is an agent there whose last sign is.
    let (served, session) = Served::to(Role::Auditor);
    let beat = Heartbeat {
        now_ms: now() + HOUR_MS,
        ..heartbeat()
    };
    served.desk().beat(&beat).unwrap();
    served.copy("status", &status().to_string());
    served.copy("certificates", r#"{"certificates": []}"#);
    served.copy("findings", r#"{"findings": []}"#);
    let (state, words) = glance(&served.ask(&Ask::get("/").cookie(&session)).body);
    assert_eq!(state, "undetermined", "{words}");
}
