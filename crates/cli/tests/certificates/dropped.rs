//! A renewal that can never work: refused before anything is tried, and dropped.

use crate::scene::Ran;
use crate::site::{Site, all, name_of, only};
use postseal_issue::KeyType;
use postseal_planner::report::KeyAlgorithm::{Ecdsa, Rsa};
use postseal_store::{AuditStore, SqliteStore};
use std::path::Path;

/// `mx` (RSA) and `ec` (ECDSA), in force side by side.
fn both() -> Site {
    let site = Site::serving();
    site.import("ec", KeyType::EcdsaP256, &["mx.box.test"]);
    site.must("cert bind ec");
    site.must("apply");
    site
}

/// Deploys a new certificate of this kind as the next `ec`.
fn deploy(site: &Site, name: &str, kind: KeyType) -> Ran {
    let path = site.make(name, kind, &["mx.box.test"]);
    let words = format!("cert deploy ec --cert {path}");
    site.run(&words)
}

fn audited(site: &Site) -> Vec<String> {
    let folder = site.scene.named("store");
    let store = SqliteStore::open(Path::new(&folder)).unwrap();
    let log = store.audit_log(9).unwrap();
    log.into_iter().map(|entry| entry.what).collect()
}

#[test]
fn two_of_a_kind_are_refused_with_their_names_and_the_wrong_one_is_dropped() {
    let site = both();
    let before = site.world();
    let refused = deploy(&site, "wrong", KeyType::Rsa3072);
    assert_eq!(refused.exit, Some(65), "{refused:#?}");
    assert_eq!(refused.code(), "cert.two-of-a-kind");
    let finding = &refused.json["findings"][0];
    let message = finding["message"].as_str().unwrap();
    let remedy = finding["remedy"].as_str().unwrap();
    assert!(
        message.starts_with("mx and version 2 of ec both have RSA keys"),
        "{message}"
    );
    for way in [
        "had an ECDSA key",
        "`postseal cert delete ec --version 2`",
        "`postseal cert bind ec`",
    ] {
        assert!(remedy.contains(way), "{way}: {remedy}");
    }
    assert_eq!(site.world(), before);
    assert_eq!(site.shown(&only(Ecdsa)), all("ec"));

    let dropped = site.must("cert delete ec --version 2");
    assert_eq!(dropped.json["changed"], true);
    assert_eq!(dropped.json["newest_version"], 1);
    let audit = audited(&site);
    assert!(
        audit[0].starts_with("deleted version 2 of certificate ec ("),
        "{audit:?}"
    );
    assert_eq!(site.must("cert deploy ec").json["changed"], false);
    // The next one takes its number, and works.
    let deployed = deploy(&site, "right", KeyType::EcdsaP384);
    assert_eq!(deployed.exit, Some(0), "{deployed:#?}");
    assert_eq!(site.shown(&only(Ecdsa)), all("right"));
    assert_eq!(site.shown(&only(Rsa)), all("mx"));
}

#[test]
fn the_other_way_out_takes_the_place_of_the_sibling() {
    let site = both();
    let refused = deploy(&site, "wrong", KeyType::Rsa3072);
    assert_eq!(refused.code(), "cert.two-of-a-kind");
    site.must("cert bind ec");
    site.must("apply");
    assert_eq!(site.plainly(), all("wrong"));
}

#[test]
fn a_renewal_that_is_refused_for_what_it_is_names_its_way_out() {
    let site = Site::serving();
    site.must("cert self-signed mx --domain mx.box.test --renew");
    let refused = site.ends(65, "cert deploy mx");
    assert_eq!(refused.code(), "cert.self-signed");
    let remedy = refused.json["findings"][0]["remedy"].as_str().unwrap();
    assert!(
        remedy.contains("`postseal cert delete mx --version 2`"),
        "{remedy}"
    );
    site.must("cert delete mx --version 2");
    assert_eq!(site.must("cert deploy mx").json["changed"], false);
}

#[test]
fn what_is_in_force_wished_or_led_back_to_stays() {
    let site = both();
    let refused = |words: &str, code: &str, word: &str| {
        let before = site.world();
        let ran = site.ends(65, words);
        let said = format!("{:#}", ran.json);
        assert_eq!(ran.code(), code, "{words}: {said}");
        assert!(said.contains(word), "{words}: {said}");
        assert_eq!(site.world(), before);
    };
    refused(
        "cert delete ec --version 1",
        "cert.only-version",
        "`postseal cert delete ec`",
    );
    refused(
        "cert delete ec --version 2",
        "name.unknown",
        "ec [version 2]",
    );
    refused("cert delete nobody --version 1", "name.unknown", "nobody");
    site.ends(64, "cert delete ec --version 0");
    let second = site.make("second", KeyType::EcdsaP256, &["mx.box.test"]);
    site.must(&format!("cert import ec --cert {second} --renew"));
    refused(
        "cert delete ec --version 1",
        "cert.bound",
        "`postseal cert deploy ec`",
    );
    site.must("cert bind ec");
    refused(
        "cert delete ec --version 2",
        "cert.bound",
        "smtpd (pending)",
    );
    site.must("discard");
    site.must("cert deploy ec");
    refused("cert delete ec --version 2", "cert.bound", "smtpd");
    refused(
        "cert delete ec --version 1",
        "cert.needed-by-rollback",
        "rollback",
    );
    site.must("rollback --yes");
    site.must("cert deploy ec");

    // Another operation since: the way back of that one does not lead to it.
    site.must("set loglevel.inbound=1");
    site.must("apply");
    let keys = |site: &Site| {
        let files = site.installed();
        files
            .iter()
            .filter(|path| name_of(path).starts_with("ec-"))
            .count()
    };
    let before = keys(&site);
    site.must("cert delete ec --version 1");
    assert_eq!(keys(&site), before.min(1), "its key file goes with it");
    site.must("verify");
    site.must("rollback --yes");
    assert_eq!(site.shown(&only(Ecdsa)), all("second"));
}
