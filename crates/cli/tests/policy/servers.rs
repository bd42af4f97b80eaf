//! Rules held against the servers that they are for, before they are stored and before they come
//! in force.

use crate::peers::{Chains, Peer};
use crate::place::{Place, builder, hop};
use postseal_testkit::postfix_box::HOST;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::{IpAddr, TcpListener};
use std::sync::{Arc, Mutex};

#[test]
fn a_rule_that_would_stop_mail_is_refused_and_a_weaker_one_offered() {
    let place = Place::new();
    let chains = Chains::new();
    let clear = chains.sink(Peer::Cleartext);
    let hop = hop(&clear);
    let refused = place.ends(65, &format!("policy add {hop} encrypt"));
    assert_eq!(refused.code(), "policy.no-starttls", "{}", refused.stdout);
    assert_eq!(place.listed("wanted"), [] as [&str; 0]);

    // Nobody stops who knows better, and it is kept who said so.
    let forced = place.must(&format!(
        "policy add {hop} encrypt --force --reason STARTTLS%20comes%20tomorrow"
    ));
    assert_eq!(forced.json["findings"][0]["code"], "policy.no-starttls");
    place.must("apply --yes");
    let listed = place.must("policy list").json;
    let rule = &listed["rules"][0];
    assert_eq!(rule["in_force"]["reason"], "STARTTLS comes tomorrow");
    assert_eq!(rule["servers"]["outcome"], "fail");
    assert_eq!(rule["servers"]["strongest"], "may");
}

#[test]
fn a_reason_is_kept_before_anything_speaks_against_the_rule() {
    let place = Place::new();
    let chains = Chains::new();
    let clear = chains.sink(Peer::Cleartext);
    let hop = hop(&clear);
    let forced = "encrypt --no-preflight --force --reason agreed";
    place.must(&format!("policy add {hop} {forced}"));
    let rule = &place.must("policy list").json["rules"][0];
    assert_eq!(rule["wanted"]["reason"], "agreed");
    place.must("apply --yes");
    assert_eq!(place.looked_up(&hop).as_deref(), Some("encrypt"));
    place.must(&format!("policy edit {hop} --force --reason again"));
    let rule = &place.must("policy list").json["rules"][0];
    assert_eq!(rule["wanted"]["reason"], "again");
}

#[test]
fn what_works_is_told_with_the_strongest_that_would() {
    let place = Place::new();
    let chains = Chains::new();
    let good = chains.sink(Peer::SelfSigned);
    let added = place.must(&format!("policy add {} may", hop(&good)));
    let seen = &added.json["servers"][0];
    assert_eq!(seen["outcome"], "pass", "{}", added.stdout);
    let strongest = seen["strongest"]["policy"].as_str().unwrap();
    assert!(
        strongest.starts_with("fingerprint") || strongest == "encrypt",
        "{strongest}"
    );
}

#[test]
fn apply_looks_at_what_was_not_looked_at_before() {
    let place = Place::new();
    let chains = Chains::new();
    let clear = chains.sink(Peer::Cleartext);
    let hop = hop(&clear);
    place.must(&format!("policy add {hop} encrypt --no-preflight"));
    let before = place.main_cf();
    let refused = place.ends(65, "-v apply --yes");
    assert_eq!(refused.code(), "policy.no-starttls");
    let told = "looking at the servers of one rule";
    assert!(refused.stderr.contains(told), "{}", refused.stderr);
    assert_eq!(place.main_cf(), before);
    place.must(&format!("policy edit {hop} may"));
    place.must("apply --yes");
    assert_eq!(place.looked_up(&hop).as_deref(), Some("may"));
}

#[test]
fn what_cannot_be_seen_is_no_failure() {
    let place = Place::new();
    // Nobody answers for this name here.
    let added = place.must("policy add partner.example encrypt");
    assert_eq!(added.json["servers"][0]["outcome"], "undetermined");
    // What is below a domain has no server of its own.
    let added = place.must("policy add .partner.example encrypt");
    assert_eq!(added.json["servers"], serde_json::json!([]));
    place.must("apply --yes");
}

#[test]
fn what_was_seen_for_another_policy_is_no_verdict() {
    let place = Place::new();
    let chains = Chains::new();
    let good = chains.sink(Peer::SelfSigned);
    let hop = hop(&good);
    place.must(&format!("policy add {hop} may"));
    let servers = || place.must("policy list").json["rules"][0]["servers"].clone();
    assert_eq!(servers()["outcome"], "pass");
    // It was seen for may; whether secure works nobody has looked at.
    place.must(&format!("policy edit {hop} secure --no-preflight"));
    assert_eq!(servers()["outcome"], "undetermined");
    assert_eq!(servers()["policy"], "may");
    let words = place.scene.say(&["policy", "list"]).stdout;
    assert!(words.contains("seen for another policy"), "{words}");
    // Nor does apply believe it.
    assert_eq!(
        place.ends(65, "apply --yes").code(),
        "policy.certificate-untrusted"
    );
    assert_eq!(servers()["outcome"], "fail");
    place.must(&format!("policy edit {hop} encrypt"));
    assert_eq!(servers()["outcome"], "pass");
    place.must("apply --yes");
}

#[test]
fn a_refused_wish_says_nothing_of_the_rule_that_stands() {
    let place = Place::new();
    let chains = Chains::new();
    let good = chains.sink(Peer::SelfSigned);
    let hop = hop(&good);
    place.must(&format!("policy add {hop} encrypt"));
    for (words, code) in [
        (format!("policy add {hop} secure"), "policy.exists"),
        (
            format!("policy edit {hop} secure"),
            "policy.certificate-untrusted",
        ),
    ] {
        assert_eq!(place.ends(65, &words).code(), code);
        let servers = place.must("policy list").json["rules"][0]["servers"].clone();
        assert_eq!(
            (&servers["outcome"], &servers["policy"]),
            (&"pass".into(), &"encrypt".into())
        );
    }
    // With the minute.
    let words = place.scene.say(&["policy", "list"]).stdout;
    let seen = words.split("pass ").nth(1).unwrap();
    assert_eq!(seen.as_bytes()[13], b':', "{words}");
}

fn import(place: &Place, rules: impl Iterator<Item = String>) {
    let rules: String = rules.map(|hop| format!("{hop},encrypt\n")).collect();
    let path = place.write("rules.csv", &rules);
    place.must(&format!("policy import {}", path.display()));
}

#[test]
fn apply_looks_at_the_servers_of_more_than_a_thousand_rules() {
    let place = Place::new();
    let chains = Chains::new();
    let clear = chains.sink(Peer::Cleartext);
    // Nobody answers there; the server in question comes last.
    let others = (1_000..2_000).map(|port| format!("[127.0.0.1]:{port}"));
    import(
        &place,
        others.chain(["[127.9.0.1]:9".to_owned(), hop(&clear)]),
    );
    let before = place.main_cf();
    let refused = place.ends(65, "apply --yes");
    assert_eq!(refused.code(), "policy.no-starttls", "{}", refused.stdout);
    assert_eq!(place.main_cf(), before);
    let listed = place.must("policy list --limit 2000").json;
    let rules = listed["rules"].as_array().unwrap().iter();
    let unseen = rules.filter(|rule| rule["servers"].is_null()).count();
    assert_eq!(unseen, 0);
}

#[test]
fn so_many_rules_that_not_all_servers_are_looked_at_are_to_be_accepted() {
    let place = Place::new();
    import(
        &place,
        (0..10_001).map(|n| format!("[127.77.{}.{}]:9", n / 250, n % 250 + 1)),
    );
    let refused = place.ends(65, "apply --yes");
    assert_eq!(
        refused.code(),
        "policy.servers-not-looked-at",
        "{}",
        refused.stdout
    );
    let message = refused.json["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("10001") && message.contains("--accept"),
        "{message}"
    );
    assert_eq!(place.maps(), "");
    let accept = format!("--accept policy.servers-not-looked-at={HOST}");
    place.must(&format!("apply --yes {accept}"));
    let last = place.looked_up("[127.77.40.1]:9");
    assert_eq!(last.as_deref(), Some("encrypt"));
}

#[test]
fn ciphers_that_no_server_shares_are_refused_before_they_stop_mail() {
    let place = Place::new();
    let chains = Chains::new();
    let good = chains.sink(Peer::SelfSigned);
    let hop = hop(&good);
    for (words, code) in [
        ("--exclude ALL", "policy.no-cipher"),
        ("--ciphers null", "policy.no-cipher"),
        ("--protocols TLSv1.3:TLSv1.1", "policy.protocol"),
        ("--no-preflight --protocols SSLv3", "policy.protocol"),
        (
            "--no-preflight --protocols >=TLSv1.3:<=TLSv1.2",
            "policy.protocol",
        ),
    ] {
        let refused = place.ends(65, &format!("policy add {hop} encrypt {words}"));
        assert_eq!(refused.code(), code, "{}", refused.stdout);
    }
    for names in [":", "a..b"] {
        let refused = place.ends(65, &format!("policy add {hop} secure --match {names}"));
        assert_eq!(refused.code(), "policy.bad-match", "{}", refused.stdout);
    }
    place.must(&format!(
        "policy add {hop} encrypt --ciphers high --exclude RC4"
    ));
}

/// A server that says one line to whoever comes, and the addresses that they came from.
fn saying(line: &'static str) -> (String, Arc<Mutex<BTreeSet<IpAddr>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let hop = format!("[127.0.0.1]:{}", listener.local_addr().unwrap().port());
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let heard = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let from = stream.peer_addr().unwrap().ip();
            heard.lock().unwrap().insert(from);
            let _ = stream.write_all(line.as_bytes());
        }
    });
    (hop, seen)
}

#[test]
fn why_servers_could_not_be_seen_is_told() {
    let place = Place::new();
    let (busy, _) = saying("421 4.7.0 come back later\r\n");
    let nobody = format!("[127.0.0.1]:{}", crate::managed::free_port());
    for (hop, cause) in [
        (&busy, "come back later"),
        (&nobody, "nothing listens there"),
    ] {
        let added = place.scene.say(&["policy", "add", hop, "encrypt"]).stdout;
        for part in [cause, "cannot be told", "policy.preflight-undetermined"] {
            assert!(added.contains(part), "{part}: {added}");
        }
    }
    let applied = place.scene.say(&["apply", "--yes"]).stdout;
    for part in [busy.as_str(), &nobody, "come back later"] {
        assert!(applied.contains(part), "{part}: {applied}");
    }
}

#[test]
fn servers_see_the_address_that_mail_would_come_from() {
    let place = Place::unadopted(
        builder()
            .set("smtp_bind_address", "127.0.0.77")
            .set("transport_maps", "hash:{base}/config/transport"),
    );
    let own = "own unix - - n - - smtp\n  -o smtp_bind_address=127.0.0.78\n";
    place.add_to_master_cf(own);
    let [usual, by_own] = [(); 2].map(|()| saying("421 4.7.0 come back later\r\n"));
    place.table("transport", &format!("x.test own:{}\n", by_own.0));
    place.must("init");
    for ((hop, seen), last) in [(usual, 77), (by_own, 78)] {
        place.must(&format!("policy add {hop} encrypt"));
        let from = BTreeSet::from([IpAddr::from([127, 0, 0, last])]);
        assert_eq!(*seen.lock().unwrap(), from);
    }
}
