//! Each profile on a real Postfix: whom it serves on 25, 587 and 465, and whom it turns away.

use crate::scene::Scene;
use postseal_testkit::postfix_box::PostfixBox;
use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};

const TLS_1_1: &[&str] = &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"];
const RSA_EXCHANGE: &[&str] = &["-tls1_2", "-cipher", "AES128-SHA256:AES256-SHA"];
const DHE: &[&str] = &["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"];
const CBC: &[&str] = &["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256"];
const GCM: &[&str] = &["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"];
const CHACHA: &[&str] = &["-tls1_2", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305"];
const TLS_1_3: &[&str] = &["-tls1_3"];
const X448: &[&str] = &["-tls1_3", "-groups", "X448"];
const P521: &[&str] = &["-tls1_3", "-groups", "P-521"];

/// Who comes, and whether each profile serves them: on port 25, then on 587 and 465.
type Row = (&'static [&'static str], [&'static str; 2]);

/// In the order of [`NAMES`]; `x` is served, `-` turned away.
const ROWS: [Row; 9] = [
    (TLS_1_1, ["x-----", "------"]),
    (RSA_EXCHANGE, ["xx----", "xx----"]),
    (DHE, ["xx----", "xx----"]),
    (CBC, ["xx----", "xx----"]),
    (GCM, ["xxxx-x", "xxxx-x"]),
    (CHACHA, ["xxxx-x", "xxxx-x"]),
    (TLS_1_3, ["xxxxxx", "xxxxxx"]),
    (X448, ["xxx--x", "xxx--x"]),
    (P521, ["xxx---", "xxx---"]),
];

const NAMES: [&str; 6] = [
    "compatible",
    "recommended",
    "strict",
    "mozilla-intermediate-6.0",
    "mozilla-modern-6.0",
    "ncsc-2025-05",
];

fn served(scene: &Scene, port: u16, client: &[&str]) -> bool {
    let at = format!("{}:{port}", scene.postfix.address());
    let mut openssl = Command::new("/usr/bin/openssl");
    openssl.args(["s_client", "-brief", "-connect", &at]);
    if port != 465 {
        openssl.args(["-starttls", "smtp"]);
    }
    let quiet = openssl.args(client).stdin(Stdio::null());
    let ended = quiet.stdout(Stdio::null()).stderr(Stdio::null()).status();
    ended.unwrap().success()
}

fn scene() -> Scene {
    let builder = PostfixBox::builder().sasl_user("alice", "in the jail");
    let scene = Scene::adopted(builder);
    scene.must(&["cert", "bind", "mx"]);
    scene.must(&["set", "mode=may", "submission=on", "smtps=on"]);
    scene
}

/// The sentences about those who are left out.
fn excluded(plan: &Value) -> Vec<String> {
    let all = plan["excluded"].as_array().unwrap().iter();
    all.map(|one| one["sentence"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn each_serves_whom_it_says_and_nobody_else() {
    let scene = scene();
    for (at, name) in NAMES.iter().enumerate() {
        scene.must(&["set", &format!("profile={name}")]);
        let applied = scene.must(&["apply"]);
        assert_eq!(applied.text("outcome"), "kept", "{name}");
        for (client, expected) in ROWS {
            for (port, expected) in [(25, expected[0]), (587, expected[1]), (465, expected[1])] {
                let here = served(&scene, port, client);
                let wanted = expected.as_bytes()[at] == b'x';
                assert_eq!(here, wanted, "{name}: {client:?} on port {port}");
            }
        }
        let diff = scene.must(&["profile", "diff", name]);
        assert_eq!(diff.json["same"], true, "{diff:#?}");
        let listed = scene.must(&["profile", "list"]).json;
        for profile in listed["profiles"].as_array().unwrap() {
            let directions = profile["in_force"].as_array().unwrap().len();
            let all = if profile["name"] == *name { 3 } else { 0 };
            assert_eq!(directions, all, "{profile:#}");
        }
    }
}

#[test]
fn a_plan_says_whom_it_leaves_out_until_it_is_in_force() {
    let scene = scene();
    scene.must(&["set", "profile=compatible"]);
    scene.must(&["apply"]);
    assert_eq!(excluded(&scene.must(&["plan"]).json), [""; 0]);
    scene.must(&["set", "profile.submission=mozilla-modern-6.0"]);
    let plan = scene.must(&["plan"]).json;
    let told = excluded(&plan);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0].contains("587 (submission/inet) and 465 (submissions/inet)"),
        "{told:?}"
    );
    assert!(told[0].contains("no more than TLSv1.2"), "{told:?}");
    assert_eq!(plan["excluded"][0]["whom"], "mail-clients");
    assert!(scene.say(&["plan"]).stdout.contains(&told[0]));
    let checked = scene.ends(2, &["apply", "--check"]).json;
    assert_eq!(excluded(&checked), told);
    scene.must(&["set", "profile.submission=strict"]);
    let told = excluded(&scene.must(&["plan"]).json);
    assert!(
        told[0].contains("lack ECDHE or authenticated encryption"),
        "{told:?}"
    );
    scene.must(&["discard"]);
    // The same by hand.
    scene.must(&["set", "param.smtpd_tls_protocols=>=TLSv1.2"]);
    let told = excluded(&scene.must(&["plan"]).json);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0].starts_with("Port 25 (smtp/inet) turns away senders"),
        "{told:?}"
    );
    assert!(told[0].contains("no more than TLSv1.1"), "{told:?}");
}

const LOG: &str = "\
Nov 22 03:15:49 mx postfix/smtpd[7]: Anonymous TLS connection established from old.test[192.0.2.1]: TLSv1.1 with cipher ECDHE-RSA-AES256-SHA (256/256 bits)
Nov 22 03:15:50 mx postfix/smtpd[7]: Anonymous TLS connection established from old.test[192.0.2.1]: TLSv1 with cipher ECDHE-RSA-AES256-SHA (256/256 bits)
Nov 22 03:15:51 mx postfix/smtpd[8]: Anonymous TLS connection established from rsa.test[192.0.2.2]: TLSv1.2 with cipher AES256-GCM-SHA384 (256/256 bits)
Nov 22 03:15:52 mx postfix/submission/smtpd[8]: Anonymous TLS connection established from pc.test[192.0.2.3]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519
Nov 22 03:15:53 mx postfix/smtp[9]: Untrusted TLS connection established to mx.old.test[192.0.2.9]:25: TLSv1 with cipher AES256-SHA (256/256 bits)
";

#[test]
fn a_log_tells_how_many_that_were() {
    let scene = scene();
    scene.must(&["set", "profile=compatible"]);
    scene.must(&["apply"]);
    let log = scene.named("mail.log");
    fs::write(&log, LOG).unwrap();
    let counted = |words: &[&str]| scene.must(words).json["log"].clone();
    let none = counted(&["plan", "--from-log", &log]);
    assert_eq!(
        (&none["lines"], &none["inbound"]["sessions"]),
        (&5.into(), &4.into())
    );
    assert_eq!(none["inbound"]["excluded"]["sessions"], 0, "{none:#}");
    scene.must(&["set", "profile=strict"]);
    let some = counted(&["plan", "--from-log", &log]);
    let inbound = &some["inbound"];
    assert_eq!(inbound["excluded"]["sessions"], 2, "{some:#}");
    assert_eq!(inbound["excluded"]["top"][0]["name"], "old.test[192.0.2.1]");
    assert_eq!(inbound["doubtful"]["sessions"], 1);
    assert_eq!(some["outbound"]["excluded"]["sessions"], 1);
    let said = scene.say(&["plan", "--from-log", &log, &log]).stdout;
    assert!(said.contains("The log (10 lines):"), "{said}");
    assert!(
        said.contains("4 of 1 peer would be left out (TLSv1 2, TLSv1.1 2)"),
        "{said}"
    );
    assert!(
        said.contains("most often mx.old.test[192.0.2.9] 2"),
        "{said}"
    );
    let mut noise = vec![b'x'; 300_000];
    noise.extend_from_slice(b"\n\xff\x00\x1b[31m TLS connection established from\n");
    noise.extend_from_slice(LOG.as_bytes());
    let fed = scene.fed(&["plan", "--from-log", "-"], &noise);
    assert_eq!(fed.json["log"]["lines"], 7, "{fed:#?}");
    assert_eq!(fed.json["log"]["inbound"]["excluded"]["sessions"], 2);
}

#[test]
fn a_log_that_cannot_be_read_is_named() {
    let scene = scene();
    let missing = scene.named("missing.log");
    let ran = scene.ends(1, &["plan", "--from-log", &missing]);
    assert_eq!(ran.code(), "log.unreadable");
    assert!(ran.json["error"]["message"].to_string().contains(&missing));
    let folder = scene.folder().display().to_string();
    assert_eq!(
        scene.ends(1, &["plan", "--from-log", &folder]).code(),
        "log.unreadable"
    );
    let gzip = scene.named("mail.log.gz");
    fs::write(&gzip, [0x1f, 0x8b, 8, 0]).unwrap();
    let ran = scene.ends(65, &["plan", "--from-log", &gzip]);
    assert_eq!(ran.code(), "log.compressed");
    assert!(
        ran.json["error"]["hint"].to_string().contains("zcat"),
        "{ran:#?}"
    );
    let empty = scene.named("empty.log");
    fs::write(&empty, "").unwrap();
    let said = scene.say(&["plan", "--from-log", &empty]).stdout;
    assert!(said.contains("loglevel.inbound"), "{said}");
}

#[test]
fn tables_are_shown_without_a_store_and_for_any_version() {
    let scene = Scene::stopped(PostfixBox::builder());
    let config = scene.config();
    let ask = |words: &[&str]| {
        let mut command = scene.nobody(words);
        let output = command.args(["--instance", &config, "--json"]).output();
        crate::scene::Ran::of(&output.unwrap())
    };
    let listed = ask(&["profile", "list"]);
    assert_eq!(listed.exit, Some(0), "{listed:#?}");
    let profiles = listed.json["profiles"].as_array().unwrap();
    let names: Vec<&str> = profiles
        .iter()
        .map(|profile| profile["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, NAMES);
    for profile in profiles {
        assert_eq!(profile["fits_port_25"], profile["unfit"].is_null());
        assert!(profile["in_force"].is_null(), "{profile:#}");
    }
    for name in NAMES {
        for version in ["3.4.0", "3.7.11", "3.11.6"] {
            let shown = ask(&["profile", "show", name, "--postfix-version", version]);
            let rows = shown.json["parameters"].as_array().unwrap();
            assert!(rows.len() >= 5, "{name} {version}: {shown:#?}");
            let old = rows
                .iter()
                .any(|row| row["value"].to_string().contains("!SSLv3"));
            assert_eq!(old, version == "3.4.0", "{name} {version}");
        }
    }
    let one = ask(&["profile", "show", "strict", "--direction", "outbound"]);
    let rows = one.json["parameters"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["direction"] == "outbound") && rows.len() == 5);
    let two = ask(&["profile", "diff", "recommended", "mozilla-modern-6.0"]);
    let differences = two.json["differences"].as_array().unwrap();
    assert!(
        differences.iter().any(|row| row["second"] == ">=TLSv1.3"),
        "{two:#?}"
    );
    assert_eq!(
        ask(&["profile", "diff", "nobodys"]).code(),
        "profile.unknown"
    );
    assert_eq!(ask(&["profile", "show", "nobodys"]).exit, Some(64));
}

#[test]
fn an_override_that_a_profile_does_not_reach_is_told() {
    let scene = scene();
    scene.must(&["apply"]);
    scene.edit("master.cf", |text| {
        let own = "  -o smtpd_tls_mandatory_protocols=>=TLSv1\n  -o syslog_name=postfix/submission";
        text.replacen("  -o syslog_name=postfix/submission", own, 1)
    });
    scene.must(&["drift", "--adopt"]);
    scene.must(&["set", "profile.submission=recommended"]);
    let plan = scene.must(&["plan"]).json;
    let codes: Vec<&str> = plan["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert!(codes.contains(&"profile.overridden"), "{codes:?}");
    scene.must(&["apply"]);
    let diff = scene.must(&["profile", "diff", "recommended"]).json;
    let rows = diff["parameters"].as_array().unwrap().iter();
    let own = rows.filter(|row| row["place"] == "submission/inet");
    let own: Vec<_> = own.collect();
    assert_eq!(own.len(), 1, "{diff:#}");
    assert_eq!(
        (&own[0]["same"], &own[0]["now"]),
        (&false.into(), &">=TLSv1".into())
    );
}
