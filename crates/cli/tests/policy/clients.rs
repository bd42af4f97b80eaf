//! Rules that smtp(8) could not keep on this host, whoever the server is: refused when they are
//! wished, and when a plan would take from them what they need.

use crate::peers::{Chains, Peer};
use crate::place::{Place, builder};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

/// Words of `policy add` after the destination, the code that refuses them.
const FAULTS: [(&str, &str); 8] = [
    ("secure --match mx.a.example", "policy.nobody-trusted"),
    ("verify", "policy.nobody-trusted"),
    (
        "secure --match mx.a.example --tafile /nowhere.pem",
        "policy.tafile-missing",
    ),
    ("dane", "policy.dane-without-dnssec"),
    ("dane-only", "policy.dane-without-dnssec"),
    ("fingerprint", "policy.no-fingerprint"),
    ("encrypt --exclude ALL", "policy.no-cipher"),
    ("encrypt --ciphers null", "policy.no-cipher"),
];

/// It trusts nobody.
fn lonely() -> Place {
    Place::of(builder().set("tls_append_default_CA", "no"))
}

#[test]
fn what_this_host_cannot_keep_is_refused_by_add_edit_and_import_and_taken_for_a_reason() {
    let place = lonely();
    for (words, code) in FAULTS {
        for destination in ["a.example", ".b.example", "[127.0.0.9]:25"] {
            let add = format!("policy add {destination} {words} --no-preflight");
            let refused = place.ends(65, &add);
            assert_eq!(refused.code(), code, "{add}");
            let error = &refused.json;
            let finding = &refused.json["findings"][0];
            assert!(finding["remedy"].as_str().unwrap().len() > 20, "{error}");
            assert!(
                !finding["evidence"].as_array().unwrap().is_empty(),
                "{error}"
            );
        }
    }
    let rows = "a.example encrypt\n.b.example dane-only\n";
    fs::write(place.scene.named("rows"), rows).unwrap();
    let import = format!("policy import {}", place.scene.named("rows"));
    let refused = place.run(&import);
    assert_eq!(refused.exit, Some(65), "{}", refused.stdout);
    assert!(
        refused.stdout.contains("policy.dane-without-dnssec"),
        "{}",
        refused.stdout
    );
    place.must("policy add a.example encrypt --no-preflight");
    for (words, code) in FAULTS {
        let refused = place.ends(65, &format!("policy edit a.example {words} --no-preflight"));
        assert_eq!(refused.code(), code, "{words}");
    }
    let forced = place.must(
        "policy edit a.example dane --no-preflight --force --reason the%20resolver%20comes%20tomorrow",
    );
    assert_eq!(
        forced.json["findings"][0]["code"],
        "policy.dane-without-dnssec"
    );
    place.must("apply --yes");
    assert_eq!(place.looked_up("a.example").as_deref(), Some("dane"));
}

#[test]
fn each_remedy_works() {
    let place = lonely();
    let chains = Chains::new();
    let server = chains.sink(Peer::Trusted);
    let hop = format!("[127.0.0.1]:{}", server.address().port());
    let jail = place.scene.postfix.queue_directory();
    let secure = format!("policy add {hop} secure --match mx.peer.test");
    assert_eq!(place.ends(65, &secure).code(), "policy.nobody-trusted");

    // A file of anchors: where it is looked for, what is in it, and who may read it.
    let named = format!("{secure} --tafile /ca.pem");
    let missing = place.ends(65, &named);
    assert_eq!(missing.code(), "policy.tafile-missing");
    let file = jail.join("ca.pem");
    assert!(
        missing.stdout.contains(&file.display().to_string()),
        "{}",
        missing.stdout
    );
    fs::write(&file, "nothing\n").unwrap();
    let empty = place.ends(65, &named);
    assert!(
        empty.stdout.contains("no certificate in it"),
        "{}",
        empty.stdout
    );
    fs::write(&file, &chains.ca).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let secret = place.ends(65, &named);
    assert!(
        secret.stdout.contains("only root can read it"),
        "{}",
        secret.stdout
    );
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    place.must(&named);
    place.must("apply --yes");
    place.must(&format!("policy remove {hop}"));
    place.must("apply --yes");

    // A CA for all.
    let ca = place.scene.named("peers.pem");
    fs::write(&ca, &chains.ca).unwrap();
    place.must(&format!("set trust.outbound={ca}"));
    place.must("apply --yes");
    place.must(&secure);

    dns(&place, "dnssec");
    place.must("policy add .b.example dane-only");
    place.must("apply --yes");
}

/// A table of the administrator.
const OWN: &str = "hash:$config_directory/own";

/// As an administrator sets it.
fn dns(place: &Place, level: &str) {
    let value = format!("smtp_dns_support_level = {level}");
    place.scene.postconf(&["-e", &value]);
    place.must("drift --adopt");
}

#[test]
fn a_plan_that_takes_from_rules_what_they_need_is_refused() {
    let place = lonely();
    place.must("set outbound=dane");
    place.must("apply --yes");
    place.must("policy add .b.example dane-only --no-preflight");
    place.must("apply --yes");
    // DNSSEC was looked up for this level.
    place.must("unset outbound");
    for verb in ["plan", "apply --yes"] {
        assert_eq!(place.ends(65, verb).code(), "policy.dane-without-dnssec");
    }
    place.must("discard");
    place.must("set param.smtp_tls_mandatory_exclude_ciphers=ALL");
    assert_eq!(place.ends(65, "plan").code(), "policy.no-cipher");
    place.must("discard");
    // Without the rule nothing is lost; both in one plan.
    place.must("policy remove .b.example");
    place.must("unset outbound");
    place.must("apply --yes");
    // What was so before does not block what has nothing to do with it.
    place.must("policy add .c.example dane --no-preflight --force --reason later");
    place.must("apply --yes");
    place.must("set loglevel.outbound=2");
    place.must("apply --yes");
    // And a rule that was stored while it could be kept is held against the files of the plan.
    dns(&place, "dnssec");
    place.must("policy add .d.example dane-only --no-preflight");
    dns(&place, "enabled");
    assert_eq!(place.ends(65, "plan").code(), "policy.dane-without-dnssec");
}

#[test]
fn another_note_is_no_reason_to_judge_a_rule_again() {
    let place = Place::unadopted(builder().set("smtp_tls_policy_maps", OWN));
    place.table("own", "adopted.example dane-only\n");
    place.must("init");
    place.must("policy add forced.example dane --no-preflight --force --reason later");
    for rule in ["adopted.example", "forced.example"] {
        place.must(&format!("policy edit {rule} --note seen"));
        place.must(&format!("policy edit {rule} --until 2099-01-01"));
        let other = format!("policy edit {rule} dane-only --protocols >=TLSv1.2 --no-preflight");
        assert_eq!(place.ends(65, &other).code(), "policy.dane-without-dnssec");
    }
    for format in ["csv", "json", "map"] {
        let export = place.scene.say(&["policy", "export", "--format", format]);
        let file = place.write(&format!("rules.{format}"), &export.stdout);
        let again = place
            .must(&format!("policy import {}", file.display()))
            .json;
        assert_eq!(
            (&again["same"], &again["changed_rules"]),
            (&2.into(), &0.into()),
            "{again}"
        );
    }
}

#[test]
fn a_reason_is_one_line_and_is_said_with_force() {
    let place = Place::of(builder());
    let add = [
        "policy",
        "add",
        "x.example",
        "dane",
        "--no-preflight",
        "--reason",
    ];
    let said = |more: &[&str]| place.scene.run(&[&["--json"], &add[..], more].concat());
    assert_eq!(said(&["later"]).exit, Some(64));
    let two = said(&["agreed\nevil.example none", "--force"]);
    assert_eq!((two.exit, two.code()), (Some(65), "policy.bad-word"));
    assert!(place.listed("wanted").is_empty());
}
