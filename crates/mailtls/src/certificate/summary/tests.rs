//! A summary says what the certificate says.

use super::*;
use crate::Certificate;
use crate::forge::{Recipe, ed25519_key, rsa_key};
use proptest::prelude::*;

/// The same fields, from the whole.
fn of(certificate: &Certificate) -> Summary {
    Summary {
        subject: certificate.subject.clone(),
        issuer: certificate.issuer.clone(),
        serial: certificate.serial.clone(),
        dns_names: certificate.dns_names.clone(),
        ip_addresses: certificate.ip_addresses.clone(),
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        key: certificate.key.clone(),
        names_itself: certificate.self_signed,
        fingerprint: certificate.fingerprint(),
    }
}

#[test]
fn it_says_the_same_as_the_whole_certificate() {
    let ca = Recipe::ca("Root").make();
    let mut kinds = vec![ca.certificate()];
    for key in [ed25519_key(), rsa_key(2048), rsa_key(1024)] {
        let mut recipe = Recipe::leaf("mx.example.com").by(&ca);
        recipe.key = key;
        recipe.dns.push("*.example.org".into());
        recipe.ip.push("192.0.2.7");
        kinds.push(recipe.make().certificate());
    }
    for certificate in kinds {
        assert_eq!(Summary::read(&certificate.der), Ok(of(&certificate)));
    }
}

#[test]
fn the_systems_certificates_and_all_bad_ones_are_read_alike() {
    let bad = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bad-certs");
    let mut seen = 0;
    for folder in std::fs::read_dir(bad).unwrap() {
        let Ok(files) = std::fs::read_dir(folder.unwrap().path()) else {
            continue;
        };
        for file in files {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let blocks = pem::blocks(&bytes).unwrap_or_default();
            let ders = blocks.iter().map(|block| block.der.to_vec()).chain([bytes]);
            for certificate in ders.filter_map(|der| Certificate::parse(&der).ok()) {
                let mut expected = of(&certificate);
                let read = Summary::read(&certificate.der).unwrap();
                // Who only calls itself its own issuer is told apart by a look at the signature.
                expected.names_itself = certificate.subject == certificate.issuer;
                assert_eq!(read, expected);
                seen += 1;
            }
        }
    }
    assert!(seen > 60, "{seen}");
}

proptest! {
    #[test]
    fn damaged_bytes_do_no_harm(at in 0usize..600, byte in any::<u8>()) {
        let mut der = Recipe::leaf("mx.example.com").make().der();
        let at = at % der.len();
        der[at] = byte;
        // An answer or an error; a panic would fail here.
        let _ = Summary::read(&der);
        let _ = Summary::read(&der[..at]);
    }
}
