//! A certificate as `openssl req -x509` makes it: import, check and plan tell the same of it.

use crate::scene::{Ran, run};
use crate::site::Site;

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
    assert_eq!(codes(&imported), [""; 0]);
    assert_eq!(codes(&site.must("cert check")), [""; 0]);
    site.must("cert bind own");
    assert_eq!(codes(&site.ends(2, "cert check own")), told);
    site.must("set inbound=may");
    assert_eq!(site.ends(65, "apply").code(), "cert.self-signed");
}
