//! Every route against every role: the table of permissions, walked.

use crate::served::{HOUR_MS, Served, now};
use crate::wire::{Answer, Ask};
use postseal_console::{Right, Route, Verb, listed, may};
use postseal_planner::task::Effect;
use postseal_store::desk::Role;

/// A request to a route that is right in all but the permission: it need not be well-formed.
fn ask(verb: Verb, path: &str) -> Ask {
    let path = path
        .replace("{id}", "4711")
        .replace("{what}", "status")
        .replace("{name}", "none")
        .replace("{secret}", "none")
        .replace("{digest}", "none");
    match verb {
        Verb::Get => Ask::get(&path),
        Verb::Post => Ask::form(&path, &[]),
        Verb::Patch => Ask::new("PATCH", &path),
        Verb::Delete => Ask::new("DELETE", &path),
    }
}

/// Whether the door let it through: what comes then, an unknown job or a missing field, is the route's own answer.
fn admitted(answer: &Answer) -> bool {
    let refused = match answer.status {
        401 => true,
        403 => true,
        303 => answer.header("location").starts_with("/sign-in"),
        _ => false,
    };
    !refused
}

#[test]
fn each_role_gets_what_the_matrix_says_and_nothing_else() {
    let served = Served::new();
    let mut walked = 0;
    for role in Role::ALL {
        served.user(role.name(), role);
        for &Route {
            verb, path, right, ..
        } in listed()
        {
            // Each with a session of its own: some routes end it.
            let session = served.session(role.name());
            let token = served.form_token(&session);
            let ask = ask(verb, path).cookie(&session).by_page(served.at);
            let answer = served.ask(&ask.with("x-form-token", &token));
            if path.starts_with("/sign-") {
                continue;
            }
            let what = format!(
                "{role:?} {verb:?} {path}: {} {}",
                answer.status, answer.body
            );
            assert_eq!(admitted(&answer), may(role, right), "{what}");
            walked += 1;
        }
    }
    assert!(walked > 80, "{walked}");
}

#[test]
fn nobody_gets_in_without_a_session_or_a_token() {
    let served = Served::new();
    for &Route {
        verb, path, right, ..
    } in listed()
    {
        let answer = served.ask(&ask(verb, path).by_page(served.at));
        if right == Right::Anyone {
            assert_ne!(answer.code(), "console.not-signed-in", "{path}");
            continue;
        }
        match (verb, path.starts_with("/api/")) {
            (Verb::Get, false) => {
                assert_eq!(answer.status, 303, "{path}");
                assert!(answer.header("location").starts_with("/sign-in?next="));
            }
            _ => assert_eq!(answer.status, 401, "{path}"),
        }
    }
}

#[test]
fn the_matrix_is_as_it_is_told() {
    let (look, wish, change) = (
        Right::File(Effect::Look),
        Right::File(Effect::Wish),
        Right::File(Effect::Change),
    );
    for role in Role::ALL {
        assert!(may(role, Right::Anyone) && may(role, Right::See) && may(role, look));
        let acts = matches!(role, Role::Operator | Role::Admin);
        let approves = matches!(role, Role::Approver | Role::Admin);
        assert_eq!(may(role, Right::Approve), approves, "{role:?}");
        assert_eq!(
            (may(role, wish), may(role, change)),
            (acts, acts),
            "{role:?}"
        );
    }
}

#[test]
fn a_task_needs_the_right_of_its_effect_whoever_brings_it() {
    let served = Served::new();
    let tasks = [
        (r#"{"task":"status"}"#, Effect::Look),
        (r#"{"task":"set","pairs":["mode=may"]}"#, Effect::Wish),
        (r#"{"task":"apply"}"#, Effect::Change),
        (r#"{"task":"apply","check":true}"#, Effect::Look),
    ];
    for role in Role::ALL {
        served.user(role.name(), role);
        let token = served.token(role.name(), role, now() + HOUR_MS);
        for (task, effect) in tasks {
            let ask = Ask::new("POST", "/api/v1/jobs").with("authorization", &token);
            let answer = served.ask(&ask.body(task));
            let expected = if may(role, Right::File(effect)) {
                202
            } else {
                403
            };
            assert_eq!(answer.status, expected, "{role:?} {task} {}", answer.body);
        }
    }
}

/// It changes nothing, and yet it is no operator's: others get a mail.
#[test]
fn a_test_mail_is_sent_by_those_who_manage_alone() {
    let served = Served::new();
    for role in Role::ALL {
        served.user(role.name(), role);
        let token = served.token(role.name(), role, now() + HOUR_MS);
        let ask = Ask::new("POST", "/api/v1/jobs").with("authorization", &token);
        let answer = served.ask(&ask.body(r#"{"task":"notify-test"}"#));
        let expected = match may(role, Right::Manage) {
            true => 202,
            false => 403,
        };
        assert_eq!(answer.status, expected, "{role:?} {}", answer.body);
    }
}

#[test]
fn a_token_may_no_more_than_both_it_and_its_user() {
    let served = Served::new();
    served.user("ingrid", Role::Auditor);
    served.user("olav", Role::Admin);
    let wish = Ask::new("POST", "/api/v1/jobs").body(r#"{"task":"discard"}"#);
    for token in [
        served.token("ingrid", Role::Admin, now() + HOUR_MS),
        served.token("olav", Role::Auditor, now() + HOUR_MS),
    ] {
        let answer = served.ask(&wish.clone().with("authorization", &token));
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "console.forbidden")
        );
    }
    let over = served.token("olav", Role::Admin, now() - 1);
    let answer = served.ask(&wish.with("authorization", &over));
    assert_eq!(answer.status, 401);
}
