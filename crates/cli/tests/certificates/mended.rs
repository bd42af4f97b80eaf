//! `apply` over a wire that shows the wrong certificate: what is kept, what the proof says, and how the
//! command ends are the same story.

use crate::causes::{is, serving};
use crate::scene::run;
use crate::site::{Site, all};
use postseal_issue::KeyType;
use postseal_planner::report::Ask;
use postseal_probe::{Start, Target, probe_all};
use std::fs;
use std::time::Duration;

/// So many clients at once leave so many idle processes, each of which serves one client more after
/// a reload.
const CLIENTS: usize = 12;

fn crowd(site: &Site, port: u16) {
    let target = Target::new("a service", site.scene.postfix.at(port), Start::Implicit);
    probe_all(&vec![target; CLIENTS], Duration::from_secs(8));
}

/// Puts another certificate in the place of the bound one, as somebody does by hand, and has it served.
fn overwrite(site: &Site) {
    let evil = fs::read(site.scene.named("evil.both")).unwrap();
    fs::write(site.key_file("mx"), evil).unwrap();
    site.reload_until(&Ask::default(), all("evil"));
}

#[test]
fn what_apply_mends_is_waited_for_though_it_was_so_before() {
    let site = Site::serving();
    site.make("evil", KeyType::Rsa2048, &["mx.box.test"]);
    for _ in 0..4 {
        overwrite(&site);
        crowd(&site, 465);
        let applied = site.must("apply").json;
        assert_eq!(applied["outcome"], "kept");
        for judged in applied["proved"]["judgements"].as_array().unwrap() {
            assert_eq!(judged["outcome"], "pass", "{judged:#}");
        }
        assert_eq!(site.plainly(), all("mx"));
    }
}

/// Reloads, until no client is shown `mx` any more.
fn reload_until_gone(site: &Site) {
    run("/usr/sbin/postfix", &["-c", &site.scene.config(), "reload"]);
    let end = std::time::Instant::now() + Duration::from_secs(8);
    while site.plainly().contains(&"mx".to_owned()) {
        assert!(std::time::Instant::now() < end, "{:?}", site.plainly());
    }
}

/// A key file of ours that somebody took away: no certificate is missing in the store, nor a binding.
#[test]
fn a_key_file_that_is_gone_is_the_cause_and_apply_brings_it_back() {
    let site = serving();
    let path = site.key_file("mx");
    fs::remove_file(&path).unwrap();
    reload_until_gone(&site);
    let name = path.display().to_string();
    for port in crate::site::PORTS {
        is(&site, port, "served.file-differs", &[&name, "is gone"]);
    }
    let told = site.scene.say(&["verify"]).stdout;
    assert!(told.contains("`postseal apply` writes it anew"), "{told}");
    assert!(!told.contains("cert bind"), "{told}");
    site.must("apply");
    assert_eq!(site.plainly(), all("mx"));
    site.must("verify");
}

/// A file of ours that somebody wrote with what another file of ours holds: Postfix takes one of a kind.
#[test]
fn a_file_that_holds_another_bound_certificate_is_the_cause() {
    let site = serving();
    site.import("ec", KeyType::EcdsaP256, &["mx.box.test"]);
    site.must("cert bind ec");
    site.must("apply");
    let path = site.key_file("mx");
    fs::write(&path, fs::read(site.key_file("ec")).unwrap()).unwrap();
    let verified = || site.ends(1, "verify").json.to_string();
    run("/usr/sbin/postfix", &["-c", &site.scene.config(), "reload"]);
    let end = std::time::Instant::now() + Duration::from_secs(8);
    while !verified().contains("wire.starttls-broken") {
        assert!(std::time::Instant::now() < end, "{}", verified());
    }
    let name = path.display().to_string();
    let words = [&name, "another certificate"];
    is(&site, 25, "served.file-differs", &words);
    site.must("apply");
    site.must("verify");
}
