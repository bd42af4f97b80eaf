//! What is told of certificates on the timer and where they are bound: those that the store does not
//! hold, those of the client, those that a handshake has no room for.

use crate::scene::run;
use crate::site::{Site, builder, validity};
use postseal_issue::{KeyType, Validity};
use serde_json::Value;

fn told(findings: &Value, code: &str) -> Vec<String> {
    let here = findings.as_array().unwrap().iter();
    let here = here.filter(|one| one["code"] == code);
    here.map(|one| one["severity"].as_str().unwrap().to_owned())
        .collect()
}

/// So many days of life, so many of them left.
fn lives(days: i64, left: i64) -> Validity {
    let now = validity().not_before;
    Validity {
        not_before: now - (days - left) * 86_400,
        not_after: now + left * 86_400,
    }
}

/// `cert check` and `status --nagios` go by the share of the lifetime, both alike.
#[test]
fn a_monitor_is_told_when_cert_check_is() {
    let site = Site::serving();
    for (days, left, exit, warned) in [(6, 5, 0, 0), (90, 25, 1, 1), (90, 40, 0, 0), (90, 5, 2, 1)]
    {
        let name = format!("life{days}x{left}");
        let file = site.make_valid(&name, KeyType::Rsa2048, &["mx.box.test"], lives(days, left));
        site.must(&format!("cert import {name} --cert {file}"));
        site.must(&format!("cert bind {name}"));
        site.must("apply");
        let nagios = site.scene.say(&["status", "--nagios"]);
        assert_eq!(nagios.exit, Some(exit), "{days}, {left}: {}", nagios.stdout);
        let checked = site.run(&format!("cert check {name}")).json;
        let expiring = told(&checked["findings"], "cert.expiring");
        assert_eq!(expiring.len(), warned, "{days}, {left}: {checked}");
    }
}

/// Lines of the administrator's own, adopted: the store knows nothing of their files.
#[test]
fn a_certificate_that_was_adopted_is_told_before_it_ends() {
    let site = Site::of(builder());
    let file = site.make_valid("own", KeyType::Rsa2048, &["mx.box.test"], lives(90, 3));
    let lines = format!("smtpd_tls_chain_files = {file}\nsmtpd_tls_security_level = may\n");
    site.scene.edit("main.cf", |text| text + &lines);
    site.must("drift --adopt");
    run("/usr/sbin/postfix", &["-c", &site.scene.config(), "reload"]);
    let checked = site.ends(2, "cert check");
    assert_eq!(told(&checked.json["findings"], "cert.expiring"), ["error"]);
    let status = site.scene.say(&["status"]).stdout;
    assert!(
        status.contains(&file) && status.contains("cert.expiring"),
        "{status}"
    );
    let nagios = site.scene.say(&["status", "--nagios"]);
    assert_eq!(nagios.exit, Some(2), "{}", nagios.stdout);
    assert!(
        nagios.stdout.contains(&format!("{file} ends in")),
        "{}",
        nagios.stdout
    );
    // Taken into the store it is looked after there, and once.
    site.must(&format!("cert import own --cert {file}"));
    site.must("cert bind own");
    site.must("apply");
    let status = site.must("status").json;
    assert_eq!(status["adopted_certificates"], serde_json::json!([]));
    let unbound = site.must("cert unbind own");
    let findings = unbound.json["findings"].to_string();
    assert!(
        findings.contains("cert.adopted-again") && findings.contains(&file),
        "{findings}"
    );
}

#[test]
fn a_certificate_for_clients_is_no_error_where_the_client_presents_it() {
    let site = Site::serving();
    let [key, cert] = ["me.key", "me.pem"].map(|name| site.scene.named(name));
    let words = format!(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -keyout {key} \
         -out {cert} -subj /CN=me -addext subjectAltName=DNS:mx.box.test -addext \
         extendedKeyUsage=clientAuth"
    );
    run("/usr/bin/openssl", &words.split(' ').collect::<Vec<_>>());
    let imported = site.must(&format!("cert import me --cert {cert} --key {key}"));
    let code = "cert.no-server-auth";
    assert_eq!(told(&imported.json["findings"], code), ["info"]);
    assert!(imported.json["findings"].to_string().contains("--client"));
    site.must("cert bind me --client");
    for words in ["cert check me", "apply", "cert check me", "status"] {
        let told = site.run(words);
        assert!(!told.stdout.contains(code), "{words}: {}", told.stdout);
    }
    // Of a server's it is an error as ever.
    site.must("cert bind me");
    assert_eq!(
        told(&site.ends(2, "cert check me").json["findings"], code),
        ["error"]
    );
}

/// Its key and names are in order; OpenSSL's clients give up on its size.
#[test]
fn a_certificate_that_is_too_long_for_a_handshake_is_told_from_import_to_plan() {
    let site = Site::serving();
    let names: Vec<String> = (0..10_000).map(|n| format!("h{n}.example.com")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.push("mx.box.test");
    let file = site.make("long", KeyType::EcdsaP256, &names);
    let code = "cert.too-long";
    let imported = site.must(&format!("cert import long --cert {file}"));
    assert_eq!(told(&imported.json["findings"], code), ["error"]);
    assert_eq!(
        told(&site.ends(2, "cert check long").json["findings"], code),
        ["error"]
    );
    let bound = site.must("cert bind long");
    assert_eq!(
        told(&bound.json["findings"], code),
        ["error"],
        "{}",
        bound.stdout
    );
    assert_eq!(site.ends(65, "plan").code(), code);
}

/// What a CA left out, and what nobody asks this server for, is told when it comes.
#[test]
fn names_that_are_missing_are_told_at_import() {
    let site = Site::serving();
    let file = site.make("web", KeyType::EcdsaP256, &["www.elsewhere.test"]);
    let words = format!("cert import web --cert {file} --resolver none");
    assert_eq!(
        told(&site.must(&words).json["findings"], "cert.for-others"),
        ["info"]
    );
    assert_eq!(
        told(&site.must(&words).json["findings"], "cert.for-others"),
        [""; 0]
    );

    site.must("cert private-ca ours");
    let csr = site.scene.named("rz.csr");
    site.must(&format!(
        "cert request rz --domain mx.box.test,mail.box.test --out {csr}"
    ));
    let [key, cert] = ["ca.key", "rz.pem"].map(|name| site.scene.named(name));
    let made = format!(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {key} -out {cert}.ca \
         -subj /CN=Their_CA"
    );
    run("/usr/bin/openssl", &made.split(' ').collect::<Vec<_>>());
    let ext = site.scene.named("rz.ext");
    std::fs::write(&ext, "subjectAltName=DNS:mx.box.test\n").unwrap();
    let signed = format!(
        "x509 -req -in {csr} -CA {cert}.ca -CAkey {key} -days 60 -out {cert} -extfile {ext}"
    );
    run("/usr/bin/openssl", &signed.split(' ').collect::<Vec<_>>());
    let imported = site.must(&format!("cert import rz --cert {cert}"));
    assert_eq!(
        told(&imported.json["findings"], "cert.names-missing"),
        ["warning"]
    );
    assert!(
        imported.stdout.contains("mail.box.test"),
        "{}",
        imported.stdout
    );
}

/// What a system made for itself is as grave to `lint` as to `cert check`, `status` and a monitor: good
/// enough where TLS is optional, an error where mail programs demand it.
#[test]
fn a_certificate_of_the_system_is_as_grave_wherever_it_is_told() {
    let site = Site::of(builder());
    let (cert, key) = (site.scene.named("own.pem"), site.scene.named("own.key"));
    let made = "req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=mx.box.test -addext subjectAltName=DNS:mx.box.test";
    let mut words: Vec<&str> = made.split(' ').collect();
    words.extend(["-keyout", &key, "-out", &cert]);
    run("/usr/bin/openssl", &words);
    let files = format!("smtpd_tls_cert_file = {cert}\nsmtpd_tls_key_file = {key}\n");
    site.scene.edit("main.cf", |text| text + &files);
    let code = "cert.system-certificate";
    for (level, severity, exit) in [("may", "warning", 0), ("encrypt", "error", 2)] {
        let line = format!("smtpd_tls_security_level = {level}\n");
        site.scene.edit("main.cf", |text| text + &line);
        run("/usr/sbin/postfix", &["-c", &site.scene.config(), "reload"]);
        site.must("drift --adopt");
        let config = site.scene.config();
        let linted = site.run(&format!("lint {config}")).json;
        assert_eq!(told(&linted["findings"], code), [severity], "{linted:#}");
        let checked = site.run("cert check").json;
        assert_eq!(told(&checked["findings"], code), [severity]);
        let status = site.scene.say(&["status"]).stdout;
        assert!(status.contains(&format!("{severity}: ")), "{status}");
        let nagios = site.scene.say(&["status", "--nagios"]);
        assert_eq!(nagios.exit, Some(exit), "{}", nagios.stdout);
        assert_eq!(nagios.stdout.contains("nobody can verify"), exit == 2);
    }
}

/// What an administrator's own map of names presents, and what the SMTP client does: both are looked
/// after, each for those who see it.
#[test]
fn certificates_by_name_and_of_the_client_are_judged_where_they_are_the_administrators() {
    let site = Site::of(builder());
    let all = site.make("all", KeyType::Rsa2048, &["mx.box.test"]);
    let named = site.make("named", KeyType::Rsa2048, &["other.box.test"]);
    let good = site.make("good", KeyType::Rsa2048, &["good.box.test"]);
    let late = site.make_valid("late", KeyType::Rsa2048, &["mx.box.test"], lives(90, 3));
    let map = site.scene.named("names");
    let rows = format!("web.box.test {named}\ngood.box.test {good}\n");
    std::fs::write(&map, rows).unwrap();
    let table = format!("hash:{map}");
    run(
        "/usr/sbin/postmap",
        &["-c", &site.scene.config(), "-F", &table],
    );
    let lines = format!(
        "smtpd_tls_chain_files = {all}\nsmtpd_tls_security_level = may\n\
         tls_server_sni_maps = {table}\nsmtp_tls_security_level = may\nsmtp_tls_chain_files = {late}\n"
    );
    site.scene.edit("main.cf", |text| text + &lines);
    run("/usr/sbin/postfix", &["-c", &site.scene.config(), "reload"]);
    site.must("drift --adopt");
    let checked = site.run("cert check").json;
    let of = |file: &str, code: &str| {
        let findings = checked["findings"].as_array().unwrap().iter();
        let here = findings.filter(|one| one["certificate"] == file && one["code"] == code);
        here.map(|one| one["message"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let mismatch = of(&named, "cert.name-mismatch");
    assert!(mismatch[0].contains("not for web.box.test"), "{checked:#}");
    assert_eq!(of(&good, "cert.name-mismatch"), [""; 0]);
    assert_eq!(of(&late, "cert.expiring").len(), 1, "{checked:#}");
    // Who vouches for it, and its names, are nothing to a server that asks for it.
    assert_eq!(of(&late, "cert.chain-incomplete"), [""; 0]);
    let status = site.scene.say(&["status"]).stdout;
    assert!(status.contains("for web.box.test"), "{status}");
    assert!(status.contains("the SMTP client"), "{status}");
}
