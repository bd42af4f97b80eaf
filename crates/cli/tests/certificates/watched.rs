//! Folders of ACME clients, watched: what is renewed there is on the wire, what is not in order
//! stays out, and one trouble is no other's.

use crate::certbot::Certbot;
use crate::keeper::Keeper;
use crate::site::{Site, all, validity};
use postseal_issue::{KeyType, Validity};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

/// Serving `mx`, which the certbot folder holds too.
fn serving() -> (Site, Certbot) {
    let site = Site::serving();
    let certbot = Certbot::new(&site, "live");
    certbot.renew(&site, "mx");
    (site, certbot)
}

#[test]
fn one_look_takes_what_is_new_and_nothing_twice() {
    let (site, certbot) = serving();
    let watch = format!("cert watch mx --dir {} --once", certbot.live());
    let first = site.must(&watch);
    assert_eq!(first.json["changed"], false, "it was in force already");
    let shown = site.must("cert show mx").json["watched"].clone();
    assert_eq!(shown, certbot.live().as_str());
    certbot.make(&site, "renewed");
    let second = site.must("cert watch --once");
    assert_eq!(second.json["renewed"][0]["certificate"], "mx");
    assert_eq!(site.plainly(), all("renewed"));
    let third = site.must("cert watch mx --once");
    assert_eq!(third.json["changed"], false);

    // What an administrator does with it later stands.
    site.must("rollback --yes");
    assert_eq!(site.plainly(), all("mx"));
    assert_eq!(site.must("cert watch --once").json["changed"], false);
    assert_eq!(site.plainly(), all("mx"));

    // An older certificate is no renewal: the folder was restored from a backup.
    certbot.make_older(&site, "ancient");
    let older = site.ends(65, "cert watch --once");
    assert_eq!(older.json["findings"][0]["code"], "watch.older");

    let remedy = older.json["findings"][0]["remedy"].as_str().unwrap();
    let deploy = format!("`postseal cert deploy mx --dir {}`", certbot.live());
    assert!(remedy.contains(&deploy), "{remedy}");

    site.must("cert watch mx --forget");
    assert_eq!(site.ends(64, "cert watch --once").code(), "watch.nothing");
    assert_eq!(
        site.ends(65, "cert watch mx --forget").code(),
        "name.unknown"
    );
}

#[test]
fn a_renewal_is_on_the_wire_by_itself_and_half_of_one_is_waited_out() {
    let (site, certbot) = serving();
    site.must(&format!("cert watch mx --dir {} --once", certbot.live()));
    let mut keeper = Keeper::start(&site, &["cert", "watch"]);
    keeper.hears("watching");
    certbot.make(&site, "renewed");
    keeper.hears("renewed and in force");
    assert_eq!(site.plainly(), all("renewed"));

    // In place, the certificate before its key, the key cut in two first.
    certbot.write_in_halves(&site, "again", || {
        assert_eq!(site.plainly(), all("renewed"));
    });
    keeper.hears("renewed and in force");
    assert_eq!(site.plainly(), all("again"));

    // Gone, and back with another one.
    certbot.vanish();
    let back = Certbot::new(&site, "live");
    back.make(&site, "back");
    keeper.hears("renewed and in force");
    assert_eq!(site.plainly(), all("back"));
    assert_eq!(keeper.ends(), Some(0));
}

#[test]
fn postfix_that_is_down_and_a_lock_that_is_held_are_waited_for() {
    let (site, certbot) = serving();
    site.must(&format!("cert watch mx --dir {} --once", certbot.live()));
    site.scene.postfix.stop().unwrap();
    certbot.make(&site, "renewed");
    let down = site.must("cert watch --once");
    assert_eq!(down.json["changed"], true, "{}", down.stderr);
    site.scene.postfix.start().unwrap();
    assert_eq!(site.plainly(), all("renewed"));

    certbot.make(&site, "next");
    site.must("set loglevel.inbound=1");
    site.must("apply --confirm-within 5m");
    let held = site.ends(75, "cert watch --once");
    let code = held.json["findings"][0]["code"].clone();
    assert_eq!(code, "operation.awaiting-confirmation", "{}", held.stdout);
    assert_eq!(site.plainly(), all("renewed"));
    site.must("confirm");
    site.must("cert watch --once");
    assert_eq!(site.plainly(), all("next"));
}

#[test]
fn one_bad_folder_holds_back_no_other() {
    let (site, certbot) = serving();
    site.import("alt", KeyType::EcdsaP256, &["alt.box.test"]);
    site.must("cert bind alt --sni alt.box.test");
    site.must("apply");
    let bad = site.scene.named("bad");
    fs::create_dir(&bad).unwrap();
    fs::write(format!("{bad}/fullchain.pem"), "not a certificate").unwrap();
    fs::write(format!("{bad}/privkey.pem"), "not a key").unwrap();
    let seen = site.ends(65, &format!("cert watch alt --dir {bad} --once"));
    assert_eq!(seen.json["findings"][0]["certificate"], "alt");
    let watch = format!("cert watch mx --dir {} --once", certbot.live());
    site.must(&watch);
    certbot.make(&site, "renewed");
    let both = site.ends(65, "cert watch --once");
    assert_eq!(both.json["renewed"][0]["certificate"], "mx");
    assert_eq!(both.json["findings"][0]["certificate"], "alt");
    assert_eq!(site.plainly(), all("renewed"));
}

#[test]
fn a_renewal_that_cannot_be_presented_leaves_the_old_one_and_is_told() {
    let (site, certbot) = serving();
    site.must(&format!("cert watch mx --dir {} --once", certbot.live()));
    certbot.make(&site, "good");
    site.scene.edit("main.cf", |text| {
        text + "tls_server_sni_maps = hash:/nonexistent/sni\n"
    });
    let failed = site.run("cert watch --once");
    assert_ne!(failed.exit, Some(0), "{}", failed.stdout);
    let told = failed.json["findings"][0]["code"]
        .as_str()
        .unwrap_or_default();
    assert!(!told.is_empty(), "{}", failed.stdout);
    site.scene.edit("main.cf", |text| {
        text.replace("tls_server_sni_maps = hash:/nonexistent/sni\n", "")
    });
    assert_eq!(site.plainly(), all("mx"));
    site.must("cert watch --once");
    assert_eq!(site.plainly(), all("good"));
}

#[test]
fn told_to_end_in_the_middle_it_ends_and_nothing_is_half_done() {
    let (site, certbot) = serving();
    site.must(&format!("cert watch mx --dir {} --once", certbot.live()));
    let before = site.world();
    let mut keeper = Keeper::start(&site, &["cert", "watch", "--verbose"]);
    keeper.hears("watching");
    certbot.make(&site, "renewed");
    keeper.hears("rehearsing");
    assert_eq!(keeper.ends(), Some(0));
    assert_eq!(site.world().files, before.files);
    assert_eq!(site.plainly(), all("mx"));
    site.must("cert watch --once");
    assert_eq!(site.plainly(), all("renewed"));
}

#[test]
fn a_version_that_is_not_the_newest_is_not_passed_over_in_silence() {
    let (site, certbot) = serving();
    // What lies there is in force: nothing to say, also while a newer version waits.
    let newer = site.make("newer", KeyType::Rsa2048, &["mx.box.test"]);
    let words = ["cert", "import", "mx", "--cert", newer.as_str(), "--renew"];
    let told = site.scene.say(&words).stdout;
    let way = "still: `postseal cert deploy mx` presents this one.";
    assert!(told.contains(way), "{told}");
    let watch = format!("cert watch mx --dir {} --once", certbot.live());
    assert_eq!(site.must(&watch).json["findings"], serde_json::json!([]));
    // Superseded: it is not taken, and that is told at each run, and by the check.
    site.must("cert deploy mx");
    let refused = site.ends(65, &watch);
    let finding = &refused.json["findings"][0];
    assert_eq!(finding["code"], "cert.older-version", "{finding}");
    let told = site.scene.say(&["cert", "watch", "mx", "--once"]);
    assert_eq!(told.exit, Some(65), "{}", told.stderr);
    assert!(
        told.stderr.contains("cert.older-version"),
        "{}",
        told.stderr
    );
    let checked = site.must("cert check mx").json["findings"].to_string();
    assert!(checked.contains("cert.older-version"), "{checked}");
    assert_eq!(site.plainly(), all("newer"));
    certbot.make(&site, "newest");
    site.must("cert watch --once");
    assert_eq!(site.plainly(), all("newest"));
}

#[test]
fn what_needs_somebody_is_not_told_as_if_it_passed() {
    let (site, certbot) = serving();
    site.must(&format!("cert watch mx --dir {} --once", certbot.live()));
    certbot.make_of(&site, "stranger", KeyType::Rsa2048, &["unrelated.example"]);
    let told = |exit| {
        let finding = site.ends(exit, "cert watch --once").json["findings"][0].clone();
        let text = site.scene.say(&["cert", "watch", "--once"]).stderr;
        (finding["passes"].clone(), text)
    };
    // Twice: what was refused before is refused again, as loud.
    for _ in 0..2 {
        let (passes, text) = told(65);
        assert_eq!(passes, false);
        assert!(text.contains("somebody has to look"), "{text}");
        assert!(!text.contains("tries again"), "{text}");
    }
    certbot.make(&site, "renewed");
    site.must("set loglevel.inbound=1");
    site.must("apply --confirm-within 5m");
    let (passes, text) = told(75);
    assert_eq!(passes, true);
    assert!(text.contains("the next run tries again"), "{text}");
    site.must("confirm");
    site.must("cert watch --once");
    assert_eq!(site.plainly(), all("renewed"));
}

fn watch_codes(findings: &Value) -> Vec<&str> {
    let all = findings.as_array().unwrap().iter();
    let codes = all.filter_map(|finding| finding["code"].as_str());
    codes
        .filter(|code| {
            code.starts_with("watch.") || code.starts_with("layout.") || *code == "cert.missing"
        })
        .collect()
}

#[test]
fn what_everyone_can_write_is_not_taken_and_a_stuck_watch_is_told_by_check() {
    let (site, certbot) = serving();
    site.must(&format!("cert watch mx --dir {} --once", certbot.live()));
    let checked = |exit| {
        let ran = site.ends(exit, "cert check mx");
        watch_codes(&ran.json["findings"]).join(" ")
    };
    assert_eq!(checked(0), "");

    // The folder, the folder that the links lead to, and a file in it.
    certbot.make(&site, "renewed");
    let live = certbot.live();
    let key = certbot.archive().join("privkey-renewed.pem");
    for (path, open, shut) in [
        (Path::new(&live), 0o777, 0o755),
        (certbot.archive(), 0o777, 0o755),
        (key.as_path(), 0o666, 0o600),
    ] {
        fs::set_permissions(path, Permissions::from_mode(open)).unwrap();
        let refused = site.ends(65, "cert watch --once");
        assert_eq!(watch_codes(&refused.json["findings"]), ["watch.writable"]);
        let message = refused.json["findings"][0]["message"].to_string();
        assert!(message.contains(&path.display().to_string()), "{message}");
        assert_eq!(checked(2), "watch.writable");
        fs::set_permissions(path, Permissions::from_mode(shut)).unwrap();
    }
    assert_eq!(site.plainly(), all("mx"));

    // In order, but nobody takes it; and a folder that an ACME client's own user has.
    assert_eq!(checked(0), "watch.not-taken");
    chown(&key, Some(65_534), None).unwrap();
    site.must("cert watch --once");
    assert_eq!(site.plainly(), all("renewed"));
    assert_eq!(checked(0), "watch.owner");
    certbot.vanish();
    assert_eq!(checked(2), "cert.missing");
}

/// A folder that was put back from a backup: what it has is no renewal, and what is named helps.
#[test]
fn what_began_and_ends_before_is_no_renewal_and_does_not_become_the_newest_version() {
    let (site, certbot) = serving();
    let watch = format!("cert watch mx --dir {} --once", certbot.live());
    site.must(&watch);
    let now = validity().not_before;
    let ended = Validity {
        not_before: now - 60 * 86_400,
        not_after: now + 30 * 86_400,
    };
    site.make_valid("backup", KeyType::Rsa2048, &["mx.box.test"], ended);
    certbot.renew(&site, "backup");
    let refused = site.ends(65, &watch);
    let finding = &refused.json["findings"][0];
    assert_eq!(finding["code"], "watch.older");
    let remedy = finding["remedy"].as_str().unwrap().to_owned();
    assert!(!remedy.contains("cert deploy"), "{remedy}");
    // A hook that hands it in gets no further.
    let handed = site.ends(65, &format!("cert deploy mx --dir {}", certbot.live()));
    assert_eq!(handed.code(), "cert.older-version");
    assert_eq!(site.must("cert show mx").json["certificate"]["version"], 1);
    assert_eq!(site.plainly(), all("mx"));
    // What the remedy says is done by hand.
    let import = format!("cert import mx --renew --dir {}", certbot.live());
    assert!(remedy.contains(&import), "{remedy}");
    for words in [import.as_str(), "cert bind mx", "apply"] {
        site.must(words);
    }
    assert_eq!(site.plainly(), all("backup"));
    site.must(&watch);
}
