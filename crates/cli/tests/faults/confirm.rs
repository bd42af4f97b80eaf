//! `--confirm-within`: in force until a word or a deadline.

use crate::site::{Files, Site, wait_for};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs;
use std::os::unix::process::CommandExt;

struct Awaiting {
    site: Site,
    old: Files,
    new: Files,
}

impl Awaiting {
    fn within(time: &str) -> Self {
        let site = Site::new();
        site.wish();
        let old = site.files();
        let ran = site.expect(0, &["apply", "--confirm-within", time]);
        assert_eq!(ran.json["outcome"], "awaiting-confirmation");
        let new = site.files();
        assert_ne!(old, new);
        assert_eq!(site.serves_tls(), Some(true));
        Self { site, old, new }
    }

    /// The process id of the guard, from the arguments of all processes.
    fn guard(&self) -> Option<Pid> {
        let store = format!("sqlite:{}", self.site.named("store/db"));
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let guards = |pid: &i32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let words: Vec<_> = line.split(|byte| *byte == 0).collect();
            words.contains(&&b"guard"[..]) && words.contains(&store.as_bytes())
        };
        pids.filter(guards).find_map(Pid::from_raw)
    }

    fn is_undone(&self) {
        self.site.is_as_before(&self.old);
        assert_eq!(self.site.newest()["outcome"]["outcome"], "rolled-back");
        assert!(self.guard().is_none());
    }
}

#[test]
fn confirmed_in_time_it_stays() {
    let story = Awaiting::within("5m");
    let site = &story.site;
    assert!(story.guard().is_some());
    site.expect(0, &["set", "received-header=yes"]);
    for words in [
        &["apply"][..],
        &["drift", "--restore"],
        &["drift", "--adopt"],
        &["release"],
    ] {
        let ran = site.expect(75, words);
        assert_eq!(ran.code(), "operation.awaiting-confirmation", "{words:?}");
    }
    site.expect(0, &["status"]);
    let ran = site.expect(0, &["recover"]);
    assert_eq!(ran.json["recovery"], "awaiting");
    assert_eq!(site.files(), story.new);
    site.expect(0, &["confirm"]);
    assert_eq!(site.files(), story.new);
    let newest = site.newest();
    assert_eq!(newest["outcome"]["outcome"], "kept");
    // What the wire showed before it waited is its proof.
    let proof = newest["sentences"].to_string();
    assert!(proof.contains("speaks TLS"), "{proof}");
    wait_for("the guard's end", || story.guard().is_none());
    site.expect(65, &["confirm"]);
}

#[test]
fn unconfirmed_it_is_rolled_back_by_itself() {
    let story = Awaiting::within("3s");
    // No command runs meanwhile; only the guard can do it.
    wait_for("the rollback", || story.site.files() == story.old);
    wait_for("the guard's end", || story.guard().is_none());
    story.is_undone();
}

#[test]
fn with_its_guard_killed_the_next_command_rolls_it_back() {
    let story = Awaiting::within("5m");
    kill_process(story.guard().unwrap(), Signal::KILL).unwrap();
    wait_for("the guard's end", || story.guard().is_none());
    assert_eq!(story.site.files(), story.new);
    story.site.expect(0, &["status"]);
    story.is_undone();
}

#[test]
fn the_guard_survives_a_logout() {
    let site = Site::new();
    site.wish();
    let old = site.files();
    let login = site
        .command(&["apply", "--confirm-within", "3s"])
        .process_group(0)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let group = Pid::from_raw(i32::try_from(login.id()).unwrap()).unwrap();
    let mut login = login;
    assert!(login.wait().unwrap().success());
    let story = Awaiting {
        new: site.files(),
        old,
        site,
    };
    let guard = story.guard().unwrap();
    assert_eq!(rustix::process::getsid(Some(guard)).unwrap(), guard);
    // What a terminal does to those it leaves behind.
    assert!(
        kill_process_group(group, Signal::HUP).is_err(),
        "the guard is in the login's group"
    );
    wait_for("the rollback", || story.site.files() == story.old);
    wait_for("the guard's end", || story.guard().is_none());
    story.is_undone();
}

#[test]
fn rollback_while_it_waits() {
    let story = Awaiting::within("5m");
    let ran = story.site.expect(0, &["rollback"]);
    assert_eq!(ran.json["outcome"], "rolled-back");
    assert_eq!(story.site.files(), story.old);
    wait_for("the guard's end", || story.guard().is_none());
    story.is_undone();
}

#[test]
fn nobody_finds_it_without_its_guard() {
    let site = Site::new();
    site.wish();
    let mut apply = site
        .command(&["apply", "--confirm-within", "5m"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // Every command rolls back what is unconfirmed and unguarded.
    let mut asked = 0;
    while apply.try_wait().unwrap().is_none() {
        site.expect(0, &["history"]);
        asked += 1;
    }
    assert!(asked > 1, "{asked}");
    assert!(apply.wait().unwrap().success());
    let ran = site.expect(0, &["recover"]);
    assert_eq!(ran.json["recovery"], "awaiting", "{:#}", ran.json);
    assert_eq!(site.serves_tls(), Some(true));
    site.expect(0, &["confirm"]);
}

#[test]
fn a_hand_edit_while_it_waits_is_shown_and_stays() {
    let story = Awaiting::within("5m");
    let site = &story.site;
    site.append(&site.main_cf(), "smtpd_tls_loglevel = 3\n");
    let edited = site.files();
    for word in ["status", "confirm"] {
        site.expect(0, &[word]);
        let ran = site.expect(2, &["drift"]);
        assert!(
            ran.json.to_string().contains("smtpd_tls_loglevel"),
            "{ran:?}"
        );
    }
    assert_eq!(site.files(), edited);
    assert_eq!(site.run(&["plan"]).code(), "drift.unresolved");
    site.expect(0, &["drift", "--restore"]);
    assert_eq!(site.files(), story.new);
}

#[test]
fn a_hand_edit_is_not_lost_when_the_time_is_over() {
    let story = Awaiting::within("3s");
    let site = &story.site;
    site.append(&site.main_cf(), "biff = no\n");
    let edited = site.files();
    wait_for("the guard's end", || story.guard().is_none());
    let ran = site.expect(75, &["recover"]);
    assert_eq!(ran.code(), "operation.conflict");
    assert!(ran.message().contains("main.cf was edited"), "{ran:?}");
    assert_eq!(site.files(), edited);
    // With the edit out of the way it comes to its end.
    postseal_testkit::edited::write(site.main_cf(), &story.new.main).unwrap();
    site.expect(0, &["recover"]);
    story.is_undone();
}
