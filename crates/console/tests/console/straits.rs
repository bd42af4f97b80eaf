//! What a person is told where things are not as they should be, and which way out is offered.

use crate::served::{Agent, HOUR_MS, Served, heartbeat, now};
use crate::wire::Ask;
use postseal_console::secret;
use postseal_store::desk::{Clerk as _, Desk as _, Heartbeat, Role, SignIn};
use serde_json::{Value, json};
use std::io::Read as _;

fn task(served: &Served, job: u64) -> Value {
    let job = served.desk().job(job).unwrap().unwrap();
    serde_json::from_str(&job.task).unwrap()
}

#[test]
fn a_postfix_that_was_not_adopted_can_be_adopted_and_nothing_is_said_of_how_it_is_set() {
    let (served, session) = Served::to(Role::Operator);
    let error = json!({"code": "instance.not-adopted", "message": "it is not adopted"});
    served.copy("status", &json!({"error": error}).to_string());
    for path in ["/", "/smtp-tls", "/policies", "/domains", "/plan"] {
        let page = served.ask(&Ask::get(path).cookie(&session)).body;
        assert!(
            page.contains("is not adopted yet") && page.contains("Adopt it"),
            "{path}: {page}"
        );
        assert!(!page.contains("type=\"radio\""), "{path}: {page}");
    }
    let auditor = served.signed_in(Role::Auditor);
    let page = served.ask(&Ask::get("/").cookie(&auditor)).body;
    assert!(
        page.contains("postseal init") && !page.contains("Adopt it"),
        "{page}"
    );
    served.send_form(&session, "/adopt", &[]);
    assert_eq!(task(&served, 1), json!({"task": "init"}));
}

#[test]
fn what_hinders_the_agent_is_said_with_what_to_do() {
    let (served, session) = Served::to(Role::Operator);
    let error =
        json!({"code": "store.failed", "message": "the store is in use", "hint": "Wait for it."});
    served.copy("status", &json!({"error": error}).to_string());
    let page = served.ask(&Ask::get("/").cookie(&session)).body;
    assert!(
        page.contains("The agent cannot look: the store is in use. Wait for it."),
        "{page}"
    );
}

#[test]
fn edits_by_hand_are_shown_with_both_ways_out() {
    let (served, session) = Served::to(Role::Operator);
    let edit = json!({"place": "main.cf", "parameter": "smtpd_tls_security_level", "written": "may", "now": "encrypt"});
    let file = json!({"path": "/etc/postfix/postseal.d/mx.pem", "what": "is gone"});
    let drift = json!({"drift": [edit], "drift_files": [file], "services": []});
    served.copy("status", &drift.to_string());
    served.copy(
        "plan",
        r#"{"error": {"code": "drift.unresolved", "message": "edited"}}"#,
    );
    let page = |path| served.ask(&Ask::get(path).cookie(&session)).body;
    assert!(page("/").contains("href=\"/plan#edits\""), "{}", page("/"));
    let plan = page("/plan");
    for part in [
        "smtpd_tls_security_level",
        "<bdi>may</bdi>",
        "<bdi>encrypt</bdi>",
        "mx.pem</bdi> <bdi>is gone",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    for (way, adopt, restore) in [("adopt", true, false), ("restore", false, true)] {
        assert!(
            plan.contains(&format!("name=\"do\" value=\"{way}\"")),
            "{plan}"
        );
        let answer = served.send_form(&session, "/plan/edits", &[("do", way)]);
        let job = answer
            .header("location")
            .rsplit('/')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let asked = json!({"task": "drift", "adopt": adopt, "restore": restore, "check": false});
        assert_eq!(task(&served, job), asked);
    }
    assert_eq!(
        served
            .send_form(&session, "/plan/edits", &[("do", "x")])
            .status,
        400
    );
    // Files follow the store: there is nothing to take over.
    let drift = json!({"drift_files": [{"path": "a", "what": "is gone"}], "services": []});
    served.copy("status", &drift.to_string());
    assert!(!page("/plan").contains("value=\"adopt\""));
}

#[test]
fn a_job_that_left_something_to_be_kept_says_what_has_become_of_it() {
    let (served, session) = Served::to(Role::Operator);
    let agent = Agent::start(&served, |_| {
        let waits = json!({"outcome": "awaiting-confirmation", "operation": 9,
            "confirm_by": "2099-01-01T00:00:00Z", "text": "Operation 9 is in force until then."});
        (0, waits.to_string())
    });
    served.send_form(
        &session,
        "/plan/apply",
        &[("plan", "abc"), ("confirm_within", "60")],
    );
    let page = || served.ask(&Ask::get("/jobs/1").cookie(&session)).body;
    served.ended(&session, 1);
    agent.stop();
    let open = json!({"operation": 9, "confirm_by": "2099-01-01T00:00:00Z"});
    served.copy("status", &json!({"open_operation": open}).to_string());
    let waits = page();
    assert!(
        waits.contains("! <bdi>in force, and not kept yet") && waits.contains("Keep it"),
        "{waits}"
    );
    assert!(!waits.contains("✓ done"), "{waits}");
    // Nobody kept it.
    let outcome = json!({"outcome": "rolled-back", "reason": "not confirmed in time"});
    let last = json!({"operation": 9, "outcome": outcome, "started": "2026-11-22T14:00:00Z"});
    served.copy("status", &json!({"last_operation": last}).to_string());
    let over = page();
    assert!(
        over.contains("! <bdi>operation 9: rolled-back: not confirmed in time"),
        "{over}"
    );
    assert!(
        !over.contains("Keep it") && !over.contains("✓ done"),
        "{over}"
    );
    served.copy("history", &json!({"operations": [last]}).to_string());
    for path in ["/", "/history"] {
        let page = served.ask(&Ask::get(path).cookie(&session)).body;
        assert!(page.contains("not confirmed in time"), "{path}: {page}");
    }
}

#[test]
fn what_was_rolled_back_or_refused_says_so_and_not_a_number() {
    for (exit, words) in [(4, "was rolled back"), (65, "refused: nothing was changed")] {
        let (served, session) = Served::to(Role::Operator);
        let agent = Agent::start(
            &served,
            match exit {
                4 => |_| (4, "{}".to_owned()),
                _ => |_| (65, "{}".to_owned()),
            },
        );
        served.send_form(&session, "/plan/apply", &[("plan", "abc")]);
        let page = served.ended(&session, 1);
        assert!(page.contains(words), "{page}");
        agent.stop();
    }
}

#[test]
fn a_job_that_waits_says_since_when_there_is_no_agent() {
    let (served, session) = Served::to(Role::Operator);
    let beat = Heartbeat {
        now_ms: now() - 30_000,
        ..heartbeat()
    };
    served.desk().beat(&beat).unwrap();
    served.send_form(&session, "/plan/discard", &[]);
    let ask = Ask::get("/jobs/1/progress").cookie(&session);
    let part = served.ask(&ask).body;
    assert!(
        part.contains("this waits until it runs") && part.contains("30 s ago"),
        "{part}"
    );
    served.desk().beat(&heartbeat()).unwrap();
    assert!(!served.ask(&ask).body.contains("this waits until it runs"));
}

#[test]
fn a_page_that_stands_open_keeps_no_session_alive_and_is_told_when_it_has_ended() {
    let served = Served::new();
    served.user("ingrid", Role::Operator);
    let cookie = secret::fresh().unwrap();
    let seen_ms = now() - 60_000;
    let session = SignIn {
        digest: secret::digest(&cookie),
        user: "ingrid".to_owned(),
        made_ms: seen_ms,
        seen_ms,
        ends_ms: now() + HOUR_MS,
        address: "127.0.0.1".to_owned(),
        browser: "a test".to_owned(),
    };
    served.desk().sign_in(&session).unwrap();
    let cookie = format!("__Host-postseal={cookie}");
    let seen = || served.desk().sessions("ingrid").unwrap()[0].seen_ms;
    let by_itself = |cookie: &str| {
        let ask = Ask::get("/").cookie(cookie).with("hx-request", "true");
        served.ask(&ask.with("hx-trigger", "pulse"))
    };
    assert_eq!(by_itself(&cookie).status, 200);
    // So do the other parts of pages that ask again and again, and a stream.
    let token = served.token("ingrid", Role::Operator, now() + HOUR_MS);
    let id = served.file(&token, r#"{"task":"status"}"#);
    for (path, header, value) in [
        ("/", "hx-trigger", "changing"),
        ("/", "hx-trigger", "waits"),
        (&*format!("/jobs/{id}/progress"), "hx-trigger", "progress"),
    ] {
        let ask = Ask::get(path).cookie(&cookie).with(header, value);
        assert_eq!(served.ask(&ask).status, 200, "{path}");
    }
    let events = format!("/api/v1/jobs/{id}/events");
    let ask = Ask::get(&events).cookie(&cookie);
    let mut stream = ask.with("accept", "text/event-stream").open(served.at);
    stream.read_exact(&mut [0; 12]).unwrap();
    // Longer than it takes until the stream asks whether it may go on.
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(seen(), seen_ms);
    assert_eq!(served.ask(&Ask::get("/").cookie(&cookie)).status, 200);
    assert!(seen() > seen_ms);
    // No page of signing in is put where a part was asked for.
    assert_eq!(by_itself("__Host-postseal=none").status, 401);
    assert_eq!(served.ask(&Ask::get("/")).status, 303);
}
