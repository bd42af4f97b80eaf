//! Names of an administrator's own table of server names: `verify` asks for them as clients do.

use crate::scene::{run, write_private};
use crate::site::{Site, all, by_name};
use postseal_issue::KeyType;
use serde_json::Value;
use std::fs;
use std::time::{Duration, Instant};

/// All three services serve, beside this table of the administrator's own.
fn served(site: Site, table: &str) -> Site {
    site.scene.edit("main.cf", |text| {
        format!("{text}tls_server_sni_maps = {table}\n")
    });
    site.must("drift --adopt");
    site.served()
}

/// Writes a source of such a table, and compiles it.
fn compiled(site: &Site, source: &str, rows: &[(&str, &str)]) {
    let rows: String = rows
        .iter()
        .map(|(name, file)| format!("{name} {file}\n"))
        .collect();
    fs::write(source, rows).unwrap();
    let map = format!("hash:{source}");
    run(
        "/usr/sbin/postmap",
        &["-c", &site.scene.config(), "-F", &map],
    );
}

fn of_code<'a>(findings: &'a Value, code: &str) -> Vec<&'a Value> {
    let findings = findings.as_array().unwrap().iter();
    findings.filter(|finding| finding["code"] == code).collect()
}

#[test]
fn each_name_of_an_own_table_is_asked_for_at_each_service() {
    let site = Site::adopted();
    let source = site.scene.named("ownsni");
    let good = site.make("good", KeyType::EcdsaP256, &["good.own.test"]);
    let wild = site.make("wild", KeyType::EcdsaP256, &["*.wild.test"]);
    compiled(
        &site,
        &source,
        &[("good.own.test", &good), (".wild.test", &wild)],
    );
    let site = served(site, &format!("hash:{source}"));
    assert_eq!(site.shown(&by_name("good.own.test")), all("good"));

    // All is well: nothing is said but that it was seen.
    let verified = site.must("verify");
    assert_eq!(
        verified.json["findings"],
        serde_json::json!([]),
        "{verified:#?}"
    );
    let said = site.scene.say(&["verify"]).stdout;
    assert!(
        said.contains("good.own.test") && said.contains("below wild.test"),
        "{said}"
    );

    // A row for which a chain of another name is named: those who compare names will not have it.
    compiled(
        &site,
        &source,
        &[("good.own.test", &good), ("other.own.test", &good)],
    );
    site.reload_until(&by_name("other.own.test"), all("good"));
    let verified = site.must("verify").json;
    let unfit = of_code(&verified["findings"], "cert.name-mismatch");
    let [unfit] = unfit.as_slice() else {
        panic!("{verified:#}");
    };
    let evidence = unfit["evidence"].to_string();
    assert_eq!(evidence.matches("other.own.test").count(), 3, "{evidence}");
    assert!(!evidence.contains("good.own.test"), "{evidence}");

    // A row without a key: the handshake of its clients alone fails.
    let both = fs::read_to_string(&good).unwrap();
    let begin = both.find("-----BEGIN CERTIFICATE").unwrap();
    let keyless = site.scene.named("keyless");
    write_private(&keyless, &both[begin..]);
    compiled(
        &site,
        &source,
        &[("good.own.test", &good), ("broken.own.test", &keyless)],
    );
    run("/usr/sbin/postfix", &["-c", &site.scene.config(), "reload"]);
    // A process from before the reload still has the table without the row.
    let until = Instant::now() + Duration::from_secs(30);
    let is_told = |judged: &Value| {
        let failed = of_code(&judged["findings"], "wire.handshake-failed");
        let named = |one: &&Value| one["message"].as_str().unwrap().contains("broken.own.test");
        failed.len() == 1 && failed.iter().all(named)
    };
    let verified = loop {
        let verified = site.scene.run(&["verify"]);
        let judgements = verified.json["judgements"].as_array().unwrap();
        if verified.exit == Some(1) && judgements.iter().all(is_told) {
            break verified.json;
        }
        assert!(Instant::now() < until, "{verified:#?}");
    };
    assert!(!verified.to_string().contains("PRIVATE KEY"));
}

/// `postmap` without `-F`: no client that asks for one of its names gets a handshake, and whoever asks for
/// none sees nothing of it.
#[test]
fn a_table_that_was_compiled_without_its_files_is_the_cause() {
    let site = Site::adopted();
    let source = site.scene.named("ownsni");
    let good = site.make("good", KeyType::EcdsaP256, &["good.own.test"]);
    compiled(&site, &source, &[("good.own.test", &good)]);
    let site = served(site, &format!("hash:{source}"));
    site.must("verify");
    let config = site.scene.config();
    let map = format!("hash:{source}");
    run("/usr/sbin/postmap", &["-c", &config, &map]);
    run("/usr/sbin/postfix", &["-c", &config, "reload"]);

    let linted = site.ends(2, &format!("lint {config}")).json;
    let rule = of_code(&linted["findings"], "maps.without-keys")[0].clone();
    let is_told = |judgements: &Value| {
        for judged in judgements.as_array().unwrap() {
            let told = of_code(&judged["findings"], "maps.without-keys");
            assert_eq!(told.len(), 1, "{judged:#}");
            assert_eq!(judged["outcome"], "fail");
            for field in ["message", "remedy", "severity"] {
                assert_eq!(told[0][field], rule[field], "{field}");
            }
        }
    };
    is_told(&site.ends(1, "verify").json["judgements"]);
    // It asks for no names, and reads the table.
    is_told(&site.must("status").json["observed"]["judgements"]);
    let said = site.scene.say(&["status"]).stdout;
    assert!(said.contains("FAIL maps.without-keys"), "{said}");
    let monitor = site.scene.say(&["status", "--nagios"]);
    assert_eq!(monitor.exit, Some(2), "{}", monitor.stdout);
    assert!(
        monitor.stdout.contains("postmap without -F"),
        "{}",
        monitor.stdout
    );

    run("/usr/sbin/postmap", &["-c", &config, "-F", &map]);
    let seen = site.must("status").json["observed"].to_string();
    assert!(!seen.contains("maps.without-keys"), "{seen}");
}

#[test]
fn a_table_that_cannot_be_listed_is_undetermined() {
    let site = Site::adopted();
    let good = site.make("good", KeyType::EcdsaP256, &["good.own.test"]);
    let source = site.scene.named("ownsni");
    fs::write(&source, format!("/^good/ {good}\n")).unwrap();
    let site = served(site, &format!("regexp:{source}"));
    site.ends(3, "verify");
    let said = site.scene.say(&["verify"]).stdout;
    assert!(said.contains("does not list its rows"), "{said}");
}
