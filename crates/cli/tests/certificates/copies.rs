//! The map of names holds copies of keys and chains, made by `postmap`: killed between a chain and its
//! map, or where the map cannot be made, what is in force goes on, and what is not is told.

use crate::cut::{Cut, Ended, kill_at};
use crate::held::{is_told_of, is_well};
use crate::kill::Clients;
use crate::postmap::Postmap;
use crate::site::{PORTS, Site, all, by_name};
use crate::succession::{presented, two_steps};
use postseal_issue::KeyType;
use std::time::Duration;

const NAMED: &str = "named.box.test";

/// A chain is completed: the file gets it, and the map that has the old one keeps its name.
#[test]
fn a_map_that_is_older_than_its_chain_is_told_and_made_anew() {
    let site = Site::adopted();
    let postmap = Postmap::of(&site);
    let file = |name: &str| site.scene.named(name);
    two_steps(&site, "own");
    let [cert, key, chain, root] = ["own.pem", "own.key", "inter.pem", "root.pem"].map(file);
    let bare = format!("cert import mx --cert {cert} --key {key}");
    site.must(&bare);
    site.must("cert bind mx");
    site.must("cert bind mx --sni mx.box.test");
    site.must("set mode=may submission=on smtps=on");
    site.must("apply");
    assert_eq!(
        site.scene.ends(0, &["drift"]).json["drift_files"],
        serde_json::json!([])
    );
    let (whole, main) = (site.world(), site.main_cf());
    site.must(&format!("{bare} --chain {chain} --private-ca {root}"));

    let addresses = PORTS.map(|port| site.scene.postfix.at(port));
    let asks = [by_name("mx.box.test"), by_name("other.box.test")];
    let clients = Clients::start(addresses, &asks);
    postmap.killed_within(&site, "cert deploy mx");
    let recovered = site.must("recover").json;
    assert_eq!(recovered["recovery"], "undone", "{recovered:#}");
    assert_eq!(
        site.installed(),
        whole.installed,
        "something half made is left"
    );
    assert_eq!(site.main_cf(), main);
    // The file has its intermediate, what clients are shown who ask by name has not.
    assert_eq!(presented(&site, "mx.box.test"), 1);
    is_told_outdated(&site);
    assert_eq!(site.must("recover").json["recovery"], "nothing");
    is_told_outdated(&site);

    let applied = site.must("apply").json;
    assert_eq!(applied["changed"], true, "{applied:#}");
    let shown = ["mx.box.test", "other.box.test"].map(|name| presented(&site, name));
    assert_eq!(shown, [2, 2]);
    assert_eq!(
        site.must("drift").json["drift_files"],
        serde_json::json!([])
    );
    assert_eq!(site.must("cert check").json["findings"].to_string(), "[]");
    site.must("verify");
    assert_eq!(site.must("apply").json["changed"], false);
    let seen = clients.stop();
    assert_eq!(seen.failures, Vec::<String>::new());
    let leaves: Vec<String> = seen.leaves.iter().map(|leaf| site.called(leaf)).collect();
    assert_eq!(leaves, ["own"]);
    assert!(seen.handshakes > PORTS.len(), "{}", seen.handshakes);
}

/// Everywhere where somebody looks.
fn is_told_outdated(site: &Site) {
    let words = "holds older copies of the keys and chains";
    for looks in ["drift", "status", "verify"] {
        let files = site.run(looks).json["drift_files"].to_string();
        assert!(files.contains(words), "{looks}: {files}");
        assert!(files.contains("/sni-"), "{looks}: {files}");
    }
    assert_ne!(site.run("verify").exit, Some(0));
    let monitor = site.scene.say(&["status", "--nagios"]);
    assert_eq!(monitor.exit, Some(1), "{}", monitor.stdout);
    assert!(monitor.stdout.contains(words), "{}", monitor.stdout);
    let checked = site.ends(2, "cert check --fail-on warning").json;
    let found = &checked["findings"][0];
    assert_eq!(found["code"], "cert.file-differs", "{checked:#}");
    assert!(found["message"].as_str().unwrap().contains(words));
}

/// `named` is presented by name, and its next version is in the returned file.
fn named(site: &Site) -> String {
    site.import("named", KeyType::EcdsaP256, &[NAMED]);
    site.must(&format!("cert bind named --sni {NAMED}"));
    site.must("apply");
    site.make("named-2", KeyType::EcdsaP256, &[NAMED])
}

/// The old one is in force, the new one waits, and what is said of it helps.
fn waits_and_comes(site: &Site) {
    assert_eq!(site.shown(&by_name(NAMED)), all("named"));
    is_told_of(site, "named");
    assert_eq!(site.shown(&by_name(NAMED)), all("named"));
    site.must("cert deploy named");
    assert_eq!(site.shown(&by_name(NAMED)), all("named-2"));
    is_well(site);
}

#[test]
fn a_renewal_whose_map_cannot_be_made_waits() {
    let site = Site::serving();
    let postmap = Postmap::of(&site);
    let renewed = named(&site);
    let before = site.world();
    for words in [
        format!("cert deploy named --cert {renewed}"),
        "cert deploy named".to_owned(),
    ] {
        let failed = postmap.failing(|| site.ends(1, &words));
        let said = failed.json.to_string() + &failed.stderr;
        assert!(said.contains("no space"), "{said}");
        assert_eq!(site.world().files, before.files);
    }
    waits_and_comes(&site);
    assert_eq!(site.plainly(), all("mx"));
}

#[test]
fn a_renewal_that_was_killed_on_its_way_waits() {
    // Before the operation is open: there is nothing to recover, and the version is in the store.
    let site = Site::serving();
    let renewed = named(&site);
    let words = ["cert", "deploy", "named", "--cert", &renewed];
    let mut command = site.scene.command(&words);
    command.args(["--json", "--verbose"]);
    let after = Duration::ZERO;
    let ended = kill_at(
        command,
        &Cut {
            line: "rehearsing",
            after,
        },
    );
    assert!(matches!(ended, Ended::Killed), "it was not killed");
    assert_eq!(site.must("recover").json["recovery"], "nothing");
    waits_and_comes(&site);

    // In the middle of it, before the map is made.
    let site = Site::serving();
    let postmap = Postmap::of(&site);
    let renewed = named(&site);
    postmap.killed_within(&site, &format!("cert deploy named --cert {renewed}"));
    assert_eq!(site.must("recover").json["recovery"], "undone");
    waits_and_comes(&site);
}
