//! Others at the same files and ports.

use crate::site::Site;
use postseal_testkit::postfix_box::PostfixBox;
use rustix::process::Signal;
use std::net::TcpListener;
use std::process::Command;

#[test]
fn another_program_wrote_between_plan_and_apply() {
    let site = Site::new();
    site.wish();
    let plan = site.expect(0, &["plan"]).json["plan"].clone();
    let plan = plan.as_str().unwrap();
    site.append(&site.main_cf(), "biff = no\n");
    let old = site.files();
    let ran = site.expect(75, &["apply", plan]);
    assert_eq!(ran.code(), "plan.stale");
    assert!(ran.message().contains("files have changed"), "{ran:?}");
    site.is_as_before(&old);
    // Without a plan's id it is planned anew; the hand edit stays.
    site.expect(0, &["apply"]);
    let main = String::from_utf8(site.files().main).unwrap();
    assert!(main.contains("biff = no\n"), "{main}");
}

#[test]
fn another_program_writes_while_we_rehearse() {
    let site = Site::new();
    site.wish();
    let mut apply = site.start(&["apply"]);
    apply.until("rehearsing");
    apply.signal(Signal::STOP);
    site.append(&site.main_cf(), "biff = no\n");
    let old = site.files();
    apply.signal(Signal::CONT);
    let ran = apply.end();
    assert_eq!(ran.exit, Some(75), "{ran:?}");
    assert_eq!(ran.code(), "plan.stale");
    site.is_as_before(&old);
}

#[test]
fn a_rule_is_added_while_we_rehearse() {
    let site = Site::of(PostfixBox::builder().set("default_transport", "smtp"));
    let add = |name: &str| {
        site.expect(0, &["policy", "add", name, "encrypt", "--no-preflight"]);
    };
    add("one.example");
    let mut apply = site.start(&["apply"]);
    apply.until("rehearsing");
    apply.signal(Signal::STOP);
    add("two.example");
    let old = site.files();
    apply.signal(Signal::CONT);
    let ran = apply.end();
    assert_eq!(ran.exit, Some(75), "{ran:?}");
    assert_eq!(ran.code(), "plan.stale");
    // Nothing is wrong with the store.
    assert!(ran.hint().contains("`postseal plan`"), "{ran:?}");
    assert!(!ran.hint().contains("backup"), "{ran:?}");
    assert_eq!(site.files(), old);
    site.expect(0, &["apply"]);
}

/// Whoever applies something again and again, or has an apply that hangs, would else keep back what is told of them.
#[test]
fn a_change_without_end_keeps_no_mail_back() {
    let site = Site::new();
    let config = site.named("told.toml");
    std::fs::write(&config, "[notify]\nto = [\"root\"]\n").unwrap();
    let check = || {
        site.expect(0, &["--config", &config, "notify", "check"])
            .json
    };
    assert!(check()["mail"].is_null(), "the first look is the base");
    site.wish();
    let mut apply = site.start(&["apply"]);
    apply.until("journal and snapshots are on disk");
    apply.signal(Signal::STOP);
    assert!(check()["mail"].is_null(), "a change is under way");
    let long_ago = "UPDATE instances SET notices = json_set(notices, '$.body.changing_ms', 1)";
    let mut sqlite = Command::new("/usr/bin/sqlite3");
    let done = sqlite.args([&site.named("store/db/agent.db"), long_ago]);
    assert!(done.status().unwrap().success());
    let told = check();
    let subject = told["mail"]["subject"].as_str().unwrap();
    assert!(subject.contains("a change has been under way"), "{told}");
    assert!(check()["mail"].is_null(), "it is told once");
    apply.signal(Signal::CONT);
    apply.end();
    let told = check();
    let subject = told["mail"]["subject"].as_str().unwrap();
    assert!(!subject.contains("a change has been under way"), "{told}");
}

#[test]
fn two_applies_at_once() {
    let site = Site::new();
    site.wish();
    let mut first = site.start(&["apply"]);
    first.until("rehearsing");
    first.signal(Signal::STOP);
    let second = site.expect(75, &["apply"]);
    assert_eq!(second.code(), "instance.locked");
    assert!(
        second.message().contains(&first.child.id().to_string()),
        "{second:?}"
    );
    first.signal(Signal::CONT);
    assert_eq!(first.end().exit, Some(0));
    site.expect(0, &["apply"]);
    assert_eq!(site.newest()["operation"], 1, "{:#}", site.newest());
}

#[test]
fn a_deploy_waits_for_an_apply() {
    let site = Site::new();
    site.wish();
    let mut apply = site.start(&["apply"]);
    apply.until("rehearsing");
    apply.signal(Signal::STOP);
    // A hook is not run a second time.
    let mut deploy = site.start(&["cert", "deploy", "mx"]);
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(deploy.child.try_wait().unwrap().is_none(), "it waits");
    apply.signal(Signal::CONT);
    assert_eq!(apply.end().exit, Some(0));
    assert_eq!(deploy.end().exit, Some(0));
}

#[test]
fn a_second_postfix_on_the_same_port_is_found() {
    let site = Site::new();
    site.wish();
    site.expect(0, &["apply"]);
    let address = site.postfix.address().to_string();
    let rival = PostfixBox::builder()
        .set("inet_interfaces", &address)
        .build()
        .unwrap();
    rival.start().unwrap();
    let ran = site.expect(1, &["verify"]);
    assert!(
        ran.json.to_string().contains("wire.port-shared"),
        "{:#}",
        ran.json
    );
    let ran = site.expect(0, &["status"]);
    assert!(
        ran.json.to_string().contains("wire.port-shared"),
        "{:#}",
        ran.json
    );
    rival.stop().unwrap();
    site.expect(0, &["verify"]);
}

#[test]
fn a_port_that_another_program_has_is_never_reloaded_into() {
    let site = Site::of(PostfixBox::builder().sasl_user("alice", "in the jail"));
    site.wish();
    site.expect(0, &["set", "smtps=on"]);
    let old = site.files();
    let taken = TcpListener::bind(site.postfix.at(465)).unwrap();
    let master = site.postfix.master();
    let ran = site.expect(65, &["apply"]);
    assert_eq!(ran.code(), "service.port-taken");
    site.is_as_before(&old);
    assert_eq!(site.postfix.master(), master);
    drop(taken);
    site.expect(0, &["apply"]);
}
