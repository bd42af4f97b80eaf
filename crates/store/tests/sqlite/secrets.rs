//! Private keys: nowhere in clear.

use crate::fixture::{KEY, certificate};
use postseal_store::{AcmeAccount, AcmeStore, NextKey, SqliteStore, Store};
use std::fs;
use std::path::Path;

/// Whether any file of the folder holds `needle`.
fn found(folder: &Path, needle: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let bytes = fs::read(entry.path()).unwrap();
        if bytes.windows(needle.len()).any(|window| window == needle) {
            found.push(entry.file_name().into_string().unwrap());
        }
    }
    found.sort();
    found
}

/// Pieces of the key, so that a page break inside it hides nothing.
fn pieces() -> impl Iterator<Item = &'static [u8]> {
    KEY.chunks_exact(16)
        .filter(|piece| !piece.starts_with(b"-----"))
}

fn no_key_bytes(folder: &Path) {
    for piece in pieces() {
        assert_eq!(
            found(folder, piece),
            [""; 0],
            "{:?}",
            String::from_utf8_lossy(piece)
        );
    }
}

#[test]
fn no_file_holds_a_key_in_clear() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("store");
    let mut store = SqliteStore::open(&folder).unwrap();
    store.put_certificate(&certificate("mx")).unwrap();
    let next = NextKey {
        name: "mx".to_owned(),
        made_ms: 7,
    };
    store.put_next_key(&next, KEY).unwrap();
    // What is stored in clear is found, so the search is one.
    assert_eq!(found(&folder, b"privkey.pem"), ["agent.db-wal"]);
    assert_eq!(found(&folder, b"age-encryption.org/v1"), ["agent.db-wal"]);
    no_key_bytes(&folder);
    store.put_certificate(&certificate("mx")).unwrap();
    assert!(store.private_key("mx", 1).unwrap().is_some());
    store.delete_certificate("mx").unwrap();
    no_key_bytes(&folder);
    drop(store);
    no_key_bytes(&folder);
}

#[test]
fn no_file_holds_an_accounts_key_in_clear() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("store");
    let mut store = SqliteStore::open(&folder).unwrap();
    let account = AcmeAccount {
        directory: "https://ca.test/dir".to_owned(),
        contacts: vec!["mailto:admin@ca.test".to_owned()],
        made_ms: 1,
    };
    store.put_acme_account(&account, KEY).unwrap();
    assert_eq!(found(&folder, b"mailto:admin@ca.test"), ["agent.db-wal"]);
    no_key_bytes(&folder);
    let kept = store.acme_credentials(&account.directory).unwrap();
    assert_eq!(kept.unwrap().as_slice(), KEY);
    drop(store);
    no_key_bytes(&folder);
}

#[test]
fn the_identity_is_only_in_its_file() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("store");
    let mut store = SqliteStore::open(&folder).unwrap();
    store.put_certificate(&certificate("mx")).unwrap();
    let text = fs::read_to_string(folder.join("identity")).unwrap();
    let secret = text
        .lines()
        .find(|line| line.starts_with("AGE-SECRET-KEY-1"))
        .unwrap();
    assert_eq!(found(&folder, secret.as_bytes()), ["identity"]);
    let public = text
        .lines()
        .next()
        .unwrap()
        .strip_prefix("# public key: ")
        .unwrap();
    assert_eq!(found(&folder, public.as_bytes()), ["agent.db", "identity"]);
}

#[test]
fn printing_for_debugging_shows_no_key() {
    let shown = format!("{:?} {:#?}", certificate("mx"), certificate("mx"));
    assert!(shown.contains("has_key: true"), "{shown}");
    assert!(!shown.contains("Find"), "{shown}");
    let numbers = format!("{:?}", &KEY[..8]);
    assert!(!shown.contains(numbers.trim_matches(['[', ']'])), "{shown}");
}

#[test]
fn printing_for_debugging_shows_no_file() {
    let snapshot = &crate::fixture::operation("x", "password").snapshots[0];
    assert!(!format!("{snapshot:?}").contains("112, 97, 115, 115"));
}
