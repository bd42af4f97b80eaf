//! Users, tokens and sessions by the API.

use crate::served::{HOUR_MS, Served, now};
use crate::wire::Ask;
use postseal_store::desk::{Clerk as _, Desk as _, Role};
use serde_json::json;

#[test]
fn users_are_added_changed_invited_anew_and_removed() {
    let (served, token) = Served::to_program(Role::Admin);
    let call = |method, path: &str, body| served.call(&token, method, path, body);
    let added = call(
        "POST",
        "/api/v1/users",
        r#"{"name":"olav","role":"auditor"}"#,
    );
    assert_eq!(
        (added.status, added.header("location")),
        (201, "/api/v1/users/olav"),
        "{}",
        added.body
    );
    let link = added.json()["link"].as_str().unwrap().to_owned();
    assert!(
        served
            .ask(&Ask::get(&link))
            .body
            .contains("<bdi>olav</bdi>")
    );
    let again = call(
        "POST",
        "/api/v1/users",
        r#"{"name":"olav","role":"auditor"}"#,
    );
    assert_eq!(
        (again.status, again.code().as_str()),
        (409, "console.user-exists")
    );
    let changed = call("PATCH", "/api/v1/users/olav", r#"{"role":"operator"}"#);
    assert_eq!(changed.json()["role"], "operator", "{}", changed.body);
    let session = served.session("olav");
    let anew = call("POST", "/api/v1/users/olav/invitation", "");
    assert_eq!(anew.status, 201);
    assert_ne!(anew.json()["link"], json!(link));
    assert_eq!(
        served.ask(&Ask::get("/api/v1/me").cookie(&session)).status,
        401
    );
    let users = call("GET", "/api/v1/users", "").json();
    assert_eq!(users["users"][1]["name"], "olav");
    assert_eq!(users["users"][1]["invited"], true);
    // Neither a hash nor a link comes back out.
    assert!(!users.to_string().contains("/welcome/") && users["users"][1]["password"].is_null());
    assert_eq!(call("DELETE", "/api/v1/users/olav", "").status, 204);
    assert_eq!(call("GET", "/api/v1/users/olav", "").status, 404);
    // As on the page, nobody changes their own account.
    for (method, path, body) in [
        ("PATCH", "/api/v1/users/ingrid", r#"{"role":"auditor"}"#),
        ("POST", "/api/v1/users/ingrid/invitation", ""),
        ("DELETE", "/api/v1/users/ingrid", ""),
    ] {
        let own = call(method, path, body);
        assert_eq!(
            (own.status, own.code().as_str()),
            (409, "console.own-account")
        );
    }
    let notes = served.desk().notes(0, 10).unwrap();
    assert_eq!(notes[0].actor, "ingrid (token 1)");
    assert_eq!(notes[0].what, "added user olav (auditor)");
}

#[test]
fn what_is_no_user_or_token_is_a_problem() {
    let (served, token) = Served::to_program(Role::Admin);
    for (path, body, status) in [
        ("/api/v1/users", "", 415),
        ("/api/v1/users", "no JSON", 400),
        ("/api/v1/users", r#"{"name":"olav"}"#, 422),
        ("/api/v1/users", r#"{"name":"olav","role":"root"}"#, 422),
        (
            "/api/v1/users",
            r#"{"name":"olav","role":"admin","password":"x"}"#,
            422,
        ),
        ("/api/v1/users", r#"{"name":"<b>","role":"admin"}"#, 400),
        (
            "/api/v1/tokens",
            r#"{"user":"nobody","name":"x","role":"admin","days":1}"#,
            404,
        ),
    ] {
        let answer = served.call(&token, "POST", path, body);
        assert_eq!(answer.status, status, "{body} {}", answer.body);
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{body}"
        );
        assert!(answer.code().starts_with("console."), "{body}");
    }
    assert_eq!(served.desk().users().unwrap().len(), 1);
}

#[test]
fn a_token_is_made_shown_once_and_ended() {
    let (served, token) = Served::to_program(Role::Admin);
    let wanted = r#"{"user":"ingrid","name":"nightly","role":"auditor","days":9}"#;
    let made = served.call(&token, "POST", "/api/v1/tokens", wanted);
    assert_eq!(made.status, 201, "{}", made.body);
    let text = made.json()["token"].as_str().unwrap().to_owned();
    let nightly = format!("Bearer {text}");
    let me = served.call(&nightly, "GET", "/api/v1/me", "").json();
    assert_eq!(
        (&me["user"], &me["rights"]),
        (&json!("ingrid"), &json!(["see", "look"]))
    );
    let listed = served.call(&token, "GET", "/api/v1/tokens", "");
    assert!(
        listed.body.contains("nightly") && !listed.body.contains(&text),
        "{}",
        listed.body
    );
    let place = format!("/api/v1/tokens/{}", made.json()["id"]);
    assert_eq!(served.call(&token, "DELETE", &place, "").status, 204);
    assert_eq!(served.call(&nightly, "GET", "/api/v1/me", "").status, 401);
    assert_eq!(served.call(&token, "DELETE", &place, "").status, 404);
}

#[test]
fn a_session_is_ended_by_its_handle_and_by_its_user_alone() {
    let (served, session) = Served::to(Role::Operator);
    let other = served.session("operator");
    let listed = |cookie: &str| {
        served
            .ask(&Ask::get("/api/v1/sessions").cookie(cookie))
            .json()
    };
    let all = listed(&session);
    let sessions = all["sessions"].as_array().unwrap();
    let this: Vec<bool> = sessions.iter().map(|one| one["this"] == true).collect();
    assert_eq!(this.iter().filter(|this| **this).count(), 1, "{all}");
    let id = sessions.iter().find(|one| one["this"] == false).unwrap()["id"].clone();
    // It tells nothing of the secret, or of its digest.
    let cookie = other.split_once('=').unwrap().1;
    assert!(!all.to_string().contains(&cookie[..12]), "{all}");
    let stranger = served.signed_in(Role::Admin);
    let fields = [("session", id.as_str().unwrap())];
    let not_own = served.send_form(&stranger, "/settings/sessions/end", &fields);
    assert_eq!(not_own.status, 404);
    let page = served.ask(&Ask::get("/settings").cookie(&session)).body;
    assert!(
        page.contains("this one") && page.contains(id.as_str().unwrap()),
        "{page}"
    );
    let ended = served.send_form(&session, "/settings/sessions/end", &fields);
    assert_eq!(ended.header("location"), "/settings", "{}", ended.body);
    assert_eq!(
        served.ask(&Ask::get("/api/v1/me").cookie(&other)).status,
        401
    );
    assert_eq!(listed(&session)["sessions"].as_array().unwrap().len(), 1);
}

#[test]
fn an_administrator_ends_anothers_sessions() {
    let (served, token) = Served::to_program(Role::Admin);
    let session = served.signed_in(Role::Operator);
    let place = "/api/v1/users/operator/sessions";
    let listed = served.call(&token, "GET", place, "").json();
    assert_eq!(listed["sessions"][0]["this"], false, "{listed}");
    let ended = served.call(&token, "DELETE", place, "");
    assert_eq!(ended.json()["ended"], 1, "{}", ended.body);
    assert_eq!(served.ask(&Ask::get("/").cookie(&session)).status, 303);
    let nobody = served.call(&token, "DELETE", "/api/v1/users/nobody/sessions", "");
    assert_eq!(nobody.status, 404);
    // By the page, too.
    let admin = served.signed_in(Role::Admin);
    let session = served.session("operator");
    served.send_form(&admin, "/settings/users/sign-out", &[("name", "operator")]);
    assert_eq!(served.ask(&Ask::get("/").cookie(&session)).status, 303);
    // One's own, all at once, by a program.
    let own = served.token("operator", Role::Operator, now() + HOUR_MS);
    served.session("operator");
    let ended = served.call(&own, "DELETE", "/api/v1/sessions", "");
    assert_eq!(ended.json()["ended"], 1, "{}", ended.body);
}
