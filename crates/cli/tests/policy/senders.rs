//! Credentials of senders, on the wire: the relay of one sender gets those of its domain.

use crate::managed::{CLEAR, delivery, findings, free_port, greeting, session, submit};
use crate::place::{Place, builder};
use std::net::TcpListener;

#[test]
fn a_sender_with_a_relay_of_its_own_shows_it_the_credentials_of_its_domain() {
    let (port, other) = (free_port(), free_port());
    let place = Place::of(
        builder()
            .set("smtp_sasl_auth_enable", "yes")
            .set("smtp_sasl_security_options", "noanonymous")
            .set("smtp_sender_dependent_authentication", "yes")
            .set("smtp_sasl_password_maps", "hash:{base}/config/passwords")
            .set(
                "sender_dependent_relayhost_maps",
                "hash:{base}/config/relays",
            ),
    );
    place.table("passwords", "@box.test user:s3cret\n");
    let (own, domains) = (
        format!("[127.0.0.1]:{port}"),
        format!("[127.0.0.1]:{other}"),
    );
    place.table(
        "relays",
        &format!("sender@box.test {own}\n@box.test {domains}\n"),
    );
    // Where it does not listen, nothing can be seen of it beforehand.
    let relay = || TcpListener::bind(("127.0.0.1", port)).unwrap();

    let server = session(greeting().say(CLEAR)).on(relay());
    submit(&place, "before@example.org");
    delivery(&place, "before@example.org");
    let heard = server.finish().remove(0).unwrap();
    assert!(heard[1].starts_with("AUTH PLAIN "), "{heard:?}");

    let lint = place.ends(2, "lint").json;
    let told = findings(&lint, "outbound.credentials-in-clear");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().any(|one| one.contains(&own)), "{told:?}");
    let listed = place.must("domain list").json;
    let hops = listed["credentials"].as_array().unwrap().iter();
    let mut hops: Vec<&str> = hops.map(|one| one["next_hop"].as_str().unwrap()).collect();
    hops.sort_unstable();
    let mut wanted = [own.as_str(), domains.as_str()];
    wanted.sort_unstable();
    assert_eq!(hops, wanted);

    assert_eq!(place.must("domain sync").json["added"], 2);
    place.must("apply --yes");
    let server = greeting().say(CLEAR).hear("QUIT").on(relay());
    submit(&place, "after@example.org");
    let line = delivery(&place, "after@example.org");
    assert!(line.contains("dsn=4.7.4"), "{line}");
    let heard = server.finish().remove(0).unwrap();
    assert_eq!(heard.len(), 2, "{heard:?}");
    let told = findings(&place.run("lint").json, "outbound.credentials-in-clear");
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn a_sender_without_a_relay_is_told_and_gets_no_rule() {
    let place = Place::of(
        builder()
            .set("smtp_sasl_auth_enable", "yes")
            .set("smtp_sasl_security_options", "noanonymous")
            .set("smtp_sender_dependent_authentication", "yes")
            .set("smtp_sasl_password_maps", "hash:{base}/config/passwords"),
    );
    place.table("passwords", "lost@box.test user:s3cret\n");
    let listed = place.must("domain list").json;
    assert_eq!(listed["credentials"][0]["next_hop"], "any domain");
    assert_eq!(listed["credentials"][0]["level"], "may");
    let said = place.scene.say(&["domain", "list"]).stdout;
    assert!(said.contains("sender_dependent_relayhost_maps"), "{said}");
    assert!(!said.contains("domain sync"), "{said}");
    assert_eq!(place.must("domain sync").json["added"], 0);
}

#[test]
fn a_rule_for_a_domain_tells_of_the_senders_it_does_not_hold_for() {
    let place = Place::of(builder().set(
        "sender_dependent_relayhost_maps",
        "inline:{@shop.test=[127.50.1.1], @free.test=DUNNO}",
    ));
    let added = place
        .must("policy add cl2.test encrypt --no-preflight")
        .json;
    let told = findings(&added, "policy.follows-not");
    assert!(told.len() == 1 && told[0].contains("@shop.test"), "{added}");
    let plan = place.must("plan").json;
    let told = findings(&plan, "policy.follows-not");
    assert!(
        told.len() == 1 && told[0].contains("[127.50.1.1]"),
        "{plan}"
    );
}

#[test]
fn a_list_is_searched_by_what_it_shows() {
    let place = Place::new();
    place.must("policy add bücher.plain.test encrypt --no-preflight");
    place.must("policy add other.test encrypt --no-preflight");
    for text in [
        "bücher",
        "Bücher",
        "ÜCHER.plain",
        "xn--bcher",
        "XN--Bcher-kva",
        "plain",
    ] {
        let listed = place.must(&format!("policy list {text}")).json;
        let rules = listed["rules"].as_array().unwrap();
        assert_eq!(rules.len(), 1, "{text}: {listed}");
    }
    let listed = place.must("policy list ö").json;
    assert!(listed["rules"].as_array().unwrap().is_empty(), "{listed}");
}
