//! Certificates in lines of main.cf that the store does not hold: `cert check` judges all of them that
//! `lint` does, with the same weight, and says what is lost where one of them comes back.

use crate::scene::Ran;
use crate::site::{Site, builder};
use postseal_issue::{KeyType, Validity};
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

const MAIN: &str = "smtpd_tls_security_level = may\n";

/// Codes of certificates, each with its severity; evidence of a finding is beside it in `lint`.
fn told(ran: &Ran) -> BTreeMap<String, String> {
    let findings = ran.json["findings"].as_array().unwrap().iter();
    let text = |one: &serde_json::Value, field: &str| one[field].as_str().unwrap().to_owned();
    let all = findings.map(|one| (text(one, "code"), text(one, "severity")));
    all.filter(|(code, _)| code.starts_with("cert.")).collect()
}

/// These lines at the end of main.cf, in the place of those before.
fn write(site: &Site, lines: &str) {
    site.scene.edit("main.cf", |text| {
        let own = text.find(MAIN).unwrap_or(text.len());
        format!("{}{MAIN}{lines}", &text[..own])
    });
}

/// What `cert check` says of these lines: it has the code, with the weight that `lint` gives it, and
/// all that `lint` has.
fn is_told(site: &Site, lines: &str, code: &str, severity: &str) {
    write(site, lines);
    let exit = i32::from(severity == "error") * 2;
    let checked = told(&site.ends(exit, "cert check"));
    assert_eq!(
        checked.get(code).map(String::as_str),
        Some(severity),
        "{checked:#?}"
    );
    let linted = told(&site.scene.run(&["lint"]));
    for (code, severity) in &linted {
        assert_eq!(checked.get(code), Some(severity), "{code}: {checked:#?}");
    }
    let status = site.must("status").json["adopted_certificates"].to_string();
    assert!(status.contains(code), "{status}");
}

/// Key and certificates of what was made, each in a file of its own.
fn parts(site: &Site, name: &str) -> [String; 2] {
    let text = fs::read_to_string(site.scene.named(&format!("{name}.both"))).unwrap();
    let (key, chain) = text.split_at(text.find("-----BEGIN CERTIFICATE").unwrap());
    let files = ["key", "crt"].map(|end| site.scene.named(&format!("{name}.{end}")));
    for (file, text) in files.iter().zip([key, chain]) {
        fs::write(file, text).unwrap();
        fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
    }
    files
}

fn pair([key, cert]: &[String; 2]) -> String {
    format!("smtpd_tls_cert_file = {cert}\nsmtpd_tls_key_file = {key}\n")
}

fn chain(files: &[&str]) -> String {
    format!("smtpd_tls_chain_files = {}\n", files.join(", "))
}

#[test]
fn whatever_is_wrong_with_a_certificate_of_ones_own_is_told_as_lint_tells_it() {
    let site = Site::of(builder());
    let names = ["mx.box.test"];
    let good = site.make("good", KeyType::Rsa2048, &names);
    is_told(&site, &chain(&[&good]), "cert.chain-incomplete", "warning");
    let other = site.make("other", KeyType::EcdsaP256, &["www.elsewhere.test"]);
    is_told(&site, &chain(&[&other]), "cert.name-mismatch", "warning");
    let now = crate::site::validity().not_before;
    let soon = Validity {
        not_before: now - 87 * 86_400,
        not_after: now + 3 * 86_400,
    };
    let soon = site.make_valid("soon", KeyType::EcdsaP256, &names, soon);
    is_told(&site, &chain(&[&soon]), "cert.expiring", "error");
    // Two files that are a chain only together.
    let [key, cert] = parts(&site, "good");
    write(&site, &chain(&[&key, &cert]));
    let checked = told(&site.must("cert check"));
    assert_eq!(
        checked.keys().collect::<Vec<_>>(),
        ["cert.chain-incomplete"]
    );
    let told = site.scene.say(&["cert", "check"]).stdout;
    assert!(told.contains(&format!("behind it in {cert}")), "{told}");
}

#[test]
fn files_that_postfix_cannot_use_and_keys_that_others_can_read_are_told() {
    let site = Site::of(builder());
    let names = ["mx.box.test"];
    let good = site.make("good", KeyType::Rsa2048, &names);
    let files = parts(&site, "good");
    let [key, cert] = &files;
    site.make("stranger", KeyType::Rsa2048, &names);
    let [strange, _] = parts(&site, "stranger");
    let crossed = [strange, cert.clone()];
    is_told(&site, &pair(&crossed), "cert.key-mismatch", "error");
    is_told(&site, &chain(&[cert]), "cert.key-missing", "error");
    is_told(
        &site,
        &chain(&[&good, "/none.pem"]),
        "cert.missing",
        "error",
    );
    let told = site.scene.say(&["cert", "check"]).stdout;
    assert!(told.contains("/none.pem:\n"), "{told}");
    is_told(
        &site,
        &pair(&["/gone.key".to_owned(), cert.clone()]),
        "cert.missing",
        "error",
    );
    let told = site.scene.say(&["cert", "check"]).stdout;
    assert!(told.contains("/gone.key\n"), "{told}");
    fs::set_permissions(key, Permissions::from_mode(0o644)).unwrap();
    is_told(&site, &pair(&files), "cert.key-readable", "error");
    fs::set_permissions(key, Permissions::from_mode(0o640)).unwrap();
    is_told(&site, &pair(&files), "cert.key-readable", "info");
    let told = site.scene.say(&["status"]).stdout;
    assert!(told.contains(key.as_str()), "{told}");
}

/// Of several files, the one that has to be changed: the key's, where it is of another certificate, and
/// the second of two that have keys of one kind.
#[test]
fn of_two_keys_the_one_that_is_at_fault_is_named() {
    let site = Site::of(builder());
    let names = ["mx.box.test"];
    let [good, second, ecdsa] = [
        ("good", KeyType::Rsa2048),
        ("second", KeyType::Rsa2048),
        ("ecdsa", KeyType::EcdsaP256),
    ]
    .map(|(name, kind)| site.make(name, kind, &names));
    let [_, cert] = parts(&site, "good");
    let [strange, _] = parts(&site, "second");
    let crossed = site.scene.named("crossed");
    let text = [&strange, &cert].map(|part| fs::read_to_string(part).unwrap());
    crate::scene::write_private(&crossed, text.concat());
    let is_named = |lines: &str, code: &str, at: &str, row: &str| {
        is_told(&site, lines, code, "error");
        let told = site.scene.say(&["cert", "check"]).stdout;
        assert!(told.contains(&format!("{row}:\n")), "{told}");
        assert!(told.contains(at), "{told}");
        let linted = site.scene.run(&["lint"]).json["findings"].to_string();
        assert!(linted.contains(&format!("\"{at}: ")), "{linted}");
    };
    let of_a_kind = chain(&[&ecdsa, &good, &second]);
    is_named(&of_a_kind, "cert.two-of-a-kind", &second, &second);
    let strange_key = chain(&[&ecdsa, &crossed]);
    is_named(&strange_key, "cert.key-mismatch", &crossed, &crossed);
    let apart = chain(&[&ecdsa, &strange, &cert]);
    is_named(&apart, "cert.key-mismatch", &strange, &strange);
    let crossed = pair(&[strange.clone(), cert.clone()]);
    is_named(&crossed, "cert.key-mismatch", &strange, &cert);
}

/// A relative path begins in queue_directory, where smtpd(8) finds it.
#[test]
fn a_file_that_is_named_by_a_relative_path_is_judged() {
    let site = Site::of(builder());
    let names = ["mx.box.test"];
    let good = site.make("good", KeyType::EcdsaP256, &names);
    let queue = site.scene.postfix.queue_directory();
    fs::create_dir(queue.join("tls")).unwrap();
    fs::copy(&good, queue.join("tls/mx.pem")).unwrap();
    let relative = chain(&["tls/mx.pem"]);
    is_told(&site, &relative, "cert.chain-incomplete", "warning");
    let told = site.scene.say(&["cert", "check"]).stdout;
    assert!(told.contains("tls/mx.pem:\n"), "{told}");
    is_told(&site, &chain(&["tls/gone.pem"]), "cert.missing", "error");
}

/// What was said at an import of who vouches is true of the same certificate in a file of one's own.
#[test]
fn the_private_ca_of_an_import_vouches_for_the_file_too() {
    let site = Site::of(builder());
    let good = site.make("good", KeyType::EcdsaP256, &["mx.box.test"]);
    is_told(&site, &chain(&[&good]), "cert.chain-incomplete", "warning");
    let root = site.root();
    site.must(&format!("cert import mx --cert {good} --private-ca {root}"));
    let checked = told(&site.must("cert check"));
    assert!(checked.is_empty(), "{checked:#?}");
}

/// What was adopted may be what `apply` would refuse, though Postfix can use it: that is told with the wish.
#[test]
fn what_comes_back_and_would_be_refused_is_told_when_its_binding_goes() {
    let site = Site::of(builder());
    site.must("cert self-signed own --domain mx.box.test");
    let words = ["cert", "export", "own", "--key", "--yes-export-private-key"];
    let own = site.scene.named("own.pem");
    crate::scene::write_private(&own, site.scene.say(&words).stdout);
    write(&site, &(chain(&[&own]) + "smtpd_tls_auth_only = yes\n"));
    site.must("drift --adopt");
    site.import("mx", KeyType::Rsa2048, &["mx.box.test"]);
    site.must("cert bind mx");
    site.must("set inbound=encrypt");
    site.must("apply");
    let unbound = site.must("cert unbind mx").json["findings"].to_string();
    assert!(unbound.contains("cert.adopted-again"), "{unbound}");
    assert!(unbound.contains("cert.self-signed"), "{unbound}");
    assert_eq!(site.ends(65, "apply").code(), "cert.self-signed");
}

/// What was adopted comes back where the last binding goes: where it cannot be used, that is told at once.
#[test]
fn an_adopted_file_that_is_gone_is_told_when_its_binding_goes() {
    let site = Site::of(builder());
    let own = site.make("own", KeyType::Rsa2048, &["mx.box.test"]);
    let [key, cert] = parts(&site, "own");
    // Beside chain files Postfix ignores the others.
    write(&site, &(chain(&[&own]) + &pair(&[key, cert.clone()])));
    site.must("drift --adopt");
    site.import("mx", KeyType::Rsa2048, &["mx.box.test"]);
    site.must("cert bind mx");
    site.must("apply");
    let unbound = || {
        let finding = site.must("cert unbind mx").json["findings"][0].clone();
        site.must("discard");
        assert_eq!(finding["code"], "cert.adopted-again");
        let severity = finding["severity"].as_str().unwrap().to_owned();
        (severity, finding["message"].as_str().unwrap().to_owned())
    };
    let (severity, message) = unbound();
    assert_eq!(severity, "info");
    assert_eq!(message.matches(&own).count(), 1, "{message}");
    assert!(!message.contains(&cert), "{message}");
    fs::remove_file(&own).unwrap();
    let (severity, message) = unbound();
    assert_eq!(severity, "warning");
    assert!(message.contains("`apply` will refuse it"), "{message}");
}
