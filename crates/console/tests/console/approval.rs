//! Two persons for one change.

use crate::served::{HOUR_MS, Served, heartbeat, now};
use crate::wire::{Answer, Ask};
use postseal_store::desk::{Clerk as _, Desk as _, JobState, NewJob, Role};

const APPLY: &str = r#"{"task":"apply","plan":"abc"}"#;

fn served() -> Served {
    Served::told(|options| options.two_persons = true)
}

fn program(served: &Served, name: &str, role: Role) -> String {
    served.user(name, role);
    served.token(name, role, now() + HOUR_MS)
}

fn approve(served: &Served, token: &str, job: u64) -> Answer {
    let path = format!("/api/v1/jobs/{job}/approval");
    served.call(token, "POST", &path, "")
}

#[test]
fn a_change_waits_until_somebody_else_has_approved_it() {
    let served = served();
    let olav = program(&served, "olav", Role::Operator);
    let ingrid = program(&served, "ingrid", Role::Approver);
    let job = served.file(&olav, APPLY);
    let mut desk = served.desk();
    assert!(desk.claim(&heartbeat()).unwrap().is_none());
    let place = format!("/api/v1/jobs/{job}");
    assert_eq!(
        served.call(&olav, "GET", &place, "").json()["state"],
        "proposed"
    );
    // An operator approves nothing, an approver files nothing.
    assert_eq!(approve(&served, &olav, job).status, 403);
    assert_eq!(
        served.call(&ingrid, "POST", "/api/v1/jobs", APPLY).status,
        403
    );
    let approved = approve(&served, &ingrid, job);
    assert_eq!(approved.status, 202, "{}", approved.body);
    assert_eq!(approved.json()["state"], "waiting");
    let again = approve(&served, &ingrid, job);
    assert_eq!(
        (again.status, again.code().as_str()),
        (409, "console.not-proposed")
    );
    // The agent gets what was filed, in the name of both.
    let claimed = desk.claim(&heartbeat()).unwrap().unwrap();
    assert_eq!(
        claimed.actor,
        "olav (token 1), approved by ingrid (token 2)"
    );
    assert!(claimed.task.contains(r#""plan":"abc""#), "{}", claimed.task);
    let notes = desk.notes(0, 10).unwrap();
    assert_eq!(notes.last().unwrap().what, format!("approved job {job}"));
}

#[test]
fn who_filed_it_does_not_approve_it_by_whatever_way() {
    let served = served();
    let token = program(&served, "ingrid", Role::Admin);
    let other_token = served.token("ingrid", Role::Admin, now() + HOUR_MS);
    let session = served.session("ingrid");
    // A user whose name begins with another's is another.
    let ing = program(&served, "ing", Role::Admin);
    let job = served.file(&token, APPLY);
    for own in [&token, &other_token] {
        let refused = approve(&served, own, job);
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (409, "console.own-change")
        );
    }
    let page = format!("/jobs/{job}");
    let by_page = served.send_form(&session, &format!("{page}/approve"), &[]);
    assert_eq!(by_page.status, 409);
    let shown = served.ask(&Ask::get(&page).cookie(&session)).body;
    assert!(
        shown.contains("two persons") && !shown.contains("Approve it"),
        "{shown}"
    );
    assert!(!shown.contains("waits for your approval"), "{shown}");
    assert_eq!(approve(&served, &ing, job).status, 202);
}

#[test]
fn an_approver_finds_what_waits_and_which_plan_it_is() {
    let served = served();
    let olav = program(&served, "olav", Role::Operator);
    let session = served.signed_in(Role::Approver);
    let job = served.file(&olav, APPLY);
    let page = |path: &str| served.ask(&Ask::get(path).cookie(&session)).body;
    served.copy("plan", r#"{"plan":"abc","pending":true}"#);
    let link = format!("href=\"/jobs/{job}\">waits for your approval");
    assert!(page("/").contains(&link));
    let path = format!("/jobs/{job}");
    assert!(page(&path).contains("the one that the page Plan shows"));
    served.copy("plan", r#"{"plan":"def","pending":true}"#);
    assert!(page(&path).contains("shows another"));
    let approved = served.send_form(&session, &format!("{path}/approve"), &[]);
    assert_eq!(approved.header("location"), path, "{}", approved.body);
    assert!(!page("/").contains("waits for your approval"));
    // Who may say yes may say no.
    let job = served.file(&olav, APPLY);
    assert!(page(&format!("/jobs/{job}")).contains("Refuse it"));
    served.send_form(&session, &format!("/jobs/{job}/cancel"), &[]);
    let refused = served.desk().job(job).unwrap().unwrap();
    assert_eq!(refused.state, JobState::Cancelled);
}

#[test]
fn what_is_approved_is_named_and_what_needs_no_second_person_goes_on() {
    let served = served();
    let olav = program(&served, "olav", Role::Operator);
    for task in [r#"{"task":"apply"}"#, r#"{"task":"rollback"}"#] {
        let refused = served.call(&olav, "POST", "/api/v1/jobs", task);
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (422, "console.approval-of-what"),
            "{task}"
        );
    }
    let state = |task: &str| {
        let job = served.file(&olav, task);
        served.desk().job(job).unwrap().unwrap().state
    };
    for task in [
        r#"{"task":"rollback","operation":7}"#,
        r#"{"task":"drift","restore":true}"#,
        r#"{"task":"cert-renew","force":true}"#,
        r#"{"task":"cert-deploy","name":"mx"}"#,
    ] {
        assert_eq!(state(task), JobState::Proposed, "{task}");
    }
    for task in [
        r#"{"task":"apply","check":true}"#,
        r#"{"task":"set","pairs":["mode=may"]}"#,
        r#"{"task":"confirm"}"#,
        r#"{"task":"status"}"#,
    ] {
        assert_eq!(state(task), JobState::Waiting, "{task}");
    }
}

#[test]
fn a_proposal_can_be_given_up_is_over_after_a_day_and_is_filed_once() {
    let served = served();
    let olav = program(&served, "olav", Role::Operator);
    let ingrid = program(&served, "ingrid", Role::Approver);
    let job = served.file(&olav, APPLY);
    let given_up = served.call(&olav, "DELETE", &format!("/api/v1/jobs/{job}"), "");
    assert_eq!(given_up.json()["state"], "cancelled", "{}", given_up.body);
    assert_eq!(approve(&served, &ingrid, job).status, 409);
    let old = NewJob {
        instance: "/etc/postfix".to_owned(),
        actor: "olav".to_owned(),
        filed_ms: now() - 25 * HOUR_MS,
        task: APPLY.to_owned(),
        request: None,
    };
    served.desk().propose(&old).unwrap();
    assert_eq!(
        approve(&served, &ingrid, job + 1).code(),
        "console.proposal-over"
    );
    let ask = Ask::new("POST", "/api/v1/jobs").with("authorization", &olav);
    let ask = ask.with("idempotency-key", "a").body(APPLY);
    let first = served.ask(&ask).json();
    assert_eq!(
        approve(&served, &ingrid, first["job"].as_u64().unwrap()).status,
        202
    );
    assert_eq!(
        served.ask(&ask).json(),
        first,
        "sent again after it was approved"
    );
}

#[test]
fn without_the_setting_nothing_waits() {
    let (served, token) = Served::to_program(Role::Operator);
    let job = served.file(&token, r#"{"task":"apply"}"#);
    assert_eq!(served.desk().claim(&heartbeat()).unwrap().unwrap().id, job);
}
