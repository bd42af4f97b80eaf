//! A certificate by a request: made and downloaded here, signed elsewhere, its answer pasted; with scripts and without.

use crate::browser::{DESK, Window};
use crate::person::{come_in, sign_in_again, until_it_says};
use crate::scene::run;
use crate::site::Site;
use std::fs;

/// Signs it as a CA does, for the names that it asks for; the certificate, and the CA's.
fn signed(site: &Site, request: &str) -> (String, String) {
    let [csr, key, ca, cert] =
        ["asked.csr", "signer.key", "signer.pem", "asked.pem"].map(|name| site.scene.named(name));
    fs::write(&csr, request).unwrap();
    let root = format!(
        "req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {ca} -days 30 -subj /CN=Signer \
         -addext keyUsage=keyCertSign"
    );
    let leaf = format!(
        "x509 -req -in {csr} -CA {ca} -CAkey {key} -days 20 -copy_extensions copy -out {cert}"
    );
    for words in [root, leaf] {
        run("/usr/bin/openssl", &words.split(' ').collect::<Vec<_>>());
    }
    (fs::read_to_string(cert).unwrap(), ca)
}

#[test]
fn a_request_is_downloaded_signed_elsewhere_and_its_answer_pasted() {
    let site = Site::up();
    let mut browser = come_in(&site);
    for (name, script) in [("scripted", true), ("plain", false)] {
        sign_in_again(&mut browser, Window { script, ..DESK });
        browser.go("/certificates/new");
        browser.write("request-name", name);
        browser.write("request-domains", "mx.box.test");
        browser.press("Make the request");
        browser.until("✓ done");
        until_it_says(&mut browser, "/certificates", "Download the request");
        let request = browser.download("Download the request");
        assert!(request.contains("BEGIN CERTIFICATE REQUEST"), "{request}");

        let (answer, ca) = signed(&site, &request);
        browser.go(&format!("/certificates/new?name={name}"));
        browser.unfold();
        browser.write("cert_text", &answer);
        browser.upload("private_ca", &ca);
        browser.press("Import");
        browser.until("✓ done");
        let path = format!("/certificates/one?name={name}");
        let said = until_it_says(&mut browser, &path, "sealed in the store");
        assert!(said.contains("CN=Signer"), "{said}");
        until_it_says(&mut browser, &path, "✓ yes, it is for");
        let listed = site.local(&["cert", "request"]);
        assert_eq!(listed.json["requests"], serde_json::json!([]), "{listed:?}");

        // And it goes, as it came.
        browser.go(&path);
        browser.unfold();
        browser.press("Delete it from the store");
        browser.until("✓ done");
    }
}
