//! Users and tokens, as an administrator keeps them.

use crate::served::{Served, now};
use crate::wire::Ask;
use postseal_store::desk::{Clerk as _, Desk as _, Role, User};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

/// What an answer shows this once.
fn once(body: &str) -> String {
    let (_, rest) = body.split_once("<pre class=\"mb-0\"><bdi>").unwrap();
    rest.split('<').next().unwrap().to_owned()
}

#[test]
fn who_is_added_gets_a_link_that_is_shown_once() {
    let (served, session) = Served::to(Role::Admin);
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
    let (served, session) = Served::to(Role::Admin);
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
    let (served, session) = Served::to(Role::Admin);
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

#[test]
fn another_role_holds_from_the_next_request_on() {
    let (served, session) = Served::to(Role::Admin);
    let other = served.signed_in(Role::Auditor);
    let wish = || served.send_form(&other, "/plan/discard", &[]).status;
    assert_eq!(wish(), 403);
    let fields = [("name", "auditor"), ("role", "operator")];
    served.send_form(&session, "/settings/users/role", &fields);
    assert_eq!(wish(), 303);
    let notes = served.desk().notes(0, 10).unwrap();
    assert_eq!(notes[0].what, "user auditor became operator");
    let own = [("name", "admin"), ("role", "auditor")];
    let own = served.send_form(&session, "/settings/users/role", &own);
    assert_eq!(own.status, 409);
}

#[test]
fn a_new_invitation_ends_what_was_before_it() {
    let (served, session) = Served::to(Role::Admin);
    let other = served.signed_in(Role::Operator);
    let mut desk = served.desk();
    let user = desk.user("operator").unwrap().unwrap();
    let totp = Some(vec![1; 20]);
    desk.change_user(&User { totp, ..user }).unwrap();
    let fields = [("name", "operator")];
    let answer = served.send_form(&session, "/settings/users/reset", &fields);
    let link = once(&answer.body);
    assert_eq!(served.ask(&Ask::get(&link)).status, 200, "{link}");
    assert_eq!(
        served.ask(&Ask::get("/api/v1/jobs").cookie(&other)).status,
        401
    );
    let user = served.desk().user("operator").unwrap().unwrap();
    assert!(user.password.is_none() && user.totp.is_none());
    let own = served.send_form(&session, "/settings/users/reset", &[("name", "admin")]);
    assert_eq!(own.status, 409);
    let nobody = served.send_form(&session, "/settings/users/reset", &[("name", "x")]);
    assert_eq!(nobody.status, 404);
}

/// The value of a hidden field.
fn hidden(body: &str, name: &str) -> String {
    let (_, rest) = body
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap();
    rest.split('"').next().unwrap().to_owned()
}

fn code(key: &str, later: u64) -> String {
    let key = totp_rs::Secret::try_from_base32(key).unwrap();
    let totp = totp_rs::Builder::new().with_secret(key);
    let at = u64::try_from(now() / 1000).unwrap() + later;
    totp.build_noncompliant().generate(at).to_string()
}

#[test]
fn one_time_codes_hold_once_one_was_typed_and_end_by_one() {
    let (served, session) = Served::to(Role::Auditor);
    let has_codes = || {
        served
            .desk()
            .user("auditor")
            .unwrap()
            .unwrap()
            .totp
            .is_some()
    };
    let page = served.send_form(&session, "/settings/codes", &[]).body;
    let (key, proof) = (hidden(&page, "key"), hidden(&page, "proof"));
    assert!(page.contains(&format!("otpauth://totp/Postseal:auditor?secret={key}")));
    let groups: String = key
        .as_bytes()
        .chunks(4)
        .map(|four| format!("{} ", std::str::from_utf8(four).unwrap()))
        .collect();
    assert!(page.contains(&groups), "{page}");
    let confirm = |key: &str, code: &str| {
        let fields = [("key", key), ("proof", &proof), ("code", code)];
        served.send_form(&session, "/settings/codes/confirm", &fields)
    };
    let wrong = confirm(&key, "000 000");
    assert!(wrong.status == 422 && wrong.body.contains(&key));
    // A key that was not made here for this session is none.
    let other = "A".repeat(key.len());
    assert_eq!(confirm(&other, &code(&other, 0)).status, 403);
    assert!(!has_codes());
    let first = code(&key, 0);
    assert_eq!(confirm(&key, &first).status, 303);
    assert!(has_codes());
    // It is neither shown again nor replaced without a code of it.
    let settings = served.ask(&Ask::get("/settings").cookie(&session)).body;
    assert!(!settings.contains(&key) && settings.contains("Switch them off"));
    let again = served.send_form(&session, "/settings/codes", &[]);
    assert_eq!(again.status, 409);
    let end = |code: &str| {
        let fields = [("code", code)];
        served.send_form(&session, "/settings/codes/end", &fields)
    };
    // Each code counts once.
    assert_eq!(end(&first).status, 422);
    assert!(has_codes());
    assert_eq!(end(&code(&key, 30)).status, 303);
    assert!(!has_codes());
}

#[test]
fn who_gets_another_role_while_they_set_up_codes_has_that_role() {
    let (served, session) = Served::to(Role::Operator);
    let page = served.send_form(&session, "/settings/codes", &[]).body;
    let (key, proof) = (hidden(&page, "key"), hidden(&page, "proof"));
    // An administrator is at it: what comes meanwhile has read the user before, and writes after.
    let mut admin = Command::new("/usr/bin/sqlite3")
        .arg(served.folder().join("console.db"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let words = b"BEGIN IMMEDIATE;\nUPDATE users SET role = 'auditor' WHERE name = 'operator';\n\
        .system echo held; sleep 2\nCOMMIT;\n";
    admin.stdin.take().unwrap().write_all(words).unwrap();
    let mut said = BufReader::new(admin.stdout.take().unwrap());
    said.read_line(&mut String::new()).unwrap();
    let code = code(&key, 0);
    let fields = [("key", key.as_str()), ("proof", &proof), ("code", &code)];
    let answer = served.send_form(&session, "/settings/codes/confirm", &fields);
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert!(admin.wait().unwrap().success());
    let user = served.desk().user("operator").unwrap().unwrap();
    assert!(user.totp.is_some());
    assert_eq!(user.role, Role::Auditor);
}
