//! A renewal that a hook brings once, and that could not come in force: nothing tries it again, so
//! a monitor is told until somebody presents it or drops it.

use crate::scene::Ran;
use crate::site::{Site, all};
use postseal_issue::KeyType;

/// What a monitor reads, and its exit code.
fn monitor(site: &Site) -> (Option<i32>, String) {
    let Ran { exit, stdout, .. } = site.scene.say(&["status", "--nagios"]);
    (exit, stdout)
}

/// The monitor warns, `cert check` does, `status` says what helps; nothing else would do anything.
fn is_told(site: &Site) {
    is_told_of(site, "mx");
    assert_eq!(site.plainly(), all("mx"));
}

/// The same of another certificate.
pub(crate) fn is_told_of(site: &Site, name: &str) {
    let (exit, line) = monitor(site);
    assert_eq!(exit, Some(1), "{line}");
    let deploy = format!("`postseal cert deploy {name}`");
    let told = format!("version 2 of {name} waits, 1 is in force ({deploy})");
    assert!(line.contains(&told), "{line}");
    for words in ["cert check", &format!("cert check {name}")] {
        let checked = site.ends(2, &format!("{words} --fail-on warning"));
        let findings = checked.json["findings"].as_array().unwrap();
        let waits = |one: &&serde_json::Value| one["code"] == "cert.version-waits";
        let found = findings.iter().find(waits).unwrap();
        assert_eq!(found["severity"], "warning", "{found:#}");
        let remedy = found["remedy"].as_str().unwrap();
        assert!(remedy.contains(&deploy), "{remedy}");
        let drops = format!("`postseal cert delete {name} --version 2`");
        assert!(remedy.contains(&drops), "{remedy}");
    }
    let status = site.scene.say(&["status"]).stdout;
    assert!(
        status.contains(&format!("{deploy} presents it")),
        "{status}"
    );
    assert_eq!(site.must("apply").json["changed"], false);
}

/// Nothing is left to be told.
pub(crate) fn is_well(site: &Site) {
    let (exit, line) = monitor(site);
    assert_eq!(exit, Some(0), "{line}");
    let findings = site.must("cert check").json["findings"].to_string();
    assert!(!findings.contains("cert.version-waits"), "{findings}");
}

#[test]
fn a_renewal_that_came_while_an_operation_awaited_its_confirmation() {
    let site = Site::serving();
    is_well(&site);
    let renewed = site.make("renewed", KeyType::Rsa2048, &["mx.box.test"]);
    site.must("set loglevel.inbound=1");
    site.must("apply --confirm-within 5m");
    site.ends(75, &format!("cert deploy mx --cert {renewed}"));
    site.must("confirm");
    is_told(&site);
    site.must("cert deploy mx");
    assert_eq!(site.plainly(), all("renewed"));
    is_well(&site);
}

#[test]
fn a_renewal_that_came_while_keys_were_edited_by_hand() {
    let site = Site::serving();
    let renewed = site.make("renewed", KeyType::Rsa2048, &["mx.box.test"]);
    site.scene
        .postconf(&["-e", "smtpd_tls_security_level = none"]);
    let refused = site.ends(65, &format!("cert deploy mx --cert {renewed}"));
    assert_eq!(refused.code(), "drift.unresolved");
    site.must("drift --restore");
    is_told(&site);
    site.must("cert delete mx --version 2");
    is_well(&site);
    assert_eq!(site.plainly(), all("mx"));
}

/// One that is wished takes the version that comes meanwhile.
#[test]
fn a_pending_binding_follows_to_the_renewal() {
    let site = Site::serving();
    site.import("rk", KeyType::Rsa2048, &["rk.box.test"]);
    site.must("cert bind rk --service 465");
    let renewed = site.make("rk 2", KeyType::Rsa2048, &["rk.box.test"]);
    let words = ["cert", "deploy", "rk", "--cert", renewed.as_str()];
    let told = site.scene.say(&words);
    assert_eq!(told.exit, Some(0), "{}", told.stderr);
    let helps = "Nothing presents rk yet: `postseal apply`.";
    assert!(told.stdout.contains(helps), "{}", told.stdout);
    site.must("apply");
    assert_eq!(site.plainly(), ["mx", "mx", "rk 2"].map(str::to_owned));
    is_well(&site);
}
