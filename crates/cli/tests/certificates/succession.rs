//! What nobody looks at: renewals that ACME clients hand in, and by which something would be lost.

use crate::certbot::Certbot;
use crate::lost::{bound_to, tells_why};
use crate::scene::run;
use crate::site::{Site, all, by_name, validity};
use postseal_issue::{KeyType, Validity};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const OF_CLIENTS: &[&str] = &["mail.box.test", "imap.box.test"];

/// certbot and dehydrated run their hook for every certificate that they have renewed.
#[test]
fn another_certificate_that_a_hook_hands_in_is_not_taken() {
    let site = Site::serving();
    site.import("sub", KeyType::EcdsaP256, OF_CLIENTS);
    site.must("cert bind sub --service 587,465");
    site.must("apply");
    let before = site.world();
    let shop = Certbot::new(&site, "www.shop.test");
    shop.make_of(&site, "shop", KeyType::EcdsaP256, &["www.shop.test"]);
    for name in ["sub", "mx"] {
        let words = format!("cert deploy {name} --dir {}", shop.live());
        let refused = site.ends(65, &words);
        assert_eq!(refused.code(), "cert.other-names");
        let shown = site.must(&format!("cert show {name}")).json;
        assert_eq!(shown["certificate"]["version"], 1, "{shown:#}");
    }
    assert_eq!(site.world(), before);
    let served = ["mx", "sub", "sub"].map(str::to_owned);
    assert_eq!(site.plainly(), served);

    // Said by hand it enters the store, and waits; the right one is not held up by it.
    site.must(&format!("cert import sub --renew --dir {}", shop.live()));
    let waits = site.ends(65, "cert deploy sub");
    assert_eq!(waits.code(), "cert.other-names");
    assert_eq!(site.plainly(), served);
    let right = Certbot::new(&site, "mail.box.test");
    right.make_of(&site, "right", KeyType::EcdsaP256, OF_CLIENTS);
    site.must(&format!("cert deploy sub --dir {}", right.live()));
    assert_eq!(site.plainly(), ["mx", "right", "right"].map(str::to_owned));
}

#[test]
fn a_renewal_that_ends_first_waits_for_somebody_who_looks() {
    let site = Site::serving();
    let now = validity();
    let short = Validity {
        not_after: now.not_before + 6 * 86_400,
        ..now
    };
    let short = site.make_valid("short", KeyType::Rsa2048, &["mx.box.test"], short);
    let refused = site.ends(65, &format!("cert deploy mx --cert {short}"));
    assert_eq!(refused.code(), "cert.ends-sooner");
    assert_eq!(site.plainly(), all("mx"));
    tells_why(&site, bound_to("mx"), "cert.ends-sooner");
    // What is said there is what helps.
    site.must("cert bind mx");
    site.must("apply");
    assert_eq!(site.plainly(), all("short"));
    site.must("cert deploy mx");
}

/// What comes without its intermediate is told so, and the same certificate with it is taken.
#[test]
fn the_whole_chain_takes_the_place_of_half_of_it() {
    let site = Site::adopted();
    let folder = |name: &str| site.scene.named(name);
    let key_and = |name: &str, chain: &[&str]| {
        let mut parts = vec![format!("{name}.key"), format!("{name}.pem")];
        parts.extend(chain.iter().copied().map(str::to_owned));
        let text: String = parts
            .iter()
            .map(|part| fs::read_to_string(folder(part.as_str())).unwrap())
            .collect();
        let path = folder(&format!("{name}-{}.both", chain.len()));
        fs::write(&path, text).unwrap();
        path
    };
    let made = ["old", "new"].map(|name| two_steps(&site, name));
    let [whole, half, repaired] = [
        key_and("old", &["inter.pem"]),
        key_and("new", &[]),
        key_and("new", &["inter.pem"]),
    ];
    let root = folder("root.pem");
    site.must(&format!(
        "cert import mx --cert {whole} --private-ca {root}"
    ));
    site.must("cert bind mx");
    site.must("set mode=may submission=on smtps=on");
    site.must("apply");
    let refused = site.ends(65, &format!("cert deploy mx --cert {half}"));
    assert_eq!(refused.code(), "cert.chain-incomplete");
    assert_eq!(site.plainly(), all(&made[0]));
    site.must(&format!("cert deploy mx --cert {repaired}"));
    assert_eq!(site.plainly(), all(&made[1]));
    let checked = site.must("cert check").json["findings"].to_string();
    assert_eq!(checked, "[]");
}

/// The remedy of what is told helps, in the store and on the wire: one leaf, under one name.
#[test]
fn a_missing_intermediate_is_added_to_what_is_in_force() {
    let site = Site::adopted();
    let file = |name: &str| site.scene.named(name);
    two_steps(&site, "own");
    let [cert, key, chain, root] = ["own.pem", "own.key", "inter.pem", "root.pem"].map(file);
    let exported = || certificates_in(&site.must("cert export mx").json["chain"].to_string());
    let bare = format!("cert import mx --cert {cert} --key {key}");
    let told = site.must(&bare).json["findings"].to_string();
    assert!(told.contains("chain-incomplete"), "{told}");
    site.must("cert bind mx");
    site.must("cert bind mx --sni mx.box.test");
    site.must("set mode=may submission=on smtps=on");
    site.must("apply");
    let served = |ask| presented(&site, ask);
    assert_eq!([served("mx.box.test"), served("other.box.test")], [1, 1]);

    // No renewal: the name is not said anew, and the private CA is no reason to drop the chain.
    let whole = format!("{bare} --chain {chain} --private-ca {root}");
    let added = site.must(&whole).json.to_string();
    assert!(added.contains("cert deploy mx"), "{added}");
    assert!(!added.contains("chain-incomplete"), "{added}");
    assert_eq!(exported(), 2);
    assert_eq!(site.must("cert show mx").json["certificate"]["version"], 1);
    // Less than what is known changes nothing.
    site.must(&bare);
    assert_eq!(exported(), 2);
    site.must("cert deploy mx");
    assert_eq!([served("mx.box.test"), served("other.box.test")], [2, 2]);
    assert_eq!(site.must("cert check").json["findings"].to_string(), "[]");
    assert_eq!(site.must("drift").json["findings"].to_string(), "[]");
}

/// A hook that hands in the whole chain of what is in force presents it.
#[test]
fn the_whole_chain_is_deployed_over_half_of_it() {
    let site = Site::adopted();
    let file = |name: &str| site.scene.named(name);
    two_steps(&site, "own");
    let [cert, key, chain] = ["own.pem", "own.key", "inter.pem"].map(file);
    site.must(&format!("cert import mx --cert {cert} --key {key}"));
    site.must("cert bind mx");
    site.must("set mode=may submission=on smtps=on");
    site.must("apply");
    let deploy = format!("cert deploy mx --cert {cert} --chain {chain}");
    let deployed = site.must(&deploy).json;
    let installed = site.world().installed.into_iter();
    let installed = installed.map(|path| certificates_in(&fs::read_to_string(path).unwrap()));
    assert_eq!(installed.collect::<Vec<_>>(), [2], "{deployed:#}");
    assert_eq!(site.plainly(), all("own"));
}

/// How many certificates a client is shown on port 465 that asks for a name.
pub(crate) fn presented(site: &Site, name: &str) -> usize {
    let address = site.scene.postfix.at(465).to_string();
    let shown = Command::new("/usr/bin/openssl")
        .args(["s_client", "-showcerts", "-connect", &address])
        .args(["-servername", name])
        .stdin(Stdio::null())
        .output();
    certificates_in(&String::from_utf8(shown.unwrap().stdout).unwrap())
}

fn certificates_in(text: &str) -> usize {
    text.matches("BEGIN CERTIFICATE").count()
}

/// `NAME.pem` and its key, issued by `inter.pem`, which `root.pem` has issued.
pub(crate) fn two_steps(site: &Site, name: &str) -> String {
    let at = |file: &str| site.scene.named(file);
    let openssl = |words: String| {
        run("/usr/bin/openssl", &words.split(' ').collect::<Vec<_>>());
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    let [root, inter] = ["root", "inter"].map(|ca| [format!("{ca}.key"), format!("{ca}.pem")]);
    if !Path::new(&at(&root[1])).exists() {
        openssl(format!(
            "req -x509 {key} -days 3650 -keyout {} -out {} -subj /CN=Root",
            at(&root[0]),
            at(&root[1])
        ));
        openssl(format!(
            "req -x509 {key} -days 2000 -keyout {} -out {} -subj /CN=Inter -CA {} -CAkey {}",
            at(&inter[0]),
            at(&inter[1]),
            at(&root[1]),
            at(&root[0])
        ));
    }
    let [own, cert] = [at(&format!("{name}.key")), at(&format!("{name}.pem"))];
    openssl(format!(
        "req -x509 {key} -days 90 -keyout {own} -out {cert} -subj /CN=mx.box.test -CA {} -CAkey {} \
         -addext subjectAltName=DNS:mx.box.test -addext basicConstraints=critical,CA:FALSE",
        at(&inter[1]),
        at(&inter[0])
    ));
    let pem = fs::read(&cert).unwrap();
    let leaf = mailtls::pem_certificates(&pem).unwrap();
    site.know(leaf[0].fingerprint(), name);
    name.to_owned()
}

/// What is told of a version that can never be deployed is what `cert deploy` says.
#[test]
fn a_version_of_the_wrong_kind_is_told_with_its_reason() {
    let site = Site::serving();
    site.import("ec", KeyType::EcdsaP256, &["mx.box.test"]);
    site.must("cert bind ec");
    site.must("apply");
    let wrong = site.make("wrong", KeyType::EcdsaP256, &["mx.box.test"]);
    site.must(&format!("cert import mx --cert {wrong} --renew"));
    let list = site.scene.say(&["cert", "list"]).stdout;
    assert!(list.contains("[cert.two-of-a-kind]"), "{list}");
    assert!(!list.contains("cert deploy mx` presents"), "{list}");
    assert_eq!(site.ends(65, "cert deploy mx").code(), "cert.two-of-a-kind");
}

/// Who went back to an older version is told so until the newest is presented.
#[test]
fn a_newer_version_than_the_one_in_force_is_told_by_check() {
    let site = Site::serving();
    let waits = |site: &Site| {
        let findings = site.must("cert check").json["findings"].clone();
        let mut findings = findings.as_array().unwrap().clone();
        findings.retain(|one| one["code"] == "cert.version-waits");
        findings
    };
    let next = site.make("next", KeyType::Rsa2048, &["mx.box.test"]);
    site.must(&format!("cert deploy mx --cert {next}"));
    assert!(waits(&site).is_empty());
    site.must("rollback --yes");
    let told = waits(&site);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0]["severity"], "warning", "{told:#?}");
    let remedy = told[0]["remedy"].as_str().unwrap();
    assert!(remedy.contains("`postseal cert deploy mx`"), "{remedy}");
    site.must("cert deploy mx");
    assert!(waits(&site).is_empty());
    assert_eq!(site.shown(&by_name("mx.box.test")), all("next"));
}

/// What is older than a version that waits: no command is named that would refuse it.
#[test]
fn an_older_version_beside_one_that_waits_is_told_why_that_waits() {
    let site = Site::serving();
    let now = validity();
    let short = Validity {
        not_after: now.not_before + 6 * 86_400,
        ..now
    };
    let first = site.scene.named("mx.both");
    let second = site.make("second", KeyType::Rsa2048, &["mx.box.test"]);
    let short = site.make_valid("short", KeyType::Rsa2048, &["mx.box.test"], short);
    site.must(&format!("cert deploy mx --cert {second}"));
    site.ends(65, &format!("cert deploy mx --cert {short}"));
    let refused = site.ends(65, &format!("cert deploy mx --cert {first}"));
    assert_eq!(refused.code(), "cert.older-version");
    let told = refused.json["findings"][0]["remedy"].as_str().unwrap();
    assert!(
        told.contains("Version 3 waits: The newer version ends on "),
        "{told}"
    );
    assert!(told.contains("cert delete mx --version 3"), "{told}");
    assert!(!told.contains("cert deploy"), "{told}");
    assert_eq!(site.plainly(), all("second"));
}
