//! Settings → Notifications, as an administrator reads it.

use crate::served::Served;
use crate::wire::Ask;
use postseal_store::desk::{Desk as _, Role};
use serde_json::{Value, json};

fn page(served: &Served, session: &str, document: &Value) -> String {
    served.copy("notify", &document.to_string());
    let answer = served.ask(&Ask::get("/settings/notifications").cookie(session));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn document() -> Value {
    json!({
        "to": ["admin@example.org"],
        "critical": ["pager@example.org"],
        "every_seconds": 300,
        "told": {"state": "WARNING", "at": "2026-01-01T00:00:00Z",
            "causes": [{"state": "WARNING", "said": "owned keys were edited by hand"}]},
        "hand_in": null,
        "mails": [{"kind": "state", "at": "2026-01-01T00:00:00Z", "subject": "Postseal: mx is WARNING",
            "to": ["admin@example.org"], "queue_id": "4A1B2C3D4E",
            "delivered": [{"to": "admin@example.org", "status": "deferred", "words": "Connection refused"}]}],
    })
}

#[test]
fn the_page_tells_who_is_told_what_was_and_what_came_of_it() {
    let (served, session) = Served::to(Role::Admin);
    let shown = page(&served, &session, &document());
    for words in [
        "<bdi>admin@example.org</bdi></th><td data-label=\"Of what\">every change",
        "<bdi>pager@example.org</bdi></th><td data-label=\"Of what\">what becomes critical",
        "The agent looks every 5 minutes.",
        "! <bdi>WARNING</bdi>",
        "owned keys were edited by hand",
        "Postseal: mx is WARNING",
        "4A1B2C3D4E",
        "! <bdi>deferred</bdi></span> <bdi>admin@example.org</bdi>: <bdi>Connection refused",
        "Send a test to all of them",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!shown.contains("is not told yet"), "{shown}");
    let mut waits = document();
    waits["hand_in"] = json!({"since": "2026-01-01T00:00:00Z", "tries": 3, "error": "cannot run /usr/sbin/sendmail"});
    let shown = page(&served, &session, &waits);
    for words in [
        "is not told yet",
        "(tried <bdi>3</bdi>×)",
        "cannot run /usr/sbin/sendmail",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

#[test]
fn where_nobody_is_told_the_page_says_how_and_nothing_can_be_sent() {
    let (served, session) = Served::to(Role::Admin);
    let nobody = json!({"to": [], "critical": [], "told": null, "hand_in": null, "mails": []});
    let shown = page(&served, &session, &nobody);
    assert!(
        shown.contains("[notify]") && shown.contains("Nobody."),
        "{shown}"
    );
    assert!(!shown.contains("Send a test"), "{shown}");
    let wrong = json!({"error": {"code": "notify.bad-address", "message": "\"a b\" is no mail address",
        "hint": "Put it right in postseal.toml, and restart the agent."}});
    let shown = page(&served, &session, &wrong);
    assert!(
        shown.contains("is no mail address") && shown.contains("Put it right"),
        "{shown}"
    );
}

#[test]
fn a_test_is_a_job_and_no_operator_sees_its_button() {
    let (served, session) = Served::to(Role::Admin);
    let sent = served.send_form(&session, "/settings/notifications/test", &[]);
    assert_eq!(sent.status, 303, "{}", sent.body);
    let id: u64 = sent
        .header("location")
        .rsplit('/')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let job = served.desk().job(id).unwrap().unwrap();
    assert_eq!(job.task, r#"{"task":"notify-test"}"#);
    let operator = served.signed_in(Role::Operator);
    let shown = page(&served, &operator, &document());
    assert!(!shown.contains("Send a test"), "{shown}");
    let refused = served.send_form(&operator, "/settings/notifications/test", &[]);
    assert_eq!(refused.status, 403);
}
