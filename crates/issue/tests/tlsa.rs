//! The record of a key that has no certificate yet is that of the certificate it will have.

#![allow(clippy::unwrap_used, reason = "a test")]

use mailtls::tlsa::TlsaRecord;
use mailtls::{PrivateKey, pem_certificates};
use postseal_issue::{Key, KeyType, Validity, self_signed_for, signing_request};
use std::io::Write as _;
use std::process::{Command, Stdio};

#[test]
fn a_keys_record_is_known_before_its_certificate() {
    for kind in [
        KeyType::EcdsaP256,
        KeyType::EcdsaP384,
        KeyType::Rsa2048,
        KeyType::Rsa3072,
        KeyType::Ed25519,
    ] {
        let key = Key::generate(kind).unwrap();
        let names = ["mx.example.org".to_owned()];
        let record = TlsaRecord::for_key(&PrivateKey::parse(key.to_pem().as_bytes()).unwrap());
        let record = record.unwrap();
        let issued = self_signed_for(&names, Validity::days(1_800_000_000, 30), &key).unwrap();
        let leaf = &pem_certificates(issued.cert_pem.as_bytes()).unwrap()[0];
        assert_eq!(TlsaRecord::for_certificate(leaf), record, "{kind:?}");

        // What a CA elsewhere is given holds the same key; OpenSSL takes it out.
        let request = signing_request(&names, &key).unwrap();
        let public = piped(&["req", "-pubkey", "-noout"], request.pem.as_bytes());
        let der = piped(&["pkey", "-pubin", "-outform", "DER"], &public);
        let digest = piped(&["dgst", "-sha256", "-binary"], &der);
        assert_eq!(digest, record.data, "{kind:?}");
    }
}

fn piped(words: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("/usr/bin/openssl")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap().stdout
}
