//! Pages as people use them, without JavaScript.

use crate::served::{Agent, HOUR_MS, Served, now};
use crate::wire::Ask;
use postseal_store::desk::{Desk as _, Role};
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

/// An agent that takes every wish, and refuses `inbound=encrypt`.
fn answer(task: &str) -> (u8, String) {
    match task.contains("inbound=encrypt") {
        true => {
            let error = json!({"code": "set.refused", "message": "that would lose mail"});
            (1, json!({"error": error, "text": "refused"}).to_string())
        }
        false => (
            0,
            json!({"text": "taken", "plan": "abc", "pending": true}).to_string(),
        ),
    }
}

#[test]
fn empty_pages_say_what_to_do() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    for path in [
        "/",
        "/smtp-tls",
        "/plan",
        "/history",
        "/findings",
        "/certificates",
        "/policies",
        "/domains",
        "/probe",
    ] {
        let page = served.ask(&Ask::get(path).cookie(&session));
        assert_eq!(page.status, 200, "{path}");
        assert!(page.body.contains("agent"), "{path}");
        assert!(page.body.contains("was never seen"), "{path}");
    }
}

#[test]
fn a_postfix_that_was_not_adopted_and_a_plan_that_changes_no_file_say_so() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    let error = json!({"code": "instance.not-adopted", "message": "not adopted"});
    served.copy("status", &json!({"error": error}).to_string());
    served.copy("plan", &json!({"pending": true, "plan": "a"}).to_string());
    let page = |path| served.ask(&Ask::get(path).cookie(&session)).body;
    assert!(page("/").contains("postseal init"));
    assert!(page("/plan").contains("No file of Postfix would change"));
}

#[test]
fn the_overview_paints_nothing_that_was_not_seen() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
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
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
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
    assert_eq!(answer.header("location"), "/plan?job=3", "{}", answer.body);
    let plan = served.ask(&Ask::get("/plan?job=3").cookie(&session));
    assert!(plan.body.contains("Apply this plan"));
    let tasks = agent.stop();
    assert_eq!(tasks[0], json!({"task": "set", "pairs": ["outbound=dane"]}));
    assert_eq!(
        (&tasks[1]["task"], &tasks[1]["name"]),
        (&json!("cert-bind"), &json!("mx1"))
    );
    assert_eq!(tasks[2]["task"], "plan");
}

#[test]
fn what_is_refused_ends_save_and_apply_before_anything_is_in_force() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    told(&served);
    let agent = Agent::start(&served, answer);
    let fields = [
        ("was.inbound", "may"),
        ("inbound", "encrypt"),
        ("certificate", "bind mx1"),
        ("do", "apply"),
    ];
    let answer = served.send_form(&session, "/smtp-tls", &fields);
    assert_eq!(answer.header("location"), "/jobs/1");
    let job = served.ask(&Ask::get("/jobs/1").cookie(&session)).body;
    assert!(
        job.contains("that would lose mail") && job.contains("set.refused"),
        "{job}"
    );
    assert!(job.contains("Rehearsing it in a scratch Postfix"), "{job}");
    let tasks = agent.stop();
    assert_eq!(tasks.len(), 1, "{tasks:?}");
}

#[test]
fn a_plan_is_applied_with_what_was_typed() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
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
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    let token = served.token("operator", Role::Operator, now() + HOUR_MS);
    let id = served.file(&token, r#"{"task":"status"}"#);
    let path = format!("/jobs/{id}");
    let page = served.ask(&Ask::get(&path).cookie(&session)).body;
    assert!(
        page.contains("http-equiv=\"refresh\"") && page.contains("hx-get"),
        "{page}"
    );
    served.send_form(&session, &format!("{path}/cancel"), &[]);
    let page = served.ask(&Ask::get(&path).cookie(&session)).body;
    assert!(
        !page.contains("http-equiv=\"refresh\"") && !page.contains("hx-get"),
        "{page}"
    );
}

#[test]
fn a_rollback_names_its_operation() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    let operation = json!({"operation": 7, "subject": "mode=may", "actor": "ingrid"});
    served.copy("history", &json!({"operations": [operation]}).to_string());
    let page = served.ask(&Ask::get("/history").cookie(&session)).body;
    assert!(page.contains("name=\"operation\" value=\"7\""), "{page}");
    served.send_form(&session, "/history/rollback", &[("operation", "7")]);
    let job = served.desk().job(1).unwrap().unwrap();
    assert!(job.task.contains(r#""operation":7"#), "{}", job.task);
}

#[test]
fn who_may_only_see_is_offered_nothing_else() {
    let served = Served::new();
    let session = served.signed_in(Role::Auditor);
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
    let served = Served::new();
    let session = served.signed_in(Role::Auditor);
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
fn what_a_probe_saw_is_shown_though_its_answer_has_no_text() {
    let served = Served::new();
    let session = served.signed_in(Role::Auditor);
    let agent = Agent::start(&served, |_| {
        let seen = json!({"probed": [{"target": "mx.example", "words": "TLS 1.3"}], "text": ""});
        (0, seen.to_string())
    });
    let fields = [("targets", "mx.example")];
    served.send_form(&session, "/probe", &fields);
    let shown = || served.ask(&Ask::get("/jobs/1").cookie(&session)).body;
    while shown().contains("hx-get") {}
    assert!(shown().contains("TLS 1.3"));
    agent.stop();
}
