//! Rules for destinations, and looks at servers, as people ask for them.

use crate::served::Served;
use crate::wire::Ask;
use postseal_store::desk::{Desk as _, Role};
use serde_json::{Value, json};

fn rule(destination: &str, policy: &str, more: &Value) -> Value {
    let mut rule = json!({"destination": destination, "policy": policy});
    for (key, value) in more.as_object().unwrap() {
        rule[key] = value.clone();
    }
    json!({"destination": destination, "shown": destination, "manager": more["manager"],
        "in_force": rule, "wanted": rule, "pending": false})
}

fn told(served: &Served) {
    let rules = [
        rule(
            "a.example",
            "secure match=mx.a.example",
            &json!({"owner": "Ingrid", "until": "2027-03-01"}),
        ),
        rule("b.example", "encrypt", &json!({"note": "contract of 2025"})),
        rule(
            "c.example",
            "dane",
            &json!({"manager": "domain c.example", "until": "2026-12-01"}),
        ),
    ];
    served.copy(
        "policies",
        &json!({"rules": rules, "more": false}).to_string(),
    );
}

/// The destinations of the page's rows, in their order.
fn rows(page: &str) -> Vec<&str> {
    let heads = page.split("<th scope=\"row\"><bdi>").skip(1);
    heads.map(|rest| rest.split('<').next().unwrap()).collect()
}

fn task(served: &Served, job: u64) -> Value {
    let job = served.desk().job(job).unwrap().unwrap();
    serde_json::from_str(&job.task).unwrap()
}

#[test]
fn rules_are_found_by_what_they_say_and_sorted_by_a_head() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    told(&served);
    let page = |query: &str| {
        let path = format!("/policies{query}");
        served.ask(&Ask::get(&path).cookie(&session)).body
    };
    let all = page("");
    assert_eq!(rows(&all), ["a.example", "b.example", "c.example"]);
    assert!(
        all.contains("a trusted certificate for the recipient&#39;s domain"),
        "{all}"
    );
    assert_eq!(rows(&page("?search=contract")), ["b.example"]);
    assert_eq!(rows(&page("?search=INGRID+secure")), ["a.example"]);
    assert!(page("?search=nowhere").contains("None has all of these words."));
    let due = page("?sort=until");
    assert_eq!(rows(&due), ["c.example", "a.example", "b.example"]);
    // Who manages a rule changes it, and nobody else.
    assert!(all.contains("Edit b.example") && !all.contains("Edit c.example"));
    let edit = Ask::get("/policies/edit?destination=c.example").cookie(&session);
    assert_eq!(served.ask(&edit).status, 404);
}

#[test]
fn a_rule_is_wished_for_changed_and_removed_by_tasks() {
    let served = Served::new();
    let session = served.signed_in(Role::Operator);
    told(&served);
    let fields = [
        ("destination", " d.example "),
        ("level", "secure"),
        ("names", "mx.d.example"),
        ("note", ""),
        ("until", "2027-01-01"),
    ];
    let answer = served.send_form(&session, "/policies/add", &fields);
    assert_eq!(answer.header("location"), "/jobs/1", "{}", answer.body);
    let added = task(&served, 1);
    assert_eq!(
        (&added["task"], &added["destination"], &added["level"]),
        (&json!("policy-add"), &json!("d.example"), &json!("secure"))
    );
    assert_eq!(
        (
            &added["rule"]["match"],
            &added["rule"]["until"],
            &added["rule"]["note"]
        ),
        (&json!("mx.d.example"), &json!("2027-01-01"), &Value::Null)
    );
    let edit = Ask::get("/policies/edit?destination=b.example").cookie(&session);
    let form = served.ask(&edit).body;
    assert!(
        form.contains("<option value=\"encrypt\" selected>"),
        "{form}"
    );
    let fields = [("destination", "b.example"), ("level", "dane")];
    served.send_form(&session, "/policies/edit", &fields);
    let edited = task(&served, 2);
    assert_eq!(
        (&edited["task"], &edited["level"]),
        (&json!("policy-edit"), &json!("dane"))
    );
    let fields = [("destination", "b.example")];
    served.send_form(&session, "/policies/remove", &fields);
    assert_eq!(task(&served, 3)["destinations"], json!(["b.example"]));
}

#[test]
fn whoever_sees_may_have_servers_looked_at_on_the_ports_of_mail() {
    let served = Served::new();
    let session = served.signed_in(Role::Auditor);
    let fields = [("targets", "a.example  mx.b.example:465"), ("smtps", "on")];
    let answer = served.send_form(&session, "/probe", &fields);
    assert_eq!(answer.header("location"), "/jobs/1", "{}", answer.body);
    let looked = task(&served, 1);
    assert_eq!(looked["targets"], json!(["a.example", "mx.b.example:465"]));
    assert_eq!(
        (&looked["smtps"], &looked["full"]),
        (&json!(true), &json!(false))
    );
    let fields = [("targets", "10.0.0.1:22")];
    let refused = served.send_form(&session, "/probe", &fields);
    assert!(
        refused.status == 400 || refused.status == 422,
        "{}",
        refused.body
    );
}
