//! Rules held against where mail goes: when they are wished, and whenever the routes change later.

use crate::place::{Place, builder};
use serde_json::Value;
use std::fs;

/// With one rule in force, and a service that asks no tables.
fn place() -> Place {
    let place = Place::of(builder().set("transport_maps", "hash:{base}/config/transport"));
    place.table("transport", "routed.example smtp:\n");
    place.must("policy add a.example encrypt");
    place.must("policy add b.example encrypt");
    place.must("apply --yes");
    place
}

fn of_code<'j>(findings: &'j Value, code: &str) -> Vec<&'j Value> {
    let findings = findings.as_array().unwrap().iter();
    findings.filter(|found| found["code"] == code).collect()
}

fn idle(place: &Place) -> Vec<String> {
    let status = place.must("status").json;
    let names = status["idle_rules"].as_array().unwrap().iter();
    names
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

fn add_to_main_cf(place: &Place, line: &str) {
    let main = place.main_cf();
    place.write("main.cf", &format!("{main}{line}\n"));
}

#[test]
fn a_relay_host_that_came_later_is_told_by_everything_that_looks() {
    let place = place();
    let lint = format!("lint {}", place.config().display());
    assert!(idle(&place).is_empty());
    place.ends(0, &lint);
    place.ends(0, "verify");

    add_to_main_cf(&place, "relayhost = [127.0.0.1]:2525");
    let found = place.ends(2, &lint).json;
    let found = of_code(&found["findings"], "policy.never-matches");
    assert_eq!(found.len(), 1, "{found:?}");
    let words = found[0].to_string();
    for part in [
        "relayhost",
        "[127.0.0.1]:2525",
        "a.example encrypt",
        "b.example encrypt",
    ] {
        assert!(words.contains(part), "{words}");
    }
    let remedy = found[0]["remedy"].as_str().unwrap();
    let offered = "policy add '[127.0.0.1]:2525' encrypt";
    assert!(remedy.contains(offered), "{remedy}");
    assert_eq!(idle(&place), ["a.example", "b.example"]);
    let verified = place.ends(1, "verify").json;
    assert_eq!(
        of_code(&verified["findings"], "policy.never-matches").len(),
        1
    );
    let again = place.must("init").json;
    assert_eq!(of_code(&again["findings"], "policy.never-matches").len(), 1);
    let nagios = place.run("status --nagios");
    assert_eq!(nagios.exit, Some(1), "{}", nagios.stdout);
    assert!(nagios.stdout.contains("do nothing"), "{}", nagios.stdout);

    // The rule that is offered works, and one for the domain is refused.
    place.ends(65, "policy add c.example encrypt");
    place.must("policy add [127.0.0.1]:2525 encrypt --force --reason nobody%20listens");
    let plan = place.must("plan").json;
    let told = of_code(&plan["findings"], "policy.never-matches");
    assert_eq!(told.len(), 1, "{plan}");
    assert_eq!(told[0]["was_so_before"], true);
    place.must("policy remove a.example b.example");
    let plan = place.must("plan").json;
    assert!(of_code(&plan["findings"], "policy.never-matches").is_empty());
    place.must("apply --yes");
    assert!(idle(&place).is_empty());
    place.ends(0, &lint);
}

#[test]
fn a_wish_that_a_route_has_voided_since_is_told_by_the_plan() {
    let place = place();
    place.must("policy add late.example encrypt");
    place.table("transport", "late.example smtp:[elsewhere.example]\n");
    let plan = place.must("plan").json;
    let told = of_code(&plan["findings"], "policy.never-matches");
    assert_eq!(told.len(), 1, "{plan}");
    assert_eq!(told[0]["was_so_before"], false);
    assert!(told[0].to_string().contains("elsewhere.example"));
}

#[test]
fn what_was_put_down_knowingly_is_not_told_again() {
    let place = place();
    place.table("transport", "known.example smtp:[elsewhere.example]\n");
    place.must("policy add known.example encrypt --force --reason it%20will%20move");
    assert!(of_code(&place.must("plan").json["findings"], "policy.never-matches").is_empty());
    place.must("apply --yes");
    assert!(idle(&place).is_empty());
    place.ends(0, "verify");
    place.ends(0, &format!("lint {}", place.config().display()));
}

#[test]
fn a_rule_for_a_next_hop_that_routes_name_is_not_called_useless() {
    let place = place();
    // Mail for relay.example itself leaves by the relay host; that of others is sent to it.
    place.table("transport", "customer.example smtp:relay.example\n");
    place.must("policy add relay.example encrypt");
    place.must("apply --yes");
    place.must("policy remove a.example b.example");
    place.must("apply --yes");
    add_to_main_cf(&place, "relayhost = [127.0.0.1]:2525");
    assert!(idle(&place).is_empty());
    place.must("policy edit relay.example may");
    place.table("transport", "customer.example smtp:other.example\n");
    assert_eq!(idle(&place), ["relay.example"]);
}

#[test]
fn the_rows_of_an_administrators_tables_are_held_against_the_routes_too() {
    let tables = "hash:{base}/config/own, hash:{base}/config/left";
    let place = Place::unadopted(
        builder()
            .set("smtp_tls_policy_maps", tables)
            .set("relayhost", "[127.0.0.1]:2525"),
    );
    place.table("own", "a.example encrypt\n[127.0.0.1]:2525 may\n");
    place.table("left", "*.bad may\nl.example secure\n");
    let found = place.must("init").json;
    let found = of_code(&found["findings"], "policy.never-matches");
    let words = format!("{found:?}");
    assert!(words.contains("a.example encrypt"), "{words}");
    assert!(words.contains("l.example secure"), "{words}");
    assert!(!words.contains("may"), "{words}");
    let listed = place.ends(2, &format!("lint {}", place.config().display()));
    assert!(listed.stdout.contains("policy.never-matches"));
}

#[test]
fn of_many_thousand_rows_a_sample_is_looked_at_and_that_is_said() {
    let place = Place::unadopted(builder().set("smtp_tls_policy_maps", "hash:{base}/config/own"));
    let rows: String = (0..6_001)
        .map(|i| format!("d{i:05}.example encrypt\n"))
        .collect();
    place.table("own", &rows);
    let lint = format!("lint {}", place.config().display());
    let found = place.must(&lint).json;
    let notes = of_code(&found["findings"], "policy.rows-sampled");
    assert_eq!(notes.len(), 1, "{found}");
    assert!(
        notes[0]["message"]
            .as_str()
            .unwrap()
            .contains("3001 of the 6001 rows")
    );
    assert!(of_code(&found["findings"], "policy.never-matches").is_empty());
    add_to_main_cf(&place, "relayhost = [127.0.0.1]:2525");
    let found = place.ends(2, &lint).json;
    let idle = of_code(&found["findings"], "policy.never-matches");
    assert_eq!(idle.len(), 1);
    assert!(
        idle[0]["message"]
            .as_str()
            .unwrap()
            .starts_with("3001 rows do nothing")
    );
    assert!(idle[0].to_string().contains("and 2991 more rows"));
}

#[test]
fn a_service_that_asks_no_tables_takes_a_rules_effect_away() {
    let place = place();
    place.table(
        "transport",
        "a.example alone:\nc.example alone:\nd.example lmtp:\n",
    );
    place.add_to_master_cf("alone unix - - n - - smtp\n  -o smtp_tls_policy_maps=\n");
    place.add_to_master_cf("lmtp unix - - n - - lmtp\n");
    place.must("drift --adopt");
    assert_eq!(idle(&place), ["a.example"]);
    let refused = place.ends(65, "policy add c.example encrypt");
    assert_eq!(refused.code(), "policy.never-matches");
    let finding = &refused.json["findings"][0];
    assert_eq!(
        finding["evidence"][0]["text"],
        "master.cf: alone/unix -o smtp_tls_policy_maps="
    );
    let refused = place.ends(65, "policy add d.example encrypt");
    assert!(
        refused.stdout.contains("lmtp_tls_policy_maps"),
        "{}",
        refused.stdout
    );
    // lmtp(8) can go by the same rules.
    place.must("set param.lmtp_tls_policy_maps=$smtp_tls_policy_maps");
    place.must("apply --yes");
    place.must("policy add d.example encrypt --force --reason nobody%20listens");
    // As the remedy says.
    let path = place.config().join("master.cf");
    let master = fs::read_to_string(&path).unwrap();
    fs::write(&path, master.replace("  -o smtp_tls_policy_maps=\n", "")).unwrap();
    place.must("drift --adopt");
    place.must("policy add c.example encrypt");
    place.must("apply --yes");
    assert!(idle(&place).is_empty());
    let explained = place.must("explain c.example").json;
    assert_eq!(explained["hops"][0]["level"], "encrypt");
}

#[test]
fn a_service_with_tables_of_its_own_gets_the_rules_but_not_in_place_of_others() {
    let place = Place::unadopted(
        builder()
            .set("smtp_tls_policy_maps", "hash:{base}/config/own")
            .set("transport_maps", "hash:{base}/config/transport"),
    );
    place.table("own", "o.example encrypt\n");
    let other = place.table("other", "x.example may\n");
    place.table("transport", "a.example alone:\n");
    place.add_to_master_cf(&format!(
        "alone unix - - n - - smtp\n  -o smtp_tls_policy_maps={other}\n"
    ));
    place.must("init");
    let refused = place.ends(65, "policy add a.example encrypt");
    assert_eq!(refused.code(), "policy.never-matches");
    assert!(refused.stdout.contains("alone/unix"), "{}", refused.stdout);
    place.must("policy add b.example encrypt");
    // Nor does a rule for the next hop of all mail work where that service sends it.
    add_to_main_cf(&place, "default_transport = alone:[127.0.0.1]:2525");
    let refused = place.ends(65, "policy add [127.0.0.1]:2525 encrypt");
    assert_eq!(refused.code(), "policy.never-matches");
}

/// A Postfix whose routes stand in a table that cannot be listed.
fn routed_by(table: &str) -> Place {
    Place::of(builder().set("transport_maps", table))
}

#[test]
fn routes_by_patterns_are_asked_and_not_taken_for_known() {
    let place = routed_by("regexp:{base}/config/routes");
    place.write(
        "routes",
        "/@pat\\.example$/ smtp:[hop.example]:587\n/@bare\\.example$/ smtp:hop.example\n\
         /@hop\\.example$/ smtp:[else.example]\n",
    );
    let explained = place.must("explain anybody@pat.example").json;
    assert_eq!(explained["resolution"]["nexthop"], "[hop.example]:587");
    let refused = place.ends(65, "policy add pat.example encrypt --no-preflight");
    assert!(
        refused.stdout.contains("[hop.example]:587"),
        "{}",
        refused.stdout
    );
    place.must("policy add [hop.example]:587 encrypt --no-preflight");
    // Mail of others goes there, which no list of the table can tell.
    let refused = place.ends(65, "policy add hop.example encrypt --no-preflight");
    assert!(
        refused.stdout.contains("cannot be listed"),
        "{}",
        refused.stdout
    );
    place.must("policy add hop.example encrypt --no-preflight --force --reason others");
    place.must("apply --yes");
    let explained = place.must("explain anybody@bare.example").json;
    assert_eq!(explained["hops"][0]["level"], "encrypt", "{explained}");
}

#[test]
fn routes_that_cannot_be_asked_leave_the_way_undetermined() {
    // Not there; of no type that is known; asks a server that does not answer.
    for (table, reason) in [
        ("regexp:{base}/config/none", "No such file"),
        ("nosuch:/etc/postfix/routes", "unsupported dictionary type"),
        ("socketmap:inet:127.0.0.1:1:x", "refused"),
    ] {
        let place = Place::unadopted(builder().set("transport_maps", table));
        let explained = place.ends(3, "explain anybody@pat.example").json;
        let way = &explained["resolution"];
        for field in ["transport", "nexthop", "transport_by", "nexthop_by"] {
            assert!(way[field].is_null(), "{table}: {way}");
        }
        let failed = way["failed"].as_str().unwrap();
        assert!(failed.contains(reason), "{table}: {failed}");
        assert_eq!(explained["hops"], serde_json::json!([]));
        assert_eq!(explained["findings"][0]["code"], "policy.table-failed");
        let lines: Vec<&str> = failed.lines().collect();
        let once: std::collections::BTreeSet<&str> = lines.iter().copied().collect();
        assert_eq!(lines.len(), once.len(), "{failed}");
        let text = place.scene.run(&["explain", "anybody@pat.example"]).stdout;
        assert!(
            text.contains("undetermined") && !text.contains("default_transport"),
            "{text}"
        );
        place.must("init");
        let refused = place.ends(65, "policy add pat.example encrypt --no-preflight");
        assert!(
            refused.stdout.contains(reason),
            "{table}: {}",
            refused.stdout
        );
    }
}
