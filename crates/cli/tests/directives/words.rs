//! Every word of `postseal set` with every value it takes, in rounds on one real Postfix; then
//! all rounds are rolled back, one by one.

use crate::rounds::{FILTER, ROUNDS, SYSTEM};
use crate::scene::{Files, Scene, stock_master};
use postseal_planner::settings::KEYS;
use postseal_testkit::postfix_box::PostfixBox;
use std::collections::BTreeSet;

fn filled(text: &str, scene: &Scene) -> String {
    let text = text.replace("{files}", &scene.folder().display().to_string());
    let filter = format!("{}:10025/inet", scene.postfix.address());
    text.replace("{filter}", &filter)
        .replace("{system}", SYSTEM)
}

fn shows(scene: &Scene, expected: &str, wish: &str) {
    let expected = filled(expected, scene);
    if let Some((service, state)) = expected.split_once(": ") {
        let services = scene.postconf(&["-M"]);
        let there = services
            .lines()
            .any(|line| line.split_whitespace().next() == Some(service));
        assert_eq!(there, state == "on", "{wish}: {services}");
        return;
    }
    let (name, value) = expected.split_once('=').unwrap();
    let seen = match name.rsplit_once('/') {
        Some((service, option)) => scene.option(service, option).unwrap_or_default(),
        None => scene.value(name),
    };
    assert_eq!(seen, value, "{name} after {wish}");
}

#[test]
fn every_word_with_every_value_is_in_force_and_undone() {
    let scene = Scene::adopted(
        PostfixBox::builder()
            .sasl_user("alice", "in the jail")
            .master_cf(format!("{}{FILTER}", stock_master())),
    );
    scene.must(&["cert", "bind", "mx"]);
    let mut worlds: Vec<Files> = Vec::new();
    for round in ROUNDS {
        worlds.push(scene.files());
        let wishes: Vec<String> = round.iter().map(|(wish, _)| filled(wish, &scene)).collect();
        let mut words = vec!["set"];
        words.extend(wishes.iter().map(String::as_str));
        scene.must(&words);
        let applied = scene.must(&["apply"]);
        assert_eq!(applied.text("outcome"), "kept", "{wishes:?}");
        for (wish, expected) in *round {
            expected
                .iter()
                .for_each(|expected| shows(&scene, expected, wish));
        }
        let plan = scene.must(&["plan"]);
        assert_eq!(plan.json["pending"], false, "{wishes:?}: {plan:#?}");
    }
    for (world, round) in worlds.iter().zip(ROUNDS).rev() {
        scene.must(&["rollback"]);
        assert_eq!(&scene.files(), world, "the rollback of {round:?}");
    }
}

#[test]
fn the_rounds_walk_every_value_that_set_lists() {
    let walked: BTreeSet<&str> = ROUNDS
        .iter()
        .copied()
        .flatten()
        .map(|(wish, _)| *wish)
        .collect();
    for key in KEYS
        .iter()
        .filter(|key| !["param.NAME", "inbound-certificate"].contains(&key.name))
    {
        for value in key.values.split(", ") {
            let value = match value {
                "/FILE.pem" => "{files}/ca.pem",
                "/DIRECTORY/" => "{files}/certs/",
                word => word,
            };
            let wish = format!("{}={value}", key.name);
            assert!(walked.contains(wish.as_str()), "{wish} is not walked");
        }
    }
}

#[test]
fn anonymous_tls_on_a_closed_network() {
    let scene = Scene::adopted(PostfixBox::builder());
    let before = scene.files();
    scene.must(&["set", "inbound=may", "inbound-certificate=none"]);
    scene.must(&["apply"]);
    assert_eq!(scene.value("smtpd_tls_cert_file"), "none");
    scene.must(&["rollback"]);
    assert_eq!(scene.files(), before);
}

#[test]
fn a_bad_value_of_every_word_is_refused_with_what_it_takes() {
    let scene = Scene::adopted(PostfixBox::builder());
    for key in KEYS.iter().filter(|key| key.name != "param.NAME") {
        for bad in ["", "perhaps", "OFF", "../x", "1;2"] {
            let ran = scene.ends(65, &["set", &format!("{}={bad}", key.name)]);
            assert_eq!(ran.code(), "setting.bad-value", "{}={bad}", key.name);
            let remedy = ran.json["findings"][0]["remedy"].as_str().unwrap();
            assert!(remedy.contains(key.values), "{}: {remedy}", key.name);
        }
    }
    for (pair, code) in [
        ("inbound=dane", "setting.bad-value"),
        ("inbuond=may", "setting.unknown-key"),
        ("smtpd_tls_auth_only=yes", "setting.unknown-key"),
        ("param.smtpd_tls_athu_only=yes", "setting.unknown-parameter"),
        (
            "param.smtp_dns_support_level=dnssec",
            "setting.not-a-tls-parameter",
        ),
        ("param.myhostname=x.example", "setting.unknown-parameter"),
        (
            "param.smtp_tls_enable_rpk=yes",
            "parameter.unknown-to-version",
        ),
        ("inbound=may\nrelayhost=evil", "setting.control-character"),
        (
            "param.smtpd_tls_CAfile=/x\nrelayhost = evil",
            "setting.control-character",
        ),
    ] {
        assert_eq!(scene.ends(65, &["set", pair]).code(), code, "{pair:?}");
    }
    let plan = scene.must(&["plan"]);
    assert_eq!(plan.json["pending"], false, "something was stored");
}

#[test]
fn client_certificates_are_demanded_on_every_port() {
    let scene = Scene::adopted(PostfixBox::builder().sasl_user("alice", "in the jail"));
    let before = scene.files();
    scene.must(&["cert", "bind", "mx"]);
    scene.must(&["set", "inbound=encrypt", "submission=on", "smtps=on"]);
    scene.must(&["set", "client-certs=require", "trust.inbound=system"]);
    let applied = scene.must(&["apply"]);
    for verdict in ["rehearsed", "proved"] {
        let judged = applied.json[verdict]["judgements"].as_array().unwrap();
        assert_eq!(judged.len(), 3, "{verdict}: {judged:#?}");
        for judgement in judged {
            assert_eq!(judgement["outcome"], "pass", "{verdict}: {judgement:#}");
            let told = judgement["sentences"].to_string();
            assert!(told.contains("without a certificate away (421)"), "{told}");
        }
    }
    scene.must(&["rollback"]);
    assert_eq!(scene.files(), before);
}
