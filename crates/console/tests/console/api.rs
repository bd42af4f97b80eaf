//! The API as programs meet it.

use crate::served::{HOUR_MS, Served, heartbeat, now};
use crate::wire::Ask;
use postseal_store::desk::{Clerk as _, Desk as _, End, Heartbeat, JobState, Role};

fn get(served: &Served, token: &str, path: &str) -> crate::wire::Answer {
    served.ask(&Ask::get(path).with("authorization", token))
}

#[test]
fn a_task_becomes_a_job_with_an_answer() {
    let (served, token) = Served::to_program(Role::Operator);
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
    let (served, token) = Served::to_program(Role::Operator);
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
    let (served, token) = Served::to_program(Role::Operator);
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
    let (served, token) = Served::to_program(Role::Operator);
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
    let (served, token) = Served::to_program(Role::Operator);
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
    let (served, token) = Served::to_program(Role::Operator);
    let id = served.file(&token, r#"{"task":"apply"}"#);
    served.user("olav", Role::Auditor);
    let auditor = served.token("olav", Role::Auditor, now() + HOUR_MS);
    let ask = Ask::new("DELETE", &format!("/api/v1/jobs/{id}")).with("authorization", &auditor);
    assert_eq!(served.ask(&ask).status, 403);
}

#[test]
fn jobs_of_another_instance_are_not_here() {
    let (served, token) = Served::to_program(Role::Operator);
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
    let (served, token) = Served::to_program(Role::Operator);
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
    let (served, token) = Served::to_program(Role::Operator);
    assert!(get(&served, &token, "/api/v1/agent").json()["age"].is_null());
    served.desk().beat(&heartbeat()).unwrap();
    let agent = get(&served, &token, "/api/v1/agent").json();
    assert!(agent["age"].as_i64().unwrap() < 60, "{agent}");
}

#[test]
fn what_is_not_there_is_a_problem_too() {
    let (served, token) = Served::to_program(Role::Operator);
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

#[test]
fn a_job_is_sent_again_only_where_it_is_another() {
    let (served, token) = Served::to_program(Role::Operator);
    let id = served.file(&token, r#"{"task":"status"}"#);
    for path in [format!("/api/v1/jobs/{id}"), "/api/v1/jobs".to_owned()] {
        let tag = get(&served, &token, &path).header("etag").to_owned();
        let ask = Ask::get(&path).with("authorization", &token);
        let ask = ask.with("if-none-match", &tag);
        let same = served.ask(&ask);
        assert_eq!((same.status, same.header("etag")), (304, tag.as_str()));
        let mut desk = served.desk();
        if let Some(job) = desk.claim(&heartbeat()).unwrap() {
            assert_eq!(served.ask(&ask).status, 200, "{}", job.id);
        }
    }
}

#[test]
fn a_job_whose_agent_is_silent_is_shown_as_abandoned() {
    let (served, token) = Served::to_program(Role::Operator);
    let session = served.session("ingrid");
    let id = served.file(&token, r#"{"task":"apply"}"#);
    let job = || get(&served, &token, &format!("/api/v1/jobs/{id}")).json();
    let page = || {
        served
            .ask(&Ask::get(&format!("/jobs/{id}")).cookie(&session))
            .body
    };
    served.desk().claim(&heartbeat()).unwrap().unwrap();
    assert!(job()["abandoned_since"].is_null() && !page().contains("Abandoned since"));
    let lease_ms = now() - 5_000;
    let silent = Heartbeat {
        lease_ms,
        ..heartbeat()
    };
    served.desk().beat(&silent).unwrap();
    assert_eq!(job()["state"], "running");
    assert!(job()["abandoned_since"].is_string(), "{}", job());
    assert!(page().contains("Abandoned since"), "{}", page());
    let end = End {
        exit: 1,
        answer: "{}".to_owned(),
    };
    served.desk().end(id, JobState::Lost, &end, now()).unwrap();
    assert!(job()["abandoned_since"].is_null() && !page().contains("Abandoned since"));
}

/// A wish of ingrid's that says what it was made from.
fn wish(served: &Served, token: &str, made_from: &str) -> crate::wire::Answer {
    let ask = Ask::new("POST", "/api/v1/jobs").with("authorization", token);
    let ask = ask.with("if-match", made_from);
    served.ask(&ask.body(r#"{"task":"set","pairs":["mode=may"]}"#))
}

#[test]
fn a_change_that_was_made_from_what_is_over_is_not_filed() {
    let (served, token) = Served::to_program(Role::Operator);
    served.user("olav", Role::Operator);
    let olav = served.token("olav", Role::Operator, now() + HOUR_MS);
    served.copy("status", r#"{"services":[]}"#);
    served.copy("plan", r#"{"pending":false}"#);
    let tag = |what: &str| {
        let path = format!("/api/v1/copies/{what}");
        get(&served, &token, &path).header("etag").to_owned()
    };
    let both = format!("{}, {}", tag("status"), tag("plan"));
    assert_eq!(wish(&served, &token, "\"of no copy\"").status, 412);
    // A look changes nothing; neither does a job that nobody began.
    served.file(&olav, r#"{"task":"status"}"#);
    let given_up = served.file(&olav, r#"{"task":"discard"}"#);
    served.desk().cancel(given_up, now()).unwrap();
    let filed = wish(&served, &token, &both);
    assert_eq!(filed.status, 202, "{}", filed.body);
    // Now there is one that waits: whoever read the same is too late.
    let late = wish(&served, &olav, &both);
    assert_eq!(
        (late.status, late.code().as_str()),
        (412, "console.changed-since")
    );
    assert_eq!(late.header("content-type"), "application/problem+json");
    let mut desk = served.desk();
    while let Some(job) = desk.claim(&heartbeat()).unwrap() {
        let end = End {
            exit: 0,
            answer: "{}".to_owned(),
        };
        desk.end(job.id, JobState::Done, &end, now()).unwrap();
    }
    // It has ended, and the copies are from before: they may not hold it.
    assert_eq!(wish(&served, &olav, &both).status, 412);
    // Looked at again, and the same: it may be filed.
    desk.put_copy("/etc/postfix", "status", r#"{"services":[]}"#, now() + 1)
        .unwrap();
    assert_eq!(wish(&served, &olav, &both).status, 412, "the plan is older");
    desk.put_copy("/etc/postfix", "plan", r#"{"pending":true}"#, now() + 1)
        .unwrap();
    assert_eq!(wish(&served, &olav, &both).status, 412, "another plan");
    let both = format!("{}, {}", tag("status"), tag("plan"));
    assert_eq!(wish(&served, &olav, &both).status, 202);
}

#[test]
fn a_request_that_is_sent_again_is_the_same_job_though_it_changed_something() {
    let (served, token) = Served::to_program(Role::Operator);
    served.copy("status", "{}");
    let tag = get(&served, &token, "/api/v1/copies/status")
        .header("etag")
        .to_owned();
    let ask = Ask::new("POST", "/api/v1/jobs").with("authorization", &token);
    let ask = ask.with("if-match", &tag).with("idempotency-key", "a");
    let ask = ask.body(r#"{"task":"set","pairs":["mode=may"]}"#);
    let first = served.ask(&ask);
    let second = served.ask(&ask);
    assert_eq!((first.status, second.status), (202, 202), "{}", second.body);
    assert_eq!(first.json(), second.json());
    let other = served.ask(&ask.with("idempotency-key", "b"));
    assert_eq!(other.status, 412);
    let nothing = Ask::new("POST", "/api/v1/jobs").with("authorization", &token);
    let nothing = nothing.with("if-match", "").body(r#"{"task":"discard"}"#);
    assert_eq!(served.ask(&nothing).status, 400);
}
