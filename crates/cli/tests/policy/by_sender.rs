//! Rules for next hops that tables of senders lead to: which of them applied is what two servers saw.

use crate::peers::{Chains, Peer};
use crate::place::{Place, builder, hop};
use postseal_probe::Sink;
use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// Without a rule everything goes in clear, whatever a server offers.
fn place(relay: &Sink, maps: &str) -> Place {
    Place::unadopted(
        builder()
            .set("smtp_tls_security_level", "none")
            .set("relayhost", &hop(relay))
            .set(maps, "hash:{base}/config/senders"),
    )
}

fn submit(place: &Place, sender: &str) {
    let config = place.scene.config();
    let mut sendmail = Command::new("/usr/sbin/sendmail");
    sendmail
        .args(["-C", &config, "-f", sender, "someone@example.org"])
        .stdin(Stdio::null());
    assert!(sendmail.status().unwrap().success(), "{sender}");
}

/// Who sent here, and whether under TLS.
fn came(sink: &Sink) -> Vec<(String, bool)> {
    let delivered = sink.delivered().into_iter();
    let mut came: Vec<(String, bool)> = delivered
        .map(|one| (one.mail_from, one.tls.is_some()))
        .collect();
    came.sort();
    came
}

fn explained(place: &Place, sender: &str) -> Value {
    let words = format!("explain someone@example.org --sender {sender}");
    place.run(&words).json["hops"][0].clone()
}

fn row(sender: &str, is_under_tls: bool) -> (String, bool) {
    (sender.to_owned(), is_under_tls)
}

#[test]
fn a_rule_for_the_relay_of_a_sender_holds_for_its_mail_and_for_no_other() {
    let chains = Chains::new();
    let (own, usual) = (chains.sink(Peer::SelfSigned), chains.sink(Peer::SelfSigned));
    let place = place(&usual, "sender_dependent_relayhost_maps");
    place.table("senders", &format!("boss@box.test {}\n", hop(&own)));
    place.must("init");
    let added = place.must(&format!("policy add {} encrypt", hop(&own)));
    assert_eq!(
        added.json["servers"][0]["outcome"], "pass",
        "{}",
        added.stdout
    );
    place.must("apply --yes");
    assert_eq!(explained(&place, "boss@box.test")["level"], "encrypt");
    assert_eq!(explained(&place, "clerk@box.test")["level"], "none");

    submit(&place, "boss@box.test");
    submit(&place, "clerk@box.test");
    assert_eq!(own.wait_for(1, PATIENCE), 1);
    assert_eq!(usual.wait_for(1, PATIENCE), 1);
    assert_eq!(came(&own), [row("boss@box.test", true)]);
    assert_eq!(came(&usual), [row("clerk@box.test", false)]);

    // Its route gone, it is a rule that nothing leads to, and the mail goes by the other.
    place.table("senders", "nobody@box.test [127.0.0.1]:9\n");
    place.reload();
    submit(&place, "boss@box.test");
    assert_eq!(usual.wait_for(2, PATIENCE), 2);
    assert_eq!(came(&usual)[0], row("boss@box.test", false));
}

#[test]
fn a_rule_for_the_next_hop_of_a_senders_transport_holds_for_its_mail() {
    let chains = Chains::new();
    let (own, usual) = (chains.sink(Peer::SelfSigned), chains.sink(Peer::SelfSigned));
    let place = place(&usual, "sender_dependent_default_transport_maps");
    place.add_to_master_cf("outer unix - - n - - smtp\n");
    place.table("senders", &format!("@shop.test outer:{}\n", hop(&own)));
    place.reload();
    place.must("init");
    place.must(&format!("policy add {} encrypt", hop(&own)));
    place.must("apply --yes");
    let shop = explained(&place, "seller@shop.test");
    assert_eq!(
        (&shop["level"], &shop["transport"]),
        (&"encrypt".into(), &"outer".into())
    );
    submit(&place, "seller@shop.test");
    submit(&place, "clerk@box.test");
    assert_eq!(own.wait_for(1, PATIENCE), 1);
    assert_eq!(usual.wait_for(1, PATIENCE), 1);
    assert_eq!(came(&own), [row("seller@shop.test", true)]);
    assert_eq!(came(&usual), [row("clerk@box.test", false)]);
}

#[test]
fn a_way_that_never_asks_the_rules_is_named_where_others_do() {
    let chains = Chains::new();
    let relay = chains.sink(Peer::SelfSigned);
    let place = place(&relay, "sender_dependent_default_transport_maps");
    place.add_to_master_cf("past unix - - n - - smtp\n  -o smtp_tls_policy_maps=\n");
    // A transport alone: the mail goes to the relay host by it.
    place.table("senders", "@shop.test past:\n");
    place.reload();
    place.must("init");
    let codes = |json: &Value| -> Vec<String> {
        let all = json["findings"].as_array().unwrap().iter();
        let told = all.filter(|one| one["code"] == "policy.passed-by");
        told.map(Value::to_string).collect()
    };
    let added = place.must(&format!("policy add {} encrypt", hop(&relay)));
    let told = codes(&added.json);
    assert_eq!(told.len(), 1, "{}", added.stdout);
    assert!(
        told[0].contains("past/unix") && told[0].contains(&hop(&relay)),
        "{told:?}"
    );
    assert_eq!(codes(&place.must("plan").json).len(), 1);
    place.must("apply --yes");
    let lint = format!("lint {}", place.config().display());
    assert_eq!(codes(&place.must(&lint).json).len(), 1);
    let imported = place.write(
        "rules",
        &format!("{} encrypt protocols=>=TLSv1.2\n", hop(&relay)),
    );
    let imported = place.must(&format!("policy import {}", imported.display()));
    assert_eq!(codes(&imported.json).len(), 1, "{}", imported.stdout);
    place.must("discard");

    // And so it is.
    submit(&place, "seller@shop.test");
    submit(&place, "clerk@box.test");
    assert_eq!(relay.wait_for(2, PATIENCE), 2);
    let wanted = [row("clerk@box.test", true), row("seller@shop.test", false)];
    assert_eq!(came(&relay), wanted);

    // As the remedy says.
    let path = place.config().join("master.cf");
    let master = fs::read_to_string(&path).unwrap();
    fs::write(&path, master.replace("  -o smtp_tls_policy_maps=\n", "")).unwrap();
    place.must("drift --adopt");
    assert_eq!(codes(&place.must(&lint).json), [] as [&str; 0]);
    place.reload();
    submit(&place, "seller@shop.test");
    assert_eq!(relay.wait_for(3, PATIENCE), 3);
    assert_eq!(came(&relay)[2], row("seller@shop.test", true));
}

#[test]
fn a_next_hop_on_465_is_told_by_the_client_that_goes_there() {
    let place = Place::of(builder().set("transport_maps", "hash:{base}/config/transport"));
    let told = |words: &str| {
        let explained = place.run(&format!("explain {words}"));
        let all = explained.json["findings"].as_array().unwrap().iter();
        let wrong = all.filter(|one| one["code"] == "policy.no-wrappermode");
        (explained.exit, wrong.count())
    };
    for hop in [
        "[127.0.0.9]:465",
        "[127.0.0.9]:smtps",
        "[127.0.0.9]:submissions",
    ] {
        assert_eq!(told(hop), (Some(2), 1), "{hop}");
    }
    assert_eq!(told("[127.0.0.9]:587"), (Some(0), 0));
    // A client that wraps is there, but the route names another.
    place.add_to_master_cf("wrapped unix - - n - - smtp\n  -o smtp_tls_wrappermode=yes\n  -o smtp_tls_security_level=encrypt\n",
    );
    assert_eq!(told("[127.0.0.9]:465"), (Some(0), 0));
    place.table("transport", "p.test smtp:[127.0.0.9]:465\n");
    assert_eq!(told("[127.0.0.9]:465"), (Some(2), 1));
    let refused = place.ends(65, "policy add [127.0.0.9]:465 encrypt --no-preflight");
    assert_eq!(refused.code(), "policy.no-wrappermode");
    place.table("transport", "p.test wrapped:[127.0.0.9]:465\n");
    assert_eq!(told("[127.0.0.9]:465"), (Some(0), 0));
    let explained = place.must("explain [127.0.0.9]:465").json;
    assert_eq!(explained["hops"][0]["transport"], "wrapped");
}

#[test]
fn the_name_that_a_row_demands_stands_in_what_explain_says() {
    let place = Place::new();
    let hop = "[127.0.0.9]:25";
    for policy in ["verify", "secure"] {
        place.must(&format!(
            "policy add {hop} {policy} --match mx.peer.example --no-preflight"
        ));
        place.must("apply --yes");
        let promise = place.run(&format!("explain {hop}")).json["hops"][0]["promise"].to_string();
        assert!(promise.contains("for mx.peer.example"), "{promise}");
        assert!(!promise.contains("MX host"), "{promise}");
        place.must(&format!("policy remove {hop}"));
    }
}
