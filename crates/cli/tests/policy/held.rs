//! Managed rules are held against their servers like those by hand: when they are wished, and before
//! they come in force.

use crate::peers::{Chains, Peer};
use crate::place::{Place, builder, hop};
use crate::scene::Ran;
use postseal_probe::{Sink, SinkCertificate, SinkOptions, SinkTls};
use std::fs;

/// What is to be done about the first finding of a refusal.
fn remedy(refused: &Ran) -> &str {
    refused.json["findings"][0]["remedy"].as_str().unwrap()
}

#[test]
fn an_entry_whose_server_has_no_tls_comes_in_force_only_for_a_reason() {
    let chains = Chains::new();
    let clear = chains.sink(Peer::Cleartext);
    let hop = hop(&clear);
    let place = Place::of(builder().set("relayhost", &hop));
    let before = place.main_cf();
    let add = format!("domain add example.org --next-hop {hop} --requires-auth");
    let refused = place.ends(65, &add);
    assert_eq!(refused.code(), "policy.no-starttls", "{}", refused.stdout);
    assert!(remedy(&refused).contains("--force --reason"));
    assert_eq!(
        place.must("domain list").json["domains"],
        serde_json::json!([])
    );
    // A reason has to be said.
    place.ends(64, &format!("{add} --force"));

    // What was not looked at when it was wished is looked at before it is enforced.
    place.must(&format!("{add} --no-preflight"));
    let refused = place.ends(65, "apply --yes");
    assert_eq!(refused.code(), "policy.no-starttls");
    let command = "`postseal domain edit example.org --force --reason TEXT`";
    assert!(remedy(&refused).contains(command), "{}", remedy(&refused));
    assert_eq!(place.main_cf(), before);

    // As the remedy says.
    let forced = place.must("domain edit example.org --force --reason rather%20wait");
    assert_eq!(forced.json["findings"][0]["code"], "policy.no-starttls");
    place.must("apply --yes");
    assert_eq!(place.looked_up(&hop).as_deref(), Some("encrypt"));
    let listed = place.must("policy list").json;
    assert_eq!(listed["rules"][0]["in_force"]["reason"], "rather wait");
    assert_eq!(listed["rules"][0]["servers"]["outcome"], "fail");
    // Words are no reason to look again, and the reason stays.
    place.must("domain edit example.org --note contract");
    place.must("apply --yes");
    let listed = place.must("policy list").json;
    assert_eq!(listed["rules"][0]["in_force"]["reason"], "rather wait");
    // Another policy is.
    let refused = place.ends(
        65,
        "domain edit example.org --level secure --match a.example",
    );
    assert!(refused.code().starts_with("policy."), "{}", refused.stdout);
}

#[test]
fn the_same_way_out_is_there_for_rules_by_hand() {
    let chains = Chains::new();
    let clear = chains.sink(Peer::Cleartext);
    let hop = hop(&clear);
    let place = Place::new();
    place.must(&format!("policy add {hop} encrypt --no-preflight"));
    let refused = place.ends(65, "apply --yes");
    let command = format!("`postseal policy edit '{hop}' --force --reason TEXT`");
    assert!(remedy(&refused).contains(&command), "{}", remedy(&refused));
    place.must(&format!("policy edit {hop} --force --reason soon"));
    place.must("apply --yes");
    assert_eq!(place.looked_up(&hop).as_deref(), Some("encrypt"));
    // The reason was for these rows, not for others.
    place.must(&format!(
        "policy edit {hop} encrypt --ciphers high --no-preflight"
    ));
    assert_eq!(place.ends(65, "apply --yes").code(), "policy.no-starttls");
}

#[test]
fn rules_for_credentials_are_looked_at_when_keys_are_synced() {
    let chains = Chains::new();
    let (clear, good) = (chains.sink(Peer::Cleartext), chains.sink(Peer::SelfSigned));
    let place = Place::of(
        builder()
            .set("smtp_sasl_auth_enable", "yes")
            .set("smtp_sasl_security_options", "noanonymous")
            .set("smtp_sasl_password_maps", "hash:{base}/config/passwords"),
    );
    place.table("passwords", &format!("{} user:secret\n", hop(&good)));
    let synced = place.must("domain sync");
    assert_eq!(
        synced.json["servers"][0]["outcome"], "pass",
        "{}",
        synced.stdout
    );
    place.must("apply --yes");

    let rows = format!("{} user:secret\n{} user:secret\n", hop(&good), hop(&clear));
    place.table("passwords", &rows);
    let refused = place.ends(65, "domain sync");
    assert_eq!(refused.code(), "policy.no-starttls", "{}", refused.stdout);
    assert!(remedy(&refused).contains("--force --reason"));
    assert_eq!(place.must("plan").json["changed"], false);
    place.must("domain sync --no-preflight");
    let refused = place.ends(65, "apply --yes");
    let command = "`postseal domain sync --force --reason TEXT`";
    assert!(remedy(&refused).contains(command), "{}", remedy(&refused));
    place.must("domain sync --force --reason no%20password%20in%20clear");
    place.must("apply --yes");
    assert_eq!(place.looked_up(&hop(&clear)).as_deref(), Some("encrypt"));
    let listed = place.must("policy list").json;
    let rules = listed["rules"].as_array().unwrap();
    let reason = |of: &Sink| {
        let mut rules = rules.iter();
        let rule = rules.find(|one| one["destination"] == hop(of)).unwrap();
        rule["in_force"]["reason"].clone()
    };
    assert_eq!(reason(&clear), "no password in clear");
    assert_eq!(reason(&good), serde_json::Value::Null);
    // Said once more it is nothing new.
    let again = place.must("domain sync").json;
    assert_eq!(
        (&again["same"], &again["changed"]),
        (&2.into(), &false.into())
    );
}

#[test]
fn a_next_hop_with_tls_from_the_first_byte_is_looked_at_so_before_its_client_is_made() {
    let place = Place::new();
    let read = |name| fs::read(place.scene.named(name)).unwrap();
    let certificate = SinkCertificate::new(read("rsa.pem"), read("rsa.key"));
    let implicit = SinkOptions::new(SinkTls::Implicit(certificate));
    let implicit = Sink::start(implicit).unwrap();
    let add =
        |domain: &str, sink: &Sink| format!("domain add {domain} --next-hop {} --smtps", hop(sink));
    let added = place.must(&add("one.example", &implicit));
    assert_eq!(
        added.json["servers"][0]["outcome"], "pass",
        "{}",
        added.stdout
    );
    let said = place.scene.say(&["policy", "list"]).stdout;
    assert!(said.contains("pass"), "{said}");
    // One that begins in clear is no such server.
    let starttls = Chains::new().sink(Peer::SelfSigned);
    let other = place.run(&add("two.example", &starttls));
    assert_ne!(
        other.json["servers"][0]["outcome"], "pass",
        "{}",
        other.stdout
    );
    place.must("discard");
    place.must(&add("one.example", &implicit));
    place.must("apply --yes");
    assert_eq!(place.looked_up(&hop(&implicit)).as_deref(), Some("encrypt"));
}

#[test]
fn a_followed_rule_was_forced_for_the_servers_that_its_mail_went_to_and_for_no_others() {
    let chains = Chains::new();
    let (first, second) = (chains.sink(Peer::Cleartext), chains.sink(Peer::Cleartext));
    let place = Place::of(builder().set("transport_maps", "hash:{base}/config/transport"));
    place.table("transport", &format!("f.example smtp:{}\n", hop(&first)));
    let add = "policy add f.example encrypt --follow";
    assert_eq!(place.ends(65, add).code(), "policy.no-starttls");
    place.must(&format!("{add} --force --reason soon"));
    place.must("apply --yes");
    assert_eq!(place.looked_up(&hop(&first)).as_deref(), Some("encrypt"));
    place.table("transport", &format!("f.example smtp:{}\n", hop(&second)));
    place.must("policy sync");
    let refused = place.ends(65, "apply --yes");
    assert_eq!(refused.code(), "policy.no-starttls", "{}", refused.stdout);
    let command = "`postseal policy edit f.example --force --reason TEXT`";
    assert!(remedy(&refused).contains(command), "{}", remedy(&refused));
    place.must("policy edit f.example --force --reason soon%20there");
    place.must("apply --yes");
    assert_eq!(place.looked_up(&hop(&second)).as_deref(), Some("encrypt"));
}

#[test]
fn a_plan_that_was_approved_brings_no_other_words_into_force() {
    let place = Place::new();
    place.must("policy add a.example encrypt --note first --no-preflight");
    let shown = place.must("plan").json["plan"].as_str().unwrap().to_owned();
    assert_eq!(place.must("plan").json["plan"], shown.as_str());
    place.must("policy edit a.example --note second --no-preflight");
    assert_ne!(place.must("plan").json["plan"], shown.as_str());
    let stale = place.ends(75, &format!("apply {shown} --yes"));
    assert!(stale.stdout.contains("stale"), "{}", stale.stdout);
    assert_eq!(place.listed("in_force"), [] as [&str; 0]);
    // Wished once more as it is, it is the same plan.
    let shown = place.must("plan").json["plan"].as_str().unwrap().to_owned();
    place.must("policy edit a.example --note second --no-preflight");
    place.must(&format!("apply {shown} --yes"));
    // The same for a change of words alone.
    place.must("policy edit a.example --note third");
    let shown = place.must("plan").json["plan"].as_str().unwrap().to_owned();
    place.must("policy edit a.example --note fourth");
    place.ends(75, &format!("apply {shown} --yes"));
    let listed = place.must("policy list").json;
    assert_eq!(listed["rules"][0]["in_force"]["note"], "second");
}
