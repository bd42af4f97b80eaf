//! What is refused, where, and with which words; nothing is changed by it.

use crate::scene::Ran;
use crate::site::{Site, all};
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::extension::{ExtendedKeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use postseal_issue::KeyType;
use std::fs;

/// Message and findings, for people.
fn said(ran: &Ran) -> String {
    format!("{:#}{}", ran.json, ran.stderr)
}

#[test]
fn what_is_bound_is_not_deleted() {
    let site = Site::serving();
    let before = site.world();
    site.import("mua", KeyType::EcdsaP256, &["mx.box.test", "imap.box.test"]);
    site.must("cert bind mua --service 587");
    site.must("cert bind mua --sni imap.box.test");
    site.must("apply");
    site.must("cert bind mua --client");
    let ran = site.ends(65, "cert delete mua");
    assert_eq!(ran.code(), "cert.bound", "{ran:#?}");
    for place in [
        "smtpd on port 587",
        "smtpd for imap.box.test",
        "smtp client (pending)",
    ] {
        assert!(said(&ran).contains(place), "{place}: {ran:#?}");
    }
    assert_eq!(site.ends(65, "cert delete mx").code(), "cert.bound");
    // Unbound, but still in force until apply.
    site.must("cert unbind mua");
    let ran = site.ends(65, "cert delete mua");
    assert_eq!(ran.code(), "cert.bound");
    assert!(said(&ran).contains("`postseal apply` first"), "{ran:#?}");
    site.must("apply");
    site.must("cert delete mua");
    site.ends(65, "cert show mua");
    site.must("verify");
    // No key of it is left, in the map of names neither; and so there is no way back to it.
    assert_eq!(site.world(), before);
    let ran = site.scene.run(&["rollback"]);
    assert_ne!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(site.world(), before);
    site.must("verify");
}

#[test]
fn the_last_certificate_is_not_taken_away_while_tls_is_on() {
    let site = Site::serving();
    let before = site.world();
    let ran = site.ends(65, "cert unbind mx");
    assert_eq!(ran.code(), "level.no-certificate", "{ran:#?}");
    assert!(said(&ran).contains("cert bind"), "{ran:#?}");
    assert_eq!(
        site.must("plan").json["pending"],
        false,
        "nothing was stored"
    );
    assert_eq!(site.world(), before);
    assert_eq!(site.plainly(), all("mx"));
    // TLS off in the same change: that is another matter.
    site.must("set mode=off submission=off smtps=off");
    site.must("cert unbind mx");
    site.must("apply");
    assert!(!site.main_cf().contains("postseal.d"));
}

#[test]
fn words_that_name_nothing() {
    let site = Site::serving();
    let before = site.world();
    for name in [
        "192.0.2.1",
        "*.box.test",
        "mail_.box..test",
        "-.",
        ".",
        "a b",
        "mail.box.test/x",
        "a=b",
    ] {
        let option = format!("--sni={name}");
        let ran = site.scene.run(&["cert", "bind", "mx", &option]);
        assert_eq!(ran.code(), "cert.bad-server-name", "{name}: {ran:#?}");
        assert_ne!(ran.exit, Some(0));
    }
    for service in ["imap", "0", "65536", "-25", "25x"] {
        let option = format!("--service={service}");
        let ran = site.scene.run(&["cert", "bind", "mx", &option]);
        assert_eq!(ran.code(), "cert.bad-service", "{service}: {ran:#?}");
    }
    // Half of a list is not taken.
    let ran = site
        .scene
        .run(&["cert", "bind", "mx", "--service", "587,imap"]);
    assert_eq!(ran.code(), "cert.bad-service");
    // Contradictions are the command line's.
    for words in [
        "cert bind mx --client --sni mx.box.test",
        "cert bind mx --service 25 --client",
        "cert bind mx --service 25 --sni mx.box.test",
        "cert bind mx --transport relay",
    ] {
        site.ends(64, words);
    }
    site.ends(65, "cert bind nobody");
    site.ends(65, "cert unbind nobody");
    let ran = site.ends(65, "cert unbind mx --service 465");
    assert!(said(&ran).contains("port 465"), "{ran:#?}");
    assert_eq!(site.must("plan").json["pending"], false);
    assert_eq!(site.world(), before);
}

#[test]
fn bindings_that_cannot_serve() {
    let site = Site::serving();
    let before = site.world();
    let refused = |bind: &str, code: &str, word: &str| {
        site.must(bind);
        let ran = site.ends(65, "apply");
        assert_eq!(ran.code(), code, "{bind}: {ran:#?}");
        assert!(said(&ran).contains(word), "{bind}: {ran:#?}");
        site.must("discard");
    };
    refused(
        "cert bind mx --client --transport nowhere",
        "cert.unknown-transport",
        "relay",
    );
    let path = server_only(&site);
    site.scene
        .must(&["cert", "import", "serveronly", "--cert", &path]);
    refused(
        "cert bind serveronly --client",
        "cert.no-client-auth",
        "clientAuth",
    );
    assert_eq!(site.world(), before);
}

/// A certificate for servers only, which the product's own CA does not make.
fn server_only(site: &Site) -> String {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "mx.box.test").unwrap();
    let name = name.build();
    let mut cert = X509::builder().unwrap();
    cert.set_version(2).unwrap();
    cert.set_subject_name(&name).unwrap();
    cert.set_issuer_name(&name).unwrap();
    cert.set_pubkey(&key).unwrap();
    let at = |days| Asn1Time::days_from_now(days).unwrap();
    cert.set_not_before(&at(0)).unwrap();
    cert.set_not_after(&at(30)).unwrap();
    let usage = ExtendedKeyUsage::new().server_auth().build().unwrap();
    cert.append_extension(usage).unwrap();
    let names = SubjectAlternativeName::new()
        .dns("mx.box.test")
        .build(&cert.x509v3_context(None, None))
        .unwrap();
    cert.append_extension(names).unwrap();
    cert.sign(&key, MessageDigest::sha256()).unwrap();
    let mut pem = key.private_key_to_pem_pkcs8().unwrap();
    pem.extend(cert.build().to_pem().unwrap());
    let path = site.scene.named("serveronly.pem");
    fs::write(&path, pem).unwrap();
    path
}

/// Of three files the one is named that it is about.
#[test]
fn a_file_that_cannot_be_read_is_named() {
    let site = Site::adopted();
    let good = site.make("good", KeyType::EcdsaP256, &["mx.box.test"]);
    let text = fs::read_to_string(&good).unwrap();
    let [empty, text_file, cut] = ["empty", "text", "cut"].map(|name| site.scene.named(name));
    fs::write(&empty, "").unwrap();
    fs::write(&text_file, "hello\n").unwrap();
    fs::write(&cut, &text[..text.len() - 100]).unwrap();
    for (words, file, code) in [
        (format!("--cert {empty}"), &empty, "cert.empty"),
        (format!("--cert {cut}"), &cut, "cert.truncated"),
        (format!("--cert {good} --key {empty}"), &empty, "cert.empty"),
        (
            format!("--cert {good} --chain {text_file}"),
            &text_file,
            "cert.not-pem",
        ),
    ] {
        let ran = site.ends(65, &format!("cert import x {words}"));
        assert_eq!(ran.code(), code);
        assert!(
            said(&ran).contains(&format!("{file}: ")),
            "{words}: {ran:#?}"
        );
    }
}

/// What is left when the memory fails is a way back, and that Postfix does not need it.
#[test]
fn a_store_that_cannot_be_read_is_told_with_what_helps() {
    let site = Site::serving();
    let database = format!("{}/agent.db", site.scene.named("store"));
    fs::write(database, "not a database, and longer than a page").unwrap();
    let ran = site.scene.say(&["cert", "list"]);
    assert_eq!(ran.exit, Some(1));
    assert!(ran.stderr.contains("[store.failed]"), "{}", ran.stderr);
    assert!(ran.stderr.contains("backup"), "{}", ran.stderr);
}
