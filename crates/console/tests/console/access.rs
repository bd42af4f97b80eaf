//! Coming in and going out.

use crate::served::{HOUR_MS, Served, now};
use crate::wire::{Answer, Ask};
use postseal_console::secret;
use postseal_store::desk::{Clerk as _, Desk as _, Invitation, Role, User};

const PASSWORD: &str = "four sparrows under the bridge";

/// A user who has taken an invitation.
fn invited(served: &Served, name: &str) -> Answer {
    served.user(name, Role::Operator);
    let link = link(served, name);
    let path = format!("/welcome/{link}");
    let page = served.ask(&Ask::get(&path));
    assert!(
        page.body.contains(&format!("<bdi>{name}</bdi>")),
        "{}",
        page.body
    );
    let fields = [("password", PASSWORD), ("again", PASSWORD)];
    served.ask(&Ask::form(&path, &fields).by_page(served.at))
}

fn link(served: &Served, name: &str) -> String {
    let link = secret::fresh().unwrap();
    let invitation = Invitation {
        digest: secret::digest(&link),
        user: name.to_owned(),
        ends_ms: now() + HOUR_MS,
    };
    served.desk().invite(&invitation).unwrap();
    link
}

fn sign_in(served: &Served, fields: &[(&str, &str)], cookies: &str) -> Answer {
    let ask = Ask::form("/sign-in", fields).by_page(served.at);
    served.ask(&ask.cookie(cookies))
}

/// The cookie of this name that an answer sets, as it is sent back.
fn cookie(answer: &Answer, name: &str) -> String {
    let all = answer.all("set-cookie");
    let own = all
        .iter()
        .find(|line| line.starts_with(&format!("{name}=")));
    own.unwrap().split(';').next().unwrap().to_owned()
}

fn notes(served: &Served) -> Vec<String> {
    let notes = served.desk().notes(0, 100).unwrap();
    notes
        .into_iter()
        .map(|note| format!("{}: {}", note.actor, note.what))
        .collect()
}

#[test]
fn who_was_invited_signs_in_and_out_and_each_step_is_noted() {
    let served = Served::new();
    assert_eq!(invited(&served, "ingrid").header("location"), "/sign-in");
    let wrong = sign_in(
        &served,
        &[("name", "ingrid"), ("password", "four sparrows")],
        "",
    );
    assert_eq!(wrong.status, 401);
    assert!(wrong.all("set-cookie").is_empty());
    let right = [
        ("name", "ingrid"),
        ("password", PASSWORD),
        ("next", "/history"),
    ];
    let answer = sign_in(&served, &right, "");
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/history")
    );
    let line = answer.all("set-cookie")[0];
    for word in [
        "__Host-postseal=",
        "Path=/",
        "Secure",
        "HttpOnly",
        "SameSite=Strict",
    ] {
        assert!(line.contains(word), "{line}");
    }
    let session = cookie(&answer, "__Host-postseal");
    assert_eq!(served.ask(&Ask::get("/").cookie(&session)).status, 200);
    // Only its digest is kept.
    let kept = served.desk().sessions("ingrid").unwrap();
    assert_eq!(
        kept[0].digest,
        secret::digest(session.split_once('=').unwrap().1)
    );
    let out = served.send_form(&session, "/sign-out", &[]);
    assert_eq!(out.header("location"), "/sign-in");
    // Whoever has stolen the cookie has nothing.
    let stolen = served.ask(&Ask::get("/api/v1/jobs").cookie(&session));
    assert_eq!(
        (stolen.status, stolen.code().as_str()),
        (401, "console.not-signed-in")
    );
    let notes = notes(&served);
    for (note, word) in notes
        .iter()
        .zip(["invitation", "refused", "signed in", "signed out"])
    {
        assert!(
            note.starts_with("ingrid: ") && note.contains(word),
            "{note}"
        );
    }
}

#[test]
fn an_invitation_holds_once_and_for_a_password_that_is_hard_to_guess() {
    let served = Served::new();
    served.user("ingrid", Role::Operator);
    let link = link(&served, "ingrid");
    let path = format!("/welcome/{link}");
    for (password, again) in [
        ("too short", "too short"),
        ("my name is Ingrid", "my name is Ingrid"),
        ("I love Postseal so much", "I love Postseal so much"),
        ("aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa"),
        (PASSWORD, "four sparrows under the house"),
    ] {
        let fields = [("password", password), ("again", again)];
        let answer = served.ask(&Ask::form(&path, &fields).by_page(served.at));
        assert_eq!(answer.status, 422, "{password}");
        assert!(!answer.body.contains(password), "{password}");
    }
    let fields = [("password", PASSWORD), ("again", PASSWORD)];
    let taken = served.ask(&Ask::form(&path, &fields).by_page(served.at));
    assert_eq!(taken.status, 303);
    assert_eq!(served.ask(&Ask::get(&path)).status, 404);
    let again = served.ask(&Ask::form(&path, &fields).by_page(served.at));
    assert_eq!(again.status, 404);
    let user = served.desk().user("ingrid").unwrap().unwrap();
    let hash = user.password.unwrap();
    assert!(
        hash.starts_with("$argon2id$v=19$m=32768,t=3,p=1$"),
        "{hash}"
    );
}

#[test]
fn a_one_time_code_counts_once() {
    let served = Served::new();
    invited(&served, "ingrid");
    let key = b"01234567890123456789".to_vec();
    let mut desk = served.desk();
    let user = desk.user("ingrid").unwrap().unwrap();
    desk.change_user(&User {
        totp: Some(key.clone()),
        ..user
    })
    .unwrap();
    let code = || {
        let totp = totp_rs::Builder::new().with_secret(key.clone());
        let now = u64::try_from(now() / 1000).unwrap();
        totp.build_noncompliant().generate(now).to_string()
    };
    let said = |code: &str| {
        let fields = [("name", "ingrid"), ("password", PASSWORD), ("code", code)];
        sign_in(&served, &fields, "").status
    };
    assert_eq!(said(""), 401);
    let once = code();
    assert_eq!(said(&once), 303);
    assert_eq!(said(&once), 401);
}

#[test]
fn a_flood_of_guesses_locks_out_nobody_who_was_here_before() {
    let served = Served::new();
    invited(&served, "ingrid");
    let right = [("name", "ingrid"), ("password", PASSWORD)];
    let answer = sign_in(&served, &right, "");
    let device = cookie(&answer, "__Host-postseal-device");
    let wrong = [("name", "ingrid"), ("password", "a guess of a stranger")];
    let mut refused = sign_in(&served, &wrong, "");
    for _ in 0..7 {
        refused = sign_in(&served, &wrong, "");
    }
    assert_eq!(refused.status, 429);
    assert!(!refused.header("retry-after").is_empty());
    // The right password from the flooded address waits, too …
    assert_eq!(sign_in(&served, &right, "").status, 429);
    // … but not from the browser that was here before, nor does a forged mark help.
    assert_eq!(sign_in(&served, &right, &device).status, 303);
    let forged = format!("{device}x");
    assert_eq!(sign_in(&served, &right, &forged).status, 429);
    // Another account is not touched.
    let other = [("name", "olav"), ("password", "a guess of a stranger")];
    assert_eq!(sign_in(&served, &other, "").status, 401);
}

#[test]
fn signing_out_everywhere_ends_every_session() {
    let served = Served::new();
    let here = served.signed_in(Role::Operator);
    let there = served.session("operator");
    served.send_form(&here, "/sign-out-everywhere", &[]);
    for session in [here, there] {
        assert_eq!(
            served
                .ask(&Ask::get("/api/v1/jobs").cookie(&session))
                .status,
            401
        );
    }
}

#[test]
fn a_session_ends_when_it_rests_and_in_any_case() {
    let served = Served::new();
    served.user("ingrid", Role::Operator);
    for (seen_ms, ends_ms, status) in [
        (now() - 29 * 60_000, now() + HOUR_MS, 200),
        (now() - 31 * 60_000, now() + HOUR_MS, 401),
        (now(), now() - 1, 401),
    ] {
        let session = secret::fresh().unwrap();
        let sign_in = postseal_store::desk::SignIn {
            digest: secret::digest(&session),
            user: "ingrid".to_owned(),
            made_ms: now() - HOUR_MS,
            seen_ms,
            ends_ms,
            address: String::new(),
            browser: String::new(),
        };
        served.desk().sign_in(&sign_in).unwrap();
        let ask = Ask::get("/api/v1/jobs").cookie(&format!("__Host-postseal={session}"));
        assert_eq!(served.ask(&ask).status, status);
    }
}

#[test]
fn after_signing_in_a_browser_stays_on_this_console() {
    let (served, session) = Served::to(Role::Operator);
    for next in [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/a\tb",
    ] {
        let path = format!("/sign-in?next={}", next.replace('\t', "%09"));
        let answer = served.ask(&Ask::get(&path).cookie(&session));
        assert_eq!(answer.header("location"), "/", "{next}");
    }
}
