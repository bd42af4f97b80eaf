//! The API as programs meet it.

use crate::served::{HOUR_MS, Served, heartbeat, now};
use crate::wire::Ask;
use postseal_store::desk::{Clerk as _, Desk as _, End, JobState, Role};

fn served() -> (Served, String) {
    let served = Served::new();
    served.user("ingrid", Role::Operator);
    let token = served.token("ingrid", Role::Operator, now() + HOUR_MS);
    (served, token)
}

fn get(served: &Served, token: &str, path: &str) -> crate::wire::Answer {
    served.ask(&Ask::get(path).with("authorization", token))
}

#[test]
fn a_task_becomes_a_job_with_an_answer() {
    let (served, token) = served();
    let ask = Ask::new("POST", "/api/v1/jobs").with("authorization", &token);
    let answer = served.ask(&ask.body(r#"{"task":"set","pairs":["mode=may"]}"#));
    assert_eq!(answer.status, 202);
    let place = answer.header("location").to_owned();
    let job = get(&served, &token, &place).json();
    assert_eq!(
        (job["state"].as_str(), job["exit"].as_u64()),
        (Some("waiting"), None)
    );
    assert_eq!(job["task"]["pairs"][0], "mode=may");
    assert_eq!(job["actor"], "ingrid (token 1)");
    let mut desk = served.desk();
    let id = desk.claim(&heartbeat()).unwrap().unwrap().id;
    let end = End {
        exit: 0,
        answer: r#"{"changed":true,"text":"mode = may\n"}"#.to_owned(),
    };
    desk.end(id, JobState::Done, &end, now()).unwrap();
    let job = get(&served, &token, &place).json();
    assert_eq!(
        (job["state"].as_str(), job["exit"].as_u64()),
        (Some("done"), Some(0))
    );
    assert_eq!(job["answer"]["changed"], true);
}

#[test]
fn what_is_no_task_is_refused_with_its_code() {
    let (served, token) = served();
    for (task, code) in [
        ("", "task.unreadable"),
        (r#"{"task":"run","command":"id"}"#, "task.unreadable"),
        (
            r#"{"task":"set","pairs":["trust.outbound=/etc/shadow"]}"#,
            "task.local-only",
        ),
        (
            r#"{"task":"set","pairs":["mode=may\nx"]}"#,
            "task.control-character",
        ),
    ] {
        let ask = Ask::new("POST", "/api/v1/jobs").with("authorization", &token);
        let answer = served.ask(&ask.body(task));
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (422, code),
            "{task}"
        );
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    assert!(served.desk().claim(&heartbeat()).unwrap().is_none());
}

#[test]
fn the_same_request_twice_is_one_job() {
    let (served, token) = served();
    let send = |key: &str, task: &str| {
        let ask = Ask::new("POST", "/api/v1/jobs").with("authorization", &token);
        served.ask(&ask.with("idempotency-key", key).body(task))
    };
    let first = send("a", r#"{"task":"status"}"#).json();
    assert_eq!(first, send("a", r#"{ "task": "status" }"#).json());
    assert_ne!(first, send("b", r#"{"task":"status"}"#).json());
    let other = send("a", r#"{"task":"drift"}"#);
    assert_eq!(
        (other.status, other.code().as_str()),
        (422, "console.idempotency-key-taken")
    );
    let long = send(&"k".repeat(256), r#"{"task":"status"}"#);
    assert_eq!(long.status, 400);
}

#[test]
fn jobs_are_listed_a_page_at_a_time() {
    let (served, token) = served();
    for _ in 0..5 {
        served.file(&token, r#"{"task":"status"}"#);
    }
    let page = get(&served, &token, "/api/v1/jobs?limit=3").json();
    let ids = |page: &serde_json::Value| -> Vec<u64> {
        let jobs = page["jobs"].as_array().unwrap();
        jobs.iter().map(|job| job["id"].as_u64().unwrap()).collect()
    };
    assert_eq!(ids(&page), [5, 4, 3]);
    assert_eq!(page["next"], 3);
    let rest = get(&served, &token, "/api/v1/jobs?limit=3&before=3").json();
    assert_eq!((ids(&rest), rest["next"].as_u64()), (vec![2, 1], None));
    assert_eq!(get(&served, &token, "/api/v1/jobs?limit=x").status, 400);
}

#[test]
fn a_job_that_waits_can_be_given_up_once() {
    let (served, token) = served();
    let id = served.file(&token, r#"{"task":"status"}"#);
    let ask = Ask::new("DELETE", &format!("/api/v1/jobs/{id}")).with("authorization", &token);
    let answer = served.ask(&ask);
    assert_eq!(
        (answer.status, answer.json()["state"].as_str()),
        (202, Some("cancelled"))
    );
    assert_eq!(served.ask(&ask).code(), "console.job-ended");
    let none = Ask::new("DELETE", "/api/v1/jobs/99").with("authorization", &token);
    assert_eq!(served.ask(&none).status, 404);
}

#[test]
fn who_may_not_wish_cannot_end_anothers_change() {
    let (served, token) = served();
    let id = served.file(&token, r#"{"task":"apply"}"#);
    served.user("olav", Role::Auditor);
    let auditor = served.token("olav", Role::Auditor, now() + HOUR_MS);
    let ask = Ask::new("DELETE", &format!("/api/v1/jobs/{id}")).with("authorization", &auditor);
    assert_eq!(served.ask(&ask).status, 403);
}

#[test]
fn jobs_of_another_instance_are_not_here() {
    let (served, token) = served();
    let job = postseal_store::desk::NewJob {
        instance: "/etc/postfix-other".to_owned(),
        actor: "olav".to_owned(),
        filed_ms: now(),
        task: r#"{"task":"status"}"#.to_owned(),
        request: None,
    };
    served.desk().file(&job).unwrap();
    for path in ["/api/v1/jobs/1", "/api/v1/jobs/1/events"] {
        assert_eq!(get(&served, &token, path).status, 404, "{path}");
    }
}

#[test]
fn a_copy_is_sent_again_only_where_it_is_another() {
    let (served, token) = served();
    let path = "/api/v1/copies/status";
    assert_eq!(get(&served, &token, path).code(), "console.no-copy-yet");
    served.copy("status", r#"{"services":[]}"#);
    let answer = get(&served, &token, path);
    assert_eq!(answer.json()["document"]["services"], serde_json::json!([]));
    assert!(answer.json()["copied_at"].as_str().unwrap().ends_with('Z'));
    let tag = answer.header("etag").to_owned();
    let ask = Ask::get(path).with("authorization", &token);
    let same = served.ask(&ask.clone().with("if-none-match", &format!("\"x\", {tag}")));
    assert_eq!((same.status, same.body.as_str()), (304, ""));
    assert!(!same.header("last-modified").is_empty());
    served.copy("status", r#"{"services":[1]}"#);
    assert_eq!(served.ask(&ask.with("if-none-match", &tag)).status, 200);
    assert_eq!(get(&served, &token, "/api/v1/copies/secrets").status, 404);
    served.copy("plan", "no JSON");
    assert_eq!(
        get(&served, &token, "/api/v1/copies/plan").code(),
        "console.copy-unreadable"
    );
}

#[test]
fn the_agent_is_told_with_its_age() {
    let (served, token) = served();
    assert!(get(&served, &token, "/api/v1/agent").json()["age"].is_null());
    served.desk().beat(&heartbeat()).unwrap();
    let agent = get(&served, &token, "/api/v1/agent").json();
    assert!(agent["age"].as_i64().unwrap() < 60, "{agent}");
}

#[test]
fn what_is_not_there_is_a_problem_too() {
    let (served, token) = served();
    for (method, path, status) in [
        ("GET", "/api/v1/nothing", 404),
        ("PUT", "/api/v1/jobs", 405),
        ("GET", "/api/v1/jobs/x", 400),
        ("GET", "/api/v1/jobs/../../etc/passwd", 404),
    ] {
        let answer = served.ask(&Ask::new(method, path).with("authorization", &token));
        assert_eq!(answer.status, status, "{path}");
        assert!(
            answer.code().starts_with("console."),
            "{path} {}",
            answer.body
        );
    }
}
