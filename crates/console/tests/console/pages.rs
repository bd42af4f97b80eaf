//! Pages as people use them, without JavaScript.

use crate::served::{Agent, HOUR_MS, Served, heartbeat, now};
use crate::wire::Ask;
use postseal_store::desk::{Clerk as _, Desk as _, End, JobEvent, JobState, Role};
use serde_json::json;

fn told(served: &Served) {
    let status = json!({
        "master_running": true,
        "services": [
            {"service": "smtp/inet", "desired": "may", "written": "may", "effective": "may", "pending": false},
            {"service": "submission/inet", "desired": "encrypt", "written": "", "effective": "", "pending": true},
        ],
        "outbound": {"desired": "may", "written": "may", "effective": "may"},
        "observed": {"judgements": [{"service": "smtp/inet", "outcome": "pass", "sentences": ["TLS 1.3 was seen."]}]},
        "wishes": [{"key": "submission"}],
    });
    served.copy("status", &status.to_string());
    let certificate = json!({"name": "mx1", "names": ["mx1.example"], "has_key": true,
        "not_before": "2026-01-01T00:00:00Z", "not_after": "2099-01-01T00:00:00Z"});
    served.copy(
        "certificates",
        &json!({"certificates": [certificate]}).to_string(),
    );
}

/// An agent that takes every wish, refuses `inbound=encrypt`, and asks before `outbound=secure`.
fn answer(task: &str) -> (u8, String) {
    let refused = |code: &str, message: &str| {
        let finding =
            json!({"code": code, "message": message, "severity": "error", "remedy": "Do less."});
        let error = json!({"code": code, "message": message});
        (
            65,
            json!({"error": error, "findings": [finding]}).to_string(),
        )
    };
    if task.contains("inbound=encrypt") {
        return refused("inbound.mandatory", "that would lose mail");
    }
    if task.contains("param.x=") {
        return refused("setting.unknown-key", "There is no key \"param.x\".");
    }
    let asked = match task.contains("outbound=secure") {
        true => json!([{"code": "a.risk", "answer": "mx1.example", "message": "That is risky."}]),
        false => json!([]),
    };
    let plan = json!({"pending": true, "plan": "abc", "confirmations": asked,
        "sentences": ["Port 25 offers TLS."], "diff": "--- a\n+++ b\n@@ -1 +1,2 @@\n x\n-old\n+new\n+more\n"});
    match task.contains(r#""check":true"#) {
        true => (2, plan.to_string()),
        false => (0, json!({"text": "taken", "proposal": plan}).to_string()),
    }
}

#[test]
fn empty_pages_say_what_to_do() {
    let (served, session) = Served::to(Role::Operator);
    for path in [
        "/",
        "/smtp-tls",
        "/plan",
        "/history",
        "/findings",
        "/certificates",
        "/certificates/new",
        "/policies",
        "/domains",
        "/probe",
        "/settings/notifications",
    ] {
        let page = served.ask(&Ask::get(path).cookie(&session));
        assert_eq!(page.status, 200, "{path}");
        assert!(page.body.contains("agent"), "{path}");
        assert!(page.body.contains("was never seen"), "{path}");
    }
}

#[test]
fn what_mail_clients_need_is_said_at_their_ports() {
    let (served, session) = Served::to(Role::Operator);
    let judgements = json!([
        {"service": "submission/inet", "outcome": "pass", "sentences": ["Port 587 offers AUTH, only under TLS."]},
        {"service": "smtps/inet", "outcome": "fail", "sentences": ["Port 465 offers AUTH."]},
    ]);
    served.copy(
        "status",
        &json!({"observed": {"judgements": judgements}}).to_string(),
    );
    let page = served.ask(&Ask::get("/smtp-tls").cookie(&session)).body;
    let (submission, smtps) = page.split_once("name=\"smtps\"").unwrap();
    assert!(
        submission.contains("✓ <bdi>Port 587 offers AUTH, only under TLS.</bdi>"),
        "{page}"
    );
    assert!(smtps.contains("Needs SASL") && !smtps.contains("Port 465 offers AUTH."));
    assert!(!submission.contains("Needs SASL"));
}

#[test]
fn what_speaks_against_a_service_of_mail_clients_stands_at_its_field() {
    let (served, session) = Served::to(Role::Operator);
    told(&served);
    let agent = Agent::start(&served, |_| {
        let finding = json!({"code": "auth.no-sasl", "severity": "fatal", "remedy": "Start Dovecot.",
            "message": "Service submission would offer AUTH, but nothing is behind it."});
        let error = json!({"code": "auth.no-sasl", "message": "refused"});
        (
            65,
            json!({"error": error, "findings": [finding]}).to_string(),
        )
    });
    let fields = [
        ("was.submission", "off"),
        ("submission", "on"),
        ("do", "review"),
    ];
    let page = served.send_form(&session, "/smtp-tls", &fields).body;
    let (_, field) = page.split_once("name=\"submission\"").unwrap();
    let (field, _) = field.split_once("name=\"smtps\"").unwrap();
    assert!(
        field.contains("nothing is behind it") && field.contains("Start Dovecot."),
        "{page}"
    );
    drop(agent.stop());
}

#[test]
fn the_tls_parameters_of_this_postfix_are_listed_with_where_they_come_from() {
    let (served, session) = Served::to(Role::Operator);
    told(&served);
    let page = || served.ask(&Ask::get("/smtp-tls").cookie(&session)).body;
    assert!(page().contains("The agent has not listed them yet."));
    let values = json!([
        {"name": "smtpd_tls_chain_files", "value": "/etc/mx.pem", "default": "", "since": "3.4", "from": "main.cf:60"},
        {"name": "smtp_tls_ciphers", "value": "medium", "default": "medium", "since": null, "from": "default"},
    ]);
    served.copy("parameters", &json!({"values": values}).to_string());
    let page = page();
    let (_, table) = page.split_once("id=\"parameters\"").unwrap();
    for shown in [
        "<code><bdi>smtpd_tls_chain_files</bdi></code>",
        "<strong><bdi>/etc/mx.pem</bdi></strong>",
        "<bdi>3.4</bdi>",
        "<bdi>main.cf:60</bdi>",
        "<td><bdi>medium</bdi></td>",
    ] {
        assert!(table.contains(shown), "{shown}: {table}");
    }
}

#[test]
fn a_plan_that_changes_no_file_says_so() {
    let (served, session) = Served::to(Role::Operator);
    served.copy("plan", &json!({"pending": true, "plan": "a"}).to_string());
    let page = served.ask(&Ask::get("/plan").cookie(&session)).body;
    assert!(page.contains("No file of Postfix would change"));
}

#[test]
fn the_overview_paints_nothing_that_was_not_seen() {
    let (served, session) = Served::to(Role::Operator);
    told(&served);
    let page = served.ask(&Ask::get("/").cookie(&session)).body;
    assert!(
        page.contains("Not seen on the wire: 1 of the services."),
        "{page}"
    );
    assert!(page.contains("TLS 1.3 was seen."));
    assert!(page.contains("1 draft"));
    assert!(!page.contains("Every service showed"));
}

#[test]
fn save_and_review_wishes_for_what_differs_and_shows_the_plan() {
    let (served, session) = Served::to(Role::Operator);
    told(&served);
    let agent = Agent::start(&served, answer);
    let fields = [
        ("was.inbound", "may"),
        ("inbound", "may"),
        ("was.outbound", "may"),
        ("outbound", "dane"),
        ("was.submission", "on"),
        ("submission", "on"),
        ("certificate", "bind mx1"),
        ("do", "review"),
    ];
    let answer = served.send_form(&session, "/smtp-tls", &fields);
    assert_eq!(answer.header("location"), "/plan?job=1", "{}", answer.body);
    let plan = served.ask(&Ask::get("/plan?job=1").cookie(&session));
    assert!(plan.body.contains("Apply this plan"));
    let tasks = agent.stop();
    let beside = json!({"unset": [], "bind": ["mx1"], "unbind": [], "whole": true, "check": false});
    let task = json!({"task": "set", "pairs": ["outbound=dane"], "beside": beside});
    assert_eq!(tasks, [task]);
}

#[test]
fn what_is_refused_stands_at_its_field_with_what_was_typed_and_nothing_is_in_force() {
    let (served, session) = Served::to(Role::Operator);
    told(&served);
    let agent = Agent::start(&served, answer);
    let fields = [
        ("was.inbound", "may"),
        ("inbound", "encrypt"),
        ("outbound", "dane"),
        ("certificate", "bind mx1"),
        ("do", "apply"),
    ];
    let answer = served.send_form(&session, "/smtp-tls", &fields);
    assert_eq!(answer.status, 422);
    let inbound = answer.body.split("Mail that leaves").next().unwrap();
    assert!(inbound.contains("that would lose mail"), "{}", answer.body);
    assert!(inbound.contains("inbound.mandatory") && inbound.contains("Do less."));
    for kept in [
        r#"value="encrypt" checked"#,
        r#"value="dane" checked"#,
        r#"value="bind mx1" checked"#,
        "Nothing was stored.",
    ] {
        assert!(answer.body.contains(kept), "{kept}: {}", answer.body);
    }
    let others = [
        ("others", "param.x=1"),
        ("unset", "session-cache, profile"),
        ("do", "review"),
    ];
    let answer = served.send_form(&session, "/smtp-tls", &others);
    let advanced = answer.body.split(">Advanced<").nth(1).unwrap();
    assert!(advanced.contains("setting.unknown-key") && advanced.contains("param.x=1"));
    let tasks = agent.stop();
    assert_eq!(tasks.len(), 2, "{tasks:?}");
    let unset = &tasks[1]["beside"]["unset"];
    assert_eq!(unset, &json!(["session-cache", "profile"]));
}

#[test]
fn save_and_apply_applies_the_plan_that_was_made_unless_something_must_be_accepted() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    told(&served);
    let agent = Agent::start(&served, answer);
    let sent = |outbound| {
        let fields = [
            ("was.outbound", "may"),
            ("outbound", outbound),
            ("do", "apply"),
        ];
        let answer = served.send_form(&session, "/smtp-tls", &fields);
        answer.header("location").to_owned()
    };
    assert_eq!(sent("dane"), "/jobs/2");
    assert_eq!(sent("secure"), "/plan?job=3");
    let plan = served.ask(&Ask::get("/plan?job=3").cookie(&session)).body;
    assert!(
        plan.contains("accept.a.risk") && plan.contains("That is risky."),
        "{plan}"
    );
    let tasks = agent.stop();
    assert_eq!(tasks[1]["plan"], "abc", "{tasks:?}");
}

#[test]
fn what_would_change_is_shown_beside_the_form_and_nothing_is_stored() {
    let served = Served::new();
    let session = served.signed_in(Role::Auditor);
    told(&served);
    let agent = Agent::start(&served, answer);
    let live = |inbound| {
        let fields = [
            ("was.inbound", "may"),
            ("inbound", inbound),
            ("linked", "on"),
            ("outbound", "dane"),
            ("was.outbound", "may"),
        ];
        served.send_form(&session, "/smtp-tls/plan", &fields).body
    };
    let seen = live("off");
    assert!(seen.contains("Port 25 offers TLS."), "{seen}");
    for side in [
        r#"<code class="was"><bdi>-old</bdi></code><code class="becomes"><bdi>+new</bdi></code>"#,
        r#"<code class="was"><bdi></bdi></code><code class="becomes"><bdi>+more</bdi></code>"#,
    ] {
        assert!(seen.contains(side), "{side}: {seen}");
    }
    assert!(live("encrypt").contains("that would lose mail"));
    assert!(live("may").contains("Nothing would change."));
    let tasks = agent.stop();
    assert_eq!(tasks.len(), 2, "{tasks:?}");
    assert_eq!(tasks[0]["pairs"], json!(["inbound=off", "outbound=off"]));
    assert!(tasks.iter().all(|task| task["beside"]["check"] == true));
}

#[test]
fn what_waits_to_be_kept_says_until_when_and_what_must_be_accepted_is_asked_for() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    let open = json!({"operation": 7, "subject": "mode=may", "confirm_by": "2026-11-22T14:00:00Z"});
    served.copy("status", &json!({"open_operation": open}).to_string());
    for path in ["/plan", "/"] {
        let page = served.ask(&Ask::get(path).cookie(&session)).body;
        assert!(
            page.contains("data-until=\"2026-11-22T14:00:00Z\"") && page.contains("Keep it"),
            "{path}: {page}"
        );
    }
    let agent = Agent::start(&served, |task| match task.contains("mx1.example") {
        true => {
            let waits = json!({"outcome": "awaiting-confirmation", "operation": 9,
                "confirm_by": "2026-11-22T15:00:00Z", "text": "in force"});
            (0, waits.to_string())
        }
        false => {
            let accept = json!({"code": "a.risk", "answer": "mx1.example"});
            let error = json!({"code": "a.risk", "message": "That is risky.", "accept": accept});
            (65, json!({"error": error}).to_string())
        }
    });
    let ended = |id: u64| loop {
        let page = served
            .ask(&Ask::get(&format!("/jobs/{id}")).cookie(&session))
            .body;
        if !page.contains("hx-get=\"/jobs/") {
            return page;
        }
    };
    let fields = [
        ("plan", "abc"),
        ("confirm_within", "300"),
        ("accept.b", "mx0.example"),
    ];
    served.send_form(&session, "/plan/apply", &fields);
    let asked = ended(1);
    for field in [
        r#"name="accept.a.risk""#,
        r#"name="plan" value="abc""#,
        r#"name="confirm_within" value="300""#,
        r#"name="accept.b" value="mx0.example""#,
    ] {
        assert!(asked.contains(field), "{field}: {asked}");
    }
    let more = [&fields[..], &[("accept.a.risk", "mx1.example")]].concat();
    served.send_form(&session, "/plan/apply", &more);
    let waits = ended(2);
    assert!(
        waits.contains("data-until=\"2026-11-22T15:00:00Z\"") && waits.contains("Keep it"),
        "{waits}"
    );
    agent.stop();
}

#[test]
fn a_plan_is_applied_with_what_was_typed() {
    let (served, session) = Served::to(Role::Operator);
    let fields = [
        ("plan", "abcdef"),
        ("accept.inbound.mandatory-on-public-port-25", "mx1.example"),
        ("accept.other", ""),
        ("confirm_within", "300"),
    ];
    let answer = served.send_form(&session, "/plan/apply", &fields);
    assert_eq!(answer.header("location"), "/jobs/1");
    let job = served.desk().job(1).unwrap().unwrap();
    let task: serde_json::Value = serde_json::from_str(&job.task).unwrap();
    let accept = json!([{"code": "inbound.mandatory-on-public-port-25", "host": "mx1.example"}]);
    assert_eq!(
        (&task["task"], &task["plan"]),
        (&json!("apply"), &json!("abcdef"))
    );
    assert_eq!(
        (&task["accept"], &task["confirm_within"]),
        (&accept, &json!(300))
    );
}

#[test]
fn a_job_renews_its_page_until_it_has_ended() {
    let (served, session) = Served::to(Role::Operator);
    let token = served.token("operator", Role::Operator, now() + HOUR_MS);
    let id = served.file(&token, r#"{"task":"status"}"#);
    let path = format!("/jobs/{id}");
    let page = served.ask(&Ask::get(&path).cookie(&session)).body;
    assert!(
        page.contains("http-equiv=\"refresh\"") && page.contains("hx-get=\"/jobs/"),
        "{page}"
    );
    served.send_form(&session, &format!("{path}/cancel"), &[]);
    let page = served.ask(&Ask::get(&path).cookie(&session)).body;
    assert!(
        !page.contains("http-equiv=\"refresh\"") && !page.contains("hx-get=\"/jobs/"),
        "{page}"
    );
}

#[test]
fn a_rollback_names_its_operation() {
    let (served, session) = Served::to(Role::Operator);
    let operation = json!({"operation": 7, "subject": "mode=may", "actor": "ingrid"});
    served.copy("history", &json!({"operations": [operation]}).to_string());
    let page = served.ask(&Ask::get("/history").cookie(&session)).body;
    assert!(page.contains("name=\"operation\" value=\"7\""), "{page}");
    served.send_form(&session, "/history/rollback", &[("operation", "7")]);
    let task = |id| served.desk().job(id).unwrap().unwrap().task;
    assert!(
        task(1).contains(r#""operation":7,"check":false"#),
        "{}",
        task(1)
    );
    // What it would change can be seen first.
    assert!(page.contains("name=\"check\""), "{page}");
    let fields = [("operation", "7"), ("check", "on")];
    served.send_form(&session, "/history/rollback", &fields);
    assert!(
        task(2).contains(r#""operation":7,"check":true"#),
        "{}",
        task(2)
    );
}

#[test]
fn who_may_only_see_is_offered_nothing_else() {
    let (served, session) = Served::to(Role::Auditor);
    told(&served);
    served.copy("plan", &json!({"pending": true, "plan": "a"}).to_string());
    for (path, button) in [
        ("/smtp-tls", "Save and review"),
        ("/plan", "Apply this plan"),
    ] {
        let page = served.ask(&Ask::get(path).cookie(&session)).body;
        assert!(!page.contains(button), "{path}");
    }
}

#[test]
fn what_a_page_is_made_of_may_be_kept_for_ever_and_comes_from_here() {
    let (served, session) = Served::to(Role::Auditor);
    let page = served.ask(&Ask::get("/").cookie(&session)).body;
    let paths: Vec<&str> = page
        .split('"')
        .filter(|text| text.starts_with("/assets/"))
        .collect();
    assert!(paths.len() >= 6, "{paths:?}");
    let mut weight = page.len();
    for path in paths {
        let plain = served.ask(&Ask::get(path));
        assert_eq!(plain.status, 200, "{path}");
        assert!(
            plain.header("cache-control").contains("immutable"),
            "{path}"
        );
        let packed = served.ask(&Ask::get(path).with("accept-encoding", "gzip"));
        assert_eq!(packed.header("content-encoding"), "gzip");
        weight += packed.header("content-length").parse::<usize>().unwrap();
    }
    assert!(weight < 250_000, "{weight}");
    assert!(!page.contains("style=") && !page.contains("onclick") && !page.contains("//cdn"));
    assert_eq!(served.ask(&Ask::get("/assets/0/tabler.css")).status, 404);
}

#[test]
fn what_a_probe_sees_is_shown_as_it_comes_and_at_its_end_once() {
    let (served, session) = Served::to(Role::Auditor);
    served.send_form(&session, "/probe", &[("targets", "mx.example")]);
    let shown = || served.ask(&Ask::get("/jobs/1").cookie(&session)).body;
    let mut desk = served.desk();
    let beat = heartbeat();
    desk.beat(&beat).unwrap();
    desk.claim(&beat).unwrap().unwrap();
    let seen = JobEvent {
        n: 1,
        at_ms: now(),
        document: json!({"event": "seen", "words": "  handshake  ok  TLS 1.3"}).to_string(),
    };
    desk.tell(1, &seen).unwrap();
    assert!(shown().contains("  handshake  ok  TLS 1.3"), "{}", shown());
    let answer = json!({"probed": [], "text": "  handshake  ok  TLS 1.3\n"}).to_string();
    desk.end(1, JobState::Done, &End { exit: 0, answer }, now())
        .unwrap();
    assert_eq!(shown().matches("TLS 1.3").count(), 1, "{}", shown());
}
