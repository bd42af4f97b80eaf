//! Changes that no file of Postfix tells of: each is an operation, and a rollback undoes what was done
//! last, and nothing else.

use crate::place::{Place, builder};
use serde_json::Value;

fn kept(place: &Place) -> u64 {
    let applied = place.must("apply --yes").json;
    assert_eq!(applied["outcome"], "kept", "{applied}");
    applied["operation"].as_u64().unwrap()
}

fn undone(place: &Place) -> u64 {
    let back = place.must("rollback --yes").json;
    back["undone"].as_u64().unwrap()
}

fn rule(place: &Place, destination: &str) -> Value {
    let listed = place.must(&format!("policy list {destination}")).json;
    listed["rules"][0]["in_force"].clone()
}

#[test]
fn words_about_a_rule_are_an_operation_and_a_rollback_takes_back_just_them() {
    let place = Place::new();
    place.must("policy add a.example encrypt --no-preflight");
    let first = kept(&place);
    let files = place.scene.files();
    for (words, name, value) in [
        ("--note contract", "note", "contract"),
        ("--owner team", "owner", "team"),
        ("--until 2099-01-01", "until", "2099-01-01"),
    ] {
        place.must(&format!("policy edit a.example {words}"));
        assert_eq!(place.ends(2, "apply --check").json["pending"], true);
        let told = place.scene.say(&["plan"]).stdout;
        assert!(told.contains("No file of Postfix changes"), "{told}");
        assert!(
            told.contains(&format!("{name} “{value}” (was none)")),
            "{told}"
        );
        kept(&place);
        assert_eq!(rule(&place, "a.example")[name], value);
    }
    assert_eq!(place.scene.files(), files);
    // Nothing is wished: nothing is done.
    assert_eq!(place.must("apply --yes").json["outcome"], "nothing");
    assert_eq!(place.must("apply --check").json["pending"], false);
    let check = place.scene.say(&["rollback", "--check"]);
    let back = "Back to before operation 4 (rules, their rows as before).\n";
    assert!(check.stdout.starts_with(back), "{check:#?}");
    assert_eq!(undone(&place), first + 3);
    assert_eq!(rule(&place, "a.example")["until"], Value::Null);
    assert_eq!(rule(&place, "a.example")["owner"], "team");
    assert_eq!(place.scene.files(), files);
    // Forth again.
    place.must("rollback 5 --yes");
    assert_eq!(rule(&place, "a.example")["until"], "2099-01-01");
    assert_eq!(undone(&place), first + 3);
    assert_eq!(undone(&place), first + 2);
    assert_eq!(undone(&place), first + 1);
    assert_eq!(undone(&place), first);
    assert_eq!(place.listed("in_force"), [] as [&str; 0]);
    assert_eq!(place.ends(65, "rollback --yes").code(), "name.unknown");
}

#[test]
fn what_was_wished_later_is_not_undone_with_an_older_operation() {
    let place = Place::new();
    place.must("policy add a.example encrypt --no-preflight");
    place.must("policy add b.example encrypt --no-preflight");
    let first = kept(&place);
    place.must("policy edit a.example --note kept");
    let second = kept(&place);
    let refused = place.ends(75, &format!("rollback {first} --yes"));
    assert_eq!(refused.code(), "rollback.conflict");
    let words = refused.json.to_string();
    assert!(
        words.contains("the rule for a.example was changed again"),
        "{words}"
    );
    assert_eq!(rule(&place, "a.example")["note"], "kept");
    // Words of another rule are no part of it.
    place.must("policy edit b.example --note other");
    kept(&place);
    place.must(&format!("rollback {second} --yes"));
    assert_eq!(rule(&place, "a.example")["note"], Value::Null);
    assert_eq!(rule(&place, "b.example")["note"], "other");
    // Nor is a wish that waits.
    place.must("policy edit b.example --note third");
    assert_eq!(undone(&place), 3);
    let listed = place.must("policy list b.example").json;
    assert_eq!(listed["rules"][0]["in_force"]["note"], Value::Null);
    assert_eq!(listed["rules"][0]["wanted"]["note"], "third");
}

#[test]
fn a_rule_that_is_overruled_is_an_operation_too() {
    let place = Place::of(builder().set("relayhost", "[relay.example]:587"));
    let hop = "[relay.example]:587";
    place.must(&format!("domain add example.org --next-hop {hop}"));
    kept(&place);
    let maps = place.maps();
    place.must(&format!("policy add {hop} may --no-preflight"));
    let second = kept(&place);
    assert_eq!(place.maps(), maps);
    assert_eq!(place.listed("in_force").len(), 2);
    assert_eq!(undone(&place), second);
    assert_eq!(place.listed("in_force"), [format!("{hop} encrypt")]);
    assert_eq!(place.looked_up(hop).as_deref(), Some("encrypt"));
    // By hand it is stricter than nothing, once the other is gone: the older one cannot be taken back.
    place.must(&format!("policy add {hop} may --no-preflight"));
    let third = kept(&place);
    place.must("domain remove example.org");
    kept(&place);
    assert_eq!(place.looked_up(hop).as_deref(), Some("may"));
    let refused = place.ends(75, &format!("rollback {third} --yes"));
    assert_eq!(refused.code(), "rollback.conflict");
    assert_eq!(place.looked_up(hop).as_deref(), Some("may"));
}

#[test]
fn a_value_that_stands_there_already_is_an_operation() {
    let place = Place::of(builder().set("smtp_tls_loglevel", "1"));
    place.must("policy add a.example encrypt --no-preflight");
    kept(&place);
    place.must("set loglevel.outbound=1");
    let second = kept(&place);
    assert_eq!(undone(&place), second);
    assert_eq!(place.looked_up("a.example").as_deref(), Some("encrypt"));
    assert_eq!(undone(&place), 1);
    assert_eq!(place.maps(), "");
}

#[test]
fn a_table_that_was_taken_over_bars_no_rollback() {
    // A table that was adopted before, and none.
    for own in ["a.example encrypt\n", ""] {
        let place = match own {
            "" => Place::new(),
            own => {
                let place = Place::unadopted(
                    builder().set("smtp_tls_policy_maps", "hash:{base}/config/own"),
                );
                place.table("own", own);
                place.must("init");
                place
            }
        };
        let before = place.maps();
        let earlier = place.listed("in_force");
        place.must("policy add b.example encrypt --no-preflight");
        kept(&place);
        let front = place.table("front", "f.example may\n");
        place.put_first(&front);
        place.must("drift --adopt");
        assert_eq!(place.must("plan").json["pending"], false);
        let rows = place.maps().split(", ").nth(1).unwrap().to_owned();
        assert!(rows.contains("/policy-"), "{rows}");
        assert_eq!(undone(&place), 1);
        let wanted = match before.as_str() {
            "" => front.clone(),
            before => format!("{front}, {before}"),
        };
        assert_eq!(place.maps(), wanted);
        assert_eq!(place.listed("in_force"), earlier);
        place.must("drift");
        assert_eq!(place.must("plan").json["pending"], false);
        // And forth.
        place.must("rollback 2 --yes");
        assert_eq!(place.maps(), format!("{front}, {rows}"));
        assert_eq!(place.must("plan").json["pending"], false);
        place.must("drift");
    }
}

#[test]
fn another_comment_in_a_table_bars_no_rollback() {
    let place = Place::unadopted(builder().set("smtp_tls_policy_maps", "hash:{base}/config/own"));
    place.table("own", "a.example encrypt\n");
    place.must("init");
    place.must("policy add b.example encrypt --no-preflight");
    kept(&place);
    let map = place.maps();
    assert_eq!(undone(&place), 1);
    place.table("own", "# partner\na.example encrypt\n");
    place.must("drift --adopt");
    place.must("rollback 2 --yes");
    assert_eq!(place.maps(), map);
    assert_eq!(rule(&place, "a.example")["note"], "partner");
    assert_eq!(place.looked_up("b.example").as_deref(), Some("encrypt"));
    place.must("drift");
    assert_eq!(place.must("plan").json["pending"], false);
}

#[test]
fn rules_that_a_table_changed_since_are_not_taken_back_with_an_operation() {
    let place = Place::unadopted(builder().set("smtp_tls_policy_maps", "hash:{base}/config/own"));
    place.table("own", "a.example encrypt\nb.example may\n");
    place.must("init");
    place.must("policy edit a.example --note mine");
    kept(&place);
    place.table("own", "a.example secure\nb.example may\n");
    place.must("drift --adopt");
    assert_eq!(place.ends(75, "rollback --yes").code(), "rollback.conflict");
    assert_eq!(rule(&place, "a.example")["policy"], "secure");
    assert_eq!(rule(&place, "a.example")["note"], "mine");
}

#[test]
fn a_way_back_to_a_table_that_was_edited_says_so() {
    let place = Place::unadopted(builder().set("smtp_tls_policy_maps", "hash:{base}/config/own"));
    place.table("own", "a.example encrypt\n");
    place.must("init");
    place.must("policy add b.example encrypt --no-preflight");
    kept(&place);
    let told = |place: &Place| {
        let check = place.ends(2, "rollback --check").json;
        check.to_string().contains("policy.table-back-edited")
    };
    assert!(!told(&place));
    place.table("own", "a.example may\n");
    assert!(told(&place));
    assert_eq!(undone(&place), 1);
    // As it says.
    place.ends(2, "drift");
    place.must("drift --adopt");
    assert_eq!(place.listed("in_force"), ["a.example may"]);
    place.must("drift");
}
