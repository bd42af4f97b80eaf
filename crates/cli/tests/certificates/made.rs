//! Certificates made here, and the forms in which others come.

use crate::scene::run;
use crate::site::{PORTS, Site, all};
use mailtls::Bundle;
use postseal_issue::{KeyType, LeafRequest, PrivateCa, Validity, self_signed};
use std::fs;

/// Remembers what a certificate of the store is called, so that a look can name it.
fn learn(site: &Site, name: &str) {
    let chain = site.must(&format!("cert export {name}")).json["chain"].clone();
    let bundle = Bundle::read(chain.as_str().unwrap().as_bytes(), None, None).unwrap();
    site.know(bundle.chain[0].fingerprint(), name);
}

#[test]
fn a_private_ca_issues_for_its_domains_and_its_certificates_serve() {
    let site = Site::serving();
    let ca = site.must("cert private-ca ours --permit box.test");
    assert_eq!(ca.json["findings"], serde_json::json!([]), "{}", ca.stdout);
    let outside = site.ends(65, "cert request web --domain web.example.org --ca ours");
    assert_eq!(outside.code(), "cert.not-made");
    site.must("cert request own --domain mx.box.test --ca ours");
    learn(&site, "own");
    site.must("cert bind own");
    site.must("cert unbind mx");
    site.must("apply");
    assert_eq!(site.plainly(), all("own"));
    let shown = site.must("cert show own").json["certificate"].clone();
    assert_eq!(shown["key"], "ECDSA prime256v1");
    assert_eq!(shown["issuer"], "CN=ours");

    // Renewed with the same key: the public key stays, the certificate does not.
    let old = public_key(&site, "own");
    site.must("cert request own --domain mx.box.test --ca ours --reuse-key");
    assert_eq!(public_key(&site, "own"), old);
    assert_eq!(site.must("cert show own").json["key_since_version"], 1);
    let told = site.scene.say(&["cert", "show", "own"]).stdout;
    assert!(told.contains("reused, the same since version 1"), "{told}");
    site.must("cert request own --domain mx.box.test --ca ours --renew --key-type rsa-2048");
    assert_ne!(public_key(&site, "own"), old);
    assert_eq!(site.must("cert show own").json["key_since_version"], 3);
    learn(&site, "own");
    site.must("cert deploy own");
    assert_eq!(site.plainly(), all("own"));
}

fn public_key(site: &Site, name: &str) -> String {
    let chain = site.must(&format!("cert export {name}")).json["chain"].clone();
    let path = site.scene.named("exported.pem");
    fs::write(&path, chain.as_str().unwrap()).unwrap();
    run(
        "/usr/bin/openssl",
        &["x509", "-in", &path, "-noout", "-pubkey"],
    )
}

#[test]
fn a_request_keeps_its_key_until_the_certificate_comes() {
    let site = Site::serving();
    let request = site.must("cert request web --domain mx.box.test,alt.box.test");
    let pem = request.json["request"].as_str().unwrap().to_owned();
    let path = site.scene.named("web.csr");
    fs::write(&path, &pem).unwrap();
    let said = run(
        "/usr/bin/openssl",
        &["req", "-in", &path, "-noout", "-verify", "-text"],
    );
    assert!(said.contains("DNS:mx.box.test, DNS:alt.box.test"), "{said}");
    let waiting = site.must("cert request").json;
    assert_eq!(waiting["requests"][0]["name"], "web");
    assert!(!waiting.to_string().contains("PRIVATE KEY"));

    // A CA elsewhere signs it: openssl, with a CA of the test.
    let (ca, key) = outside_ca(&site);
    let signed = site.scene.named("web.pem");
    run(
        "/usr/bin/openssl",
        &[
            "x509",
            "-req",
            "-in",
            &path,
            "-CA",
            &ca,
            "-CAkey",
            &key,
            "-CAcreateserial",
            "-days",
            "30",
            "-copy_extensions",
            "copy",
            "-out",
            &signed,
        ],
    );
    site.must(&format!(
        "cert import web --cert {signed} --private-ca {ca}"
    ));
    assert_eq!(
        site.must("cert request").json["requests"],
        serde_json::json!([])
    );
    learn(&site, "web");
    site.must("cert bind web");
    site.must("cert unbind mx");
    site.must("apply");
    assert_eq!(site.plainly(), all("web"));

    site.must("cert request gone --domain gone.box.test");
    site.must("cert request gone --forget");
    let unknown = site.ends(65, "cert request gone --forget");
    assert_eq!(unknown.code(), "name.unknown");
}

fn outside_ca(site: &Site) -> (String, String) {
    let validity: Validity = crate::site::validity();
    let ca = PrivateCa::new("A CA elsewhere", KeyType::EcdsaP256, validity).unwrap();
    let [cert, key] = ["outside.pem", "outside.key"].map(|name| site.scene.named(name));
    fs::write(&cert, ca.certificate_pem()).unwrap();
    fs::write(&key, ca.key_pem().as_bytes()).unwrap();
    (cert, key)
}

#[test]
fn a_self_signed_certificate_serves_where_it_is_accepted_in_so_many_words() {
    let site = Site::adopted();
    site.must("cert self-signed own --domain mx.box.test --key-type ed25519");
    site.must("cert bind own");
    site.must("set inbound=may");
    assert_eq!(
        site.ends(65, "apply").json["findings"][0]["code"],
        "cert.self-signed"
    );
    site.must("cert bind own --allow-self-signed");
    site.must("apply");
    learn(&site, "own");
    assert_eq!(site.looked(PORTS[0], &[Default::default()]), ["own"]);
}

#[test]
fn pkcs12_and_standard_input_are_read() {
    let site = Site::serving();
    let [cert, key] = ["ec.pem", "ec.key"].map(|name| site.scene.named(name));
    let [pfx, right, wrong] = ["ec.pfx", "right", "wrong"].map(|name| site.scene.named(name));
    run(
        "/usr/bin/openssl",
        &[
            "pkcs12",
            "-export",
            "-in",
            &cert,
            "-inkey",
            &key,
            "-out",
            &pfx,
            "-passout",
            "pass:häsli",
        ],
    );
    fs::write(&right, "häsli\n").unwrap();
    fs::write(&wrong, "hasli\n").unwrap();
    let import = format!("cert import p12 --cert {pfx}");
    assert_eq!(site.ends(65, &import).code(), "cert.password-missing");
    let refused = site.ends(65, &format!("{import} --password-file {wrong}"));
    assert_eq!(refused.code(), "cert.password-wrong");
    site.must(&format!("{import} --password-file {right}"));
    learn(&site, "p12");
    site.must("cert bind p12");
    site.must("cert unbind mx");
    site.must("apply");
    assert_eq!(site.plainly(), all("p12"));

    let both = fs::read(site.make("piped", KeyType::EcdsaP256, &["mx.box.test"])).unwrap();
    let piped = site
        .scene
        .fed(&["cert", "import", "piped", "--cert", "-"], &both);
    assert_eq!(piped.exit, Some(0), "{}", piped.stderr);
    site.must("cert bind piped");
    site.must("apply");
    assert_eq!(site.plainly(), all("piped"));
}

#[test]
fn a_key_in_the_older_encrypted_form_is_opened_and_errors_name_its_file() {
    let site = Site::adopted();
    let [cert, plain, other] = ["ec.pem", "ec.key", "rsa.key"].map(|name| site.scene.named(name));
    let [key, right, wrong] = ["old.key", "right", "wrong"].map(|name| site.scene.named(name));
    let words = format!("ec -in {plain} -aes256 -passout pass:secret -out {key}");
    run("/usr/bin/openssl", &words.split(' ').collect::<Vec<_>>());
    assert!(
        fs::read_to_string(&key)
            .unwrap()
            .contains("Proc-Type: 4,ENCRYPTED")
    );
    fs::write(&right, "secret\n").unwrap();
    fs::write(&wrong, "guess\n").unwrap();
    let import = |key: &str| format!("cert import mx --cert {cert} --key {key}");
    for (words, code, file) in [
        (import(&key), "cert.key-encrypted", &key),
        (
            format!("{} --password-file {wrong}", import(&key)),
            "cert.password-wrong",
            &key,
        ),
        (import(&other), "cert.key-mismatch", &other),
    ] {
        let refused = site.ends(65, &words);
        assert_eq!(refused.code(), code);
        let message = refused.json["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(file.as_str()), "{message}");
    }
    site.must(&format!("{} --password-file {right}", import(&key)));
}

#[test]
fn a_ca_stays_while_what_it_issued_is_presented() {
    let site = Site::serving();
    site.must("cert private-ca ours");
    site.must("cert request own --domain mx.box.test --ca ours");
    site.must("cert bind own");
    // Wished, and then in force.
    for _ in 0..2 {
        let refused = site.ends(65, "cert delete ours");
        assert_eq!(refused.code(), "cert.issuer-of-bound");
        let told = refused.json["error"]["message"].to_string();
        assert!(told.contains("own (smtpd"), "{told}");
        site.must("apply");
    }
    // A renewal by another CA is the newest one; what is in force is still of the first.
    site.must("cert private-ca next");
    site.must("cert request own --domain mx.box.test --ca next --renew");
    site.ends(65, "cert delete ours");
    site.must("cert deploy own");
    let refused = site.ends(65, "cert delete next");
    assert_eq!(refused.code(), "cert.issuer-of-bound");
    site.must("cert delete ours");
}

#[test]
fn a_ca_made_here_cannot_be_presented_and_that_is_what_is_told() {
    let site = Site::serving();
    for ca in [
        "cert private-ca ours",
        "cert private-ca mine --common-name ca.box.test",
    ] {
        let name = ca.split(' ').nth(2).unwrap();
        site.must(ca);
        let bound = site.must(&format!("cert bind {name} --service 25"));
        let codes = codes(&bound.json["findings"]);
        assert!(codes.contains(&"cert.ca-as-leaf".to_owned()), "{codes:?}");
        for wrong in ["cert.system-certificate", "cert.self-signed"] {
            assert!(!codes.contains(&wrong.to_owned()), "{codes:?}");
        }
        assert!(!bound.stdout.contains("--allow-self-signed"));
        assert_eq!(site.ends(65, "apply").code(), "cert.ca-as-leaf");
        site.must("discard");
    }
}

fn codes(findings: &serde_json::Value) -> Vec<String> {
    let findings = findings.as_array().unwrap().iter();
    let code = |finding: &serde_json::Value| finding["code"].as_str().unwrap().to_owned();
    findings.map(code).collect()
}

#[test]
fn no_certificate_outlives_the_ca_that_issues_it_here() {
    let site = Site::adopted();
    site.must("cert private-ca brief --days 10");
    let shown = |name: &str| site.must(&format!("cert show {name}")).json["certificate"].clone();
    let made = site.must("cert request leaf --domain mx.box.test --days 100 --ca brief");
    let told = codes(&made.json["findings"]);
    assert!(
        told.contains(&"cert.ends-with-its-ca".to_owned()),
        "{told:?}"
    );
    assert_eq!(shown("leaf")["not_after"], shown("brief")["not_after"]);
    let made = site.must("cert request other --domain mx.box.test --days 9 --ca brief");
    let told = codes(&made.json["findings"]);
    assert!(
        !told.contains(&"cert.ends-with-its-ca".to_owned()),
        "{told:?}"
    );

    // One made elsewhere that does is told wherever it is looked at.
    let [ca, key, csr, cert] = ["ca.crt", "ca.key", "l.csr", "l.crt"].map(|n| site.scene.named(n));
    let openssl = |words: &str| run("/usr/bin/openssl", &words.split(' ').collect::<Vec<_>>());
    openssl(&format!(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 20 -subj /CN=Short \
         -addext keyUsage=critical,keyCertSign -keyout {key} -out {ca}"
    ));
    site.must(&format!(
        "cert request far --domain mx.box.test --out {csr}"
    ));
    openssl(&format!(
        "x509 -req -in {csr} -CA {ca} -CAkey {key} -CAcreateserial -days 90 -copy_extensions copy \
         -out {cert}"
    ));
    let told = "cert.issuer-ends-sooner".to_owned();
    let came = site.must(&format!("cert import far --cert {cert} --private-ca {ca}"));
    assert!(
        codes(&came.json["findings"]).contains(&told),
        "{}",
        came.stdout
    );
    let checked = site.must("cert check far");
    assert!(codes(&checked.json["findings"]).contains(&told));
    site.must("set mode=may");
    site.must("cert bind far");
    let planned = site.must("plan").json["findings"].to_string();
    assert!(planned.contains(&told), "{planned}");
}

#[test]
fn addresses_are_shown_as_names_are_and_the_last_moment_is_a_date() {
    let site = Site::adopted();
    site.must("cert self-signed ip --domain 192.0.2.7,2001:db8::7");
    let listed = site.must("cert list").json["certificates"][0].clone();
    assert_eq!(
        listed["addresses"],
        serde_json::json!(["192.0.2.7", "2001:db8::7"])
    );
    for words in [&["cert", "list"][..], &["cert", "show", "ip"]] {
        let told = site.scene.say(words).stdout;
        assert!(told.contains("192.0.2.7 2001:db8::7"), "{told}");
    }

    // RFC 5280 §4.1.2.5: no end.
    let leaf = self_signed(&LeafRequest {
        names: vec!["mx.box.test".to_owned()],
        key_type: KeyType::EcdsaP256,
        validity: Validity {
            not_before: 0,
            not_after: 253_402_300_799,
        },
    })
    .unwrap();
    let both = site.scene.named("end.both");
    fs::write(&both, format!("{}{}", &*leaf.key_pem, leaf.cert_pem)).unwrap();
    site.must(&format!("cert import end --cert {both}"));
    let shown = site.must("cert show end").json["certificate"].clone();
    assert_eq!(shown["not_after"], "9999-12-31T23:59:59Z");
    for words in [&["cert", "list"][..], &["cert", "show", "end"]] {
        let told = site.scene.say(words).stdout;
        assert!(told.contains("9999-12-31"), "{told}");
    }
}

#[test]
fn a_key_that_went_out_is_in_the_history_with_who_and_when() {
    let site = Site::serving();
    let out = site
        .scene
        .say(&["cert", "export", "mx", "--key", "--yes-export-private-key"]);
    assert!(out.stdout.contains("PRIVATE KEY"));
    let told = "exported the private key of version 1 of certificate mx (";
    let history = site.scene.say(&["history"]).stdout;
    let row = history.lines().next().unwrap();
    assert!(row.contains(told) && row.starts_with('-'), "{history}");
    // Beside the operation that came before it, which `-n 1` leaves out.
    assert!(history.contains("kept"), "{history}");
    let one = site.scene.say(&["history", "-n", "1"]).stdout;
    assert!(one.contains(told) && !one.contains("kept"), "{one}");
    let noted = site.must("history").json["noted"].clone();
    let what = noted[0]["what"].as_str().unwrap();
    assert!(what.starts_with(told), "{noted}");
    assert!(!noted[0]["actor"].as_str().unwrap().is_empty());
    assert!(!noted.to_string().contains("PRIVATE KEY"));
}
