//! Every form of a key, encrypted ones and unusable ones.

use super::*;
use crate::forge::{Recipe, chain, ec_key, ed25519_key, rsa_key};
use openssl::dsa::Dsa;
use openssl::symm::Cipher;

fn code(bytes: &[u8]) -> &'static str {
    PrivateKey::parse(bytes).map_or_else(|error| error.code(), |_| "ok")
}

/// Every form of a key, as OpenSSL's commands write it.
fn forms(key: &PKey<Private>) -> Vec<Vec<u8>> {
    let mut forms = vec![
        key.private_key_to_pem_pkcs8().unwrap(),
        key.private_key_to_pkcs8().unwrap(),
    ];
    if let Ok(rsa) = key.rsa() {
        forms.extend([
            rsa.private_key_to_pem().unwrap(),
            rsa.private_key_to_der().unwrap(),
        ]);
    }
    if let Ok(ec) = key.ec_key() {
        let sec1 = ec.private_key_to_pem().unwrap();
        let parameters =
            b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
        forms.push([parameters.as_slice(), &sec1].concat());
        forms.extend([sec1, ec.private_key_to_der().unwrap()]);
    }
    forms
}

#[test]
fn every_form_of_a_key_becomes_the_same_pkcs8_pem() {
    for key in [rsa_key(2048), ec_key(), ed25519_key()] {
        let expected = key.private_key_to_pem_pkcs8().unwrap();
        for form in forms(&key) {
            let parsed = PrivateKey::parse(&form).unwrap();
            assert_eq!(*parsed.to_pem().unwrap(), expected);
        }
    }
}

#[test]
fn an_ed25519_key_in_pkcs8_version_2_becomes_version_1() {
    let key = ed25519_key();
    let seed = key.raw_private_key().unwrap();
    let public = key.raw_public_key().unwrap();
    let start = b"\x30\x51\x02\x01\x01\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    let version_2 = [&start[..], &seed, b"\x81\x21\x00", &public].concat();
    let parsed = PrivateKey::parse(&version_2).unwrap();
    let expected = key.private_key_to_pem_pkcs8().unwrap();
    assert_eq!(*parsed.to_pem().unwrap(), expected);
}

#[test]
fn encrypted_keys_are_recognised_in_every_form_and_nobody_is_asked() {
    let (key, cipher) = (rsa_key(2048), Cipher::aes_128_cbc());
    let traditional = key
        .rsa()
        .unwrap()
        .private_key_to_pem_passphrase(cipher, b"x");
    for encrypted in [
        key.private_key_to_pem_pkcs8_passphrase(cipher, b"x")
            .unwrap(),
        key.private_key_to_pkcs8_passphrase(cipher, b"x").unwrap(),
        traditional.unwrap(),
    ] {
        assert_eq!(code(&encrypted), "cert.key-encrypted");
    }
}

#[test]
fn what_is_no_usable_key_is_refused_by_its_own_code() {
    let dsa = PKey::from_dsa(Dsa::generate(1024).unwrap()).unwrap();
    let x25519 = PKey::generate_x25519().unwrap();
    let (one, other) = (ec_key(), ec_key());
    let pem = |key: &PKey<Private>| key.private_key_to_pem_pkcs8().unwrap();
    let openssh = b"-----BEGIN OPENSSH PRIVATE KEY-----\nAQID\n-----END OPENSSH PRIVATE KEY-----\n";
    let damaged = b"-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----\n";
    for (bytes, expected) in [
        (pem(&dsa), "cert.key-unusable"),
        (pem(&x25519), "cert.key-unusable"),
        (openssh.to_vec(), "cert.key-unusable"),
        (damaged.to_vec(), "cert.damaged"),
        (Recipe::leaf("a.example").make().pem(), "cert.key-missing"),
        ([pem(&one), pem(&other)].concat(), "cert.two-keys"),
        ([pem(&one), pem(&one)].concat(), "ok"),
        (pem(&one)[..60].to_vec(), "cert.truncated"),
        (b"\n".to_vec(), "cert.empty"),
        (vec![b'x'; 10_000_000], "cert.too-large"),
    ] {
        assert_eq!(code(&bytes), expected);
    }
}

#[test]
fn a_key_matches_its_own_certificate_only() {
    let (one, other) = (
        Recipe::leaf("a.example").make(),
        Recipe::leaf("a.example").make(),
    );
    let key = PrivateKey::parse(&one.key_pem()).unwrap();
    assert!(key.matches(&one.certificate()));
    assert!(!key.matches(&other.certificate()));
    let mut rsa = Recipe::leaf("a.example");
    rsa.key = rsa_key(2048);
    assert!(!key.matches(&rsa.make().certificate()));
}

#[test]
fn a_key_is_never_printed() {
    let key = PrivateKey::parse(&Recipe::leaf("a.example").make().key_pem()).unwrap();
    assert_eq!(format!("{key:?}"), "PrivateKey(…)");
}

#[test]
fn the_chain_file_holds_the_key_first_and_then_the_chain() {
    let chain = chain("mx.example.com");
    let key = PrivateKey::parse(&chain.leaf.key_pem()).unwrap();
    let certificates = [chain.leaf.certificate(), chain.middle.certificate()];
    let file = key_first_pem(&key, &certificates).unwrap();
    let expected = [chain.leaf.key_pem(), chain.leaf.pem(), chain.middle.pem()].concat();
    assert_eq!(*file, expected);
    assert_eq!(*key_first_pem(&key, &certificates).unwrap(), expected);
    let loaded = crate::chain_file_problems(&file);
    assert_eq!(loaded.problems, []);
    assert_eq!(loaded.chains, [certificates.to_vec()]);
}
