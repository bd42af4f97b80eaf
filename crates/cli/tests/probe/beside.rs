//! What is asked for beside the look: a message, a second opinion, and what changed.

use crate::scene::Ran;
use crate::starttls::context;
use crate::world::{World, bare};
use postseal_testkit::smtp_script::{ScriptedServer, SmtpScript};
use serde_json::Value;
use std::fs;
use std::time::{Duration, Instant};

#[test]
fn a_message_is_delivered_by_the_real_dialogue_and_its_queue_id_is_told() {
    let world = World::server();
    let to = format!("ingrid@{}", world.scene.postfix.domain());
    let words = [
        "--send",
        "--to",
        &to,
        "--from",
        "probe@try.test",
        &world.at(25),
    ];
    let seen = world.ends(0, &words);
    let sent = &seen["sent"];
    assert_eq!(
        (&sent["outcome"], &sent["to"]),
        (&"pass".into(), &Value::from(to.as_str()))
    );
    let id = sent["queue_id"].as_str().unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while world.scene.postfix.received().is_empty() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(50));
    }
    let log = world.scene.postfix.log();
    assert!(
        log.contains(&format!("{id}: from=<probe@try.test>")),
        "{id}: {log}"
    );
    let mail = String::from_utf8(world.scene.postfix.received().remove(0)).unwrap();
    assert!(
        mail.contains("Subject: A test of mail by postseal"),
        "{mail}"
    );
    assert!(mail.contains("with ESMTPS"), "{mail}");
    // Without being told to nothing is sent.
    world.ends(0, &[&world.at(25)]);
    assert_eq!(
        world.scene.postfix.log().matches("from=<").count(),
        log.matches("from=<").count()
    );
}

#[test]
fn a_message_that_is_not_taken_or_has_nowhere_to_go_is_a_failure() {
    let world = World::server();
    let refused = world.ends(
        1,
        &[
            "--send",
            "--to",
            "who@elsewhere.test",
            "--from",
            "",
            &world.at(587),
        ],
    );
    assert_eq!(refused["sent"]["outcome"], "fail", "{refused:#}");
    assert_eq!(refused["sent"]["queue_id"], Value::Null);
    for (words, exit, code) in [
        (&["--send"][..], 64, "probe.no-recipient"),
        (&["--send", "--to", "nobody"], 65, "probe.bad-address"),
        (&["--send", "--to", "a@b>\r\nDATA"], 65, "probe.bad-address"),
        (
            &["--send", "--to", "a@b.test", "--from", "x"],
            65,
            "probe.bad-address",
        ),
        (
            &["--send", "--to", "a@b.test", "127.0.0.1:1"],
            64,
            "probe.one-target",
        ),
    ] {
        let at = world.at(25);
        let all = [words, &[at.as_str()]].concat();
        let ran = Ran::of(&world.command(&all).arg("--json").output().unwrap());
        assert_eq!(
            (ran.exit, ran.code()),
            (Some(exit), code),
            "{all:?}: {ran:#?}"
        );
    }
    // Never in cleartext.
    let clear = World::with(&[("smtpd_tls_security_level", "none")]);
    let words = ["--send", "--to", "a@b.test", &clear.at(25), "--json"];
    let ran = Ran::of(&clear.command(&words).output().unwrap());
    assert_eq!(
        (ran.exit, ran.code()),
        (Some(1), "probe.not-sent"),
        "{ran:#?}"
    );
    assert!(!clear.scene.postfix.log().contains("from=<"));
}

#[test]
fn postfixs_own_client_sees_the_same() {
    let world = World::server().named("@ MX 10 mx\n_25._tcp.mx TLSA {tlsa}\n");
    let ca = world.ca();
    for target in [
        world.at(25),
        world.at(587),
        world.at(465),
        "mx.signed.test:25".to_owned(),
        "mx.signed.test:465".to_owned(),
        "[mx.signed.test]".to_owned(),
        "signed.test".to_owned(),
    ] {
        for more in [&[][..], &["--cafile", &ca]] {
            let words = [&["--second-opinion", &target][..], more].concat();
            let seen = world.ends(0, &words);
            let second = &seen["hosts"][0]["addresses"][0]["second_opinion"];
            assert_eq!(second["outcome"], "pass", "{target} {more:?}: {second:#}");
            let stages = second["stages"].as_array().unwrap();
            let same = stages.iter().filter(|one| one["same"] == true).count();
            assert_eq!(same, 7, "{target} {more:?}: {second:#}");
        }
    }
    // Piped it is rows, and of many targets a cell.
    let at = world.at(25);
    let text = world.text(&["--second-opinion", &at]).stdout;
    let rows = text
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let rows: Vec<Vec<&str>> = rows.collect();
    assert!(rows.iter().all(|row| row.len() == 7), "{text}");
    let has = |stage: &str, word: &str| rows.iter().any(|row| row[3] == stage && row[4] == word);
    assert!(has("posttls-finger", "ok") && has("posttls-finger version", "same"));
    let text = world
        .text(&["--second-opinion", &at, &world.at(465)])
        .stdout;
    let same = |line: &str| line.ends_with("\tsees the same");
    assert!(
        text.lines().count() == 2 && text.lines().all(same),
        "{text}"
    );
    let bare = bare(&["--second-opinion", "--json", &world.at(25)]);
    assert_eq!(bare.exit, Some(3), "{bare:#?}");
    let second = &bare.json["probed"][0]["hosts"][0]["addresses"][0]["second_opinion"];
    assert_eq!(second["outcome"], "undetermined", "{second:#}");
    assert!(second["trouble"].as_str().unwrap().contains("no Postfix"));
    let clear = World::with(&[("smtpd_tls_security_level", "none")]);
    let seen = clear.ends(2, &["--second-opinion", &clear.at(25)]);
    let second = &seen["hosts"][0]["addresses"][0]["second_opinion"];
    assert_eq!(second["outcome"], "pass", "{second:#}");
}

#[test]
fn an_odd_server_is_seen_alike() {
    const OLD: (&str, &str) = ("smtpd_tls_protocols", "<=TLSv1.2");
    for settings in [
        &[("smtpd_tls_protocols", "TLSv1")][..],
        &[("smtpd_tls_protocols", "<=TLSv1.1")],
        &[
            ("smtpd_tls_chain_files", ""),
            ("smtpd_tls_cert_file", "none"),
        ],
        &[OLD, ("smtpd_tls_ciphers", "null")],
        &[OLD, ("tls_preempt_cipherlist", "yes")],
        &[
            ("smtpd_tls_security_level", "encrypt"),
            ("smtpd_tls_req_ccert", "yes"),
        ],
    ] {
        let world = World::with(settings);
        let words = ["--second-opinion", "--json", &world.at(25)];
        let seen = Ran::of(&world.command(&words).output().unwrap());
        let second = &seen.json["probed"][0]["hosts"][0]["addresses"][0]["second_opinion"];
        assert_eq!(second["outcome"], "pass", "{settings:?}: {second:#}");
    }
}

#[test]
fn a_client_that_sees_something_else_is_a_finding() {
    let world = World::server();
    let offers = |words: &str| {
        SmtpScript::new()
            .say("220 mx ESMTP\r\n")
            .hear("EHLO ")
            .say(words)
    };
    let clear = || offers("250-mx\r\n250 8BITMIME\r\n").hear("QUIT");
    let script = offers("250-mx\r\n250 STARTTLS\r\n").hear("STARTTLS");
    let script = script.say("220 2.0.0 Ready\r\n").accept_tls(&context());
    let script = script.hear("EHLO ").say("250 mx\r\n").hear("QUIT");
    let server = ScriptedServer::start(vec![script, clear(), clear(), clear()]);
    let at = server.address().to_string();
    let seen = world.ends(2, &["--second-opinion", &at]);
    let second = &seen["hosts"][0]["addresses"][0]["second_opinion"];
    assert_eq!(second["outcome"], "fail", "{second:#}");
    let findings = seen["findings"].as_array().unwrap();
    let found = findings
        .iter()
        .find(|one| one["code"] == "probe.second-opinion");
    let evidence = found.unwrap()["evidence"][0]["text"].as_str().unwrap();
    assert_eq!(evidence, format!("{at}: tls: yes here, no there"));
}

#[test]
fn what_changed_since_an_earlier_report_is_told() {
    let world = World::server();
    let at = world.at(25);
    let output = world.command(&[&at, "--json"]).output().unwrap();
    let file = world.scene.named("earlier.json");
    fs::write(&file, output.stdout).unwrap();
    let ran = world.text(&[&at, "--compare", &file]);
    assert!(ran.stdout.contains("Nothing changed"), "{ran:#?}");
    world.scene.edit("main.cf", |text| {
        format!("{text}smtpd_banner = changed ESMTP\nsmtpd_tls_protocols = TLSv1.2\n")
    });
    crate::scene::run(
        "/usr/sbin/postfix",
        &["-c", &world.scene.config(), "reload"],
    );
    let ran = Ran::of(
        &world
            .command(&[&at, "--compare", &file, "--json"])
            .output()
            .unwrap(),
    );
    let changes = ran.json["changes"].as_array().unwrap();
    let facts: Vec<&str> = changes
        .iter()
        .map(|one| one["fact"].as_str().unwrap())
        .collect();
    assert!(
        facts.contains(&"banner") && facts.contains(&"version"),
        "{changes:#?}"
    );
    assert!(!facts.contains(&"fingerprint"), "{changes:#?}");
    // What the report does not have is told, and nothing but that is no comparison.
    let other = world.at(587);
    let ran = world.text(&[&at, &other, "--compare", &file]);
    let words = format!("The earlier report has nothing of {other}.\n");
    assert!(ran.stdout.contains(&words), "{ran:#?}");
    let ran = world.text(&[&other, "--compare", &file]);
    assert_eq!((ran.exit, ran.stdout.as_str()), (Some(65), ""), "{ran:#?}");
    let words = format!("it has nothing of {other}, but of {at}");
    assert!(ran.stderr.contains(&words), "{ran:#?}");
    for (text, words) in [
        ("{}", "no report"),
        ("", "no report"),
        ("{\"schema\":2,\"probed\":[]}", "schema is 2"),
    ] {
        fs::write(&file, text).unwrap();
        let ran = world.text(&[&at, "--compare", &file]);
        assert_eq!(ran.exit, Some(65), "{ran:#?}");
        assert!(ran.stderr.contains(words), "{ran:#?}");
    }
}
