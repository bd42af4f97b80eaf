//! Rules that meet at one next hop: what is held against its servers is the row that is written.

use crate::managed::{delivery, submit};
use crate::peers::{Chains, Peer};
use crate::place::{Place, builder};
use serde_json::Value;

/// Each does alone at a server with an ECDSA certificate, and both together leave no cipher.
const OLD: &str = "encrypt --protocols <=TLSv1.2";
const NO_ECDSA: &str = "encrypt --exclude aECDSA";
const BOTH: &str = "encrypt protocols=<=TLSv1.2 exclude=aECDSA";

/// All mail goes to one server.
fn place(peer: Peer) -> (Place, String, postseal_probe::Sink) {
    let server = Chains::new().sink(peer);
    let hop = format!("[127.0.0.1]:{}", server.address().port());
    let place = Place::of(builder().set("relayhost", &hop));
    (place, hop, server)
}

fn verdicts(place: &Place) -> Vec<String> {
    let listed = place.must("policy list").json;
    let rules = listed["rules"].as_array().unwrap().iter();
    let verdict = |rule: &Value| {
        rule["servers"]["outcome"]
            .as_str()
            .unwrap_or("-")
            .to_owned()
    };
    rules.map(verdict).collect()
}

#[test]
fn what_rules_come_to_together_is_held_against_the_servers() {
    let (place, hop, _server) = place(Peer::Trusted);
    place.must(&format!("policy add {hop} {OLD}"));
    let follow = format!("policy add via.example {NO_ECDSA} --follow");
    // The row of both is one that no mail is sent by.
    let refused = place.ends(65, &follow);
    assert_eq!(refused.code(), "policy.no-cipher", "{}", refused.stdout);
    assert_eq!(verdicts(&place), ["pass"]);

    place.must(&format!("{follow} --no-preflight"));
    assert_eq!(place.ends(65, "apply --yes").code(), "policy.no-cipher");
    assert_eq!(verdicts(&place), ["fail", "fail"]);
    place.must("policy edit via.example --force --reason so%20be%20it");
    place.must(&format!("policy edit {hop} --force --reason so%20be%20it"));
    place.must("apply --yes");
    assert_eq!(place.looked_up(&hop).as_deref(), Some(BOTH));
    let checked = place.ends(2, "policy check").json;
    let all = checked["checked"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{checked}");
    assert_eq!(all[0]["preflight"]["policy"], BOTH);
    assert_eq!(verdicts(&place), ["fail", "fail"]);

    // As Postfix does.
    submit(&place, "somebody@via.example");
    let line = delivery(&place, "somebody@via.example");
    assert!(line.contains("status=deferred"), "{line}");

    // Without the other one it works again.
    place.must("policy remove via.example");
    place.must("apply --yes");
    assert_eq!(verdicts(&place), ["undetermined"]);
    place.ends(0, "policy check");
    assert_eq!(verdicts(&place), ["pass"]);
}

#[test]
fn what_a_stricter_rule_holds_already_is_told_and_not_refused() {
    let (place, hop, _server) = place(Peer::SelfSigned);
    place.must(&format!("policy add {hop} secure --no-preflight"));
    let words = format!("domain add mx.example --next-hop {hop}");
    let added = place.scene.say(&words.split(' ').collect::<Vec<_>>());
    assert_eq!(added.exit, Some(0), "{}", added.stderr);
    for part in [
        "secure (by hand) is stricter than encrypt (managed by domain mx.example), and wins",
        "would wait in the queue at secure",
        "policy.certificate-untrusted",
    ] {
        assert!(added.stdout.contains(part), "{part}: {}", added.stdout);
    }
    assert!(!added.stdout.contains("would be sent"), "{}", added.stdout);
    // The rule by hand is what nobody looked at.
    let refused = place.ends(65, "apply --yes");
    assert_eq!(refused.code(), "policy.certificate-untrusted");
    assert_eq!(refused.json["findings"].as_array().unwrap().len(), 1);

    // The other way round the stricter one is new.
    place.must(&format!("policy remove {hop}"));
    place.must("apply --yes");
    let stricter = format!("policy add {hop} secure");
    assert_eq!(
        place.ends(65, &stricter).code(),
        "policy.certificate-untrusted"
    );
    assert_eq!(verdicts(&place), ["pass"]);
    let met = place
        .must(&format!("policy add {hop} encrypt --protocols >=TLSv1.2"))
        .json;
    assert_eq!(
        met["met"][0]["policy"], "encrypt protocols=>=TLSv1.2",
        "{met}"
    );
}

#[test]
fn the_diff_shows_the_rows_of_the_map() {
    let hop = "[relay.example]:587";
    let place = Place::of(builder().set("relayhost", hop));
    let rows = |words: &[&str]| {
        let diff = place.scene.say(words).stdout;
        let rules = diff.split("+++ rules for destinations\n").nth(1);
        rules.unwrap_or_default().to_owned()
    };
    let plan = || rows(&["plan", "--diff"]);
    place.must(&format!("domain add one.example --next-hop {hop}"));
    place.must(&format!("domain add two.example --next-hop {hop}"));
    place.must(&format!("policy add {hop} secure --no-preflight"));
    assert_eq!(plan(), format!("+{hop} secure\n"));
    place.must("apply --yes");

    // What managed rules leave is there afterwards.
    place.must(&format!("policy remove {hop}"));
    let left = format!("-{hop} secure\n+{hop} encrypt\n");
    assert_eq!(plan(), left);
    place.must("discard");
    let path = place.write("postseal.toml", "schema = 1\nrules = []\n");
    let path = path.display().to_string();
    assert_eq!(rows(&["apply", "-f", &path, "--check", "--diff"]), left);

    // A rule beside a stricter one changes no row.
    place.must("domain remove one.example");
    assert_eq!(plan(), "");
    place.must("apply --yes");
    assert_eq!(rows(&["rollback", "--check", "--diff"]), "");
    place.must("domain remove two.example");
    place.must(&format!("policy remove {hop}"));
    place.must("apply --yes");
    assert_eq!(
        rows(&["rollback", "--check", "--diff"]),
        format!("+{hop} secure\n")
    );
}
