//! Files as OpenSSL writes them, with every cipher, and every mistake about them.

use super::*;
use crate::forge::{Forged, Recipe, chain, der, ec_key, rsa_key};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::{Pkcs12, Pkcs12Builder};
use openssl::stack::Stack;

const PASSWORD: &str = "pässwörd 𝄞";

/// A file of a leaf, its key and its intermediate.
fn file(password: &str, change: impl FnOnce(&mut Pkcs12Builder)) -> (Vec<u8>, Forged) {
    let chain = chain("mx.example.com");
    let mut others = Stack::new().unwrap();
    others.push(chain.middle.x509.clone()).unwrap();
    let mut builder = Pkcs12::builder();
    builder
        .name("mail")
        .pkey(&chain.leaf.key)
        .cert(&chain.leaf.x509)
        .ca(others);
    change(&mut builder);
    let der = builder.build2(password).unwrap().to_der().unwrap();
    (der, chain.leaf)
}

fn code(der: &[u8], password: Option<&str>) -> &'static str {
    open(der, password).map_or_else(|error| error.code(), |_| "ok")
}

fn holds(der: &[u8], password: Option<&str>, leaf: &Forged) {
    let contents = open(der, password).unwrap();
    assert_eq!(contents.certificates.len(), 2);
    assert!(contents.certificates.contains(&leaf.der()));
    assert_eq!(contents.keys.len(), 1);
    assert!(contents.keys[0].matches(&leaf.certificate()));
}

#[test]
fn every_cipher_and_seal_that_openssl_3_takes_is_opened() {
    let triple_des = Nid::PBE_WITHSHA1AND3_KEY_TRIPLEDES_CBC;
    for cipher in [
        triple_des,
        Nid::PBE_WITHSHA1AND2_KEY_TRIPLEDES_CBC,
        Nid::AES_128_CBC,
        Nid::AES_256_CBC,
        Nid::DES_EDE3_CBC,
    ] {
        let (der, leaf) = file(PASSWORD, |builder| {
            builder.key_algorithm(cipher).cert_algorithm(cipher);
        });
        holds(&der, Some(PASSWORD), &leaf);
        assert_eq!(code(&der, Some("passwort")), "cert.password-wrong");
    }
    for digest in [
        MessageDigest::sha1(),
        MessageDigest::sha256(),
        MessageDigest::sha384(),
        MessageDigest::sha512(),
    ] {
        let (der, leaf) = file(PASSWORD, |builder| {
            builder.mac_md(digest).mac_iter(1);
        });
        holds(&der, Some(PASSWORD), &leaf);
    }
}

#[test]
fn a_missing_password_is_no_wrong_one_and_an_empty_one_needs_none() {
    let (der, _) = file(PASSWORD, |_| ());
    assert_eq!(code(&der, None), "cert.password-missing");
    for wrong in ["", "x", "PÄSSWÖRD 𝄞", &"x".repeat(500)] {
        assert_eq!(code(&der, Some(wrong)), "cert.password-wrong", "{wrong:?}");
    }
    let (der, leaf) = file("", |_| ());
    holds(&der, None, &leaf);
    holds(&der, Some(""), &leaf);
    assert_eq!(code(&der, Some("x")), "cert.password-wrong");
}

#[test]
fn a_file_without_a_seal_tells_a_wrong_password_by_its_content() {
    let (der, leaf) = file(PASSWORD, |builder| {
        // OpenSSL leaves the seal out where its iterations are -1.
        builder.mac_iter(u32::MAX);
    });
    holds(&der, Some(PASSWORD), &leaf);
    assert_eq!(code(&der, Some("x")), "cert.password-wrong");
    assert_eq!(code(&der, None), "cert.password-missing");
}

/// The same file with other iterations of its seal.
fn with_iterations(file: &[u8], iterations: &[u8]) -> Vec<u8> {
    let mut pfx = Reader::new(file).enter(SEQUENCE).unwrap();
    let (version, info) = (pfx.value().unwrap(), pfx.value().unwrap());
    let mut seal = pfx.enter(SEQUENCE).unwrap();
    let (digest, salt) = (seal.value().unwrap(), seal.value().unwrap());
    let seal = der(
        SEQUENCE,
        &[digest.whole, salt.whole, &der(2, &[iterations])],
    );
    der(SEQUENCE, &[version.whole, info.whole, &seal])
}

#[test]
fn iterations_are_bounded_over_the_whole_file() {
    let (file, leaf) = file(PASSWORD, |builder| {
        builder.key_iter(600_000);
    });
    holds(&file, Some(PASSWORD), &leaf);
    let code = |iterations: &[u8]| code(&with_iterations(&file, iterations), Some(PASSWORD));
    assert_eq!(code(&[8, 0]), "ok");
    assert_eq!(code(&[8, 1]), "cert.password-wrong");
    assert_eq!(code(&[0x7f, 0xff, 0xff, 0xff]), "cert.password-costly");
    assert_eq!(
        code(&[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        "cert.password-costly"
    );
    assert_eq!(code(&[0xff, 0xff]), "cert.damaged");
}

/// Seals a file without a seal as RFC 9579 has it, which OpenSSL 3.0 cannot.
fn pbmac1(file: &[u8], password: &str) -> Vec<u8> {
    let mut pfx = Reader::new(file).enter(SEQUENCE).unwrap();
    let (version, info) = (pfx.value().unwrap(), pfx.value().unwrap());
    let mut content = Reader::new(info.content);
    content.take(OID).unwrap();
    let safes = explicit(content).unwrap().take(OCTET_STRING).unwrap();
    let (mut key, sha256) = ([0; 32], MessageDigest::sha256());
    openssl::pkcs5::pbkdf2_hmac(password.as_bytes(), b"salt", 1000, sha256, &mut key).unwrap();
    let key = openssl::pkey::PKey::hmac(&key).unwrap();
    let mut signer = openssl::sign::Signer::new(sha256, &key).unwrap();
    let mac = signer.sign_oneshot_to_vec(safes).unwrap();
    let named = |number: &[u8], parameters: &[u8]| {
        let pkcs = [&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d], number].concat();
        der(SEQUENCE, &[&der(OID, &[&pkcs]), parameters])
    };
    let hmac = named(&[2, 9], &[5, 0]);
    let parameters = [
        &der(OCTET_STRING, &[b"salt"])[..],
        &[2, 2, 3, 0xe8, 2, 1, 32],
        &hmac,
    ]
    .concat();
    let pbkdf2 = named(&[1, 5, 12], &der(SEQUENCE, &[&parameters]));
    let scheme = named(&[1, 5, 14], &der(SEQUENCE, &[&pbkdf2, &hmac]));
    let sealed = der(SEQUENCE, &[&scheme, &der(OCTET_STRING, &[&mac])]);
    let seal = der(
        SEQUENCE,
        &[&sealed, &der(OCTET_STRING, &[b"-"]), &[2, 1, 1]],
    );
    der(SEQUENCE, &[version.whole, info.whole, &seal])
}

#[test]
fn the_newer_seal_is_read_too() {
    let (plain, leaf) = file(PASSWORD, |builder| {
        builder.mac_iter(u32::MAX);
    });
    let sealed = pbmac1(&plain, PASSWORD);
    holds(&sealed, Some(PASSWORD), &leaf);
    assert_eq!(code(&sealed, Some("x")), "cert.password-wrong");
    assert_eq!(
        code(&pbmac1(&plain, "x"), Some(PASSWORD)),
        "cert.password-wrong"
    );
}

#[test]
fn certificates_alone_are_no_damage() {
    let lone = Recipe::leaf("mx.example.com").make();
    let der = Pkcs12::builder()
        .cert(&lone.x509)
        .build2("x")
        .unwrap()
        .to_der()
        .unwrap();
    let contents = open(&der, Some("x")).unwrap();
    assert!(contents.keys.is_empty());
    assert_eq!(contents.certificates, [lone.der()]);
}

#[test]
fn ciphers_that_openssl_3_refuses_are_named() {
    let error = |oid: &[u8]| {
        let der = [&[0x06, oid.len() as u8], oid].concat();
        Unlock::new(Some("x"))
            .decrypt(Reader::new(&der), b"")
            .unwrap_err()
    };
    let pkcs12 = |last| error(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01, last]);
    assert_eq!(pkcs12(6), CertError::LegacyCipher("RC2-40"));
    assert_eq!(pkcs12(1), CertError::LegacyCipher("RC4"));
    assert_eq!(
        pkcs12(3),
        CertError::Damaged("what the password protects".into())
    );
    assert_eq!(
        pkcs12(7),
        CertError::UnknownCipher("1.2.840.113549.1.12.1.7".into())
    );
}

#[test]
fn encrypted_keys_are_opened_with_the_same_care() {
    for key in [ec_key(), rsa_key(2048)] {
        let cipher = openssl::symm::Cipher::aes_256_cbc();
        let pem = key
            .private_key_to_pem_pkcs8_passphrase(cipher, b"secret")
            .unwrap();
        let block = &crate::pem::blocks(&pem).unwrap()[0];
        let opened = Unlock::new(Some("secret")).key(&block.der).unwrap();
        assert_eq!(
            *opened.to_pem().unwrap(),
            key.private_key_to_pem_pkcs8().unwrap()
        );
        let error = Unlock::new(Some("Secret")).key(&block.der).unwrap_err();
        assert_eq!(error, CertError::PasswordWrong);
    }
}

#[test]
fn a_file_cut_anywhere_is_damaged() {
    let (der, _) = file("x", |_| ());
    for length in (0..der.len()).step_by(13) {
        assert_eq!(code(&der[..length], Some("x")), "cert.damaged", "{length}");
    }
    assert!(is_one(&der) && !is_one(&der[1..]) && !is_one(b""));
}
