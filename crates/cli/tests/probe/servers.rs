//! One server, by its address: the stages on 25, 587 and 465, and what each level would come to.

use crate::scene::{Ran, write_private};
use crate::world::{World, bare, codes, level, stages, valid};
use postseal_issue::{KeyType, LeafRequest, self_signed};
use std::fs;
use std::net::TcpListener;

const STARTTLS: [&str; 6] = [
    "connect ok",
    "banner ok",
    "ehlo ok",
    "start-tls ok",
    "handshake ok",
    "ehlo-under-tls ok",
];
const IMPLICIT: [&str; 4] = [
    "connect ok",
    "handshake ok",
    "banner ok",
    "ehlo-under-tls ok",
];

#[test]
fn every_stage_is_seen_on_each_service() {
    let world = World::server();
    for (port, wanted) in [(25, &STARTTLS[..]), (587, &STARTTLS), (465, &IMPLICIT)] {
        let seen = world.ends(0, &[&world.at(port)]);
        assert_eq!(stages(&seen), wanted, "{port}");
        let address = &seen["hosts"][0]["addresses"][0];
        let report = &address["report"];
        assert_eq!(report["handshake"]["version"], "TLSv1.3", "{report:#}");
        let own = world.certificate().fingerprint().to_string();
        assert_eq!(report["handshake"]["fingerprint"], own.as_str());
        assert_eq!(address["certificate"]["names"][0], "mx.signed.test");
        assert_eq!(address["certificate"]["judged"]["outcome"], "fail");
        assert_eq!(seen["strongest"]["policy"], "encrypt");
        assert_eq!(
            seen["mta_sts"]["judged"]["outcome"],
            serde_json::Value::Null
        );
    }
    // TLS from the first byte at a port that begins in clear is no TLS.
    let seen = world.ends(2, &["--smtps", &world.at(25)]);
    assert_eq!(stages(&seen), ["connect ok", "handshake refused"]);
    assert!(
        codes(&seen).contains(&"policy.handshake-failed"),
        "{seen:#}"
    );
    // And the other way round nobody says anything.
    let seen = world.ends(0, &["--smtps", &world.at(465)]);
    assert_eq!(stages(&seen), IMPLICIT);
}

#[test]
fn a_level_is_judged_for_the_server_and_for_this_postfix() {
    let world = World::server();
    let seen = world.ends(0, &[&world.at(25)]);
    for (name, outcome) in [
        ("may", "pass"),
        ("encrypt", "pass"),
        ("dane", "pass"),
        ("verify", "fail"),
        ("secure", "fail"),
    ] {
        assert_eq!(level(&seen, name)["outcome"], outcome, "{name}: {seen:#}");
    }
    let why = level(&seen, "verify")["why"].as_str().unwrap();
    assert!(why.contains("does not lead to a trusted CA"), "{why}");
    // This Postfix trusts the CA; the name is still another one.
    let here = &world.ends(0, &["--cafile", &world.ca(), &world.at(25)]);
    let why = level(here, "verify")["why"].as_str().unwrap();
    assert!(why.contains("for mx.signed.test, not for 127."), "{why}");
    // A Postfix that would not do what the server allows says so.
    let apart = [
        ("smtpd_tls_protocols", ">=TLSv1.2"),
        ("smtp_tls_mandatory_protocols", "!TLSv1.3, !TLSv1.2"),
    ];
    let strict = World::with(&apart);
    let seen = strict.ends(0, &[&strict.at(25)]);
    assert_eq!(level(&seen, "encrypt")["outcome"], "pass");
    assert_eq!(
        level(&seen, "encrypt")["here"]["outcome"],
        "fail",
        "{seen:#}"
    );
}

/// As smtp(8) does: of such a server posttls-finger(1) of 3.7.11 says “Verified” with the file.
#[test]
fn a_self_signed_certificate_among_the_cas_that_count_is_vouched_for() {
    let world = World::server();
    let own = self_signed(&LeafRequest {
        names: vec!["mx.signed.test".to_owned()],
        key_type: KeyType::EcdsaP256,
        validity: valid(),
    });
    let own = own.unwrap();
    // smtpd(8) reads it at the first connection.
    let chain = format!("{}{}", *own.key_pem, own.cert_pem);
    write_private(world.scene.path_of("chain.pem"), chain);
    let file = world.scene.named("own.pem");
    fs::write(&file, &own.cert_pem).unwrap();
    let judged = |more: &[&str]| {
        let seen = world.ends(0, &[more, &[&world.at(25)]].concat());
        let judged = &seen["hosts"][0]["addresses"][0]["certificate"]["judged"];
        judged["words"].as_str().unwrap().to_owned()
    };
    assert_eq!(judged(&[]), "self-signed: nobody vouches for it");
    let vouched = judged(&["--cafile", &file]);
    let words = format!("a CA of {file} vouches for it");
    assert!(vouched.ends_with(&words), "{vouched}");
}

#[test]
fn a_server_without_tls_is_a_finding_and_one_that_is_not_there_is_unreachable() {
    let world = World::with(&[("smtpd_tls_security_level", "none")]);
    let seen = world.ends(2, &[&world.at(25)]);
    assert_eq!(stages(&seen)[3], "start-tls refused");
    assert_eq!(codes(&seen), ["policy.no-starttls"]);
    assert_eq!(level(&seen, "may")["delivery"], "clear");
    // The limit of who asks counts.
    world.ends(0, &["--fail-on", "fatal", &world.at(25)]);
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let seen = world.ends(69, &[&free.to_string()]);
    assert_eq!(stages(&seen), ["connect closed"]);
}

#[test]
fn nothing_of_postfix_is_needed_and_no_root() {
    let world = World::server();
    let ran = bare(&["--json", &world.at(25)]);
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(stages(&ran.json["probed"][0]), STARTTLS);
    assert!(level(&ran.json["probed"][0], "may")["here"].is_null());
    let output = world
        .scene
        .nobody(&["probe", &world.at(587)])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let handshake = text.lines().find(|line| line.contains("\thandshake\t"));
    let cells: Vec<&str> = handshake.unwrap().split('\t').collect();
    assert_eq!(cells.len(), 7, "{cells:?}");
    assert_eq!((cells[0], cells[4]), (&*world.at(587), "ok"));
    assert!(cells[6].starts_with("TLSv1.3, TLS_AES_"), "{cells:?}");
}

/// A file that is given counts from the folder one is in; one that gives no CA is an error.
#[test]
fn the_cas_that_count_are_those_of_the_file() {
    let world = World::server().named("@ MX 10 mx\n");
    let from = |file: &str| {
        let mut command = world.command(&["signed.test", "--json", "--cafile", file]);
        Ran::of(&command.current_dir(world.scene.config()).output().unwrap())
    };
    let ran = from("probe-ca.pem");
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let certificate = &ran.json["probed"][0]["hosts"][0]["addresses"][0]["certificate"];
    assert_eq!(
        certificate["judged"]["words"],
        format!("a CA of {} vouches for it", world.ca())
    );
    fs::write(world.scene.path_of("none.pem"), "no certificate\n").unwrap();
    for (file, words) in [
        ("nope.pem", "no such file"),
        (".", "a folder"),
        ("none.pem", "no certificate"),
    ] {
        let ran = from(file);
        assert_eq!(
            (ran.exit, ran.code()),
            (Some(65), "probe.bad-cafile"),
            "{file}: {ran:#?}"
        );
        let said = ran.json["error"]["message"].as_str().unwrap_or_default();
        assert!(said.contains(words), "{said}");
    }
}
