//! What becomes untrue of a rule in force later is told by everything that tells of rules: `verify`,
//! `status`, `status --nagios`, `plan`, `lint` and `policy list`.

use crate::peers::Chains;
use crate::place::{Place, builder, codes};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What `--nagios` ends with.
const WARNING: i32 = 1;
const CRITICAL: i32 = 2;

/// Main.cf as an administrator edits it, taken over.
fn set(place: &Place, line: &str) {
    postconf(place, line);
    place.must("drift --adopt");
}

fn postconf(place: &Place, line: &str) {
    place.scene.postconf(&match line.strip_prefix('-') {
        Some(name) => ["-X", name],
        None => ["-e", line],
    });
}

fn add_to_master_cf(place: &Place, text: &str) {
    place.add_to_master_cf(text);
    place.must("drift --adopt");
}

fn hindered(place: &Place) -> Vec<String> {
    let listed = place.must("policy list").json;
    let rules = listed["rules"].as_array().unwrap().iter();
    let line = |rule: &Value| {
        let by = rule["hindered"]["by"].as_str();
        assert_eq!(rule["holds"].as_bool(), Some(by.is_none()), "{rule}");
        format!("{} {}", rule["shown"].as_str().unwrap(), by.unwrap_or("-"))
    };
    rules.map(line).collect()
}

/// Everything that looks tells it; `key` is where `status` does.
#[track_caller]
fn is_told(place: &Place, code: &str, key: &str, nagios: i32) {
    let verified = place.ends(1, "verify").json;
    assert!(codes(&verified).contains(&code), "verify: {verified}");
    let status = place.must("status").json;
    assert_eq!(status[key][0]["code"], code, "{status}");
    let text = place.scene.say(&["status"]).stdout;
    let said = status[key][0]["message"].as_str().unwrap();
    assert!(text.contains(said), "{text}");
    let line = place.scene.run(&["status", "--nagios"]);
    assert_eq!(line.exit, Some(nagios), "{}", line.stdout);
    assert!(
        line.stdout.contains(said.trim_end_matches('.')),
        "{}",
        line.stdout
    );
    let plan = place.must("plan");
    assert!(plan.stdout.contains(code), "plan: {}", plan.stdout);
    let lint = place
        .ends(2, &format!("lint {}", place.config().display()))
        .json;
    assert!(codes(&lint).contains(&code), "lint: {lint}");
    let listed = place.must("policy list").json;
    assert!(codes(&listed).contains(&code), "list: {listed}");
    place.must(&format!("lint --explain {code}"));
}

#[track_caller]
fn is_well(place: &Place) {
    place.must("verify");
    let line = place.scene.run(&["status", "--nagios"]);
    assert_eq!(line.exit, Some(0), "{}", line.stdout);
    assert!(hindered(place).iter().all(|one| one.ends_with(" -")));
}

#[test]
fn the_route_of_a_rule_that_follows_its_mail() {
    let place = Place::of(builder().set("relayhost", "[old.example]:587"));
    place.must("policy add example.org encrypt --follow --no-preflight");
    place.must("apply --yes");
    is_well(&place);
    postconf(&place, "relayhost = [new.example]:587");
    is_told(&place, "policy.route-changed", "routes_changed", WARNING);
    place.must("policy sync");
    place.must("apply --yes");
    is_well(&place);
}

#[test]
fn a_file_of_trust_anchors_that_vanishes() {
    let place = Place::new();
    let chains = Chains::new();
    let file = place.scene.postfix.queue_directory().join("ca.pem");
    fs::write(&file, &chains.ca).unwrap();
    place.must("policy add a.example secure --match nexthop --tafile /ca.pem --no-preflight");
    place.must("policy add b.example secure --match nexthop --tafile /ca.pem --no-preflight");
    place.must("policy add c.example encrypt --no-preflight");
    place.must("apply --yes");
    is_well(&place);
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    is_told(&place, "policy.tafile-missing", "faulty_rules", CRITICAL);
    fs::remove_file(&file).unwrap();
    is_told(&place, "policy.tafile-missing", "faulty_rules", CRITICAL);
    // Once for all rules that need it.
    let verified = place.ends(1, "verify").json;
    let told = codes(&verified).into_iter();
    assert_eq!(
        told.filter(|code| *code == "policy.tafile-missing").count(),
        1
    );
    let rows = verified["findings"][0]["evidence"].to_string();
    assert!(
        rows.contains("a.example secure") && rows.contains("b.example secure"),
        "{rows}"
    );
    let unkept = ["a.example unkept", "b.example unkept", "c.example -"];
    assert_eq!(hindered(&place), unkept);
    fs::write(&file, &chains.ca).unwrap();
    is_well(&place);
}

#[test]
fn the_file_of_cas_that_vanishes() {
    let place = Place::new();
    let ca = place.scene.named("own.pem");
    fs::write(&ca, Chains::new().ca).unwrap();
    // smtp(8) opens it as root.
    fs::set_permissions(&ca, Permissions::from_mode(0o600)).unwrap();
    place.must(&format!("set trust.outbound={ca}"));
    place.must("apply --yes");
    place.must("policy add a.example encrypt --no-preflight");
    place.must("policy add b.example none --no-preflight");
    place.must("apply --yes");
    is_well(&place);
    fs::remove_file(&ca).unwrap();
    is_told(&place, "policy.ca-file-unusable", "faulty_rules", CRITICAL);
    assert_eq!(hindered(&place), ["a.example unkept", "b.example -"]);
    let explained = place.ends(2, "explain a.example").json;
    assert_eq!(explained["hops"][0]["level"], Value::Null, "{explained}");
    let more = place.ends(65, "policy add c.example encrypt --no-preflight");
    assert_eq!(more.code(), "policy.ca-file-unusable");
    fs::write(&ca, "nothing\n").unwrap();
    is_told(&place, "policy.ca-file-unusable", "faulty_rules", CRITICAL);
}

#[test]
fn a_table_before_the_map_and_a_new_relay_host() {
    let place = Place::new();
    for rule in ["a.example", ".b.example", "c.example", "[h.example]:25"] {
        place.must(&format!("policy add {rule} encrypt --no-preflight"));
    }
    place.must("apply --yes");
    is_well(&place);
    let own = place.main_cf();
    // The second answers as the rule says.
    place.write(
        "patterns",
        "/^a\\./ none\n/^c\\./ encrypt\n/\\.b\\.example$/ may\n",
    );
    let patterns = format!("regexp:{}", place.config().join("patterns").display());
    set(
        &place,
        &format!("smtp_tls_policy_maps = {patterns}, {}", place.maps()),
    );
    let shadowed = [
        ".b.example shadowed",
        "[h.example]:25 -",
        "a.example shadowed",
        "c.example -",
    ];
    assert_eq!(hindered(&place), shadowed);
    let text = place.scene.say(&["policy", "list", "a.example"]).stdout;
    let told = format!("does nothing: {patterns} is asked before it and says none");
    assert!(text.contains(&told), "{text}");
    let status = place.must("status").json;
    assert_eq!(status["shadowed_rules"][0]["code"], "policy.shadowed");
    let line = place.scene.run(&["status", "--nagios"]);
    assert_eq!(line.exit, Some(WARNING), "{}", line.stdout);
    // It may be meant so.
    let verified = place.must("verify");
    assert!(codes(&verified.json).contains(&"policy.shadowed"));
    let planned = place.must("plan");
    assert!(
        planned.stdout.contains("policy.shadowed"),
        "{}",
        planned.stdout
    );
    let text = place.scene.say(&["verify"]).stdout;
    assert!(!text.contains("as it should be"), "{text}");

    place.write("main.cf", &own);
    place.must("drift --adopt");
    is_well(&place);
    postconf(&place, "relayhost = [relay.example]:587");
    let idle = [
        ".b.example idle",
        "[h.example]:25 -",
        "a.example idle",
        "c.example idle",
    ];
    assert_eq!(hindered(&place), idle);
    let text = place.scene.say(&["policy", "list", "a.example"]).stdout;
    let told = "does nothing: mail for a.example leaves by [relay.example]:587 (relayhost)";
    assert!(text.contains(told), "{text}");
    let verified = place.ends(1, "verify").json;
    assert!(codes(&verified).contains(&"policy.never-matches"));
}

/// In the words of `policy list`, before any rule of ours answered.
#[test]
fn a_table_before_an_adopted_one() {
    let place = Place::unadopted(builder().set("smtp_tls_policy_maps", "hash:{base}/config/own"));
    place.table("own", "a.example encrypt\nb.example  secure\n");
    place.must("init");
    assert_eq!(hindered(&place), ["a.example -", "b.example -"]);
    set(
        &place,
        &format!("smtp_tls_policy_maps = static:may, {}", place.maps()),
    );
    assert_eq!(
        hindered(&place),
        ["a.example shadowed", "b.example shadowed"]
    );
}

#[test]
fn what_only_another_client_can_keep_or_cannot() {
    let place = Place::of(builder().set("transport_maps", "hash:{base}/config/transport"));
    place.table(
        "transport",
        "a.example own:\nb.example own:[b.example]:26\nc.example smtp:[c.example]:27\n",
    );
    let ca = place.scene.named("own.pem");
    fs::write(&ca, Chains::new().ca).unwrap();
    add_to_master_cf(
        &place,
        &format!(
            "own unix - - n - - smtp\n  -o smtp_tls_CAfile={ca}\nidle unix - - n - - smtp\n  -o smtp_tls_CAfile=/gone.pem\n"
        ),
    );
    // A client that no mail goes by is nobody's.
    for rule in ["a.example", "[b.example]:26", "[c.example]:27", "d.example"] {
        place.must(&format!("policy add {rule} encrypt --no-preflight"));
    }
    place.must("apply --yes");
    is_well(&place);
    fs::remove_file(&ca).unwrap();
    let unkept = [
        "[b.example]:26 unkept",
        "[c.example]:27 -",
        "a.example unkept",
        "d.example -",
    ];
    assert_eq!(hindered(&place), unkept);
    is_told(&place, "policy.ca-file-unusable", "faulty_rules", CRITICAL);
    let refused = place.ends(
        65,
        "policy edit [b.example]:26 encrypt --ciphers high --no-preflight",
    );
    assert_eq!(refused.code(), "policy.ca-file-unusable");
    place.must("policy edit [c.example]:27 encrypt --ciphers high --no-preflight");
    place.must("discard");
}

#[test]
fn a_plan_is_held_against_the_client_that_sends() {
    // main.cf trusts nobody, and one transport does.
    let place = Place::of(
        builder()
            .set("tls_append_default_CA", "no")
            .set("transport_maps", "hash:{base}/config/transport"),
    );
    place.table("transport", "a.example own:\n");
    let ca = place.scene.named("own.pem");
    fs::write(&ca, Chains::new().ca).unwrap();
    let own = format!("own unix - - n - - smtp\n  -o smtp_tls_CAfile={ca}\n");
    add_to_master_cf(&place, &own);
    let add = "policy add b.example secure --match nexthop --no-preflight";
    assert_eq!(place.ends(65, add).code(), "policy.nobody-trusted");
    place.must("policy add a.example secure --match nexthop --no-preflight");
    place.must("apply --yes");
    is_well(&place);
    // What takes it away from that transport alone.
    place.must("policy add c.example encrypt --no-preflight");
    let path = place.config().join("master.cf");
    let master = fs::read_to_string(&path).unwrap();
    fs::write(&path, master.replace(&own, "own unix - - n - - smtp\n")).unwrap();
    place.must("drift --adopt");
    is_told(&place, "policy.nobody-trusted", "faulty_rules", WARNING);
    // It was so before, and has nothing to do with it.
    place.must("apply --yes");
    assert_eq!(place.looked_up("c.example").as_deref(), Some("encrypt"));
}

#[test]
fn a_rollback_is_held_against_the_rules_as_any_change() {
    let place = Place::of(builder().set("tls_append_default_CA", "no"));
    let ca = place.scene.named("own.pem");
    fs::write(&ca, Chains::new().ca).unwrap();
    place.must(&format!("set trust.outbound={ca}"));
    place.must("apply --yes");
    place.must("policy add a.example secure --match nexthop --no-preflight");
    place.must("apply --yes");
    let main = place.main_cf();
    for words in ["rollback 1 --check", "rollback 1 --yes"] {
        let refused = place.ends(65, words);
        assert_eq!(refused.code(), "policy.nobody-trusted", "{words}");
        assert!(refused.stdout.contains("a.example"), "{}", refused.stdout);
    }
    assert_eq!(place.main_cf(), main);
    // In their order nothing is lost.
    place.must("rollback --yes");
    assert_eq!(place.maps(), "");
    place.must("rollback --yes");
    assert!(!place.main_cf().contains(Path::new(&ca).to_str().unwrap()));
    // Rules that come back need it, too.
    let refused = place.ends(65, "rollback 3 --check");
    assert_eq!(refused.code(), "policy.nobody-trusted");
    // What awaits confirmation goes back whatever the rules.
    place.must(&format!("set trust.outbound={ca}"));
    place.must("apply --yes --confirm-within 5m");
    place.must("rollback --yes");
}

#[test]
fn a_review_that_is_due_is_a_warning() {
    let place = Place::new();
    place.must("policy add past.example encrypt --until 2020-01-31 --no-preflight");
    place.must("policy add later.example may --until 2999-12-31 --no-preflight");
    place.must("apply --yes");
    let line = place.scene.run(&["status", "--nagios"]);
    assert_eq!(line.exit, Some(WARNING), "{}", line.stdout);
    let told = "POSTSEAL WARNING: 1 rule for a destination is to be looked at again";
    assert!(line.stdout.contains(told), "{}", line.stdout);
    let listed = place.must("policy list --due 2026-11-21").json;
    assert_eq!(listed["rules"].as_array().unwrap().len(), 1, "{listed}");
    place.must("policy edit past.example --until 2999-12-31 --no-preflight");
    place.must("apply --yes");
    is_well(&place);
}
