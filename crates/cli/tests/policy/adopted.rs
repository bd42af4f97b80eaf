//! Administrators' own tables: their rows become rules, and Postfix goes on as it was.

use crate::place::{Place, builder};
use std::fs;

/// Its main.cf names `smtp_tls_policy_maps = hash:…/own`, which is compiled of these rows.
pub(crate) fn place(rows: &str) -> Place {
    let place = Place::unadopted(builder().set("smtp_tls_policy_maps", "hash:{base}/config/own"));
    place.table("own", rows);
    place
}

pub(crate) fn own(place: &Place) -> String {
    format!("hash:{}", place.config().join("own").display())
}

const NOBODY: [&str; 0] = [];

#[test]
fn rows_are_rules_in_force_until_one_changes() {
    let place = place(
        "# contract 12\nA.example   encrypt\n.a.example secure  match=nexthop\n\n# gone\n\n[mx.b.example]:587 verify\n",
    );
    let before = place.main_cf();
    let adopted = place.must("init");
    assert_eq!(adopted.json["tables"][0]["table"], own(&place));
    assert_eq!(adopted.json["tables"][0]["rows"], 3);
    let rules = [
        ".a.example secure match=nexthop",
        "[mx.b.example]:587 verify",
        "a.example encrypt",
    ];
    assert_eq!(place.listed("in_force"), rules);
    assert_eq!(place.listed("wanted"), rules);
    let listed = place.must("policy list a.example").json;
    assert_eq!(listed["rules"][1]["in_force"]["note"], "contract 12");
    assert_eq!(place.must("plan").json["pending"], false);
    place.must("drift");
    assert_eq!(place.main_cf(), before);
    assert_eq!(place.must("init").json["changed"], false);

    // What people should know of a rule is no matter of Postfix.
    place.must("policy edit a.example encrypt --owner team");
    place.must("apply --yes");
    assert_eq!(place.main_cf(), before);

    place.must("policy edit a.example may");
    place.must("policy remove [mx.b.example]:587");
    let plan = place.must("plan").json;
    assert_eq!(plan["rules"]["count"], 2);
    place.must("apply --yes");
    assert!(!place.maps().contains("/own"), "{}", place.maps());
    let wanted = [
        ("a.example", Some("may")),
        (".a.example", Some("secure match=nexthop")),
        ("[mx.b.example]:587", None),
    ];
    for (key, policy) in wanted {
        assert_eq!(place.looked_up(key).as_deref(), policy, "{key}");
    }
    let file = fs::read_to_string(place.config().join("own")).unwrap();
    assert!(file.starts_with("# contract 12\nA.example   encrypt\n"));
    assert_eq!(place.must("plan").json["pending"], false);

    place.must("rollback --yes");
    assert_eq!(place.main_cf(), before);
    assert_eq!(place.listed("in_force"), rules);
    assert_eq!(place.listed("wanted"), rules);
    assert_eq!(place.looked_up("a.example").as_deref(), Some("encrypt"));
    assert_eq!(place.must("plan").json["pending"], false);
    assert_eq!(place.installed(), [] as [std::path::PathBuf; 0]);
    place.must("drift");
}

#[test]
fn a_table_that_answers_otherwise_than_its_rules_is_told_where_they_are() {
    let rows = "a.example   encrypt\nbücher.example verify\n.b.example secure  match=nexthop\n";
    let place = place(rows);
    place.must("init");
    let holds = |place: &Place| -> Vec<bool> {
        let listed = place.must("policy list").json;
        let rules = listed["rules"].as_array().unwrap().iter();
        rules
            .map(|rule| rule["answered"].as_bool().unwrap())
            .collect()
    };
    place.must("verify");
    assert_eq!(holds(&place), [true, true, true]);

    // Edited, but not compiled: what Postfix finds is what the rules say.
    place.write("own", &rows.replace("encrypt", "none"));
    place.must("verify");
    assert_eq!(holds(&place), [true, true, true]);

    place.table("own", &rows.replace("encrypt", "none"));
    let told = place.ends(1, "verify").json["findings"].to_string();
    assert!(told.contains("policy.map-answers-wrong"), "{told}");
    assert!(told.contains("a.example: none, not encrypt"), "{told}");
    assert_eq!(holds(&place), [true, false, true]);

    place.table("own", rows);
    place.must("verify");
    fs::remove_file(place.config().join("own.db")).unwrap();
    let told = place.ends(1, "verify").json["findings"].to_string();
    assert!(told.contains("cannot be asked"), "{told}");
    assert_eq!(holds(&place), [false, false, false]);
}

#[test]
fn the_last_rule_goes_with_the_table_and_comes_back_with_it() {
    let place = place("a.example encrypt\n");
    let before = place.main_cf();
    place.must("init");
    place.must("policy remove a.example");
    place.must("apply --yes");
    assert_eq!(place.maps(), "");
    assert_eq!(place.listed("in_force"), NOBODY);
    assert_eq!(place.must("plan").json["pending"], false);
    // The same rule as once, but the table that was replaced is not named again.
    place.must("policy add a.example encrypt");
    place.must("apply --yes");
    assert!(
        place.maps().contains("/postseal.d/policy-"),
        "{}",
        place.maps()
    );
    assert_eq!(place.looked_up("a.example").as_deref(), Some("encrypt"));
    place.must("rollback --yes");
    place.must("rollback --yes");
    assert_eq!(place.main_cf(), before);
    assert_eq!(place.listed("in_force"), ["a.example encrypt"]);
}

#[test]
fn of_several_tables_the_first_ones_are_adopted_and_the_others_stay_behind() {
    let tables = "hash:{base}/config/first, proxy:btree:{base}/config/second texthash:{base}/config/bad, hash:{base}/config/last";
    let place = Place::unadopted(builder().set("smtp_tls_policy_maps", tables));
    let config = place.config();
    let config = config.display();
    place.table("first", "both.example encrypt\nfirst.example dane\n");
    place.write("second", "both.example none\nsecond.example may\n");
    crate::scene::run(
        "/usr/sbin/postmap",
        &[
            "-c",
            &place.scene.config(),
            &format!("btree:{config}/second"),
        ],
    );
    place.write("bad", "*.bad.example may\nthird.example encrypt\n");
    place.table("last", "last.example encrypt\n");
    let adopted = place.must("init").json;
    let names: Vec<&str> = adopted["tables"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|table| table["table"].as_str())
        .collect();
    assert_eq!(
        names,
        [
            format!("hash:{config}/first"),
            format!("proxy:btree:{config}/second")
        ]
    );
    let left: Vec<&serde_json::Value> = adopted["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["code"] == "policy.table-left")
        .collect();
    let told = |at: usize| left[at]["message"].as_str().unwrap();
    assert!(
        told(0).starts_with(&format!("texthash:{config}/bad is left alone")),
        "{left:?}"
    );
    assert_eq!(left[0]["evidence"][0]["line"], 1);
    assert!(
        told(1).starts_with(&format!("hash:{config}/last is left alone")),
        "{left:?}"
    );
    let rules = [
        "both.example encrypt",
        "first.example dane",
        "second.example may",
    ];
    assert_eq!(place.listed("in_force"), rules);
    assert_eq!(place.must("plan").json["pending"], false);
    let again = place.must("init").json;
    assert_eq!(again["changed"], false, "{again}");
    assert!(again.to_string().contains("policy.table-left"), "{again}");

    let weaker = place.ends(65, "policy add last.example none");
    assert_eq!(weaker.code(), "policy.weakens");
    place.must("policy add last.example none --force --reason wanted");
    place.must("apply --yes");
    let rest = format!(", texthash:{config}/bad, hash:{config}/last");
    assert!(place.maps().ends_with(&rest), "{}", place.maps());
    assert!(!place.maps().contains("second"), "{}", place.maps());
    for (domain, level) in [
        ("both.example", "encrypt"),
        ("second.example", "may"),
        ("third.example", "encrypt"),
        ("last.example", "none"),
    ] {
        let explained = place.must(&format!("explain {domain}")).json;
        assert_eq!(explained["hops"][0]["level"], level, "{domain}");
    }
}

#[test]
fn an_edit_of_the_table_is_drift_until_it_is_taken_over() {
    let place = place("# by hand\na.example encrypt\nb.example may\n");
    place.must("init");
    place.must("policy edit b.example may --owner team");
    place.must("apply --yes");
    let rows = "# by hand, again\nb.example secure\nc.example dane\n";
    place.write("own", rows);
    let drift = place.ends(2, "drift").json;
    assert_eq!(drift["drift_tables"][0]["table"], own(&place));
    assert_eq!(
        place.must("status").json["drift_tables"][0]["what"],
        "was edited by hand"
    );
    // The rules would undo it.
    place.must("policy add d.example encrypt");
    for command in ["plan", "apply --yes"] {
        let refused = place.ends(65, command);
        assert_eq!(refused.code(), "drift.unresolved", "{}", refused.stdout);
    }
    // Postfix does not answer so yet.
    let refused = place.ends(65, "drift --adopt");
    assert_eq!(
        refused.code(),
        "policy.table-not-compiled",
        "{}",
        refused.stdout
    );
    let words = refused.json.to_string();
    for word in ["a.example", "b.example", "c.example"] {
        assert!(words.contains(word), "{word}: {words}");
    }
    assert_eq!(
        place.listed("in_force"),
        ["a.example encrypt", "b.example may"]
    );

    place.table("own", rows);
    let taken = place.must("drift --adopt").json;
    assert_eq!(taken["changed"], true);
    assert_eq!(taken["tables"][0]["rows"], 2);
    place.must("drift");
    assert_eq!(
        place.listed("in_force"),
        ["b.example secure", "c.example dane"]
    );
    let listed = place.must("policy list b.example").json;
    assert_eq!(listed["rules"][0]["in_force"]["owner"], "team");
    assert_eq!(listed["rules"][0]["in_force"]["note"], "by hand, again");
    place.must("apply --yes");
    for (key, policy) in [
        ("a.example", None),
        ("c.example", Some("dane")),
        ("d.example", Some("encrypt")),
    ] {
        assert_eq!(place.looked_up(key).as_deref(), policy, "{key}");
    }
    // It is not asked any more.
    place.table("own", "a.example none\n");
    place.must("drift");
}

#[test]
fn a_repeated_init_takes_a_new_table_over_and_forgets_one_that_is_gone() {
    let place = place("a.example encrypt\n");
    place.must("init");
    place.table("new", "n.example dane\n");
    let named = place.main_cf();
    let edited = named.replace("/config/own", "/config/new");
    assert_ne!(named, edited);
    place.write("main.cf", &edited);
    let again = place.must("init");
    assert_eq!(again.json["changed"], true, "{}", again.stdout);
    assert_eq!(place.listed("in_force"), ["n.example dane"]);
    assert_eq!(place.must("plan").json["pending"], false);
    place.write(
        "main.cf",
        &named.replace("smtp_tls_policy_maps", "#smtp_tls_policy_maps"),
    );
    place.must("drift --adopt");
    assert_eq!(place.listed("in_force"), NOBODY);
    assert_eq!(place.must("plan").json["pending"], false);
    place.must("policy add b.example may");
    place.must("apply --yes");
    assert_eq!(place.looked_up("b.example").as_deref(), Some("may"));
    assert_eq!(place.looked_up("a.example"), None);
}

#[test]
fn what_release_forgets_init_finds_again() {
    let place = place("a.example encrypt\n");
    place.must("init");
    place.must("policy add b.example may");
    place.must("apply --yes");
    place.must("release");
    // The map of the rules is a table like any other now.
    place.must("init");
    assert_eq!(
        place.listed("in_force"),
        ["a.example encrypt", "b.example may"]
    );
    place.must("policy edit b.example secure");
    place.must("apply --yes");
    assert_eq!(place.looked_up("b.example").as_deref(), Some("secure"));
    assert_eq!(place.looked_up("a.example").as_deref(), Some("encrypt"));
    // It is there for the way back, too.
    place.must("rollback --yes");
    assert_eq!(place.looked_up("b.example").as_deref(), Some("may"));
    let rules = ["a.example encrypt", "b.example may"];
    assert_eq!(place.listed("in_force"), rules);
}

#[test]
fn another_table_by_set_leaves_the_rules_in_force() {
    let place = place("a.example encrypt\n");
    place.must("init");
    let other = place.table("other", "o.example verify\n");
    place.must(&format!("set param.smtp_tls_policy_maps={other}"));
    place.must("apply --yes");
    assert!(
        place.maps().ends_with(&format!(", {other}")),
        "{}",
        place.maps()
    );
    for (domain, level) in [("a.example", "encrypt"), ("o.example", "verify")] {
        let explained = place.must(&format!("explain {domain}")).json;
        assert_eq!(explained["hops"][0]["level"], level, "{domain}");
    }
    assert_eq!(place.listed("in_force"), ["a.example encrypt"]);
    place.must("rollback --yes");
    assert_eq!(place.maps(), own(&place));
}

#[test]
fn rows_of_several_lines_are_rules_as_postfix_reads_them() {
    let rows = "# contract\na.example\n   encrypt\n# of this row\n\tprotocols=>=TLSv1.2\n\n  ciphers=high\n\
                b.example may\nc.example secure\n match=nexthop\n";
    let place = place(rows);
    let adopted = place.must("init").json;
    assert_eq!(adopted["tables"][0]["rows"], 3, "{adopted}");
    let findings = adopted["findings"].as_array().unwrap().iter();
    let joined: Vec<_> = findings
        .filter(|one| one["code"] == "policy.rows-joined")
        .collect();
    assert_eq!(joined.len(), 1, "{adopted}");
    assert!(
        joined[0]["message"]
            .as_str()
            .unwrap()
            .contains("2 rows go over"),
        "{adopted}"
    );
    let wanted = [
        "a.example encrypt protocols=>=TLSv1.2 ciphers=high",
        "b.example may",
        "c.example secure match=nexthop",
    ];
    assert_eq!(place.listed("in_force"), wanted);
    place.must("policy remove b.example");
    place.must("apply --yes");
    assert_eq!(
        place.looked_up("a.example").as_deref(),
        Some("encrypt protocols=>=TLSv1.2 ciphers=high")
    );
}

#[test]
fn a_plan_says_that_names_get_their_other_spelling() {
    let place = place("xn--bcher-kva.example encrypt\nläden.example may\na.example may\n");
    let adopted = place.must("init").json;
    assert!(
        adopted["findings"]
            .to_string()
            .contains("policy.both-forms"),
        "{adopted}"
    );
    place.must("policy edit a.example encrypt --no-preflight");
    let said = place.must("plan").json["sentences"].to_string();
    assert!(said.contains("in one form only in 2 rows"), "{said}");
    place.must("apply --yes");
    for key in ["bücher.example", "xn--bcher-kva.example"] {
        assert_eq!(place.looked_up(key).as_deref(), Some("encrypt"), "{key}");
    }
    assert_eq!(
        place.looked_up("xn--lden-loa.example").as_deref(),
        Some("may")
    );
    place.must("policy edit a.example may --no-preflight");
    let said = place.must("plan").json["sentences"].to_string();
    assert!(!said.contains("in one form only"), "{said}");
}
