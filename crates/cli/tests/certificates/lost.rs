//! Renewals that lack a name which the version in force has: nobody looks when they come, so they wait.

use crate::certbot::Certbot;
use crate::scene::Ran;
use crate::site::{Site, all, by_name};
use postseal_issue::KeyType;

const OTHER: &[&str] = &["unrelated.example"];

/// What is to be said beside a version that waits: who looks presents it all the same.
pub(crate) fn bound_to(name: &str) -> [String; 2] {
    [
        format!("`postseal cert bind {name}`"),
        "`postseal apply`".to_owned(),
    ]
}

/// Wherever a version that waits is listed stands why, and what helps, and not what does not.
pub(crate) fn tells_why(site: &Site, [bind, apply]: [String; 2], code: &str) {
    for words in [&["cert", "list"][..], &["cert", "show", "mx"], &["status"]] {
        let told = site.scene.say(words).stdout;
        assert!(told.contains(code), "{words:?}: {told}");
        // A row of the list has no room for what helps, and says where it stands.
        let helps = match words {
            ["cert", "list"] => ["`postseal cert show mx`"; 2],
            _ => [bind.as_str(), apply.as_str()],
        };
        for words in helps {
            assert!(told.contains(words), "{words}: {told}");
        }
        assert!(!told.contains("cert deploy mx` presents"), "{told}");
    }
    let checked = site.run("cert check mx").json["findings"].to_string();
    assert!(checked.contains("cert.version-waits"), "{checked}");
    assert!(checked.contains(code), "{checked}");
}

/// Message and findings, for people.
fn said(ran: &Ran) -> String {
    format!("{:#}{}", ran.json, ran.stderr)
}

#[test]
fn a_renewal_without_the_bound_names_waits_and_what_was_in_force_stays() {
    let site = Site::serving();
    let both = |name| ["www.box.test", name];
    site.import("named", KeyType::EcdsaP256, &both("alt.box.test"));
    site.must("cert bind named --sni www.box.test");
    site.must("apply");
    let wide = ["mx.box.test", "old.box.test"];
    let wide = site.make("wide", KeyType::Rsa2048, &wide);
    site.must(&format!("cert deploy mx --cert {wide}"));
    let before = site.world();
    let fewer = ["old.box.test", "alt.box.test"];
    let stranger = site.make("stranger", KeyType::Rsa2048, &fewer);
    for (name, version, asked, bind) in [
        ("mx", 3, "not for mx.box.test", "cert bind mx`"),
        (
            "named",
            2,
            "not for www.box.test",
            "cert bind named --sni www.box.test`",
        ),
    ] {
        let refused = site.ends(65, &format!("cert deploy {name} --cert {stranger}"));
        assert_eq!(refused.code(), "cert.name-mismatch");
        let told = said(&refused);
        let drop = format!("cert delete {name} --version {version}");
        for words in [asked, bind, drop.as_str(), "presented by smtpd"] {
            assert!(told.contains(words), "{words}: {told}");
        }
        let listed = site.must("cert list").to_owned_row(name);
        assert_eq!(listed["waiting"]["version"], version, "{listed:#}");
        let why = &listed["waiting"]["waits_for"][0];
        assert_eq!(why["code"], "cert.name-mismatch", "{listed:#}");
    }
    assert_eq!(site.world(), before);
    assert_eq!(site.plainly(), all("wide"));
    assert_eq!(site.shown(&by_name("www.box.test")), all("named"));
    tells_why(&site, bound_to("mx"), "cert.name-mismatch");

    // Somebody who looks may do it all the same, and a later renewal loses nothing more.
    site.must("cert bind mx");
    site.must("apply");
    assert_eq!(site.plainly(), all("stranger"));
    let next = site.make("next", KeyType::Rsa2048, &["alt.box.test"]);
    site.must(&format!("cert import mx --cert {next} --renew"));
    let deployed = site.scene.say(&["cert", "deploy", "mx"]);
    assert_eq!(deployed.exit, Some(0), "{}", deployed.stderr);
    assert!(
        deployed.stdout.contains("[cert.name-mismatch]"),
        "{}",
        deployed.stdout
    );
    assert_eq!(site.plainly(), all("next"));
}

#[test]
fn a_watched_folder_presents_no_certificate_without_the_bound_name() {
    let site = Site::serving();
    let certbot = Certbot::new(&site, "live");
    certbot.renew(&site, "mx");
    site.must(&format!("cert watch mx --dir {} --once", certbot.live()));
    certbot.make_of(&site, "stranger", KeyType::Rsa2048, OTHER);
    let refused = site.ends(65, "cert watch --once");
    let finding = &refused.json["findings"][0];
    assert_eq!(finding["code"], "cert.other-names", "{finding:#}");
    let remedy = finding["remedy"].as_str().unwrap();
    assert!(remedy.contains("`postseal cert bind mx`"), "{remedy}");
    assert_eq!(site.plainly(), all("mx"));
    assert_eq!(site.must("cert show mx").json["certificate"]["version"], 1);
    let told = site.scene.say(&["cert", "watch", "--once"]).stderr;
    assert!(told.contains("postseal cert bind mx"), "{told}");
    // Put right in the folder, it is taken.
    certbot.make(&site, "right");
    site.must("cert watch --once");
    assert_eq!(site.plainly(), all("right"));
}

/// Who publishes the record of a version that is never presented trusts a key that was refused.
#[test]
fn records_are_those_of_what_is_in_force_or_comes_to_be() {
    let site = Site::serving();
    let records = |site: &Site| {
        let ran = site.must("cert tlsa mx --mx mx.box.test --resolver none");
        let rows = ran.json["records"].as_array().unwrap().clone();
        let at = |port: u16| {
            let owner = format!("_{port}._tcp.mx.box.test.");
            let own = rows.iter().filter(|row| row["owner"] == owner.as_str());
            own.map(|row| row["record"].as_str().unwrap().to_owned())
                .collect::<Vec<String>>()
        };
        assert_eq!(at(25), at(465));
        (at(25), ran.json["waiting_version"].clone())
    };
    let (first, none) = records(&site);
    assert!(none.is_null() && !first.is_empty(), "{first:?}");
    let wrong = site.make("wrong", KeyType::Rsa2048, &["mx.old.test"]);
    site.must(&format!("cert import mx --cert {wrong} --renew"));
    assert_eq!(site.ends(65, "cert deploy mx").code(), "cert.other-names");
    assert_eq!(records(&site), (first.clone(), 2.into()));
    let said = site
        .scene
        .say(&["cert", "tlsa", "mx", "--mx", "mx.box.test"]);
    assert!(
        said.stdout.contains("; Version 2 of mx is not in force"),
        "{}",
        said.stdout
    );

    // Where somebody binds it, it comes; and what is presented until then is there, too.
    site.must("cert bind mx");
    let (both, none) = records(&site);
    assert!(none.is_null(), "{none}");
    assert_eq!(both.len(), first.len() + 1, "{both:?} {first:?}");
    site.must("discard");
    site.must("cert delete mx --version 2");
    // One that `cert deploy` presents is published before it.
    let next = site.make("next", KeyType::Rsa2048, &["mx.box.test"]);
    site.must(&format!("cert import mx --cert {next} --renew"));
    let (coming, none) = records(&site);
    assert!(none.is_null() && coming.len() > first.len(), "{coming:?}");
}

const CLIENTS: [&str; 3] = ["mx.box.test", "smtp.box.test", "imap.box.test"];

/// `mua` for mail clients, who may have been told any of its names.
fn serving_clients(key: KeyType) -> Site {
    let site = Site::serving();
    site.import("mua", key, &CLIENTS);
    site.must("cert bind mua --service 587,465");
    site.must("apply");
    site
}

fn for_clients(name: &str) -> [String; 3] {
    ["mx", name, name].map(str::to_owned)
}

/// Which names mail clients were told nobody here knows: that is said, and no reason to wait.
#[test]
fn a_name_that_only_mail_clients_use_is_told_and_deployed() {
    let site = serving_clients(KeyType::EcdsaP256);
    let less = site.make("less", KeyType::EcdsaP256, &CLIENTS[..2]);
    let deployed = site
        .scene
        .say(&["cert", "deploy", "mua", "--cert", less.as_str()]);
    assert_eq!(deployed.exit, Some(0), "{}", deployed.stderr);
    let told = &deployed.stdout;
    for words in [
        "[cert.names-gone]",
        "imap.box.test",
        "submission and submissions",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains("smtp.box.test"), "{told}");
    assert_eq!(site.plainly(), for_clients("less"));
    // The server's own name is one of them, which may well be none that a mail client was told.
    let own = site.make("own", KeyType::EcdsaP256, &CLIENTS[1..2]);
    let words = ["cert", "deploy", "mua", "--cert", own.as_str()];
    let told = site.scene.say(&words).stdout;
    assert!(told.contains("[cert.names-of-clients]"), "{told}");
    assert!(!told.contains("names-gone"), "{told}");
    site.must("rollback --yes");
    // As long as there is a way back, and no longer than the name is gone.
    let checked = || {
        let checked = site.run("cert check mua").json["findings"].clone();
        let all = checked.as_array().unwrap().clone();
        let mut gone = all.into_iter();
        gone.find(|one| one["code"] == "cert.names-gone")
    };
    let found = checked().unwrap();
    assert_eq!(found["severity"], "info", "{found:#}");
    let told = found["message"].as_str().unwrap();
    assert!(told.contains("imap.box.test"), "{told}");
    let whole = site.make("whole", KeyType::EcdsaP256, &CLIENTS);
    let deployed = site.must(&format!("cert deploy mua --cert {whole}"));
    assert!(!deployed.json.to_string().contains("names-gone"));
    assert_eq!(checked(), None);
}

/// Nobody stands before a watched folder: the same is in the journal of the service.
#[test]
fn a_name_of_mail_clients_that_a_watched_folder_drops_is_told() {
    let site = serving_clients(KeyType::EcdsaP256);
    let certbot = Certbot::new(&site, "live");
    certbot.make_of(&site, "less", KeyType::EcdsaP256, &["mx.box.test"]);
    let words = ["cert", "watch", "mua", "--dir", &certbot.live(), "--once"];
    let watched = site.scene.say(&words);
    assert_eq!(watched.exit, Some(0), "{}", watched.stderr);
    let told = &watched.stderr;
    for words in ["[cert.names-gone]", "imap.box.test and smtp.box.test"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(site.plainly(), for_clients("less"));
}

/// Who asks for a name that has a certificate of its own gets that one.
#[test]
fn a_name_that_is_bound_by_itself_is_not_gone() {
    let site = serving_clients(KeyType::EcdsaP256);
    site.import("imap", KeyType::EcdsaP256, &["imap.box.test"]);
    site.must("cert bind imap --sni imap.box.test");
    site.must("apply");
    let less = site.make("less", KeyType::EcdsaP256, &CLIENTS[..2]);
    let deployed = site.must(&format!("cert deploy mua --cert {less}"));
    assert!(!deployed.json.to_string().contains("names-gone"));
    assert_eq!(site.shown(&by_name("imap.box.test")), all("imap"));
    let checked = site.must("cert check mua").json["findings"].to_string();
    assert!(!checked.contains("names-gone"), "{checked}");
}

/// certbot 2 makes ECDSA keys where it made RSA keys before. All but very old clients take them.
#[test]
fn another_kind_of_key_is_told_and_deployed() {
    let site = serving_clients(KeyType::Rsa2048);
    let ecdsa = site.make("ecdsa", KeyType::EcdsaP256, &CLIENTS);
    let deployed = site
        .scene
        .say(&["cert", "deploy", "mua", "--cert", ecdsa.as_str()]);
    assert_eq!(deployed.exit, Some(0), "{}", deployed.stderr);
    for words in ["warning", "[cert.kind-gone]", "RSA", "beside it"] {
        assert!(
            deployed.stdout.contains(words),
            "{words}: {}",
            deployed.stdout
        );
    }
    assert_eq!(site.plainly(), for_clients("ecdsa"));
    // The other way nobody is locked out.
    let rsa = site.make("rsa", KeyType::Rsa2048, &CLIENTS);
    let words = ["cert", "deploy", "mua", "--cert", rsa.as_str()];
    let back = site.scene.say(&words).stdout;
    assert!(!back.contains("kind-gone"), "{back}");
}

/// Thunderbird does not talk to who has nothing else (docs/measured.md).
#[test]
fn a_kind_of_key_that_few_programs_take_waits() {
    let site = Site::serving();
    let odd = site.make("odd", KeyType::Ed25519, &["mx.box.test"]);
    let refused = site.ends(65, &format!("cert deploy mx --cert {odd}"));
    assert_eq!(refused.code(), "cert.kind-gone");
    assert_eq!(site.plainly(), all("mx"));
    tells_why(&site, bound_to("mx"), "cert.kind-gone");
    site.must("cert bind mx");
    let applied = site.must("apply");
    let findings = applied.json["findings"].to_string();
    assert!(findings.contains("cert.kind-gone"), "{findings}");
    assert_eq!(site.plainly(), all("odd"));
}

/// What waits is told once, with its reason; what is in force is no news, however it came there.
#[test]
fn what_waits_from_a_watched_folder_and_is_bound_by_hand_is_in_force() {
    let site = Site::serving();
    let certbot = Certbot::new(&site, "live");
    certbot.make_of(&site, "odd", KeyType::Ed25519, &["mx.box.test"]);
    site.ends(
        65,
        &format!("cert watch mx --dir {} --once", certbot.live()),
    );
    let told = || {
        let checked = site.run("cert check mx").json["findings"].to_string();
        ["cert.version-waits", "watch.not-taken"].map(|code| checked.contains(code))
    };
    assert_eq!(told(), [true, false]);
    site.must("cert bind mx");
    site.must("apply");
    assert_eq!(site.plainly(), all("odd"));
    assert_eq!(told(), [false, false]);
    let again = site.must("cert watch --once");
    assert_eq!(again.json["changed"], false);
}

trait Row {
    fn to_owned_row(&self, name: &str) -> serde_json::Value;
}

impl Row for Ran {
    /// The row of a certificate in `cert list --json`.
    fn to_owned_row(&self, name: &str) -> serde_json::Value {
        let mut rows = self.json["certificates"].as_array().unwrap().iter();
        rows.find(|row| row["name"] == name).unwrap().clone()
    }
}
