//! Requests that another site makes a browser send.

use crate::served::Served;
use crate::wire::Ask;
use postseal_console::{Right, Verb, listed};
use postseal_store::desk::Role;

fn unsafe_routes() -> impl Iterator<Item = (Verb, String, Right)> {
    listed()
        .filter(|route| route.verb != Verb::Get)
        .map(|route| {
            let path = route.path.replace("{id}", "1").replace("{secret}", "none");
            let path = path.replace("{name}", "olav");
            (route.verb, path, route.right)
        })
}

fn ask(verb: Verb, path: &str) -> Ask {
    match verb {
        Verb::Delete => Ask::new("DELETE", path),
        Verb::Patch => Ask::new("PATCH", path),
        _ => Ask::form(path, &[("do", "apply")]),
    }
}

#[test]
fn a_form_without_the_token_of_its_session_changes_nothing() {
    let (served, session) = Served::to(Role::Admin);
    let other = served.session("admin");
    let others = served.form_token(&other);
    assert_ne!(others, served.form_token(&session));
    for (verb, path, _) in unsafe_routes().filter(|(_, _, right)| *right != Right::Anyone) {
        let ask = ask(verb, &path).cookie(&session).by_page(served.at);
        for ask in [ask.clone(), ask.with("x-form-token", &others)] {
            let answer = served.ask(&ask);
            assert_eq!(answer.status, 403, "{path}");
            assert!(answer.body.contains("console.form-token"), "{path}");
        }
    }
    // The session is as it was: nothing signed it out.
    assert_eq!(served.ask(&Ask::get("/").cookie(&session)).status, 200);
}

#[test]
fn another_origin_changes_nothing_whatever_it_knows() {
    let (served, session) = Served::to(Role::Admin);
    let token = served.form_token(&session);
    for (verb, path, _) in unsafe_routes() {
        let ask = ask(verb, &path)
            .cookie(&session)
            .with("x-form-token", &token);
        for ask in [
            ask.clone().with("origin", "http://evil.example"),
            ask.clone().with("origin", "null"),
            ask.clone().with("sec-fetch-site", "cross-site"),
            ask.clone().with("sec-fetch-site", "same-site"),
            ask.clone()
                .by_page(served.at)
                .with("origin", "http://127.0.0.1:1"),
            ask.clone()
                .by_page(served.at)
                .with("sec-fetch-site", "none"),
            // A browser always says one of them.
            ask,
        ] {
            let answer = served.ask(&ask);
            assert_eq!(answer.status, 403, "{path}");
            assert!(answer.body.contains("console.other-origin"), "{path}");
        }
    }
}

#[test]
fn only_names_of_the_console_are_answered() {
    let (served, session) = Served::to(Role::Admin);
    let ask = Ask::get("/").cookie(&session);
    let port = served.at.port();
    for host in ["localhost", "LOCALHOST", "127.0.0.1", "console.example"] {
        for host in [host.to_owned(), format!("{host}:{port}")] {
            let answer = served.ask(&ask.clone().with("host", &host));
            assert_eq!(answer.status, 200, "{host}");
        }
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "[::1]",
        "console.example.",
        "",
    ] {
        let answer = served.ask(&ask.clone().with("host", host));
        assert!(
            matches!(answer.status, 400 | 421),
            "{host} {}",
            answer.status
        );
        assert!(!answer.body.contains("form_token"), "{host}");
    }
    let absolute = Ask::get("http://evil.example/").cookie(&session);
    let answer = served.ask(&absolute.with("host", "localhost"));
    assert_eq!(answer.status, 421);
}

#[test]
fn every_answer_says_what_a_browser_may_do_with_it() {
    let (served, session) = Served::to(Role::Auditor);
    for path in [
        "/",
        "/sign-in",
        "/nowhere",
        "/api/v1/jobs",
        "/api/v1/nowhere",
    ] {
        let answer = served.ask(&Ask::get(path).cookie(&session));
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; "),
            "{path}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert!(answer.header("permissions-policy").contains("camera=()"));
    }
}
