//! Rules that an entry of a domain manages, beside rules made by hand.

use crate::managed::{delivery, findings, free_port, submit, tls};
use crate::place::{Place, builder};
use postseal_testkit::smtp_script::SmtpScript;
use serde_json::Value;
use std::fs;
use std::net::TcpListener;

#[test]
fn an_entry_manages_its_rule_and_takes_it_with_it() {
    let place = Place::of(builder().set("transport_maps", "hash:{base}/config/transport"));
    place.table("transport", "example.org smtp:[relay.example.net]:587\n");
    let hop = "[relay.example.net]:587";
    place.must("policy add [relay.example.net]:587 may --note by%20hand");
    let added = place.must("domain add Example.org --requires-auth --note contract");
    assert_eq!(
        added.json["added"], 1,
        "the next hop is the one its mail takes"
    );
    assert_eq!(findings(&added.json, "domain.no-credentials").len(), 1);
    assert_eq!(findings(&added.json, "domain.not-routed").len(), 0);
    assert_eq!(
        place.ends(65, "domain add example.org").code(),
        "domain.exists"
    );
    place.must("apply --yes");
    assert_eq!(place.looked_up(hop).as_deref(), Some("encrypt"));
    let listed = place.must("policy list");
    let rules = listed.json["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 2, "{}", listed.stdout);
    assert_eq!(rules[1]["manager"], "domain example.org");
    let listed = place.must("domain list").json;
    assert_eq!(listed["domains"][0]["routed"], true);
    assert_eq!(listed["domains"][0]["requires_auth"], true);

    place.must("policy remove [relay.example.net]:587");
    place.must("apply --yes");
    assert_eq!(place.looked_up(hop).as_deref(), Some("encrypt"));
    for words in ["policy remove", "policy edit"] {
        let level = if words.ends_with("edit") { " may" } else { "" };
        let refused = place.ends(65, &format!("{words} {hop}{level}"));
        assert_eq!(refused.code(), "policy.managed", "{words}");
        let text = refused.json.to_string();
        assert!(text.contains("domain edit example.org"), "{text}");
    }
    place.must("domain edit example.org --level secure --match relay.example.net");
    place.must("apply --yes");
    let secure = "secure match=relay.example.net";
    assert_eq!(place.looked_up(hop).as_deref(), Some(secure));
    place.must("rollback --yes");
    assert_eq!(place.looked_up(hop).as_deref(), Some("encrypt"));

    // A rule by hand stays when the entry goes.
    place.must("policy add [relay.example.net]:587 may --note by%20hand");
    place.must("domain remove example.org");
    place.must("discard");
    assert_eq!(
        place.must("domain list").json["domains"][0]["pending"],
        false
    );
    place.must("policy add [relay.example.net]:587 may --note by%20hand");
    place.must("domain remove example.org");
    place.must("apply --yes");
    assert_eq!(place.looked_up(hop).as_deref(), Some("may"));
    assert_eq!(place.listed("in_force"), [format!("{hop} may")]);
    assert_eq!(
        place.ends(65, "domain remove example.org").code(),
        "name.unknown"
    );
    place.must("rollback --yes");
    assert_eq!(place.looked_up(hop).as_deref(), Some("encrypt"));
}

#[test]
fn an_entry_moves_to_another_next_hop_and_stays_one() {
    let place = Place::of(builder());
    place.must("domain add example.org --next-hop [one.example]:587 --requires-auth --note why");
    place.must("apply --yes");
    place.must("domain edit example.org --next-hop [two.example]:587");
    place.must("apply --yes");
    assert_eq!(place.looked_up("[one.example]:587"), None);
    let listed = place.must("domain list").json;
    assert_eq!(listed["domains"].as_array().unwrap().len(), 1);
    let entry = &listed["domains"][0];
    assert_eq!(entry["next_hop"], "[two.example]:587");
    assert_eq!(entry["requires_auth"], true);
    assert_eq!(entry["wanted"]["note"], "why");
    place.must("domain edit example.org --requires-auth false --note ");
    let listed = place.must("domain list").json;
    assert_eq!(listed["domains"][0]["requires_auth"], false);
    assert!(listed["domains"][0]["wanted"]["note"].is_null());
    // Two domains by one next hop: what one leaves, the other keeps.
    place.must("domain add other.example --next-hop [two.example]:587 --requires-auth");
    place.must("apply --yes");
    place.must("domain remove example.org");
    place.must("apply --yes");
    let policy = place.looked_up("[two.example]:587");
    assert_eq!(policy.as_deref(), Some("encrypt"));
}

#[test]
fn an_entry_that_cannot_be_is_refused() {
    let place = Place::of(builder().set("transport_maps", "hash:{base}/config/transport"));
    place.table("transport", "away.example discard:\n");
    let cases = [
        (
            "domain add example.org --level may",
            "domain.level-too-weak",
        ),
        (
            "domain add example.org --level dane",
            "domain.level-too-weak",
        ),
        (
            "domain add example.org --level nonsense",
            "policy.bad-policy",
        ),
        ("domain add .example.org", "domain.bad-domain"),
        ("domain add [relay.example]:587", "domain.bad-domain"),
        ("domain add a..b", "policy.bad-destination"),
        ("domain add away.example", "domain.no-next-hop"),
        (
            "domain add example.org --next-hop [relay.example]:70000",
            "policy.bad-destination",
        ),
        (
            "domain add example.org --next-hop [relay.example]:465",
            "domain.needs-smtps",
        ),
    ];
    for (words, code) in cases {
        assert_eq!(place.ends(65, words).code(), code, "{words}");
    }
    let added = place.must("domain add example.org --next-hop [relay.example]:587");
    let told = findings(&added.json, "domain.not-routed");
    assert!(
        told[0].contains("example.org smtp:[relay.example]:587"),
        "{told:?}"
    );
    place.must("discard");
    assert_eq!(
        place.must("domain list").json["domains"],
        Value::Array(vec![])
    );
}

#[test]
fn smtps_makes_a_client_and_takes_it_away_with_the_last_entry() {
    let place = Place::of(builder().set("transport_maps", "hash:{base}/config/transport"));
    let (first, second) = (free_port(), free_port());
    let master = || fs::read(place.config().join("master.cf")).unwrap();
    let before = master();
    let row = |domain: &str, port| format!("{domain} smtps-out:[127.0.0.1]:{port}\n");
    place.table("transport", "nobody.example smtp:[127.0.0.1]\n");
    let add = |domain: &str, port: u16| {
        format!("domain add {domain} --next-hop [127.0.0.1]:{port} --smtps")
    };
    let added = place.must(&add("one.example", first));
    let told = findings(&added.json, "domain.not-routed");
    assert!(
        told[0].contains(row("one.example", first).trim()),
        "{told:?}"
    );
    place.must(&add("two.example", second));
    place.must("apply --yes");
    let made = String::from_utf8(master()).unwrap();
    assert!(made.contains("smtps-out unix"), "{made}");
    place.table(
        "transport",
        &(row("one.example", first) + &row("two.example", second)),
    );

    // It begins with TLS.
    let listener = TcpListener::bind(("127.0.0.1", first)).unwrap();
    let script = SmtpScript::new()
        .accept_tls(&tls(&place))
        .say("220 relay.example ESMTP\r\n")
        .hear("EHLO")
        .say("250 relay.example\r\n")
        .hear("MAIL")
        .say("550 5.1.0 enough\r\n");
    let server = script.on(listener);
    submit(&place, "someone@one.example");
    delivery(&place, "someone@one.example");
    assert_eq!(server.finish().remove(0).unwrap().len(), 2);

    place.must("domain remove one.example");
    place.must("apply --yes");
    assert_ne!(master(), before, "the other one needs it");
    // Mail still goes by it.
    let removed = place.must("domain remove two.example");
    assert_eq!(findings(&removed.json, "domain.client-in-use").len(), 1);
    place.must("discard");
    place.table("transport", "nobody.example smtp:[127.0.0.1]\n");
    place.must("domain remove two.example");
    place.must("apply --yes");
    assert_eq!(master(), before);
    place.must("rollback --yes");
    assert_ne!(master(), before);
    for _ in 0..2 {
        place.must("rollback --yes");
    }
    assert_eq!(master(), before);
    assert_eq!(place.listed("in_force"), [] as [&str; 0]);
}
