//! Hand edits of certificate lines that are taken over: exactly these, and what is bound elsewhere stays
//! bound, is presented, and is renewed.

use crate::scene::{Ran, run};
use crate::site::{Site, by_name};
use postseal_issue::KeyType;

const NAMED: &str = "named.box.test";

/// In force: `mx` on all services, `named` by name, `me` as the client's own; and `own`, which is no
/// certificate of the store.
fn site() -> Site {
    let site = Site::adopted();
    site.import("mx", KeyType::EcdsaP256, &["mx.box.test"]);
    site.import("named", KeyType::EcdsaP256, &[NAMED]);
    site.import("me", KeyType::EcdsaP256, &["me.box.test"]);
    site.make("own", KeyType::EcdsaP256, &["mx.box.test"]);
    site.must("cert bind mx");
    site.must("cert bind me --client");
    site.must(&format!("cert bind named --sni {NAMED}"));
    site.must("set mode=may submission=on smtps=on");
    site.must("apply");
    site
}

fn own(site: &Site) -> String {
    site.scene.named("own.both")
}

fn reloaded(site: &Site) {
    run("/usr/sbin/postfix", &["-c", &site.scene.config(), "reload"]);
}

/// The places where a certificate is presented, by `cert list`.
fn used(site: &Site, name: &str) -> String {
    let listed = site.must("cert list").json;
    let mut rows = listed["certificates"].as_array().unwrap().iter();
    let row = rows.find(|row| row["name"] == name).unwrap();
    row["used_by"].to_string()
}

fn drift(ran: &Ran) -> Vec<String> {
    let rows = ran.json["drift"].as_array().unwrap().iter();
    rows.map(|row| format!("{} {}", row["place"], row["parameter"]).replace('"', ""))
        .collect()
}

fn noted(site: &Site) -> String {
    let noted = site.must("history").json["noted"].clone();
    noted[0]["what"].as_str().unwrap().to_owned()
}

/// Nothing is to be done, nothing was lost: the settings, the client's certificate, the name.
fn stands(site: &Site) {
    let plan = site.must("plan");
    assert_eq!(plan.json["changed"], false, "{}", plan.stdout);
    assert_eq!(site.must("drift").json["drift"], serde_json::json!([]));
    for (name, place) in [("me", "client"), ("named", NAMED)] {
        let used = used(site, name);
        assert!(used.contains(place), "{name}: {used}");
    }
    let status = site.must("status").json;
    let mut services = status["services"].as_array().unwrap().iter();
    let all = services.all(|one| {
        one["service"] == "2525/inet" || !one["desired"].to_string().contains("as adopted")
    });
    assert!(
        all && !status["outbound"]["desired"]
            .to_string()
            .contains("as adopted"),
        "{status}"
    );
    assert_eq!(site.shown(&by_name(NAMED)), ["named", "named", "named"]);
}

#[test]
fn a_certificate_of_one_service_is_taken_over_beside_what_is_bound_to_all() {
    let site = site();
    let line = format!("  -o smtpd_tls_chain_files={}\n", own(&site));
    site.scene.edit("master.cf", |text| {
        let (before, after) = text.split_once("-o smtpd_tls_wrappermode=yes\n").unwrap();
        format!("{before}-o smtpd_tls_wrappermode=yes\n{line}{after}")
    });
    site.reload_until(&Default::default(), ["mx", "mx", "own"].map(str::to_owned));
    let adopted = site.must("drift --adopt");
    let key = drift(&adopted).remove(0);
    assert!(key.ends_with("/inet smtpd_tls_chain_files"), "{key}");
    assert_eq!(adopted.json["given_up"], serde_json::json!([]));
    let note = noted(&site);
    assert!(note.contains(&key) && !note.contains("no longer"), "{note}");
    stands(&site);
    assert!(used(&site, "mx").contains("smtpd"));
    assert_eq!(site.plainly(), ["mx", "mx", "own"]);

    // A renewal reaches the others.
    let next = site.make("next", KeyType::EcdsaP256, &["mx.box.test"]);
    let deployed = site.must(&format!("cert deploy mx --cert {next}"));
    assert_eq!(deployed.json["changed"], true, "{}", deployed.stdout);
    assert_eq!(site.plainly(), ["next", "next", "own"]);
    stands(&site);
    // Its rollback leaves the line, too.
    site.must("rollback");
    assert_eq!(site.plainly(), ["mx", "mx", "own"]);

    // Said anew, the binding to all is one to all.
    let bound = site.must("cert bind mx");
    assert_eq!(bound.json["changed"], true, "{}", bound.stdout);
    site.must("apply");
    assert_eq!(site.plainly(), ["next", "next", "next"]);
}

#[test]
fn a_certificate_in_main_cf_ends_what_was_bound_there_and_no_more() {
    let site = site();
    let line = format!("smtpd_tls_chain_files = {}\n", own(&site));
    site.scene.edit("main.cf", |text| {
        let kept = text
            .lines()
            .filter(|line| !line.starts_with("smtpd_tls_chain_files"));
        let kept: String = kept.map(|line| format!("{line}\n")).collect();
        kept + &line
    });
    site.reload_until(
        &Default::default(),
        ["own", "own", "own"].map(str::to_owned),
    );
    // A wish beside it does not bring the old one back.
    site.must("set loglevel.inbound=1");
    let adopted = site.must("drift --adopt");
    assert_eq!(drift(&adopted), ["main.cf smtpd_tls_chain_files"]);
    let ended = adopted.json["given_up"].as_array().unwrap();
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!(ended[0]["key"], "certificate");
    let note = noted(&site);
    assert!(
        note.contains("no longer in force: certificate=mx"),
        "{note}"
    );
    assert_eq!(used(&site, "mx"), "[]");
    site.must("apply");
    stands(&site);
    assert_eq!(site.plainly(), ["own", "own", "own"]);
    // Bound again, and back.
    site.must("cert bind mx");
    site.must("apply");
    assert_eq!(site.plainly(), ["mx", "mx", "mx"]);
    site.must("rollback");
    assert_eq!(site.plainly(), ["own", "own", "own"]);
    stands(&site);
}

#[test]
fn a_new_service_with_its_own_certificate_and_a_map_of_names_beside_ours_are_taken_over() {
    let site = site();
    let service = format!(
        "2525 inet n - n - - smtpd\n  -o smtpd_tls_chain_files={}\n",
        own(&site)
    );
    site.scene.edit("master.cf", |text| text + &service);
    site.scene.edit("main.cf", |text| {
        let line = text
            .lines()
            .find(|line| line.starts_with("tls_server_sni_maps"))
            .unwrap();
        text.replace(line, &format!("{line}, inline:{{{{x.box.test=c3Bhbg==}}}}"))
    });
    reloaded(&site);
    let adopted = site.must("drift --adopt");
    let keys = [
        "main.cf tls_server_sni_maps",
        "2525/inet smtpd_tls_chain_files",
    ];
    assert_eq!(drift(&adopted), keys);
    assert_eq!(adopted.json["given_up"], serde_json::json!([]));
    stands(&site);
    assert!(used(&site, "mx").contains("smtpd"));
    site.must("cert unbind named");
    site.must("apply");
    assert!(site.main_cf().contains("inline:{"), "{}", site.main_cf());
}

/// The file is an administrator's own, and the certificate in it one of the store.
#[test]
fn a_certificate_of_the_store_in_a_file_of_ones_own_is_known_there() {
    let site = Site::serving();
    site.import("mr", KeyType::Rsa2048, &["mx.box.test"]);
    let hand = site.scene.named("hand.pem");
    let exported = ["cert", "export", "mr", "--key", "--yes-export-private-key"];
    std::fs::write(&hand, site.scene.say(&exported).stdout).unwrap();
    assert_eq!(used(&site, "mr"), "[]");
    let edit = format!("smtpd_tls_chain_files={hand}");
    site.scene.postconf(&["-e", &edit]);
    reloaded(&site);
    site.must("drift --adopt");
    let by_hand = format!("by {hand}, a file of your own");
    let shown = site.must("cert show mr").json["certificate"]["used_by"].to_string();
    for told in [used(&site, "mr"), shown] {
        assert!(told.contains(&by_hand), "{told}");
    }
    let status = site.scene.say(&["status"]).stdout;
    assert!(!status.contains("not in the store"), "{status}");
    assert!(
        status.contains("a file of your own with mr of the store"),
        "{status}"
    );
    let status = site.run("status").json;
    assert_eq!(status["adopted_certificates"][0]["same_as"][0], "mr");
    // The store's may go: the file stays, and that it is presented is said.
    let deleted = site.scene.say(&["cert", "delete", "mr"]);
    assert_eq!(deleted.exit, Some(0), "{deleted:#?}");
    assert!(
        deleted.stdout.contains("presented still, by "),
        "{deleted:#?}"
    );
    assert!(deleted.stdout.contains(&hand), "{deleted:#?}");
    assert_eq!(site.plainly(), crate::site::all("mr"));
    let status = site.scene.say(&["status"]).stdout;
    assert!(status.contains("not in the store"), "{status}");
}
