//! Requests that wait for a CA: their keys are lost by nothing but a word.

use crate::scene::run;
use crate::site::Site;
use postseal_issue::{KeyType, PrivateCa};
use std::fs;

fn waiting(site: &Site) -> Vec<String> {
    let requests = site.must("cert request").json["requests"].clone();
    let names = requests.as_array().unwrap().iter();
    names
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}

/// What a CA elsewhere answers to a request.
fn answered(site: &Site, request: &str) -> String {
    let ca = PrivateCa::new("Elsewhere", KeyType::EcdsaP256, crate::site::validity()).unwrap();
    let [ca_file, key, cert] = ["far.pem", "far.key", "answer.pem"].map(|n| site.scene.named(n));
    fs::write(&ca_file, ca.certificate_pem()).unwrap();
    fs::write(&key, ca.key_pem().as_bytes()).unwrap();
    let words = format!(
        "x509 -req -in {request} -CA {ca_file} -CAkey {key} -CAcreateserial -days 30 \
         -copy_extensions copy -out {cert}"
    );
    run("/usr/bin/openssl", &words.split(' ').collect::<Vec<_>>());
    cert
}

#[test]
fn a_second_request_is_refused_and_the_first_ones_answer_still_fits() {
    let site = Site::adopted();
    let [out, again, third] = ["web.csr", "again.csr", "third.csr"].map(|n| site.scene.named(n));
    site.must(&format!(
        "cert request web --domain mx.box.test --out {out}"
    ));
    for words in [
        "cert request web --domain mx.box.test".to_owned(),
        format!("cert request web --domain other.box.test --key-type rsa-2048 --out {third}"),
    ] {
        let refused = site.ends(65, &words);
        assert_eq!(refused.code(), "cert.request-waits", "{words}");
        let told = format!("{:#}", refused.json);
        for way in [
            "mx.box.test",
            "cert import web --cert",
            "cert request web --forget",
        ] {
            assert!(told.contains(way), "{way}: {told}");
        }
    }
    assert!(fs::metadata(&third).is_err());
    // Its file can be had again.
    site.must(&format!("cert request web --out {again}"));
    assert_eq!(fs::read(&out).unwrap(), fs::read(&again).unwrap());

    // Another certificate under the name is no answer to it.
    site.import("web", KeyType::EcdsaP256, &["mx.box.test"]);
    assert_eq!(waiting(&site), ["web"]);
    site.must("cert self-signed web --domain mx.box.test --renew");
    assert_eq!(waiting(&site), ["web"]);
    let answer = answered(&site, &out);
    site.must(&format!("cert import web --cert {answer} --renew"));
    assert!(waiting(&site).is_empty());

    // And then another may be made; a file that is there keeps it from being made.
    let taken = site.ends(
        65,
        &format!("cert request web --domain mx.box.test --out {out}"),
    );
    assert_eq!(taken.code(), "file.not-written");
    assert!(waiting(&site).is_empty());
    site.must("cert request web --domain mx.box.test");
    site.must("cert request web --forget");
    site.must("cert request web --domain mx.box.test");
}
