//! Destinations that need authentication, as people ask for them.

use crate::served::Served;
use crate::wire::Ask;
use postseal_store::desk::{Desk as _, Role};
use serde_json::{Value, json};

fn told(served: &Served) {
    let rule = json!({"policy": "secure match=relay.example.net", "note": "the relay"});
    let document = json!({
        "domains": [{"domain": "a.example", "next_hop": "[relay.example.net]:587",
            "manager": "domain a.example", "requires_auth": true, "smtps": false,
            "in_force": rule, "wanted": rule, "pending": false, "routed": false,
            "next_hops_now": ["a.example"]}],
        "credentials": [{"keys": ["[old.example.net]"], "next_hop": "[old.example.net]",
            "level": "may", "in_force": null, "wanted": null}],
    });
    served.copy("domains", &document.to_string());
}

fn task(served: &Served, job: u64) -> Value {
    let job = served.desk().job(job).unwrap().unwrap();
    serde_json::from_str(&job.task).unwrap()
}

#[test]
fn entries_stand_with_their_rules_and_credentials_that_may_go_in_clear() {
    let served = Served::new();
    let session = served.signed_in(Role::Auditor);
    let ask = |path: &str| served.ask(&Ask::get(path).cookie(&session)).body;
    assert!(ask("/domains").contains("The agent has not listed the domains yet."));
    told(&served);
    let page = ask("/domains");
    for shown in [
        "a.example",
        "[relay.example.net]:587",
        "/policies?search=domain%20a.example",
        "goes elsewhere",
        "may go in clear",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    // Whoever only sees is offered no form.
    assert!(!page.contains("/domains/remove") && !page.contains("/domains/add"));
    served.copy("domains", r#"{"domains": [], "credentials": []}"#);
    assert!(ask("/domains").contains("There are no entries."));
}

#[test]
fn entries_are_added_changed_removed_and_synced_by_tasks() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    told(&served);
    let fields = [
        ("domain", " b.example "),
        ("next_hop", "[relay.example.net]:465"),
        ("level", "encrypt"),
        ("requires_auth", "on"),
        ("smtps", "on"),
    ];
    let answer = served.send_form(&session, "/domains/add", &fields);
    assert_eq!(answer.header("location"), "/jobs/1", "{}", answer.body);
    let added = task(&served, 1);
    assert_eq!(
        (&added["task"], &added["domain"], &added["words"]["smtps"]),
        (&json!("domain-add"), &json!("b.example"), &json!(true))
    );
    let form = Ask::get("/domains/edit?domain=a.example").cookie(&session);
    let form = served.ask(&form).body;
    assert!(form.contains("value=\"relay.example.net\""), "{form}");
    assert!(form.contains("value=\"the relay\""), "{form}");
    let fields = [
        ("domain", "a.example"),
        ("level", "secure"),
        ("names", "relay.example.net"),
        ("note", ""),
    ];
    served.send_form(&session, "/domains/edit", &fields);
    let edited = task(&served, 2);
    let words = &edited["words"];
    assert_eq!(
        (&words["note"], &words["requires_auth"], &words["match"]),
        (&json!(""), &json!(false), &json!("relay.example.net"))
    );
    served.send_form(&session, "/domains/remove", &[("domain", "a.example")]);
    assert_eq!(task(&served, 3)["domains"], json!(["a.example"]));
    served.send_form(&session, "/domains/sync", &[("reason", "the relay is old")]);
    let synced = task(&served, 4);
    assert_eq!(
        (&synced["task"], &synced["checks"]["force_reason"]),
        (&json!("domain-sync"), &json!("the relay is old"))
    );
    let unknown = Ask::get("/domains/edit?domain=nowhere").cookie(&session);
    assert_eq!(served.ask(&unknown).status, 404);
}
