//! Rules for recipients that follow their mail to the next hops it takes, on a running Postfix.

use crate::managed::{delivery, findings, free_port, submit, tls};
use crate::place::{Place, builder};
use postseal_testkit::smtp_script::SmtpScript;
use serde_json::Value;
use std::net::TcpListener;

const QUIET: &str = "--follow --no-preflight";

fn add(place: &Place, domain: &str, policy: &str) -> Value {
    place
        .must(&format!("policy add {domain} {policy} {QUIET}"))
        .json
}

fn with_tables() -> Place {
    let place = Place::of(
        builder()
            .set("relayhost", "[relay.example]:587")
            .set("transport_maps", "hash:{base}/config/transport"),
    );
    place.table(
        "transport",
        "own.example smtp:[own.example]:26\n\
         .under.example smtp:[under.example]:27\n\
         boss@many.example smtp:[boss.example]:28\n\
         sub.many.example smtp:[sub.example]:29\n\
         here.example local:\n\
         nowhere.example error:5.1.1 no\n\
         two.example smtp:[one.example],[two.example]\n",
    );
    place
}

/// What listens there offers, or does not offer, TLS; whether mail came as far as the envelope.
fn mail_gets_there(place: &Place, port: u16, with_tls: bool, recipient: &str) -> bool {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let greeting = SmtpScript::new()
        .say("220 relay.example ESMTP\r\n")
        .hear("EHLO");
    let script = match with_tls {
        true => greeting
            .say("250-relay.example\r\n250 STARTTLS\r\n")
            .hear("STARTTLS")
            .say("220 go\r\n")
            .accept_tls(&tls(place))
            .hear("EHLO")
            .say("250 relay.example\r\n"),
        false => greeting.say("250 relay.example\r\n"),
    };
    let script = script.hear("MAIL").say("550 5.1.0 enough\r\n");
    let server = script.on(listener);
    submit(place, recipient);
    let line = delivery(place, recipient);
    let got = server.finish().remove(0).is_ok();
    assert_eq!(got, line.contains("status=bounced"), "{line}");
    got
}

#[test]
fn the_rule_is_made_for_the_next_hop_and_known_by_its_recipients() {
    let port = free_port();
    let hop = format!("[127.0.0.1]:{port}");
    let place = Place::of(builder().set("relayhost", &hop));
    let refused = place.ends(65, "policy add example.org encrypt");
    assert_eq!(refused.code(), "policy.never-matches");
    assert!(
        refused.json.to_string().contains("--follow"),
        "{}",
        refused.stdout
    );
    assert!(mail_gets_there(&place, port, false, "before@example.org"));

    let added = add(&place, "Example.org", "encrypt");
    let told = findings(&added, "policy.follows");
    assert!(told[0].contains("all mail of the relayhost"), "{told:?}");
    place.must("apply --yes");
    assert_eq!(place.looked_up(&hop).as_deref(), Some("encrypt"));
    assert_eq!(place.looked_up("example.org"), None);
    let listed = place.must("policy list").json;
    assert_eq!(listed["rules"][0]["follows"], "example.org");
    assert_eq!(listed["rules"][0]["scope"], "domain");
    let text = place.scene.say(&["policy", "list", "example.org"]).stdout;
    assert!(text.contains(&format!("example.org → {hop}")), "{text}");
    // On the wire, as `explain` says: that mail, and all other mail of the relay.
    for recipient in ["someone@example.org", "someone@elsewhere.example"] {
        let told = place.must(&format!("explain {recipient}")).json;
        assert_eq!(told["hops"][0]["level"], "encrypt");
        assert!(!mail_gets_there(&place, port, false, recipient));
    }
    assert!(mail_gets_there(&place, port, true, "other@example.org"));

    // It is edited and taken away by its recipients.
    for words in [
        "policy add example.org may",
        "policy add example.org may --follow",
    ] {
        assert_eq!(place.ends(65, words).code(), "policy.exists", "{words}");
    }
    assert_eq!(
        place.ends(65, &format!("policy remove {hop}")).code(),
        "policy.managed"
    );
    place.must("policy edit example.org --ciphers high --note why --no-preflight");
    place.must("apply --yes");
    assert_eq!(
        place.looked_up(&hop).as_deref(),
        Some("encrypt ciphers=high")
    );
    place.must("policy edit example.org --scope subdomains --no-preflight");
    assert_eq!(
        place.must("policy list").json["rules"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    place.must("discard");
    place.must("policy remove example.org");
    place.must("apply --yes");
    assert_eq!(place.maps(), "");
    place.must("rollback --yes");
    assert_eq!(
        place.looked_up(&hop).as_deref(),
        Some("encrypt ciphers=high")
    );
    assert_eq!(
        place.must("policy list").json["rules"][0]["follows"],
        "example.org"
    );
    place.must("rollback --yes");
    assert_eq!(place.looked_up(&hop).as_deref(), Some("encrypt"));
}

#[test]
fn every_form_of_a_route_is_followed() {
    let place = with_tables();
    let cases = [
        ("plain.example", "encrypt", vec!["[relay.example]:587"]),
        ("own.example", "encrypt", vec!["[own.example]:26"]),
        (
            "under.example",
            "encrypt --scope subdomains",
            vec!["[under.example]:27"],
        ),
        (
            "under.example",
            "encrypt --scope both",
            vec!["[relay.example]:587", "[under.example]:27"],
        ),
        (
            "two.example",
            "encrypt",
            vec!["[one.example]", "[two.example]"],
        ),
    ];
    for (domain, policy, hops) in cases {
        add(&place, domain, policy);
        let listed = place.must("policy list").json;
        let rules = listed["rules"].as_array().unwrap().iter();
        let found: Vec<&str> = rules
            .filter_map(|one| one["destination"].as_str())
            .collect();
        assert_eq!(found, hops, "{domain} {policy}");
        place.must("discard");
    }
    for domain in ["here.example", "nowhere.example"] {
        let refused = place.ends(65, &format!("policy add {domain} encrypt --follow"));
        assert_eq!(refused.code(), "policy.never-matches", "{domain}");
        assert!(
            refused.stdout.contains("is not sent by SMTP"),
            "{}",
            refused.stdout
        );
    }
    let refused = place.ends(65, "policy add [relay.example]:587 encrypt --follow");
    assert_eq!(refused.code(), "policy.bad-destination");

    // Single recipients, and names below: told, with the command.
    let told = findings(
        &add(&place, "many.example", "encrypt --scope both"),
        "policy.follows-not",
    );
    for hop in ["[boss.example]:28", "[sub.example]:29"] {
        let command = format!("policy add '{hop}' encrypt");
        assert!(
            told.iter().any(|one| one.contains(&command)),
            "{hop}: {told:?}"
        );
    }
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn default_transport_may_name_the_next_hop_and_mail_may_take_its_own() {
    let place = Place::of(
        builder()
            .set("default_transport", "smtp:[out.example]:26")
            .set(
                "sender_dependent_relayhost_maps",
                "hash:{base}/config/senders",
            )
            .set("smtp_fallback_relay", "[last.example]"),
    );
    place.table("senders", "boss@box.test [boss.example]:587\n");
    let added = add(&place, "example.org", "encrypt");
    assert_eq!(place.listed("wanted"), ["[out.example]:26 encrypt"]);
    assert!(findings(&added, "policy.follows")[0].contains("to whatever domain"));
    let told = findings(&added, "policy.follows-not").concat();
    // `smtp:[out.example]:26` wins over the relay host of a sender, whichever that is.
    assert!(!told.contains("boss.example"), "{told}");
    let told = findings(&added, "policy.fallback-in-clear").concat();
    assert!(told.contains("[last.example]"), "{told}");

    let place = Place::of(
        builder()
            .set(
                "sender_dependent_relayhost_maps",
                "hash:{base}/config/senders",
            )
            .set(
                "sender_dependent_default_transport_maps",
                "regexp:{base}/config/regexp",
            ),
    );
    place.table("senders", "boss@box.test [boss.example]:587\n");
    place.write("regexp", "/^nobody@/ smtp:[nobody.example]\n");
    // Its own domain is the next hop, of names below it, too.
    let added = add(&place, "example.org", "encrypt --scope both");
    assert_eq!(
        place.listed("wanted"),
        [".example.org encrypt", "example.org encrypt"]
    );
    assert_eq!(findings(&added, "policy.follows"), [] as [&str; 0]);
    let told = findings(&added, "policy.follows-not").concat();
    assert!(
        told.contains("[boss.example]:587") && told.contains("regexp:"),
        "{told}"
    );
    // One row of a key: what another rule would write, too.
    let refused = place.ends(65, "policy add example.org may --scope both --no-preflight");
    assert_eq!(refused.code(), "policy.exists");
    add(&place, ".example.org", "encrypt --ciphers high");
    add(&place, ".example.net", "encrypt");
    let refused = place.ends(65, "policy add example.net may --scope both --no-preflight");
    assert_eq!(refused.code(), "policy.covered");
    place.must("apply --yes");
    let below = place.looked_up(".example.org");
    assert_eq!(below.as_deref(), Some("encrypt ciphers=high"));
    assert_eq!(place.looked_up("example.org").as_deref(), Some("encrypt"));
}

#[test]
fn rules_follow_a_route_that_changes() {
    let place = with_tables();
    add(&place, "plain.example", "encrypt");
    place.must("apply --yes");
    assert_eq!(
        findings(&place.must("policy list").json, "policy.route-changed").len(),
        0
    );
    let old = "[relay.example]:587";
    place.table("transport", "plain.example smtp:[new.example]:30\n");

    let told = findings(&place.must("policy list").json, "policy.route-changed");
    assert!(
        told[0].contains("[new.example]:30") && told[0].contains(old),
        "{told:?}"
    );
    let status = place.must("status").json;
    assert_eq!(status["routes_changed"][0]["code"], "policy.route-changed");
    let plan = place.must("plan").json;
    assert_eq!(
        plan["rules"]["routes_changed"][0]["code"],
        "policy.route-changed"
    );
    let synced = place.must("policy sync").json;
    assert_eq!(
        (&synced["added"], &synced["removed"]),
        (&1.into(), &1.into())
    );
    place.must("apply --yes");
    assert_eq!(
        place.looked_up("[new.example]:30").as_deref(),
        Some("encrypt")
    );
    assert_eq!(place.looked_up(old), None);
    assert_eq!(place.must("policy sync").json["added"], 0);

    // Mail that is not sent any more keeps its wish.
    place.table("transport", "plain.example local:\n");
    let kept = place.ends(2, "policy sync").json;
    assert_eq!(kept["removed"], 0);
    let told = findings(&kept, "policy.route-changed");
    assert!(told[0].contains("not sent by SMTP"), "{told:?}");
    assert_eq!(place.listed("in_force"), ["[new.example]:30 encrypt"]);
}

#[test]
fn domains_meet_at_one_relay_and_what_both_demand_holds() {
    let place = with_tables();
    let hop = "[relay.example]:587";
    add(&place, "one.example", "encrypt --ciphers high");
    add(&place, "three.example", "secure");
    place.must("apply --yes");
    let both = "secure ciphers=high";
    assert_eq!(place.looked_up(hop).as_deref(), Some(both));
    let listed = place.must("policy list").json;
    let instead = &listed["rules"][0]["effective"]["instead"];
    assert_eq!(
        instead,
        &format!("merged with recipient three.example: {both}")
    );
    let refused = place.ends(65, "policy add four.example dane --follow --no-preflight");
    assert_eq!(refused.code(), "policy.incomparable");
    place.must("policy remove three.example");
    place.must("apply --yes");
    assert_eq!(
        place.looked_up(hop).as_deref(),
        Some("encrypt ciphers=high")
    );

    // Out and in again, as wishes for recipients.
    let csv = place
        .scene
        .say(&["policy", "export", "--format", "csv"])
        .stdout;
    assert!(
        csv.contains("one.example,encrypt ciphers=high,domain,,,,,yes"),
        "{csv}"
    );
    let json = place
        .scene
        .say(&["policy", "export", "--format", "json"])
        .stdout;
    assert!(json.contains("\"follow\":\"yes\""), "{json}");
    let map = place.scene.say(&["policy", "export"]).stdout;
    assert!(map.contains("#postseal: follow yes\none.example "), "{map}");
    place.must("policy remove one.example");
    place.must("apply --yes");
    let more = csv + "plain.example,encrypt,,,,,,yes\n";
    let file = place.write("rules.csv", &more);
    let read = format!("policy import --format csv {}", file.display());
    assert_eq!(place.must(&read).json["added"], 2);
    place.must("apply --yes");
    assert_eq!(
        place.looked_up(hop).as_deref(),
        Some("encrypt ciphers=high")
    );
    let file = place.write(
        "rules.csv",
        "destination,policy,follow\nhere.example,may,yes\na.example,may,perhaps\n",
    );
    let refused = place.ends(
        65,
        &format!("policy import --format csv {}", file.display()),
    );
    assert!(
        refused.stdout.contains("policy.never-matches"),
        "{}",
        refused.stdout
    );
    assert!(
        refused.stdout.contains("neither yes nor no"),
        "{}",
        refused.stdout
    );
}
