//! What is told by mail when nobody looks: a private Postfix that takes its own mails, and the agent at work.

use crate::scene::run;
use crate::site::Site;
use rustix::process::{Signal, kill_process};
use serde_json::Value;
use std::fs;

const TOLD: &str = "[notify]\nto = [\"admin@box.test\"]\nevery = \"1s\"\n";

/// A site that presents the certificate `mx`, whose first look is taken and OK.
fn told_of(more: &str) -> Site {
    let site = Site::configured(more);
    for words in [&["set", "mode=may", "--bind=mx"][..], &["apply"]] {
        let done = site.remote(words);
        assert_eq!(done.exit, Some(0), "{words:?}: {done:#?}");
    }
    site.wait("a look that is OK", |site| {
        notify(site)["told"]["state"] == "OK"
    });
    site
}

fn notify(site: &Site) -> Value {
    site.local(&["notify"]).json
}

/// Waits until the agent has looked three times more: what it would tell at each look is told by then.
fn looked(site: &Site) {
    for _ in 0..3 {
        site.wait("a look", |site| !site.children("notify").is_empty());
        site.wait("its end", |site| site.children("notify").is_empty());
    }
}

/// The mails in the mailbox, in the order in which they were written.
fn mails(site: &Site) -> Vec<String> {
    let mut mails: Vec<String> = site
        .scene
        .postfix
        .received()
        .into_iter()
        .map(|mail| String::from_utf8(mail).unwrap())
        .collect();
    let id = |mail: &String| header(mail, "Message-ID");
    mails.sort_by_key(id);
    mails
}

fn header(mail: &str, name: &str) -> String {
    let mut lines = mail.lines().take_while(|line| !line.is_empty());
    let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name}: {mail}"))
        .to_owned()
}

/// Somebody names another certificate than the one that is bound.
fn edited(site: &Site) -> String {
    let file = site.scene.named("ec.both");
    let read = |name: &str| fs::read_to_string(site.scene.named(name)).unwrap();
    fs::write(&file, read("ec.key") + &read("ec.pem")).unwrap();
    let right = site.scene.value("smtpd_tls_chain_files");
    site.scene
        .edit("main.cf", |text| text.replace(&right, &file));
    reload(site);
    right
}

fn reload(site: &Site) {
    run("/usr/sbin/postfix", &["-c", &site.scene.config(), "reload"]);
}

#[test]
fn a_change_is_told_once_and_its_end_once_whatever_restarts() {
    let mut site = told_of(TOLD);
    let before = mails(&site).len();
    let right = edited(&site);
    site.wait("a mail", |site| mails(site).len() > before);
    looked(&site);
    let told = mails(&site);
    assert_eq!(told.len(), before + 1, "{told:#?}");
    let mail = &told[before];
    let subject = header(mail, "Subject");
    assert!(
        subject.starts_with("Postseal: mx.box.test is CRITICAL: Port 25 on"),
        "{subject}"
    );
    assert!(
        mail.contains("mx.box.test is CRITICAL (it was OK)"),
        "{mail}"
    );
    assert!(mail.contains("somebody edited main.cf"), "{mail}");
    assert_eq!(header(mail, "Auto-Submitted"), "auto-generated");
    let shown = &notify(&site)["mails"][0];
    assert_eq!(shown["delivered"][0]["status"], "sent", "{shown}");
    assert!(
        mail.contains(shown["queue_id"].as_str().unwrap()),
        "{shown}"
    );
    // Another agent finds what was told.
    site.kill();
    site.up_again();
    looked(&site);
    assert_eq!(mails(&site).len(), before + 1);
    let file = site.scene.named("ec.both");
    site.scene
        .edit("main.cf", |text| text.replace(&file, &right));
    reload(&site);
    site.wait("a mail", |site| mails(site).len() > before + 1);
    looked(&site);
    let told = mails(&site);
    assert_eq!(told.len(), before + 2, "{told:#?}");
    let subject = header(&told[before + 1], "Subject");
    assert_eq!(subject, "Postseal: mx.box.test is OK again");
}

#[test]
fn a_mail_that_postfix_does_not_take_is_shown_and_tried_again() {
    // Six tries are all that follow each other.
    let site = told_of(&TOLD.replace("1s", "5s"));
    let before = mails(&site).len();
    site.scene.edit("main.cf", |text| {
        text + "sendmail_path = /nonexistent/sendmail\n"
    });
    edited(&site);
    let seen = std::cell::RefCell::new(Value::Null);
    site.wait("two tries", |site| {
        let shown = notify(site);
        // While one is under way, nothing is wrong with it yet.
        let has_failed = shown["hand_in"]["error"].is_string();
        let tries = shown["hand_in"]["tries"].as_u64();
        seen.replace(shown);
        has_failed && tries > Some(1)
    });
    let shown = seen.take();
    let error = shown["hand_in"]["error"].as_str().unwrap();
    assert!(error.contains("/nonexistent/sendmail"), "{error}");
    assert_eq!(shown["told"]["state"], "OK");
    let test = site.remote(&["notify", "test"]);
    assert_eq!(test.code(), "notify.not-taken", "{test:#?}");
    assert_eq!(mails(&site).len(), before);
    site.scene.edit("main.cf", |text| {
        text.replace("sendmail_path = /nonexistent/sendmail\n", "")
    });
    site.wait("the mail", |site| mails(site).len() > before);
    site.wait("its record", |site| notify(site)["hand_in"].is_null());
    assert_eq!(notify(&site)["told"]["state"], "CRITICAL");
    assert_eq!(mails(&site).len(), before + 1);
}

#[test]
fn a_test_is_sent_from_afar_no_more_than_six_times_an_hour() {
    let more =
        "[notify]\nto = [\"admin@box.test\"]\ncritical = [\"pager@box.test\"]\nevery = \"1h\"\n";
    let site = Site::configured(more);
    let job = site.ended(site.file(r#"{"task":"notify-test"}"#));
    assert_eq!((job.actor.as_str(), job.end.unwrap().exit), ("mallory", 0));
    for n in 1..6 {
        let sent = site.remote(&["notify", "test"]);
        assert_eq!(sent.exit, Some(0), "{n}: {sent:#?}");
        let delivered = sent.json["mail"]["delivered"].as_array().unwrap();
        assert_eq!(delivered.len(), 2, "{sent:#?}");
        assert!(sent.json["mail"]["queue_id"].is_string(), "{sent:#?}");
    }
    let more = site.remote(&["notify", "test"]);
    assert_eq!((more.exit, more.code()), (Some(75), "notify.too-many"));
    let all = mails(&site);
    assert_eq!(all.len(), 12);
    // Whoever owns the console says who asks, and might say more.
    assert!(!all.iter().any(|mail| mail.contains("mallory")), "{all:#?}");
    // The words are no task: who is told is not for the console to say.
    for task in [
        r#"{"task":"notify-test","to":["victim@example.org"]}"#,
        r#"{"task":"notify","to":["victim@example.org"]}"#,
        r#"{"task":"notify-check"}"#,
        r#"{"task":"notify-add","address":"victim@example.org"}"#,
    ] {
        let job = site.ended(site.file(task));
        assert_eq!(job.end.unwrap().exit, 65, "{task}");
    }
    let looked = site.remote(&["notify"]);
    assert_eq!(looked.json["critical"][0], "pager@box.test", "{looked:#?}");
    let local = site.remote(&["notify", "check"]);
    assert_eq!(local.code(), "task.local-only", "{local:#?}");
}

/// Without an agent, as cron does it.
#[test]
fn a_check_by_hand_tells_of_operations_and_to_whom_it_concerns() {
    let site = Site::started("");
    let scene = &site.scene;
    let config = scene.named("cron.toml");
    fs::write(
        &config,
        "[notify]\nto = [\"admin@box.test\"]\ncritical = [\"pager@box.test\"]\n",
    )
    .unwrap();
    let check = || scene.must(&["--config", &config, "notify", "check"]).json;
    assert!(check()["mail"].is_null(), "the first look is the base");
    scene.must(&["set", "loglevel.inbound=1"]);
    scene.must(&["apply"]);
    assert!(check()["mail"].is_null(), "what somebody did is no news");
    scene.must(&["rollback", "--yes"]);
    let told = check();
    assert_eq!(told["mail"]["to"], serde_json::json!(["admin@box.test"]));
    let subject = told["mail"]["subject"].as_str().unwrap();
    assert!(
        subject.contains("operation 1 was rolled back by operation 2"),
        "{subject}"
    );
    assert!(check()["mail"].is_null());
    scene.postfix.stop().unwrap();
    let told = check();
    assert_eq!(
        told["mail"]["to"],
        serde_json::json!(["admin@box.test", "pager@box.test"])
    );
    assert!(told["mail"]["queue_id"].is_null(), "{told}");
    scene.postfix.start().unwrap();
    let good = check();
    assert_eq!(
        good["mail"]["subject"], "Postseal: mx.box.test is OK again",
        "{good}"
    );
    // Nobody is told any more, and then somebody is: what is so then is the base.
    scene.must(&["notify", "check"]);
    scene.postfix.stop().unwrap();
    assert!(check()["mail"].is_null());
    for (toml, code) in [
        ("to = [\"a@b, c@d\"]", "notify.bad-address"),
        ("to = [\"a@b\\nBcc: c@d\"]", "notify.bad-address"),
        ("to = [\"a@b\"]\nevery = \"soon\"", "notify.bad-time"),
    ] {
        fs::write(&config, format!("[notify]\n{toml}\n")).unwrap();
        let refused = scene.run(&["--config", &config, "notify"]);
        assert_eq!((refused.exit, refused.code()), (Some(65), code));
    }
}

/// What a certificate says of itself stands in the cause.
#[test]
fn what_a_certificate_says_is_no_second_header() {
    let site = told_of(TOLD);
    edited(&site);
    let file = site.scene.named("ec.both");
    let adopted = site.local(&["drift", "--adopt"]);
    assert_eq!(adopted.exit, Some(0), "{adopted:#?}");
    site.wait("it to be good", |site| {
        notify(site)["told"]["state"] == "OK"
    });
    let [key, cert] = ["evil.key", "evil.pem"].map(|name| site.scene.named(name));
    let subject = "/CN=x\r\nBcc: victim@box.test\r\n\r\n\u{202e}hello";
    run(
        "/usr/bin/openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "30",
            "-utf8",
            "-subj",
            subject,
            "-addext",
            "extendedKeyUsage=clientAuth",
            "-keyout",
            &key,
            "-out",
            &cert,
        ],
    );
    let text = |path: &str| fs::read_to_string(path).unwrap();
    fs::write(&file, text(&key) + &text(&cert)).unwrap();
    reload(&site);
    site.wait("it to be told", |site| {
        notify(site)["told"]["state"] == "CRITICAL"
    });
    // It is told once Postfix has taken the mail, and delivered later.
    let of_it = |site: &Site| {
        let mut all = mails(site).into_iter();
        all.find(|mail| mail.contains("is not for TLS servers"))
    };
    site.wait("the mail", |site| of_it(site).is_some());
    let mail = of_it(&site).unwrap();
    let (head, _) = mail.split_once("\n\n").unwrap();
    assert!(!head.contains("is not for TLS servers"), "{mail}");
    assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{mail}");
    assert!(!mail.contains(['\r', '\u{202e}']), "{mail}");
    assert!(
        !site.scene.postfix.log().contains("victim"),
        "nobody else has it"
    );
}

/// It owns the desk, and can have it answer nothing.
#[test]
fn whoever_owns_the_console_keeps_no_mail_back() {
    let site = told_of(TOLD);
    let before = mails(&site).len();
    let desk = site.console_folder().join("console.db");
    fs::remove_file(&desk).unwrap();
    fs::create_dir(&desk).unwrap();
    for clerk in site.children("clerk") {
        kill_process(clerk, Signal::KILL).unwrap();
    }
    site.wait("a complaint", |site| site.log().contains("warning: "));
    edited(&site);
    site.wait("a mail", |site| mails(site).len() > before);
}
