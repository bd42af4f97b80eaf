//! A small CA that ends: renewed under its name with its key, so that nobody's certificate has to be
//! made anew, and peers can be told in their own time.

use crate::site::{PORTS, Site, all};
use mailtls::Bundle;
use std::fs;
use std::process::{Command, Stdio};

/// Writes what `cert export` gives, and remembers what it is called.
fn exported(site: &Site, name: &str, called: &str) -> String {
    let chain = site.must(&format!("cert export {name}")).json["chain"].clone();
    let text = chain.as_str().unwrap();
    let bundle = Bundle::read(text.as_bytes(), None, None);
    if let Ok(bundle) = bundle {
        site.know(bundle.chain[0].fingerprint(), called);
    }
    let path = site.scene.named(&format!("{called}.pem"));
    fs::write(&path, text).unwrap();
    path
}

/// Whether a peer that trusts this CA alone verifies what is served on 465.
fn trusted_by(site: &Site, ca: &str) -> bool {
    let address = site.scene.postfix.at(PORTS[2]).to_string();
    let output = Command::new("/usr/bin/openssl")
        .args(["s_client", "-connect", &address, "-CAfile", ca])
        .args(["-no-CApath", "-no-CAstore", "-verify_return_error"])
        .args(["-verify_hostname", "mx.box.test"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    told.contains("Verify return code: 0 (ok)") && output.status.success()
}

#[test]
fn a_ca_that_ends_is_renewed_and_both_vouch_for_what_either_issued() {
    let site = Site::serving();
    site.must("cert private-ca ours --permit box.test --days 60");
    let before = exported(&site, "ours", "ca-before");
    let cut = site.must("cert request own --domain mx.box.test --ca ours");
    let ends = &cut.json["findings"][0];
    assert_eq!(ends["code"], "cert.ends-with-its-ca", "{}", cut.stdout);
    let way = "`postseal cert private-ca ours --renew`";
    assert!(ends["remedy"].as_str().unwrap().contains(way), "{ends}");
    exported(&site, "own", "own");
    site.must("cert bind own");
    site.must("cert unbind mx");
    site.must("apply");
    assert_eq!(site.plainly(), all("own"));

    let again = site.ends(65, "cert private-ca ours");
    assert_eq!(again.code(), "cert.exists");
    let remedy = again.json["findings"][0]["remedy"].as_str().unwrap();
    assert!(remedy.contains(way), "{remedy}");
    let renewed = site.must("cert private-ca ours --renew").json;
    assert_eq!(renewed["changed"], true);
    assert_eq!(renewed["certificate"]["version"], 2);
    let (old, new) = (&renewed["before"]["ours"], &renewed["after"]["ours"]);
    assert!(
        old.is_string() && new.is_string() && old != new,
        "{renewed}"
    );
    let after = exported(&site, "ours", "ca-after");
    assert_eq!(site.must("cert show ours").json["key_since_version"], 1);

    // What is served was issued by the one before.
    assert!(trusted_by(&site, &before) && trusted_by(&site, &after));
    site.must("verify");
    // The next one by the renewed one, for as long as is asked; it is a renewal like any other.
    let next = site.must("cert request own --domain mx.box.test --ca ours --renew");
    assert_eq!(
        next.json["findings"],
        serde_json::json!([]),
        "{}",
        next.stdout
    );
    exported(&site, "own", "next");
    site.must("cert deploy own");
    assert_eq!(site.plainly(), all("next"));
    assert!(trusted_by(&site, &before) && trusted_by(&site, &after));
    let outside = site.ends(65, "cert request web --domain web.example.org --ca ours");
    assert_eq!(outside.code(), "cert.not-made", "its domains are the same");

    // The version before may go, its key stays with the one after; that one may not.
    site.must("cert delete ours --version 1");
    let bound = site.ends(65, "cert delete ours");
    assert_eq!(bound.code(), "cert.issuer-of-bound");
}

#[test]
fn what_was_not_made_here_is_renewed_where_it_was_made() {
    let site = Site::serving();
    for (words, exit, code) in [
        ("cert private-ca mx --renew", 65, "cert.ca-made-elsewhere"),
        ("cert private-ca nobody --renew", 65, "name.unknown"),
        (
            "cert private-ca ours --renew --permit box.test",
            64,
            "usage",
        ),
        (
            "cert private-ca ours --renew --key-type rsa-2048",
            64,
            "usage",
        ),
        (
            "cert private-ca ours --renew --common-name Ours",
            64,
            "usage",
        ),
    ] {
        let refused = site.ends(exit, words);
        assert!(
            [code, ""].contains(&refused.code()),
            "{words}: {refused:#?}"
        );
    }
}

#[test]
fn what_a_ca_may_issue_for_is_shown() {
    let site = Site::adopted();
    site.must("cert private-ca narrow --permit Box.test --permit example.org");
    site.must("cert private-ca wide");
    site.must("cert self-signed own --domain own.box.test");
    let domains =
        |name: &str| site.must(&format!("cert show {name}")).json["permitted_domains"].clone();
    assert_eq!(
        domains("narrow"),
        serde_json::json!(["box.test", "example.org"])
    );
    assert_eq!(domains("wide"), serde_json::json!([]));
    assert_eq!(domains("own"), serde_json::Value::Null);
    let text = |name: &str| site.scene.say(&["cert", "show", name]).stdout;
    let narrow = text("narrow");
    let line = "  issues for   box.test example.org, and names below\n";
    assert!(narrow.contains(line), "{narrow}");
    assert!(text("wide").contains("  issues for   any name\n"));
    assert!(!text("own").contains("issues for"));
}
