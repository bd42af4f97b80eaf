//! RSA and ECDSA side by side: every client gets the kind that it takes.

use crate::site::{Site, all, only};
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode, SslVersion};
use postseal_issue::KeyType;
use postseal_planner::report::KeyAlgorithm::{Ecdsa, Rsa};
use std::net::TcpStream;

/// The signature of a handshake by a client that takes both kinds, in this order, on port 465.
fn preferring(site: &Site, signatures: &str, newest: SslVersion) -> String {
    let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
    connector.set_verify(SslVerifyMode::NONE);
    connector.set_sigalgs_list(signatures).unwrap();
    connector.set_max_proto_version(Some(newest)).unwrap();
    let socket = TcpStream::connect(site.scene.postfix.at(465)).unwrap();
    let configured = connector.build().configure().unwrap();
    let stream = configured.connect("mx.box.test", socket).unwrap();
    let leaf = stream.ssl().peer_certificate().unwrap();
    format!("{:?}", leaf.public_key().unwrap().id())
}

#[test]
fn every_client_gets_the_kind_that_it_takes() {
    let site = Site::serving();
    site.import("ec", KeyType::EcdsaP256, &["mx.box.test"]);
    let one = site.world();
    site.must("cert bind ec");
    site.must("apply");
    assert_eq!(site.shown(&only(Rsa)), all("mx"));
    assert_eq!(site.shown(&only(Ecdsa)), all("ec"));
    let chain = site.scene.value("smtpd_tls_chain_files");
    assert_eq!(chain.split(", ").count(), 2, "{chain}");

    assert_eq!(site.plainly(), all("ec"), "who takes both prefers ECDSA");
    let ecdsa_first = "ECDSA+SHA256:rsa_pss_rsae_sha256:RSA+SHA256";
    for newest in [SslVersion::TLS1_3, SslVersion::TLS1_2] {
        assert_eq!(preferring(&site, ecdsa_first, newest), "Id(408)", "EC");
    }

    // A second one of a kind takes the place of the first; the other kind stays.
    site.import("ec2", KeyType::EcdsaP384, &["mx.box.test"]);
    site.must("cert bind ec2");
    site.must("apply");
    assert_eq!(site.shown(&only(Rsa)), all("mx"));
    assert_eq!(site.shown(&only(Ecdsa)), all("ec2"));
    let list = site.must("cert list").json;
    let used = |name: &str| {
        let mut rows = list["certificates"].as_array().unwrap().iter();
        rows.find(|row| row["name"] == name).unwrap()["used_by"].to_string()
    };
    assert_eq!(used("mx"), r#"["smtpd"]"#);
    assert_eq!(used("ec2"), r#"["smtpd"]"#);
    assert_eq!(used("ec"), "[]");

    // One kind again: a client of the other is turned away, and the bytes are those of before.
    site.must("cert unbind ec2");
    site.must("apply");
    assert_eq!(site.world().files, one.files);
    assert_eq!(site.shown(&only(Rsa)), all("mx"));
    let refused = site.shown(&only(Ecdsa));
    assert!(
        refused.iter().all(|seen| seen.starts_with("Refused")),
        "{refused:?}"
    );
}

/// A place that nothing was bound to presented what all services do.
#[test]
fn a_kind_that_a_new_place_takes_away_is_told() {
    let site = Site::serving();
    let gone = |ran: &crate::scene::Ran| -> Vec<String> {
        let findings = ran.json["findings"].as_array().unwrap().iter();
        let gone = findings.filter(|one| one["code"] == "cert.kind-gone");
        gone.map(|one| one["message"].to_string()).collect()
    };
    for name in ["ec", "m587"] {
        site.import(name, KeyType::EcdsaP256, &["mx.box.test"]);
    }
    site.must("cert bind ec");
    assert_eq!(gone(&site.must("apply")), [""; 0]);
    for (place, called) in [
        ("--service 587", "587"),
        ("--sni mx.box.test", "mx.box.test"),
    ] {
        site.must(&format!("cert bind m587 {place}"));
        let told = gone(&site.must("plan"));
        assert_eq!(told.len(), 1, "{place}: {told:?}");
        assert!(
            told[0].contains("RSA key") && told[0].contains(called),
            "{told:?}"
        );
        site.must("discard");
    }
    // With its kind beside it nobody loses anything.
    site.must("cert bind m587 --service 587");
    site.must("cert bind mx --service 587");
    assert_eq!(gone(&site.must("apply")), [""; 0]);
    let shown = site.shown(&only(Rsa));
    assert_eq!(shown, all("mx"));
}
