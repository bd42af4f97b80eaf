//! Served is not what is bound: found by `verify` and `status`, healed by `apply`.

use crate::scene::run;
use crate::site::{Site, all, by_name, name_of};
use postseal_issue::KeyType;
use postseal_planner::report::Ask;
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Every finding of `verify`: code and message.
fn findings(judgements: &Value) -> Vec<(String, String)> {
    let judged = judgements.as_array().unwrap().iter();
    let all = judged.flat_map(|judged| judged["findings"].as_array().unwrap());
    all.map(|finding| {
        let text = |field: &str| finding[field].as_str().unwrap().to_owned();
        (text("code"), text("message"))
    })
    .collect()
}

/// Key and chain of another certificate, under the name of this one.
fn swap(site: &Site, path: &Path, by: &str) {
    let bytes = fs::read(site.scene.named(&format!("{by}.both"))).unwrap();
    fs::write(path, bytes).unwrap();
}

/// `verify` and `status` say that each service shows another certificate.
fn is_noticed(site: &Site, ports: &[u16], about: &str) {
    let verified = site.ends(1, "verify").json;
    let found = findings(&verified["judgements"]);
    let status = site.must("status").json;
    assert_eq!(findings(&status["observed"]["judgements"]), found);
    for port in ports {
        let place = format!("Port {port} ");
        let named = found.iter().any(|(code, message)| {
            code == "wire.wrong-certificate"
                && message.starts_with(&place)
                && message.contains(about)
        });
        assert!(named, "{place}{about}: {found:#?}");
    }
    let differs = found
        .iter()
        .filter(|(code, _)| code == "wire.wrong-certificate");
    assert_eq!(differs.count(), ports.len(), "{found:#?}");
}

#[test]
fn a_key_swapped_by_hand_is_seen_on_the_wire_and_healed() {
    let site = Site::serving();
    site.make("evil", KeyType::Rsa2048, &["mx.box.test"]);
    let before = site.world();
    let path = site.key_file("mx");
    let good = fs::read(&path).unwrap();
    swap(&site, &path, "evil");
    site.reload_until(&Ask::default(), all("evil"));
    is_noticed(&site, &[25, 587, 465], "shows another certificate");
    let plan = site.must("plan").json;
    assert_eq!(plan["pending"], true);
    assert_eq!(plan["steps"][0]["step"], "install-chain", "{plan:#}");
    site.must("apply");
    assert_eq!(fs::read(&path).unwrap(), good);
    assert_eq!(site.world(), before);
    assert_eq!(site.plainly(), all("mx"));
    site.must("verify");

    // What was only written anew is no state to go back to: rollback goes to the one before.
    site.must("rollback");
    assert!(!site.main_cf().contains("postseal.d"));
}

#[test]
fn a_port_with_another_key_is_named_alone() {
    let site = Site::serving();
    site.import("mua", KeyType::EcdsaP256, &["mx.box.test"]);
    site.make("evil", KeyType::EcdsaP256, &["mx.box.test"]);
    site.must("cert bind mua --service 587");
    site.must("apply");
    let path = site.key_file("mua");
    swap(&site, &path, "evil");
    site.reload_until(&Ask::default(), ["mx", "evil", "mx"].map(str::to_owned));
    is_noticed(&site, &[587], "shows another certificate");
    swap(&site, &path, "mua");
    site.reload_until(&Ask::default(), ["mx", "mua", "mx"].map(str::to_owned));
    site.must("verify");
}

#[test]
fn another_certificate_in_the_map_is_named_with_the_name() {
    let site = Site::serving();
    for name in ["a", "b"] {
        let host = format!("{name}.box.test");
        site.import(name, KeyType::EcdsaP256, &[&host]);
        site.must(&format!("cert bind {name} --sni {host}"));
    }
    site.must("apply");
    let [source, compiled] = site.maps().try_into().unwrap();
    let table = format!("hash:{}", source.display());
    let config = site.scene.config();
    let rows = fs::read_to_string(&source).unwrap();

    // Somebody compiled the map anew while another key stood under the name.
    let key = site.key_file("b");
    let good = fs::read(&key).unwrap();
    site.make("evil", KeyType::EcdsaP256, &["b.box.test"]);
    swap(&site, &key, "evil");
    run("/usr/sbin/postmap", &["-c", &config, "-F", &table]);
    fs::write(&key, &good).unwrap();
    site.reload_until(&by_name("b.box.test"), all("evil"));
    is_noticed(&site, &[25, 587, 465], "ask for b.box.test");
    let shown = site.shown(&by_name("a.box.test"));
    assert_eq!(shown, all("a"));

    // A source edited by hand, and a compiled map that is gone, are written anew.
    fs::write(&source, rows.replace("b.box.test", "c.box.test")).unwrap();
    site.must("apply");
    // The last line tells which map was compiled of them.
    let lines = |text: &str| text.lines().take(2).map(str::to_owned).collect::<Vec<_>>();
    let healed = fs::read_to_string(&source).unwrap();
    assert_eq!(lines(&healed), lines(&rows));
    assert_eq!(site.shown(&by_name("b.box.test")), all("b"));
    site.must("verify");

    fs::remove_file(&compiled).unwrap();
    site.must("apply");
    assert!(compiled.exists());
    assert_eq!(site.shown(&by_name("b.box.test")), all("b"));
    site.must("verify");
    assert_eq!(site.must("plan").json["pending"], false);
}

#[test]
fn files_that_somebody_touched_are_drift() {
    let site = Site::serving();
    site.import("a", KeyType::EcdsaP256, &["a.box.test"]);
    site.must("cert bind a --sni a.box.test");
    site.must("apply");
    assert_eq!(site.must("drift").json["drift_files"], json!([]));
    let before = site.world();
    let key = site.key_file("mx");
    let compiled = site
        .maps()
        .into_iter()
        .find(|path| name_of(path).ends_with(".db"));
    let compiled = compiled.unwrap();
    type Harm<'a> = &'a dyn Fn();
    // A monitor is told once of each file, and the error before the edit.
    let harms: [(&Path, &str, &str, Harm<'_>); 4] = [
        (
            &key,
            "may be opened by others (mode 644)",
            "everyone can read",
            &|| {
                fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
            },
        ),
        (&key, "is gone", "is gone", &|| {
            fs::remove_file(&key).unwrap()
        }),
        (
            &key,
            "holds something else",
            "holds something else",
            &|| {
                let mut bytes = fs::read(&key).unwrap();
                bytes.push(b'\n');
                fs::write(&key, bytes).unwrap();
            },
        ),
        (&compiled, "is gone", "is gone", &|| {
            fs::remove_file(&compiled).unwrap()
        }),
    ];
    for (path, what, told_once, harm) in harms {
        harm();
        let told = json!([{"path": path, "what": what}]);
        assert_eq!(site.ends(2, "drift").json["drift_files"], told);
        assert_eq!(site.run("status").json["drift_files"], told);
        assert_eq!(site.run("verify").json["drift_files"], told);
        let said = site.scene.say(&["drift"]).stdout;
        assert!(
            said.starts_with(&format!("{} {what}\n", path.display())),
            "{said}"
        );
        let said = site.scene.say(&["status"]).stdout;
        assert!(
            said.contains("1 file of postseal.d is not as written"),
            "{said}"
        );
        let line = site.run("status --nagios").json;
        assert_ne!(line["state"], "OK");
        assert!(
            line["said"].as_str().unwrap().contains(told_once),
            "{line:#}"
        );
        // What the store holds is not exchanged for what somebody wrote.
        let said = site.ends(2, "drift --adopt");
        assert_eq!(said.json["changed"], false);
        assert_eq!(
            site.must("cert list").json["certificates"][1]["used_by"],
            json!(["smtpd"])
        );
        site.must("drift --restore");
        assert_eq!(site.world(), before);
        site.must("drift");
    }
}
