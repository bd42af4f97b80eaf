//! A row for a recipient's domain whose mail leaves by a relay, as Hermes writes it.

use crate::scene::{Ran, Scene};
use postseal_testkit::postfix_box::PostfixBox;
use std::fs;

fn scene(policy: &str) -> Scene {
    let scene = Scene::stopped(
        PostfixBox::builder()
            .set("default_transport", "smtp")
            .set("smtp_tls_security_level", "may")
            .set("transport_maps", "hash:{base}/config/transport")
            .set("smtp_tls_policy_maps", "hash:{base}/config/policy"),
    );
    write(
        &scene,
        "transport",
        "example.test smtp:[relay.example.net]:587\n",
    );
    write(&scene, "policy", policy);
    scene
}

fn write(scene: &Scene, name: &str, rows: &str) {
    let path = scene.postfix.config_directory().join(name);
    fs::write(&path, rows).unwrap();
    let table = format!("hash:{}", path.display());
    crate::scene::run("/usr/sbin/postmap", &["-c", &scene.config(), &table]);
}

fn explain(scene: &Scene, words: &[&str]) -> Ran {
    scene.run(&[&["--json", "explain"], words].concat())
}

#[test]
fn a_row_that_does_nothing_is_named_with_the_one_that_would() {
    let scene = scene("example.test encrypt\n");
    let said = explain(&scene, &["user@example.test"]);
    assert_eq!(said.exit, Some(2), "{}", said.stderr);
    assert_eq!(said.json["hops"][0]["level"], "may");
    let finding = &said.json["findings"][0];
    assert_eq!(finding["code"], "policy.never-matches");
    let message = finding["message"].as_str().unwrap();
    for part in [
        "example.test encrypt",
        "[relay.example.net]:587",
        "transport_maps",
    ] {
        assert!(message.contains(part), "{message}");
    }
    let remedy = finding["remedy"].as_str().unwrap();
    assert!(
        remedy.contains("[relay.example.net]:587 encrypt"),
        "{remedy}"
    );

    write(&scene, "policy", "[relay.example.net]:587 encrypt\n");
    let said = explain(&scene, &["user@example.test"]);
    assert_eq!(said.exit, Some(0), "{}", said.stdout);
    assert_eq!(said.json["hops"][0]["level"], "encrypt");
    assert_eq!(
        said.json["hops"][0]["source"]["key"],
        "[relay.example.net]:587"
    );
}

#[test]
fn people_read_the_way_the_rule_and_the_promise() {
    let scene = scene("[relay.example.net]:587 encrypt\n");
    let said = scene.say(&["explain", "user@example.test"]);
    for part in [
        "default (no domain of this host)",
        "[relay.example.net]:587",
        "transport_maps",
        "level      encrypt towards [relay.example.net]:587",
        "the server is not authenticated",
    ] {
        assert!(said.stdout.contains(part), "{part}\n{}", said.stdout);
    }
    let said = scene.say(&["explain", "user@box.test"]);
    assert!(
        said.stdout.contains("no TLS connection is made"),
        "{}",
        said.stdout
    );
}

#[test]
fn a_table_that_cannot_be_asked_is_fatal_and_named() {
    let scene = scene("example.test encrypt\n");
    for name in ["policy.db", "policy"] {
        fs::remove_file(scene.postfix.config_directory().join(name)).unwrap();
    }
    let said = explain(&scene, &["user@example.test"]);
    assert_eq!(said.exit, Some(2));
    assert_eq!(said.json["findings"][0]["code"], "policy.table-failed");
    assert_eq!(said.json["findings"][0]["severity"], "fatal");
    assert_eq!(said.json["hops"][0]["level"], serde_json::Value::Null);
}

#[test]
fn what_is_none_of_the_three_is_refused() {
    let scene = Scene::stopped(PostfixBox::builder());
    for bad in [
        "",
        "a b",
        "*.example.org",
        "[mx.example.org]:70000",
        "a@",
        "192.0.2.1",
    ] {
        let said = explain(&scene, &[bad]);
        assert_eq!(said.exit, Some(65), "{bad:?}");
        assert_eq!(said.code(), "explain.bad-subject", "{bad:?}");
    }
    let said = explain(&scene, &["a@b.org", "--sender", "b.org"]);
    assert_eq!(said.exit, Some(65));
}

#[test]
fn relay_hosts_may_depend_on_the_sender() {
    let scene = Scene::stopped(
        PostfixBox::builder()
            .set("default_transport", "smtp")
            .set("relayhost", "[everybody.example.net]")
            .set(
                "sender_dependent_relayhost_maps",
                "inline:{ @shop.test=[shop.example.net]:587 }",
            ),
    );
    let hop = |words: &[&str]| explain(&scene, words).json["hops"][0]["nexthop"].clone();
    assert_eq!(hop(&["x@y.test"]), "[everybody.example.net]");
    let with = ["x@y.test", "--sender", "till@shop.test"];
    assert_eq!(hop(&with), "[shop.example.net]:587");
}
