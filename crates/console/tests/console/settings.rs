//! Users and tokens, as an administrator keeps them.

use crate::served::Served;
use crate::wire::Ask;
use postseal_store::desk::{Clerk as _, Desk as _, Role};

/// What an answer shows this once.
fn once(body: &str) -> String {
    let (_, rest) = body.split_once("<pre class=\"mb-0\"><bdi>").unwrap();
    rest.split('<').next().unwrap().to_owned()
}

#[test]
fn who_is_added_gets_a_link_that_is_shown_once() {
    let served = Served::new();
    let session = served.signed_in(Role::Admin);
    let fields = [("name", "ingrid"), ("role", "operator")];
    let answer = served.send_form(&session, "/settings/users", &fields);
    let link = once(&answer.body);
    assert!(
        served
            .ask(&Ask::get(&link))
            .body
            .contains("<bdi>ingrid</bdi>"),
        "{link}"
    );
    let later = served.ask(&Ask::get("/settings").cookie(&session)).body;
    assert!(
        later.contains("ingrid") && !later.contains(&link),
        "{later}"
    );
    let again = served.send_form(&session, "/settings/users", &fields);
    assert_eq!(again.status, 409);
    let wrong = [("name", "<b>"), ("role", "operator")];
    assert_eq!(
        served.send_form(&session, "/settings/users", &wrong).status,
        400
    );
    let notes = served.desk().notes(0, 10).unwrap();
    assert_eq!(notes[0].what, "added user ingrid (operator)");
}

#[test]
fn who_is_removed_is_gone_at_once_but_nobody_removes_themselves() {
    let served = Served::new();
    let session = served.signed_in(Role::Admin);
    let other = served.signed_in(Role::Operator);
    let own = served.send_form(&session, "/settings/users/remove", &[("name", "admin")]);
    assert_eq!(own.status, 409);
    served.send_form(&session, "/settings/users/remove", &[("name", "operator")]);
    assert!(served.desk().user("operator").unwrap().is_none());
    assert_eq!(
        served.ask(&Ask::get("/api/v1/jobs").cookie(&other)).status,
        401
    );
}

#[test]
fn a_token_works_until_it_is_removed() {
    let served = Served::new();
    let session = served.signed_in(Role::Admin);
    let fields = [
        ("user", "admin"),
        ("name", "nightly"),
        ("role", "auditor"),
        ("days", "9"),
    ];
    let answer = served.send_form(&session, "/settings/tokens", &fields);
    let token = format!("Bearer {}", once(&answer.body));
    let ask = Ask::get("/api/v1/jobs").with("authorization", &token);
    assert_eq!(served.ask(&ask).status, 200);
    served.send_form(&session, "/settings/tokens/remove", &[("id", "1")]);
    assert_eq!(served.ask(&ask).status, 401);
    let nobody = [
        ("user", "nobody"),
        ("name", "x"),
        ("role", "admin"),
        ("days", "9"),
    ];
    assert_eq!(
        served
            .send_form(&session, "/settings/tokens", &nobody)
            .status,
        404
    );
}
