//! How many destinations a plan concerns, and how many rules are due.

use crate::place::Place;
use serde_json::{Value, json};

/// `before → after count` of a plan.
fn levels(plan: &Value) -> Vec<String> {
    let levels = plan["rules"]["concerned"]["levels"].as_array().unwrap();
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |one: &Value| {
        let same = if one["same_rows"] == true {
            " same"
        } else {
            ""
        };
        let another = if one["another_rule_stays"] == true {
            " another"
        } else {
            ""
        };
        format!(
            "{} → {} {}{same}{another}",
            word(&one["before"]),
            word(&one["after"]),
            one["count"]
        )
    };
    levels.iter().map(line).collect()
}

#[test]
fn a_plan_tells_how_many_destinations_the_default_concerns() {
    let place = Place::new();
    place.must("set outbound=encrypt");
    let said = place.scene.say(&["plan"]).stdout;
    assert!(
        said.contains("Outbound may → encrypt: for every destination."),
        "{said}"
    );
    // Servers were looked at: [127.0.0.1]:9 has nobody, and is known all the same.
    for hop in ["[127.0.0.1]:9", "[127.0.0.2]:9", "[127.0.0.3]:9"] {
        place.must(&format!("policy add {hop} may"));
        place.must(&format!("policy remove {hop}"));
    }
    let rules =
        "destination,policy,scope\na.example,may,both\n.b.example,none,\n[127.0.0.1]:9,may,\n";
    let csv = place.write("rules.csv", rules);
    place.must(&format!("policy import {}", csv.display()));
    // A managed rule beside one by hand is no destination of its own.
    place.must("domain add d.example --next-hop [127.0.0.1]:9");
    let plan = place.must("plan").json;
    assert_eq!(
        plan["rules"]["concerned"]["default"],
        json!({"before": "may", "after": "encrypt", "known": 5, "change": 2, "stay": 3}),
    );
    let said = place.scene.say(&["plan"]).stdout;
    let line = "Outbound may → encrypt: of 5 known destinations (those with a rule, and next hops \
                whose servers were looked at) 2 take the default and change with it; 3 have a rule \
                and stay.\n";
    assert!(said.contains(line), "{said}");
    place.must("apply --yes");
    // The reverse, where one exception goes in the same plan.
    place.must("set outbound=may");
    place.must("policy remove .b.example");
    let plan = place.must("plan").json;
    assert_eq!(
        plan["rules"]["concerned"]["default"],
        json!({"before": "encrypt", "after": "may", "known": 4, "change": 2, "stay": 2}),
    );
    assert_eq!(levels(&plan), ["none → - 1"]);
    place.must("policy edit [127.0.0.1]:9 none");
    let said = place.scene.say(&["plan", "--diff"]).stdout;
    // The row of the managed rule stays.
    let rows = "--- rules for destinations\n+++ rules for destinations\n-.b.example none\n";
    assert!(said.ends_with(rows), "{said}");
    place.must("policy edit [127.0.0.1]:9 may");
    let said = place.scene.say(&["plan"]).stdout;
    assert!(
        said.contains("  1: none → gone; the default (may), or"),
        "{said}"
    );
    place.must("discard");
    // Nothing is said where the default stays.
    place.must("policy add c.example encrypt");
    assert_eq!(
        place.must("plan").json["rules"]["concerned"]["default"],
        Value::Null
    );
}

#[test]
fn a_plan_counts_rules_by_their_levels() {
    let place = Place::new();
    for words in [
        "a.example may",
        "b.example may",
        "c.example encrypt",
        "d.example secure",
        "e.example may",
        "[r.example]:587 secure",
    ] {
        place.must(&format!("policy add {words} --no-preflight"));
    }
    place.must("domain add m.example --next-hop [r.example]:587");
    assert_eq!(
        levels(&place.must("plan").json),
        ["- → encrypt 2", "- → may 3", "- → secure 2"]
    );
    place.must("apply --yes");
    for words in [
        "edit a.example encrypt --no-preflight",
        "edit b.example encrypt --no-preflight",
        "remove c.example",
        "edit d.example --match nexthop --no-preflight",
        "edit e.example --note looked%20at --no-preflight",
        "remove [r.example]:587",
        "add f.example none --no-preflight",
    ] {
        place.must(&format!("policy {words}"));
    }
    let changes = [
        "- → none 1",
        "encrypt → - 1",
        "may → encrypt 2",
        "may → may 1 same",
        "secure → - 1 another",
        "secure → secure 1",
    ];
    assert_eq!(levels(&place.must("plan").json), changes);
    place.must("apply --yes");
    // Back: each the other way.
    let back = place.ends(2, "rollback --check").json;
    let mut turned = levels(&back);
    turned.sort();
    assert_eq!(
        turned,
        [
            "- → encrypt 1",
            "- → secure 1",
            "encrypt → may 2",
            "may → may 1 same",
            "none → - 1",
            "secure → secure 1",
        ]
    );
}

#[test]
fn rules_whose_day_has_come_are_told_and_stay() {
    let place = Place::new();
    place.must("policy add past.example encrypt --until 2020-01-31 --no-preflight");
    place.must("policy add old.example may --until 2021-01-31 --no-preflight");
    place.must("policy add later.example may --until 2999-12-31 --no-preflight");
    place.must("policy add ever.example may --note \"until\" --no-preflight");
    // A wish is not in force.
    assert_eq!(place.must("status").json["rules_due"], 0);
    place.must("apply --yes");
    assert_eq!(place.must("status").json["rules_due"], 2);
    let said = place.scene.say(&["status"]).stdout;
    assert_eq!(
        said.matches("2 rules for destinations are to be looked at again")
            .count(),
        1,
        "{said}"
    );
    let lint = place.run("lint").json;
    let found = lint["findings"].as_array().unwrap().iter();
    let due: Vec<&Value> = found
        .filter(|one| one["code"] == "policy.review-due")
        .collect();
    assert!(due.len() == 1 && due[0]["severity"] == "info", "{lint}");
    place.must("lint --explain policy.review-due");
    assert_eq!(place.looked_up("past.example").as_deref(), Some("encrypt"));
    place.must("policy edit past.example --until 2999-01-01 --no-preflight");
    place.must("policy remove old.example");
    place.must("apply --yes");
    assert_eq!(place.must("status").json["rules_due"], 0);
    assert!(!place.run("lint").json.to_string().contains("review-due"));
}

#[test]
fn all_of_many_rules_are_listed_page_by_page_as_one_answer() {
    const MANY: usize = 20_010;
    let place = Place::new();
    let rows: String = (0..MANY)
        .map(|i| format!("d{i:05}.example encrypt\n"))
        .collect();
    let file = place.write("many", &rows);
    place.must(&format!("policy import {}", file.display()));
    let names = |words: &str| -> (Vec<String>, Value) {
        let listed = place.must(words).json;
        let rules = listed["rules"].as_array().unwrap().iter();
        let names = rules.map(|one| one["destination"].as_str().unwrap().to_owned());
        (names.collect(), listed["more"].clone())
    };
    let wanted: Vec<String> = (0..MANY).map(|i| format!("d{i:05}.example")).collect();
    let (all, more) = names("policy list -n 0");
    assert!(all == wanted, "{} rules", all.len());
    assert_eq!(more, false);
    let (some, more) = names("policy list -n 20005 --skip 3");
    assert!(some == wanted[3..20_008], "{} rules", some.len());
    assert_eq!(more, true);
    // The form is that of a short list.
    let keys = |words: &str| -> Vec<String> {
        let listed = place.must(words).json;
        listed.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(keys("policy list -n 0"), keys("policy list"));
    let (none, more) = names("policy list -n 0 nothing-like-it");
    assert_eq!((none.len(), more), (0, Value::Bool(false)));

    let text = place.scene.say(&["policy", "list", "-n", "0"]).stdout;
    assert_eq!(text.lines().count(), MANY);
    let short = place.scene.say(&["policy", "list"]).stdout;
    assert!(text.starts_with(short.lines().next().unwrap()));
    let some = place.scene.say(&["policy", "list", "-n", "20005"]).stdout;
    assert!(some.ends_with("There are more: --skip 20005, or -n 0 for all.\n"));
    let none = ["policy", "list", "-n", "0", "nothing-like-it"];
    assert_eq!(place.scene.say(&none).stdout, "No rules.\n");
}
