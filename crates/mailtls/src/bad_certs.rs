//! Makes `tests/bad-certs`: one folder for a mistake (or a near miss), with the files as people
//! would give them and the code expected. `tests/bad_certs.rs` reads them again.
//!
//! After adding a case: `MAKE_BAD_CERTS=1 cargo test -p mailtls --lib bad_certs`

use crate::forge::{Chain, DAY, Forged, NOW, Recipe, chain, curve_key, der, ec_key, rsa_key};
use openssl::bn::BigNum;
use openssl::dsa::Dsa;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs7::{Pkcs7, Pkcs7Flags};
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::stack::Stack;
use openssl::symm::Cipher;
use openssl::x509::X509Req;
use std::fs;
use std::path::{Path, PathBuf};

mod damage;
mod judged;
mod long;
mod wrapped;

/// The name that the replay expects.
const HOST: &str = "mx.example.com";

/// One folder: its name, the codes expected in it (`ok` for none), its files.
struct Case {
    name: &'static str,
    expected: &'static str,
    files: Vec<(&'static str, Vec<u8>)>,
}

fn case(name: &'static str, expected: &'static str, files: &[(&'static str, &[u8])]) -> Case {
    Case {
        name,
        expected,
        files: files
            .iter()
            .map(|(file, bytes)| (*file, bytes.to_vec()))
            .collect(),
    }
}

/// Leaf and intermediate as a client gets them.
fn fullchain(leaf: &Forged, chain: &Chain) -> Vec<u8> {
    [leaf.pem(), chain.middle.pem()].concat()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad-certs")
}

fn write(cases: &[(String, Case)], root: &Forged) {
    let _ = fs::remove_dir_all(folder());
    for (name, case) in cases {
        let folder = folder().join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("expected"), format!("{}\n", case.expected)).unwrap();
        for (file, bytes) in &case.files {
            fs::write(folder.join(file), bytes).unwrap();
        }
    }
    fs::write(folder().join("root.pem"), root.pem()).unwrap();
}

#[test]
fn the_folders_are_those_that_are_made_here() {
    let chain = chain(HOST);
    let cases = [
        damage::cases(&chain),
        judged::cases(&chain),
        wrapped::cases(&chain),
        long::cases(),
    ];
    let numbered = cases.into_iter().flatten().enumerate();
    let cases: Vec<(String, Case)> = numbered
        .map(|(i, case)| (format!("{:02}-{}", i + 1, case.name), case))
        .collect();
    if std::env::var_os("MAKE_BAD_CERTS").is_some() {
        write(&cases, &chain.root);
    }
    for (name, case) in &cases {
        let expected = fs::read_to_string(folder().join(name).join("expected"));
        assert_eq!(
            expected.unwrap().trim_end(),
            case.expected,
            "{name}: make them anew"
        );
    }
    let folders = fs::read_dir(folder()).unwrap().count();
    assert_eq!(folders, cases.len() + 1, "the folders and root.pem");
}
