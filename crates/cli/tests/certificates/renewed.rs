//! Renewals: a newer version in the store, and `cert deploy`, which presents it on the one path.

use crate::site::{Site, all, by_name};
use postseal_issue::KeyType;
use std::fs;
use std::os::unix::fs::symlink;

/// A renewed certificate as certbot keeps it: `live` with links into `archive`.
fn certbot(site: &Site, name: &str) -> String {
    let text = fs::read_to_string(site.make(name, KeyType::EcdsaP256, &["mx.box.test"])).unwrap();
    let at = text.find("-----BEGIN CERTIFICATE").unwrap();
    let (key, chain) = text.split_at(at);
    let live = site.scene.named(&format!("{name}-live"));
    let archive = site.scene.named(&format!("{name}-archive"));
    for folder in [&live, &archive] {
        fs::create_dir(folder).unwrap();
    }
    for (file, bytes) in [
        ("privkey", key),
        ("fullchain", chain),
        ("cert", chain),
        ("chain", ""),
    ] {
        let kept = format!("{archive}/{file}1.pem");
        fs::write(&kept, bytes).unwrap();
        symlink(kept, format!("{live}/{file}.pem")).unwrap();
    }
    fs::remove_file(format!("{live}/chain.pem")).unwrap();
    live
}

#[test]
fn a_renewal_is_deployed_wherever_the_certificate_is_bound_and_nothing_else_is() {
    let site = Site::serving();
    site.must("cert bind mx --sni mail.box.test");
    site.must("apply");
    site.must("set loglevel.inbound=1");
    let before = site.world();
    let folder = certbot(&site, "renewed");
    let deployed = site.must(&format!("cert deploy mx --dir {folder}"));
    assert_eq!(deployed.json["changed"], true, "{}", deployed.stdout);
    assert_eq!(site.plainly(), all("renewed"));
    assert_eq!(site.shown(&by_name("mail.box.test")), all("renewed"));
    assert_eq!(
        site.scene.value("smtpd_tls_loglevel"),
        "0",
        "what was wished and not applied stays a wish"
    );
    let again = site.must(&format!("cert deploy mx --dir {folder}"));
    assert_eq!(again.json["changed"], false, "the same certificate again");
    let history = site.scene.say(&["history"]).stdout;
    assert!(history.contains("renewal of mx"), "{history}");

    // Back to the version before, byte for byte; the wish is still there.
    site.must("discard");
    site.must("rollback --yes");
    assert_eq!(site.world().files, before.files);
    assert_eq!(site.plainly(), all("mx"));
    let shown = site.must("cert show mx").json;
    let used = shown["certificate"]["used_by"].to_string();
    assert!(used.contains("smtpd [version 1]"), "{used}");
    site.must("cert deploy mx");
    assert_eq!(site.plainly(), all("renewed"));
}

#[test]
fn a_renewal_that_cannot_serve_leaves_the_old_one_in_force() {
    let site = Site::serving();
    let before = site.world();
    let stranger = site.make("other", KeyType::EcdsaP256, &["mx.box.test"]);
    let [cert, key] = ["ec.pem", "rsa.key"].map(|name| site.scene.named(name));
    let mixed = site.ends(65, &format!("cert deploy mx --cert {cert} --key {key}"));
    assert_eq!(mixed.code(), "cert.key-mismatch");
    let taken = site.ends(65, &format!("cert import mx --cert {stranger}"));
    assert_eq!(taken.code(), "cert.exists");
    assert_eq!(site.ends(65, "cert deploy nobody").code(), "name.unknown");
    assert_eq!(site.world(), before);
    assert_eq!(site.plainly(), all("mx"));
    let renewed = site.must(&format!("cert import mx --cert {stranger} --renew"));
    assert_eq!(renewed.json["certificate"]["version"], 2);
    assert_eq!(site.plainly(), all("mx"), "importing presents nothing");
    site.must("cert deploy mx");
    assert_eq!(site.plainly(), all("other"));
}

#[test]
fn what_is_given_is_presented_or_refused() {
    let site = Site::serving();
    let folder = certbot(&site, "second");
    site.must(&format!("cert deploy mx --dir {folder}"));
    let third = certbot(&site, "third");
    site.must(&format!("cert deploy mx --dir {third}"));
    let before = site.world();
    // The one before: the newest would be presented all the same.
    let older = site.ends(65, &format!("cert deploy mx --dir {folder}"));
    assert_eq!(older.code(), "cert.older-version");
    assert!(
        older.stdout.contains("version 2 of mx, and version 3"),
        "{}",
        older.stdout
    );
    // A mistyped name makes nothing.
    let typo = site.ends(65, &format!("cert deploy mxx --dir {folder}"));
    assert_eq!(typo.code(), "name.unknown");
    assert_eq!(site.ends(65, "cert show mxx").code(), "name.unknown");
    assert_eq!(site.world(), before);
}

#[test]
fn a_private_ca_that_is_named_later_is_taken() {
    let site = Site::serving();
    let [chain, key, ca] = ["rsa.pem", "rsa.key", "ca.pem"].map(|name| site.scene.named(name));
    let words = format!("cert import plain --cert {chain} --key {key}");
    let codes = |ran: &crate::scene::Ran| ran.json["findings"].to_string();
    let unknown = site.must(&words);
    assert!(
        codes(&unknown).contains("cert.chain-incomplete"),
        "{}",
        codes(&unknown)
    );
    let named = site.must(&format!("{words} --private-ca {ca}"));
    assert_eq!(named.json["changed"], true);
    assert!(
        !codes(&named).contains("cert.chain-incomplete"),
        "{}",
        codes(&named)
    );
    let again = site.must(&format!("{words} --private-ca {ca}"));
    assert_eq!(again.json["changed"], false);
    // Saying less forgets nothing.
    assert!(!codes(&site.must(&words)).contains("cert.chain-incomplete"));
    assert_eq!(
        site.must("cert show plain").json["certificate"]["version"],
        1
    );
}

/// The row of a certificate in `cert list --json`, or in that of `status`.
fn row(site: &Site, words: &str, name: &str) -> serde_json::Value {
    let said = site.must(words).json;
    let mut rows = said["certificates"].as_array().unwrap().iter();
    rows.find(|row| row["name"] == name).unwrap().clone()
}

/// What is in force has the row; what is newer stands below it, with what it waits for.
#[test]
fn a_list_tells_what_is_in_force_and_the_newer_version_below_it() {
    let site = Site::serving();
    let alone = row(&site, "cert list", "mx");
    assert!(alone["waiting"].is_null(), "{alone:#}");
    // Of another kind of key, and from another file.
    let file = site.make(
        "newer",
        KeyType::EcdsaP384,
        &["mx.box.test", "new.box.test"],
    );
    site.must(&format!("cert import mx --cert {file} --renew"));
    for words in ["cert list", "status"] {
        let told = row(&site, words, "mx");
        assert_eq!(told["version"], 1, "{told:#}");
        for same in ["key", "source", "fingerprint", "not_after"] {
            assert_eq!(told[same], alone[same], "{told:#}");
        }
        assert_eq!(told["used_by"], serde_json::json!(["smtpd"]));
        let waiting = &told["waiting"];
        assert_eq!(waiting["version"], 2);
        assert_eq!(waiting["key"], "ECDSA secp384r1");
        assert_eq!(waiting["source"], file.as_str());
        assert_eq!(waiting["used_by"], serde_json::json!([]));
        assert!(waiting["since"].is_string(), "{told:#}");
    }
    let list = site.scene.say(&["cert", "list"]).stdout;
    let rows: Vec<Vec<&str>> = list.lines().map(|row| row.split('\t').collect()).collect();
    assert_eq!(
        [rows[0][0], rows[0][2], rows[0][5]],
        ["mx", "RSA 2048", "smtpd"]
    );
    assert_eq!(
        [rows[1][0], rows[1][2]],
        ["mx [version 2]", "ECDSA secp384r1"]
    );
    assert!(
        rows[1][5].starts_with("not in force, here since "),
        "{list}"
    );
    assert!(rows[1][5].contains("`postseal cert deploy mx`"), "{list}");
    let status = site.scene.say(&["status"]).stdout;
    assert!(
        status.contains("    version 2: ECDSA secp384r1"),
        "{status}"
    );
    assert!(status.contains("`postseal cert deploy mx`"), "{status}");
    let shown = site.scene.say(&["cert", "show", "mx"]).stdout;
    assert!(shown.contains("version 1 is"), "{shown}");

    // Wished, it waits for something else.
    site.must("cert bind mx");
    let told = row(&site, "cert list", "mx");
    assert_eq!(told["used_by"], serde_json::json!(["smtpd"]));
    assert_eq!(
        told["waiting"]["used_by"],
        serde_json::json!(["smtpd (pending)"])
    );
    let list = site.scene.say(&["cert", "list"]).stdout;
    assert!(list.contains("`postseal apply`"), "{list}");
    site.must("discard");
    site.must("cert deploy mx");
    let told = row(&site, "cert list", "mx");
    assert_eq!(
        (&told["version"], &told["waiting"]),
        (&2.into(), &serde_json::Value::Null)
    );
}

/// A monitor counts the days of what is presented, not of what waits.
#[test]
fn a_monitor_is_told_of_what_is_in_force() {
    let site = Site::serving();
    let days = || {
        let line = site.scene.say(&["status", "--nagios"]).stdout;
        let (_, numbers) = line.split_once("'mx_days'=").expect(&line);
        numbers.split(';').next().unwrap().parse::<i64>().unwrap()
    };
    // Made a moment ago for 90 days: whole ones are 90 within its first second, 89 after it.
    assert!([89, 90].contains(&days()));
    site.must("cert self-signed mx --domain mx.box.test --days 200 --renew");
    assert!([89, 90].contains(&days()));
}
