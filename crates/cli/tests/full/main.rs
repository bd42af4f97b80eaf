//! `probe --full` as a user calls it, against a real private Postfix.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod compared;
#[path = "../scene/mod.rs"]
mod scene;
mod unspoken;

use postseal_issue::{KeyType, LeafRequest, Validity, self_signed};
use postseal_testkit::postfix_box::PostfixBox;
use postseal_testkit::smtp_script::{ScriptedServer, SmtpScript};
use scene::{Ran, Scene, stock_master};
use serde_json::Value;
use std::collections::BTreeSet;

/// An instance that speaks TLS on 25 and 465, with these settings on top.
fn serving(settings: &[(&str, &str)]) -> Scene {
    showing(&[KeyType::Rsa2048], settings)
}

/// The same with certificates of these kinds.
fn showing(kinds: &[KeyType], settings: &[(&str, &str)]) -> Scene {
    let master = stock_master() + "465 inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n";
    let mut builder = PostfixBox::builder()
        .master_cf(master)
        .set("smtpd_tls_security_level", "may")
        .set("smtpd_tls_chain_files", "{base}/config/chain.pem");
    for (name, value) in settings {
        builder = builder.set(name, value);
    }
    let scene = Scene::stopped(builder);
    let chain = kinds.iter().map(|kind| {
        let issued = self_signed(&LeafRequest {
            names: vec!["mx.box.test".to_owned()],
            key_type: *kind,
            validity: VALIDITY,
        });
        let issued = issued.unwrap();
        format!("{}{}", *issued.key_pem, issued.fullchain_pem())
    });
    let chain: String = chain.collect();
    scene::write_private(scene.path_of("chain.pem"), chain);
    scene.postfix.start().unwrap();
    scene
}

/// From 2020 to 2099.
const VALIDITY: Validity = Validity {
    not_before: 1_577_836_800,
    not_after: 4_070_908_800,
};

fn words<'w>(server: &'w str, more: &[&'w str]) -> Vec<&'w str> {
    [&["--resolver", "none", "probe", server, "--full"], more].concat()
}

fn full(ran: &Ran) -> &Value {
    assert_eq!(ran.stderr, "");
    let all = ran.json["full"].as_array().expect("full");
    assert_eq!(all.len(), 1, "{:#}", ran.json);
    &all[0]
}

fn values(full: &Value, fact: &str) -> BTreeSet<String> {
    let grades = full["grades"].as_array().unwrap();
    let of_fact = grades.iter().filter(|one| one["fact"] == fact);
    of_fact
        .map(|one| one["value"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_server_of_today() {
    let scene = serving(&[
        ("smtpd_tls_protocols", ">=TLSv1.2"),
        (
            "tls_medium_cipherlist",
            "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256",
        ),
        ("tls_eecdh_auto_curves", "X25519 prime256v1"),
    ]);
    let server = scene.postfix.at(25).to_string();
    let ran = scene.run(&words(&server, &[]));
    assert_eq!(ran.exit, Some(0), "{:#}", ran.json);
    let full = full(&ran);
    assert_eq!(full["address"], server.as_str());
    let versions = ["TLSv1.2", "TLSv1.3"].map(str::to_owned);
    assert_eq!(values(full, "version"), versions.into());
    let groups = ["X25519", "prime256v1"].map(str::to_owned);
    assert_eq!(values(full, "group"), groups.into());
    assert!(values(full, "suite").contains("ECDHE-RSA-AES256-GCM-SHA384"));
    // smtpd signs with SHA-1 for who knows nothing else, whatever its settings.
    assert_eq!(full["ncsc"], "insufficient");
    assert_eq!(values(full, "SHA-1 signatures"), ["yes".to_owned()].into());
    // RSA with 2048 bits.
    let certificate = full["grades"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["fact"] == "certificate");
    assert_eq!(certificate.unwrap()["ncsc"], "phase-out");
    assert!(full["seen"]["connections"].as_u64().unwrap() < 50);
    assert_eq!(full["seen"]["stopped"], Value::Null);
}

#[test]
fn piped_each_fact_is_a_line_of_seven_cells() {
    let scene = serving(&[
        ("smtpd_tls_mandatory_protocols", ">=TLSv1.3"),
        ("smtpd_tls_ask_ccert", "yes"),
    ]);
    let server = scene.postfix.at(465).to_string();
    let ran = scene.say(&words(&server, &[]));
    assert_eq!(
        (ran.exit, ran.stderr.as_str()),
        (Some(0), ""),
        "{}",
        ran.stdout
    );
    let facts: Vec<Vec<&str>> = ran
        .stdout
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|cells| cells[0] == server)
        .collect();
    assert!(facts.iter().all(|cells| cells.len() == 7), "{facts:#?}");
    let has = |wanted: &[&str]| facts.iter().any(|cells| cells[1..].starts_with(wanted));
    assert!(has(&["version", "TLSv1.3", "", "good", "modern", ""]));
    assert!(!has(&["version", "TLSv1.2"]));
    assert!(has(&[
        "suite",
        "TLS_AES_256_GCM_SHA384",
        "TLSv1.3",
        "good",
        "modern"
    ]));
    assert!(has(&["early data", "no", "", "good"]));
    assert!(!has(&["STARTTLS injection"]), "there is no STARTTLS at 465");
    // What has no level is told as well.
    assert!(has(&["refused version", "TLSv1.2", "", "", "", ""]));
    assert!(has(&[
        "client certificate",
        "asked for; TLS 1.3 hides of which authorities"
    ]));
    assert!(has(&["who chooses", "the client", "TLSv1.3"]), "{facts:#?}");
    let last = facts.last().unwrap();
    assert_eq!(last[1], "connections");
    assert!(last[2].ends_with(" of 150"), "{last:?}");
}

#[test]
fn a_small_budget_leaves_things_undetermined() {
    let scene = serving(&[]);
    let server = scene.postfix.at(25).to_string();
    let ran = scene.run(&words(&server, &["--connections", "12"]));
    assert_eq!(ran.exit, Some(3), "{:#}", ran.json);
    let full = full(&ran);
    assert_eq!(
        (&full["seen"]["connections"], &full["seen"]["budget"]),
        (&12.into(), &12.into())
    );
    let stopped = full["seen"]["stopped"].as_str().unwrap();
    assert!(stopped.contains("budget of 12"), "{stopped}");
    let ran = scene.run(&["probe", &server, "--connections", "12"]);
    assert_eq!(ran.exit, Some(64), "--connections is of --full");
}

#[test]
fn a_rate_limit_is_no_verdict() {
    // anvil(8) counts new TLS sessions of a client.
    let scene = serving(&[
        ("smtpd_client_new_tls_session_rate_limit", "10"),
        ("smtpd_client_event_limit_exceptions", ""),
    ]);
    let server = scene.postfix.at(25).to_string();
    let ran = scene.run(&words(&server, &[]));
    assert_eq!(ran.exit, Some(3), "{:#}", ran.json);
    let full = full(&ran);
    let stopped = full["seen"]["stopped"].as_str().unwrap();
    assert!(stopped.contains("454 4.7.0"), "{stopped}");
    assert!(full["seen"]["connections"].as_u64().unwrap() < 30);
}

#[test]
fn without_tls_there_is_nothing_to_enumerate() {
    let scene = serving(&[("smtpd_tls_security_level", "none")]);
    let server = scene.postfix.at(25).to_string();
    // The plain look tells that there is no TLS; whom that does not trouble is told of nothing else.
    for (level, exit) in [("error", 2), ("fatal", 0)] {
        let ran = scene.run(&words(&server, &["--fail-on", level]));
        assert_eq!(ran.exit, Some(exit), "{:#}", ran.json);
        let full = full(&ran);
        let facts: Vec<&str> = full["grades"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["fact"].as_str().unwrap())
            .collect();
        assert_eq!(facts, ["tls", "STARTTLS stripped"]);
        let none = ["none: STARTTLS is not offered".to_owned()];
        assert_eq!(values(full, "tls"), none.into());
        assert_eq!(full["seen"]["no_tls"], "STARTTLS is not offered");
    }
}

/// By a full look, a plain one, and by `verify`.
#[test]
fn old_versions_alone_are_a_finding() {
    for (protocols, exit, evidence) in [
        ("TLSv1", 2, "nothing newer than TLSv1"),
        ("<=TLSv1.1", 2, "nothing newer than TLSv1.1"),
        ("<=TLSv1.2", 0, ""),
    ] {
        let scene = serving(&[
            ("smtpd_tls_protocols", protocols),
            ("smtpd_tls_mandatory_protocols", protocols),
            ("smtpd_tls_exclude_ciphers", "aNULL, kDHE, CAMELLIA, ARIA"),
        ]);
        let server = scene.postfix.at(25).to_string();
        let words = words(&server, &[]);
        for look in [&words[..], &words[..words.len() - 1]] {
            let ran = scene.run(look);
            assert_eq!(ran.exit, Some(exit), "{look:?}: {:#}", ran.json);
            let seen: Vec<String> = too_old(&ran.json["findings"])
                .map(|one| one["evidence"].to_string())
                .collect();
            match exit {
                0 => assert_eq!(seen, [""; 0], "{look:?}"),
                _ => assert_eq!(seen, [format!("[{{\"text\":\"{server}: {evidence}\"}}]")]),
            }
        }
        if exit == 2 {
            // Whom that does not trouble is told what is left.
            let ran = scene.run(&[&words[..], &["--fail-on", "fatal"]].concat());
            assert_eq!(ran.exit, Some(3), "{:#}", ran.json);
        }
        verified(&scene, (exit == 2).then_some(evidence));
    }
}

fn too_old(findings: &Value) -> impl Iterator<Item = &Value> {
    let all = findings.as_array().unwrap().iter();
    all.filter(|one| one["code"] == "tls.too-old")
}

/// `verify` of both services says the same.
fn verified(scene: &Scene, old: Option<&str>) {
    scene.must(&["init"]);
    let ran = scene.run(&["verify"]);
    for one in ran.json["judgements"].as_array().unwrap() {
        let found: Vec<&Value> = too_old(&one["findings"]).collect();
        assert_eq!(found.len(), usize::from(old.is_some()), "{one:#}");
        assert_eq!(one["outcome"] == "fail", old.is_some(), "{one:#}");
    }
    let said = scene.say(&["verify"]).stdout;
    let out_of_use = "shows what is in force, and that is out of use";
    assert_eq!(said.contains(out_of_use), old.is_some(), "{said}");
    assert_eq!(ran.exit == Some(1), old.is_some(), "{said}");
    let status = scene.say(&["status"]).stdout;
    assert_eq!(status.contains("tls.too-old"), old.is_some(), "{status}");
}

/// A connection for each suite of the second key, and nothing else is asked again.
#[test]
fn a_second_certificate_costs_its_suites() {
    let look = |kinds: &[KeyType]| {
        let scene = showing(kinds, &[]);
        let ran = scene.run(&words(&scene.postfix.at(25).to_string(), &[]));
        let full = full(&ran).clone();
        let connections = full["seen"]["connections"].as_u64().unwrap();
        let suites = values(&full, "suite");
        (connections, suites, values(&full, "certificate").len())
    };
    let (one, of_rsa, shown) = look(&[KeyType::Rsa2048]);
    assert_eq!(shown, 1);
    let (two, of_both, shown) = look(&[KeyType::Rsa2048, KeyType::EcdsaP256]);
    assert_eq!(shown, 2);
    let more: Vec<&String> = of_both.difference(&of_rsa).collect();
    assert!(more.iter().all(|name| name.contains("ECDSA")), "{more:?}");
    let costs = two - one;
    assert_eq!(costs, more.len() as u64, "{more:?}");
    assert!(two * 10 < one * 13, "{one}, {two}");
}

#[test]
fn a_client_that_comes_back() {
    let scene = serving(&[]);
    let ran = scene.run(&words(&scene.postfix.at(25).to_string(), &[]));
    let full = full(&ran);
    let yes = || ["yes".to_owned()].into();
    assert_eq!(values(full, "resumption in TLS 1.3"), yes());
    assert_eq!(values(full, "fallback SCSV"), yes());
    assert!(full["seen"]["connections"].as_u64().unwrap() <= 100);
}

/// The server itself leaves after ten seconds, which would be told otherwise.
#[test]
fn the_deadline_is_that_of_each_connection() {
    let script = SmtpScript::new()
        .say("220 mx.example ESMTP\r\n")
        .hear("EHLO ")
        .say("250-mx.example\r\n250 STARTTLS\r\n")
        .hear("STARTTLS")
        .say("220 2.0.0 Ready\r\n")
        .swallow(16 * 1024)
        .hold();
    let server = ScriptedServer::start(vec![script; 10]);
    let at = server.address().to_string();
    let more = ["--instance", "/nonexistent", "--json", "--timeout", "1"];
    let ran = Ran::of(
        &scene::postseal(&[&words(&at, &[])[..], &more].concat())
            .output()
            .unwrap(),
    );
    assert_eq!(ran.exit, Some(3), "{:#}", ran.json);
    let stopped = full(&ran)["seen"]["stopped"].as_str().unwrap();
    assert!(
        stopped.ends_with("no answer within the deadline"),
        "{stopped}"
    );
}
