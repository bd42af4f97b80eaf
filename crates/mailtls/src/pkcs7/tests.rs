//! PKCS#7 as OpenSSL writes it, and what only looks like it.

use super::*;
use crate::forge::chain;
use openssl::pkcs7::{Pkcs7, Pkcs7Flags};
use openssl::stack::Stack;

fn wrapped() -> (Vec<u8>, Vec<Vec<u8>>) {
    let chain = chain("mx.example.com");
    let mut more = Stack::new().unwrap();
    more.push(chain.middle.x509.clone()).unwrap();
    let (leaf, key) = (&chain.leaf.x509, &chain.leaf.key);
    let pkcs7 = Pkcs7::sign(leaf, key, &more, b"", Pkcs7Flags::DETACHED).unwrap();
    let der = [chain.leaf.der(), chain.middle.der()];
    (pkcs7.to_der().unwrap(), der.to_vec())
}

#[test]
fn the_certificates_are_taken_out_of_their_wrapping() {
    let (der, mut expected) = wrapped();
    assert!(is_one(&der));
    let mut found: Vec<Vec<u8>> = certificates(&der)
        .unwrap()
        .into_iter()
        .map(<[u8]>::to_vec)
        .collect();
    // DER sorts the members of a set.
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn what_is_cut_or_of_another_kind_is_damaged() {
    let (der, _) = wrapped();
    for length in (0..der.len()).step_by(7) {
        let error = certificates(&der[..length]).unwrap_err();
        assert_eq!(error.code(), "cert.damaged");
    }
    // data, not signedData
    let data = b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
    assert!(is_one(data) && certificates(data).is_err());
    assert!(!is_one(b"\x30\x03\x06\x01\x2a") && !is_one(b""));
}
