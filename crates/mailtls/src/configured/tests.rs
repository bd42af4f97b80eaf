//! Files in the order in which Postfix reads them, each tried on 3.7.11.

use super::*;
use crate::forge::{Chain, Recipe, chain, ed25519_key, rsa_key};
use openssl::symm::Cipher;
use proptest::prelude::*;

const EC_PARAMETERS: &[u8] =
    b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";

fn codes(loaded: &Loaded) -> Vec<&'static str> {
    loaded.problems.iter().map(|problem| problem.code).collect()
}

fn files(parts: &[&[u8]]) -> Vec<&'static str> {
    codes(&chain_files_problems(parts))
}

/// What 3.7.11 did with each of these was tried: what has a problem here (but for the object it
/// skips) made it say “disabling TLS support”, and what has none was served.
#[test]
fn chain_files_are_judged_as_postfix_reads_them() {
    let Chain { middle, leaf, .. } = chain("mx.example.com");
    let (key, cert, ca) = (leaf.key_pem(), leaf.pem(), middle.pem());
    let stranger = Recipe::leaf("mx.example.com").make();
    let encrypted = leaf
        .key
        .private_key_to_pem_pkcs8_passphrase(Cipher::aes_128_cbc(), b"x")
        .unwrap();
    let mut rsa = Recipe::leaf("mx.example.com");
    rsa.key = rsa_key(2048);
    let rsa = rsa.make();
    let text = "-----BEGIN CERTIFICATE REQUEST-----\nAQID\n-----END CERTIFICATE REQUEST-----\n";
    let none: &[&str] = &[];
    for (what, parts, expected) in [
        ("key first", &[&key[..], &cert, &ca][..], none),
        (
            "two algorithms",
            &[&key, &cert, &ca, &rsa.key_pem(), &rsa.pem()],
            none,
        ),
        ("certificate first", &[&cert, &key], &["cert.key-not-first"]),
        ("certificate alone", &[&cert], &["cert.key-missing"]),
        ("key alone", &[&key], &["cert.no-certificate"]),
        ("key, key", &[&key, &key, &cert], &["cert.key-alone"]),
        (
            "wrong key",
            &[&stranger.key_pem(), &cert],
            &["cert.key-mismatch"],
        ),
        (
            "intermediate first",
            &[&key, &ca, &cert],
            &["cert.wrong-order"],
        ),
        (
            "the same twice",
            &[&key, &cert, &key, &cert],
            &["cert.two-of-a-kind"],
        ),
        (
            "encrypted key",
            &[&encrypted, &cert],
            &["cert.key-encrypted"],
        ),
        (
            "parameters",
            &[EC_PARAMETERS, &key, &cert],
            &["cert.unexpected-object"],
        ),
        (
            "request",
            &[&key, text.as_bytes()],
            &["cert.unexpected-object", "cert.no-certificate"],
        ),
        ("empty", &[b""], &["cert.empty"]),
        ("DER", &[&leaf.der()], &["cert.not-pem"]),
        ("truncated", &[&key, &cert[..300]], &["cert.truncated"]),
        ("no file", &[], &["cert.no-certificate"]),
    ] {
        assert_eq!(files(parts), expected, "{what}");
        // One file or several: the stream is the same.
        let whole = parts.concat();
        if !whole.is_empty() {
            assert_eq!(codes(&chain_file_problems(&whole)), expected, "{what}");
        }
    }
}

#[test]
fn an_ed25519_key_in_pkcs8_version_2_is_one_that_postfix_cannot_read() {
    let mut recipe = Recipe::leaf("mx.example.com");
    (recipe.key, recipe.digest) = (ed25519_key(), None);
    let leaf = recipe.make();
    let seed = leaf.key.raw_private_key().unwrap();
    let public = leaf.key.raw_public_key().unwrap();
    let start = b"\x30\x51\x02\x01\x01\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    let der = [&start[..], &seed, b"\x81\x21\x00", &public].concat();
    let base64 = openssl::base64::encode_block(&der);
    let key = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
    assert_eq!(files(&[key.as_bytes(), &leaf.pem()]), ["cert.damaged"]);
    assert_eq!(files(&[&leaf.key_pem(), &leaf.pem()]), [""; 0]);
}

#[test]
fn the_chains_found_are_given_even_where_they_cannot_be_used() {
    let Chain { middle, leaf, .. } = chain("mx.example.com");
    let stranger = Recipe::leaf("mx.example.com").make();
    let file = [stranger.key_pem(), leaf.pem(), middle.pem()].concat();
    let loaded = chain_file_problems(&file);
    assert_eq!(
        loaded.chains,
        [vec![leaf.certificate(), middle.certificate()]]
    );
    assert_eq!(loaded.problems[0].gravity, Gravity::Error);
}

#[test]
fn legacy_pairs_are_judged_as_postfix_reads_them() {
    let Chain { middle, leaf, .. } = chain("mx.example.com");
    let (key, cert, ca) = (leaf.key_pem(), leaf.pem(), middle.pem());
    let stranger = Recipe::leaf("mx.example.com").make().key_pem();
    let encrypted = leaf
        .key
        .rsa()
        .err()
        .map(|_| leaf.key.ec_key().unwrap())
        .unwrap()
        .private_key_to_pem_passphrase(Cipher::aes_128_cbc(), b"x")
        .unwrap();
    let mixed = [cert.clone(), key.clone()].concat();
    let none: &[&str] = &[];
    for (what, cert_file, key_file, expected) in [
        (
            "good",
            &[cert.clone(), ca.clone()].concat()[..],
            &key[..],
            none,
        ),
        ("one file", &mixed, &mixed, none),
        ("wrong key", &cert, &stranger, &["cert.key-mismatch"]),
        (
            "intermediate first",
            &[ca.clone(), cert.clone()].concat(),
            &key,
            &["cert.wrong-order"],
        ),
        ("encrypted", &cert, &encrypted, &["cert.key-encrypted"]),
        ("no key", &cert, &cert, &["cert.key-missing"]),
        ("no certificate", &key, &key, &["cert.no-certificate"]),
        ("empty", b"", &key, &["cert.empty"]),
        ("DER", &leaf.der(), &key, &["cert.not-pem"]),
        ("both empty", b"", b"", &["cert.empty", "cert.empty"]),
    ] {
        assert_eq!(
            codes(&pair_problems(cert_file, key_file)),
            expected,
            "{what}"
        );
    }
}

proptest! {
    #[test]
    fn never_panics(one in prop::collection::vec(any::<u8>(), 0..60), other in "(-----(BEGIN|END) (CERTIFICATE|PRIVATE KEY)-----\n|AQID\n){0,6}") {
        let _ = chain_files_problems(&[&one, other.as_bytes()]);
        let _ = chain_file_problems(other.as_bytes());
        let _ = pair_problems(&one, other.as_bytes());
    }
}

/// The file that Postfix names in its log: `key at index 1 in FILE does not match next certificate`.
#[test]
fn each_problem_is_of_the_file_that_it_is_about() {
    let one = Recipe::leaf("mx.example.com").make();
    let two = Recipe::leaf("mx.example.com").make();
    let mut rsa = Recipe::leaf("mx.example.com");
    rsa.key = rsa_key(2048);
    let rsa = rsa.make();
    let whole = |key: &[u8], cert: &[u8]| [key, cert].concat();
    let [good, second] = [&one, &two].map(|made| whole(&made.key_pem(), &made.pem()));
    let crossed = whole(&two.key_pem(), &one.pem());
    let rsa = whole(&rsa.key_pem(), &rsa.pem());
    let of = |parts: &[&[u8]]| -> Vec<(usize, &'static str)> {
        let loaded = chain_files_problems(parts);
        loaded
            .by_file()
            .map(|(file, one)| (file, one.code))
            .collect()
    };
    assert_eq!(of(&[&good, &second]), [(1, "cert.two-of-a-kind")]);
    assert_eq!(of(&[&rsa, &good, &second]), [(2, "cert.two-of-a-kind")]);
    assert_eq!(of(&[&crossed, &rsa]), [(0, "cert.key-mismatch")]);
    assert_eq!(of(&[&rsa, &crossed]), [(1, "cert.key-mismatch")]);
    let apart: [&[u8]; 4] = [&rsa, b"", &two.key_pem(), &one.pem()];
    assert_eq!(of(&apart), [(1, "cert.empty")]);
    let apart = [&rsa[..], &two.key_pem(), &one.pem()];
    assert_eq!(of(&apart), [(1, "cert.key-mismatch")]);
    assert_eq!(of(&[&one.key_pem(), &rsa]), [(0, "cert.key-alone")]);
    let pair = pair_problems(&one.pem(), &two.key_pem());
    assert_eq!(pair.by_file().next().unwrap().0, KEY);
    let pair = pair_problems(b"", &two.key_pem());
    assert_eq!(pair.by_file().next().unwrap().0, CERT);
}
