//! Each row of the failure table that the console is held to (docs/reference/failures.md), by clicking.

use crate::browser::Browser;
use crate::person::{come_in, level, wire};
use crate::site::Site;
use postseal_testkit::postfix_box::PostfixBox;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use tempfile::TempDir;

fn site() -> Site {
    Site::up_on(PostfixBox::builder().set("default_transport", "smtp"))
}

/// A server with TLS, put there by clicking.
fn with_tls(site: &Site, browser: &mut Browser) {
    browser.go("/smtp-tls");
    browser.choose("inbound", "may");
    browser.choose("certificate", "bind mx");
    browser.press("Save and apply");
    browser.until("kept");
    assert!(wire(site, 25).is_some());
}

fn add_rule(browser: &mut Browser, destination: &str) {
    browser.go("/policies/new");
    browser.write("destination", destination);
    browser.choose("level", "encrypt");
    browser.press("Wish for it");
}

#[test]
fn a_mode_with_tls_and_no_certificate() {
    let site = site();
    let mut browser = come_in(&site);
    browser.go("/smtp-tls");
    browser.choose("inbound", "may");
    browser.press("Save and apply");
    browser.until(r"level\.no-certificate");
    assert_eq!(wire(&site, 25), None);
}

#[test]
fn a_certificate_that_is_gone_since_the_page_was_made() {
    let site = site();
    let mut browser = come_in(&site);
    browser.go("/smtp-tls");
    browser.choose("inbound", "may");
    browser.choose("certificate", "bind mx");
    assert_eq!(site.local(&["cert", "delete", "mx"]).exit, Some(0));
    browser.press("Save and apply");
    browser.until(r"name\.unknown");
    let wished = site.local(&["status"]);
    assert_eq!(
        wished.json["wishes"],
        serde_json::json!([]),
        "nothing of the form is stored"
    );
}

#[test]
fn a_self_signed_certificate() {
    let site = site();
    let made = site.remote(&["cert", "self-signed", "me", "--domain=mx.box.test"]);
    assert_eq!(made.exit, Some(0), "{made:?}");
    let mut browser = come_in(&site);
    browser.go("/smtp-tls");
    browser.choose("inbound", "may");
    let said = browser.until("cannot be chosen");
    assert!(said.contains("only its own key vouches"), "{said}");
}

#[test]
fn destinations_that_cannot_be_taken() {
    let site = site();
    let mut browser = come_in(&site);
    for (bad, said) in [
        ("a..b", r"policy\.bad-destination"),
        ("someone@example.org", r"policy\.bad-destination"),
        ("*.example.org", r"policy\.bad-destination"),
    ] {
        add_rule(&mut browser, bad);
        browser.until(said);
    }
    let taken = site.local(&["policy", "add", "example.org", "may", "--no-preflight"]);
    assert_eq!(taken.exit, Some(0), "{taken:?}");
    add_rule(&mut browser, "example.org");
    browser.until(r"policy\.exists");
    add_rule(&mut browser, "");
    assert!(
        browser.url().ends_with("/policies/new"),
        "the browser asks for the field"
    );
    let listed = site.local(&["policy", "list"]);
    let rules = listed.json["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 1, "{listed:?}");
    assert_eq!(rules[0]["wanted"]["policy"], "may");
}

#[test]
fn a_map_that_cannot_be_made() {
    let commands = TempDir::with_prefix("postseal-commands-").unwrap();
    fs::set_permissions(commands.path(), Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir("/usr/sbin").unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("post") {
            symlink(entry.path(), commands.path().join(entry.file_name())).unwrap();
        }
    }
    let postfix = PostfixBox::builder()
        .set("default_transport", "smtp")
        .set("command_directory", &commands.path().display().to_string());
    let site = Site::up_on(postfix);
    let mut browser = come_in(&site);
    for (rule, after) in [("example.org may", true), ("example.net encrypt", false)] {
        let (destination, level) = rule.split_once(' ').unwrap();
        let added = site.remote(&["policy", "add", destination, level, "--no-preflight"]);
        assert_eq!(added.exit, Some(0), "{added:?}");
        if after {
            assert_eq!(site.remote(&["apply", "--yes"]).exit, Some(0));
        }
    }
    let postmap = commands.path().join("postmap");
    fs::remove_file(&postmap).unwrap();
    let fails = "#!/bin/sh\necho 'postmap: fatal: no space' >&2\nexit 1\n";
    fs::write(&postmap, fails).unwrap();
    fs::set_permissions(&postmap, Permissions::from_mode(0o755)).unwrap();

    browser.go("/plan");
    browser.until("2 rows");
    browser.press("Apply this plan");
    browser.until("no space");

    fs::remove_file(&postmap).unwrap();
    symlink("/usr/sbin/postmap", &postmap).unwrap();
    let still = level(&site, "someone@example.org");
    assert_eq!(still, "may", "the old map answers");
    assert_ne!(level(&site, "someone@example.net"), "encrypt");
}

#[test]
fn a_postfix_that_takes_no_reload() {
    let site = site();
    let mut browser = come_in(&site);
    with_tls(&site, &mut browser);
    let before = site.scene.files();
    browser.go("/smtp-tls");
    browser.choose("inbound", "encrypt");
    browser.press("Save and review");
    browser.until("smtpd_tls_security_level");
    let master = i32::try_from(site.scene.postfix.master().unwrap()).unwrap();
    let master = Pid::from_raw(master).unwrap();
    kill_process(master, Signal::STOP).unwrap();
    browser.press("Apply this plan");
    let said = browser.until("it did not work|was rolled back");
    kill_process(master, Signal::CONT).unwrap();
    assert!(
        said.contains("postfix.") || said.contains("rehearsal."),
        "{said}"
    );
    // What the agent still does with the instance comes first.
    site.wait("a way back", |site| {
        site.local(&["recover"]).exit == Some(0)
    });
    assert_eq!(site.scene.files(), before, "the old bytes are there");
    assert!(wire(&site, 25).is_some());
}
