//! Remedies: what is offered is run as it is written, and what was found is gone.

use crate::peers::{Chains, Peer};
use crate::place::{Place, builder};
use serde_json::Value;
use std::fs;

/// The commands of a remedy, in their order, as words of the program.
fn offered(remedy: &str) -> Vec<String> {
    let commands = remedy.split('`').skip(1).step_by(2);
    let words = |command: &str| command.strip_prefix("postseal ").unwrap().replace('\'', "");
    commands.map(words).collect()
}

fn remedy(refused: &Value) -> &str {
    refused["findings"][0]["remedy"].as_str().unwrap()
}

fn add_service(place: &Place, line: &str) {
    place.add_to_master_cf(line);
    place.reload();
}

#[test]
fn a_next_hop_of_a_service_with_its_own_tables_needs_two_things() {
    // One that names no tables, and one with others than those whose rows are rules.
    for (own, adopted) in [("", ""), ("texthash:/etc/hosts", "hash:{base}/config/own")] {
        let way = "inline:{ a.example=own:[127.0.0.9]:587 }";
        let place = Place::unadopted(
            builder()
                .set("transport_maps", way)
                .set("smtp_tls_policy_maps", adopted),
        );
        place.table("own", "o.example may\n");
        let option = format!("  -o smtp_tls_policy_maps={own}\n");
        add_service(&place, &format!("own unix - - n - - smtp\n{option}"));
        place.must("init");
        let add = "policy add a.example encrypt --no-preflight";
        let refused = place.ends(65, add);
        assert_eq!(refused.code(), "policy.never-matches");
        let said = remedy(&refused.json);
        assert!(
            said.contains("take -o smtp_tls_policy_maps out of own/unix"),
            "{said}"
        );
        assert!(!said.contains("--follow"), "{said}");
        let master = place.config().join("master.cf");
        let text = fs::read_to_string(&master).unwrap();
        fs::write(&master, text.replace(&option, "")).unwrap();
        let commands = offered(said);
        assert_eq!(commands.len(), 2, "{said}");
        place.must(&commands[0]);
        place.must(&format!("{} --no-preflight", commands[1]));
        place.must("apply --yes");
        assert_eq!(place.level("a.example"), "encrypt");
    }
}

#[test]
fn what_lmtp_sends_needs_its_own_parameter() {
    let place = Place::of(builder().set(
        "transport_maps",
        "inline:{ a.example=lmtp:inet:[127.0.0.9]:24 }",
    ));
    let refused = place.ends(65, "policy add a.example encrypt --no-preflight");
    let commands = offered(remedy(&refused.json));
    assert_eq!(commands.len(), 2, "{refused:?}");
    place.must(&commands[0]);
    place.must("apply --yes");
    place.must(&format!("{} --no-preflight", commands[1]));
    place.must("apply --yes");
    assert_eq!(place.level("a.example"), "encrypt");
}

#[test]
fn what_cannot_stand_beside_a_managed_rule_is_offered_as_it_can() {
    let hop = "[relay.example]:587";
    let place = Place::of(builder().set("relayhost", hop));
    place.must(&format!(
        "domain add example.org --next-hop {hop} --level secure --match a.example"
    ));
    let add = format!("policy add {hop} secure --match b.example --no-preflight");
    let refused = place.ends(65, &add);
    assert_eq!(refused.code(), "policy.incomparable");
    let said = remedy(&refused.json);
    assert!(
        !said.contains("policy edit"),
        "there is none to edit: {said}"
    );
    let commands = offered(said);
    let agrees = commands
        .iter()
        .find(|one| one.starts_with("policy add"))
        .unwrap();
    place.must(&format!("{agrees} --no-preflight"));
    place.must("apply --yes");
    assert_eq!(
        place.looked_up(hop).as_deref(),
        Some("secure match=a.example")
    );
    place.must(&format!("policy remove {hop}"));
    // The other way: the one that is there goes.
    let gone = commands
        .iter()
        .find(|one| one.starts_with("domain remove"))
        .unwrap();
    place.must(gone);
    place.must(&add);
    place.must("apply --yes");
    assert_eq!(
        place.looked_up(hop).as_deref(),
        Some("secure match=b.example")
    );
    // And from the entry's side: the rule by hand is there to be removed.
    let entry = format!("domain add example.org --next-hop {hop} --level secure --match c.example");
    let refused = place.ends(65, &entry);
    let commands = offered(remedy(&refused.json));
    let gone = commands
        .iter()
        .find(|one| one.starts_with("policy remove"))
        .unwrap();
    place.must(gone);
    place.must(&entry);
}

#[test]
fn a_lost_map_of_ours_is_made_anew() {
    let place = Place::new();
    place.must("policy add a.example encrypt --no-preflight");
    place.must("apply --yes");
    for file in place.installed() {
        fs::remove_file(file).unwrap();
    }
    let missing = |place: &Place| {
        let lint = place.run("lint").json;
        let found = lint["findings"].as_array().unwrap().clone();
        found.into_iter().find(|one| one["code"] == "maps.missing")
    };
    let found = missing(&place).unwrap();
    let commands = offered(found["remedy"].as_str().unwrap());
    assert_eq!(commands, ["drift --restore"]);
    place.must(&format!("{} --yes", commands[0]));
    assert_eq!(missing(&place), None);
    assert_eq!(place.looked_up("a.example").as_deref(), Some("encrypt"));
}

#[test]
fn fingerprints_are_checked_for_their_form() {
    let place = Place::new();
    let chains = Chains::new();
    let server = chains.sink(Peer::Trusted);
    let hop = format!("[127.0.0.1]:{}", server.address().port());
    let sha256 = vec!["AB"; 32].join(":");
    let sha1 = vec!["AB"; 20].join(":");
    for (list, why) in [
        (format!("{sha256}:{sha256}"), "2 fingerprints"),
        (sha1.clone(), "20 bytes, not 32"),
        ("mx.example.net".to_owned(), "not hexadecimal"),
        (format!("{sha256}|{sha1}"), "20 bytes, not 32"),
    ] {
        let refused = place.ends(
            65,
            &format!("policy add {hop} fingerprint --match {list} --no-preflight"),
        );
        assert_eq!(refused.code(), "policy.bad-fingerprint", "{list}");
        assert!(refused.stdout.contains(why), "{why}: {}", refused.stdout);
    }
    let add = format!("policy add {hop} secure --match a.example|b.example --no-preflight");
    assert_eq!(place.ends(65, &add).code(), "policy.bad-match");
    // As the remedies say: what the check shows is taken, several apart by |, in any writing.
    for words in ["fingerprint", "fingerprint --match AA"] {
        let refused = place.ends(65, &format!("policy add {hop} {words} --no-preflight"));
        let check = format!("policy check {hop} --policy fingerprint");
        assert_eq!(offered(remedy(&refused.json)), [check], "{words}");
    }
    let shown = place
        .ends(2, &format!("policy check {hop} --policy fingerprint"))
        .stdout;
    let word = shown
        .split([' ', '"', ','])
        .find(|word| word.matches(':').count() == 31)
        .unwrap_or_else(|| panic!("{shown}"));
    for list in [
        format!("{sha256}|{word}"),
        word.replace(':', ""),
        word.to_lowercase(),
    ] {
        place.must(&format!("policy add {hop} fingerprint --match {list}"));
        place.must("discard");
    }
    // The length is that of the digest which is set.
    place.must("set param.smtp_tls_fingerprint_digest=sha1");
    place.must("apply --yes");
    place.must(&format!(
        "policy add {hop} fingerprint --match {sha1} --no-preflight"
    ));
}

#[test]
fn this_very_host_as_a_next_hop_is_no_matter_of_dns() {
    let place = Place::new();
    let own = place.scene.postfix.at(25).ip();
    let checked = place.run(&format!("policy check [{own}] encrypt"));
    let text = checked.json.to_string();
    assert!(text.contains("policy.mx-self"), "{text}");
    assert!(!text.contains("MX record"), "{text}");
    // Another port is another server.
    let other = place.run(&format!("policy check [{own}]:10025 encrypt"));
    assert!(!other.json.to_string().contains("policy.mx-self"));
}
