//! CAs of one's own, chosen by `--private-ca`: which files are one, how many, and what becomes of the
//! choice when a certificate is renewed. And a CA that is meant for a server's certificate.

use crate::lost::{bound_to, tells_why};
use crate::scene::{Ran, run};
use crate::site::{Site, all, validity};
use mailtls::Bundle;
use postseal_issue::{KeyType, LeafRequest, PrivateCa, Validity};
use postseal_planner::report::Ask;
use std::fs;

/// A CA of its own, in a file.
struct Own {
    ca: PrivateCa,
    file: String,
}

fn own(site: &Site, name: &str) -> Own {
    let now = validity();
    // It outlives what it issues, also what it issues a second later.
    let longer = Validity {
        not_after: now.not_after + 365 * 86_400,
        ..now
    };
    let ca = PrivateCa::new(name, KeyType::EcdsaP256, longer).unwrap();
    let file = site.scene.named(&format!("{name}.pem"));
    fs::write(&file, ca.certificate_pem()).unwrap();
    Own { ca, file }
}

impl Own {
    /// A certificate with its key, in one file.
    fn issue(&self, site: &Site, name: &str) -> String {
        let leaf = LeafRequest {
            names: vec!["mx.box.test".to_owned()],
            key_type: KeyType::EcdsaP256,
            validity: validity(),
        };
        let leaf = self.ca.issue(&leaf).unwrap();
        let file = site.scene.named(&format!("{name}.both"));
        let text = format!("{}{}", &*leaf.key_pem, leaf.cert_pem);
        let made = Bundle::read(text.as_bytes(), None, None).unwrap();
        site.know(made.chain[0].fingerprint(), name);
        crate::scene::write_private(&file, text);
        file
    }
}

fn codes(ran: &Ran) -> Vec<String> {
    let findings = ran.json["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect()
}

/// Files, one after the other in another.
fn joined(site: &Site, name: &str, files: &[&str]) -> String {
    let path = site.scene.named(name);
    let text: String = files
        .iter()
        .map(|f| fs::read_to_string(f).unwrap())
        .collect();
    crate::scene::write_private(&path, text);
    path
}

#[test]
fn several_cas_are_taken_and_each_is_trusted() {
    let site = Site::adopted();
    let (old, new) = (own(&site, "old"), own(&site, "new"));
    let both = joined(&site, "both.pem", &[&old.file, &new.file, &old.file]);
    let by_old = old.issue(&site, "by-old");
    let imported = site.must(&format!(
        "cert import mx --cert {by_old} --private-ca {both}"
    ));
    assert!(codes(&imported).is_empty(), "{}", imported.stdout);
    // The CA is rolled over, and the next one was chosen already.
    let by_new = new.issue(&site, "by-new");
    let renewed = site.must(&format!("cert import mx --cert {by_new} --renew"));
    assert!(codes(&renewed).is_empty(), "{}", renewed.stdout);
    assert!(codes(&site.must("cert check mx")).is_empty());
    // The same choice again is no change; another is.
    let words = format!("cert import mx --cert {by_new} --renew --private-ca");
    assert_eq!(site.must(&format!("{words} {both}")).json["changed"], false);
    let one = site.must(&format!("{words} {}", old.file));
    assert_eq!(codes(&one), ["cert.chain-incomplete"]);

    // A CA that nobody chose vouches for nothing.
    let third = own(&site, "third").issue(&site, "by-third");
    let stranger = site.must(&format!("cert import mx --cert {third} --renew"));
    assert_eq!(codes(&stranger), ["cert.chain-incomplete"]);
}

#[test]
fn what_is_no_ca_is_not_taken_for_one() {
    let site = Site::adopted();
    let ca = own(&site, "ours");
    let cert = ca.issue(&site, "mx");
    let with_leaf = joined(&site, "with-leaf.pem", &[&ca.file, &cert]);
    let many: Vec<Own> = (0..51).map(|n| own(&site, &format!("ca{n}"))).collect();
    let many: Vec<&str> = many.iter().map(|one| one.file.as_str()).collect();
    let many = joined(&site, "many.pem", &many);
    let empty = joined(&site, "empty.pem", &[]);
    for (file, code, word) in [
        (&cert, "cert.not-a-ca", "mx.box.test"),
        (&with_leaf, "cert.not-a-ca", "mx.box.test"),
        (&many, "cert.too-many-cas", "51"),
        (&empty, "cert.empty", "empty"),
    ] {
        let words = format!("cert import mx --cert {cert} --private-ca {file}");
        let refused = site.ends(65, &words);
        assert_eq!(refused.code(), code, "{file}");
        let told = refused.json["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            told.starts_with(file.as_str()) && told.contains(word),
            "{told}"
        );
        // Said before a CA is asked for anything.
        let issue = format!("cert issue mx --domain mx.box.test --private-ca {file}");
        assert_eq!(site.ends(65, &issue).code(), code, "{file}");
    }
    assert_eq!(site.ends(65, "cert show mx").code(), "name.unknown");
}

/// A root that was taken for the server's certificate: told alike from import to plan.
#[test]
fn a_root_in_place_of_a_servers_certificate_is_called_one() {
    let site = Site::adopted();
    let [key, cert] = ["root.key", "root.pem"].map(|name| site.scene.named(name));
    let words = format!(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -keyout {key} \
         -out {cert} -subj /CN=Our_Root -addext keyUsage=critical,keyCertSign"
    );
    run("/usr/bin/openssl", &words.split(' ').collect::<Vec<_>>());
    let both = joined(&site, "root.both", &[&key, &cert]);
    let told = "cert.ca-as-leaf";
    let imported = site.must(&format!("cert import root --cert {both}"));
    assert_eq!(codes(&imported), [told], "{}", imported.stdout);
    let remedy = &imported.json["findings"][0]["remedy"];
    assert!(remedy.as_str().unwrap().contains("cert request NAME --ca"));
    assert_eq!(codes(&site.must("cert check root")), [told]);
    // It may issue here, as one that was made here.
    site.must("cert request mx --domain mx.box.test --ca root");

    for more in ["", " --allow-self-signed"] {
        site.must(&format!("cert bind root{more}"));
        site.must("set inbound=may");
        for words in ["plan", "apply"] {
            let refused = site.ends(65, words);
            assert_eq!(refused.code(), told, "{words}: {}", refused.stdout);
            let found = refused.json["findings"].to_string();
            assert!(!found.contains("cert.system-certificate"), "{found}");
        }
    }
    let checked = site.ends(2, "cert check root");
    assert!(
        codes(&checked).contains(&told.to_owned()),
        "{}",
        checked.stdout
    );
    site.must("discard");
    site.must("cert private-ca ours");
    assert!(codes(&site.must("cert check ours")).is_empty());
}

/// In force: `mx` of a CA of its own, which was chosen.
fn serving(site: &Site, ca: &Own) {
    let first = ca.issue(site, "first");
    let words = format!("cert import mx --cert {first} --private-ca");
    site.must(&format!("{words} {}", ca.file));
    site.must("cert bind mx");
    site.must("set mode=may submission=on smtps=on");
    site.must("apply");
}

#[test]
fn a_choice_belongs_to_the_name_and_survives_a_bad_renewal() {
    let site = Site::adopted();
    let (ours, other) = (own(&site, "ours"), own(&site, "other"));
    serving(&site, &ours);
    // As a CA for tests, or the right one without its intermediate.
    let bad = other.issue(&site, "bad");
    for words in [
        format!("cert deploy mx --cert {bad}"),
        "cert deploy mx".to_owned(),
    ] {
        let refused = site.ends(65, &words);
        assert_eq!(refused.code(), "cert.chain-incomplete", "{words}");
    }
    assert_eq!(site.plainly(), all("first"));
    tells_why(&site, bound_to("mx"), "cert.chain-incomplete");

    let good = ours.issue(&site, "good");
    site.must(&format!("cert deploy mx --cert {good}"));
    assert_eq!(site.plainly(), all("good"));
    assert!(codes(&site.must("cert check mx")).is_empty());

    // Somebody who looks may present it all the same, and the choice is still there.
    let bad = other.issue(&site, "worse");
    site.must(&format!("cert import mx --renew --cert {bad}"));
    site.must("cert bind mx");
    site.must("apply");
    assert_eq!(site.plainly(), all("worse"));
    let back = ours.issue(&site, "back");
    site.must(&format!("cert deploy mx --cert {back}"));
    assert_eq!(site.plainly(), all("back"));
    assert!(codes(&site.must("cert check mx")).is_empty());
}

/// Who vouches can be said of what is in force, though a newer version waits; it counts for both.
#[test]
fn a_ca_is_chosen_for_the_version_in_force_though_a_newer_one_waits() {
    let site = Site::adopted();
    let ca = own(&site, "ours");
    let first = ca.issue(&site, "first");
    site.must(&format!("cert import mx --cert {first}"));
    let second = ca.issue(&site, "second");
    site.must("cert bind mx");
    site.must("set mode=may submission=on smtps=on");
    site.must("apply");
    site.must(&format!("cert import mx --renew --cert {second}"));
    let words = format!("cert import mx --renew --cert {first}");
    let older = site.ends(65, &words);
    assert_eq!(older.code(), "cert.older-version");
    let remedy = older.json["error"]["hint"].to_string() + &older.json["findings"].to_string();
    assert!(!remedy.contains("cert deploy mx` presents"), "{remedy}");
    let chosen = format!("{words} --private-ca {}", ca.file);
    assert_eq!(site.must(&chosen).json["changed"], true);
    assert_eq!(site.must(&chosen).json["changed"], false);
    let checked = codes(&site.must("cert check mx"));
    assert_eq!(checked, ["cert.version-waits"]);
    site.must("cert deploy mx");
    assert_eq!(site.plainly(), all("second"));
}

#[test]
fn a_ca_that_did_not_issue_it_is_called_so() {
    let site = Site::adopted();
    let (ours, other) = (own(&site, "ours"), own(&site, "other"));
    let cert = ours.issue(&site, "mx");
    let words = format!("cert import mx --cert {cert} --private-ca {}", other.file);
    let told = site.scene.say(&words.split(' ').collect::<Vec<_>>());
    assert_eq!(told.exit, Some(0), "{}", told.stderr);
    let said = "private CA that was given (CN=other) does not vouch for it";
    assert!(told.stdout.contains(said), "{}", told.stdout);
}

/// `--allow-self-signed` was said when there was nothing better. Now there is.
#[test]
fn what_was_accepted_once_gives_no_trust_away() {
    let site = Site::adopted();
    site.must("cert self-signed mx --domain mx.box.test --days 10");
    site.must("cert bind mx --allow-self-signed");
    site.must("set mode=may");
    site.must("apply");
    let own = own(&site, "own");
    let trusted = own.issue(&site, "trusted");
    let root = &own.file;
    site.must(&format!(
        "cert import mx --cert {trusted} --private-ca {root} --renew"
    ));
    site.must("cert deploy mx");
    assert_eq!(site.looked(25, &[Ask::default()]), ["trusted"]);

    site.must("cert self-signed other --domain mx.box.test --days 365");
    let exported = [
        "cert",
        "export",
        "other",
        "--key",
        "--yes-export-private-key",
    ];
    let selfish = site.scene.named("selfish.both");
    crate::scene::write_private(&selfish, site.scene.say(&exported).stdout);
    let refused = site.ends(65, &format!("cert deploy mx --cert {selfish}"));
    assert_eq!(refused.code(), "cert.self-signed");
    assert_eq!(site.looked(25, &[Ask::default()]), ["trusted"]);
    let anew = "`postseal cert bind mx --allow-self-signed`".to_owned();
    let [_, apply] = bound_to("mx");
    tells_why(&site, [anew, apply], "cert.self-signed");
    site.must("cert bind mx --allow-self-signed");
    site.must("apply");
    assert_ne!(site.looked(25, &[Ask::default()]), ["trusted"]);
}
