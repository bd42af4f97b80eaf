//! Words that people meet first: a certificate as `openssl req -x509` makes it, one of very many
//! names, a PKCS#12 file without its password, names below a domain, wishes that wait.

use crate::scene::{Ran, run};
use crate::site::Site;
use postseal_issue::KeyType;

const OPENSSL: &str = "/usr/bin/openssl";

/// The codes of what is found, each once.
fn codes(ran: &Ran) -> Vec<String> {
    let findings = ran.json["findings"].as_array().unwrap();
    let mut codes: Vec<String> = findings
        .iter()
        .map(|finding| match finding["finding"].is_object() {
            true => &finding["finding"],
            false => finding,
        })
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect();
    codes.sort();
    codes.dedup();
    codes
}

/// `openssl req -x509`, as everybody types it: CA:TRUE, its own issuer, and meant for a server.
fn plain(site: &Site, name: &str, subject: &str) -> [String; 2] {
    let [key, cert] = ["key", "crt"].map(|end| site.scene.named(&format!("{name}.{end}")));
    let words = format!("req -x509 -newkey rsa:2048 -nodes -days 300 -keyout {key} -out {cert}");
    let mut words: Vec<&str> = words.split(' ').collect();
    words.extend(["-subj", subject]);
    run(OPENSSL, &words);
    [key, cert]
}

#[test]
fn the_commonest_certificate_of_a_test_server_is_told_alike_everywhere() {
    let site = Site::adopted();
    let [key, cert] = plain(&site, "plain", "/CN=mx.box.test");
    let told = [
        "cert.ca-as-leaf",
        "cert.no-alternative-name",
        "cert.self-signed",
    ];
    let imported = site.must(&format!("cert import plain --cert {cert} --key {key}"));
    assert_eq!(codes(&imported), told);
    assert_eq!(codes(&site.ends(2, "cert check")), told);
    assert_eq!(codes(&site.must("cert show plain")), told);
    site.must("cert bind plain");
    site.must("set inbound=may");
    let refused = site.ends(65, "plan");
    assert_eq!(refused.code(), "cert.self-signed", "{refused:#?}");
    site.must("discard");

    // A CA that issues is none of that, until somebody wants to present it.
    let [key, cert] = plain(&site, "own", "/CN=Our own CA");
    site.must("cert delete plain");
    site.must("cert private-ca made");
    let imported = site.must(&format!("cert import own --cert {cert} --key {key}"));
    assert_eq!(codes(&imported), ["cert.ca-as-leaf"]);
    let daily = site.must("cert check --fail-on warning");
    assert_eq!(codes(&daily), ["cert.ca-as-leaf"], "told, and no alarm");
    site.must("cert bind own");
    assert_eq!(codes(&site.ends(2, "cert check own")), told);
    site.must("set inbound=may");
    assert_eq!(site.ends(65, "apply").code(), "cert.self-signed");
}

#[test]
fn a_certificate_of_very_many_names_fits_into_a_line() {
    let site = Site::adopted();
    let names: Vec<String> = (0..2000).map(|n| format!("host{n}.box.test")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    site.import("many", KeyType::EcdsaP256, &names);
    for words in [&["cert", "list"][..], &["status"]] {
        let told = site.scene.say(words).stdout;
        let line = told.lines().find(|line| line.starts_with("many")).unwrap();
        assert!(
            line.len() < 250 && line.contains("host4.box.test and 1995 more"),
            "{line}"
        );
    }
    let shown = site.scene.say(&["cert", "show", "many"]).stdout;
    assert!(shown.contains("host99.box.test and 1900 more"), "{shown}");
    let all = site.must("cert list").json;
    assert_eq!(
        all["certificates"][0]["names"].as_array().unwrap().len(),
        2000
    );
}

#[test]
fn a_pkcs12_file_without_its_password_says_where_that_goes() {
    let site = Site::adopted();
    let [key, cert] = plain(&site, "bag", "/CN=mx.box.test");
    let bag = site.scene.named("bag.p12");
    let words = format!("pkcs12 -export -in {cert} -inkey {key} -out {bag} -passout pass:secret");
    run(OPENSSL, &words.split(' ').collect::<Vec<_>>());
    let ran = site.scene.say(&["cert", "import", "bag", "--cert", &bag]);
    assert!(ran.stderr.contains("[cert.password-missing]"), "{ran:#?}");
    let way = format!("--cert {bag} --password-file FILE");
    assert!(ran.stderr.contains(&way), "{ran:#?}");
    let bytes = std::fs::read(&bag).unwrap();
    let fed = site
        .scene
        .fed(&["cert", "import", "bag", "--cert", "-"], &bytes);
    let hint = fed.json["error"]["hint"].to_string();
    assert!(hint.contains("--cert - --password-file FILE"), "{hint}");
    let file = site.scene.named("password");
    std::fs::write(&file, "another").unwrap();
    let words = [
        "cert",
        "import",
        "bag",
        "--cert",
        &bag,
        "--password-file",
        &file,
    ];
    let ran = site.scene.say(&words);
    assert!(
        ran.stderr
            .contains(&format!("{bag}: the password is wrong")),
        "{ran:#?}"
    );
    std::fs::write(&file, "secret\n").unwrap();
    assert_eq!(site.scene.say(&words).exit, Some(0));
}

#[test]
fn names_below_a_domain_and_wishes_are_told_as_what_they_are() {
    let site = Site::serving();
    site.import("below", KeyType::Rsa2048, &["*.guests.test"]);
    site.must("cert bind below --sni .guests.test");
    let status = site.scene.say(&["status"]).stdout;
    let waits = "  certificate (smtpd for .guests.test) = below (";
    let line = status.lines().find(|line| line.starts_with(waits)).unwrap();
    assert!(line.ends_with("(in force: none of the store)"), "{line}");
    let applied = site.scene.say(&["apply", "--yes"]).stdout;
    assert!(
        applied.contains("ask for a name below guests.test (as any.guests.test)"),
        "{applied}"
    );
    site.must("cert unbind below");
    let status = site.scene.say(&["status"]).stdout;
    assert!(
        status.contains("(smtpd for .guests.test) = none of the store (in force: below ("),
        "{status}"
    );
}
