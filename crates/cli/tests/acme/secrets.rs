//! The account's key and the certificates' keys: in the store sealed, in no output at all.

use crate::world::{World, base64_of};
use postseal_store::{AcmeStore as _, SqliteStore, Store as _};
use std::fs;
use std::path::Path;

/// The names of the files below a folder that hold one of these.
fn holding(folder: &Path, needles: &[Vec<u8>]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let bytes = fs::read(entry.path()).unwrap();
        let holds = |needle: &Vec<u8>| bytes.windows(needle.len()).any(|part| part == needle);
        if needles.iter().any(holds) {
            found.push(entry.file_name().into_string().unwrap());
        }
    }
    found
}

/// A secret as it may lie about: as it is, and in both kinds of base64, in pieces that no page
/// break hides.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let standard = base64_of(secret);
    let url = standard.replace('+', "-").replace('/', "_");
    let middle = |bytes: &[u8]| bytes[bytes.len() / 2..][..16].to_vec();
    let forms = [
        middle(secret),
        middle(standard.as_bytes()),
        middle(url.as_bytes()),
    ];
    forms.into()
}

#[test]
fn no_key_lies_in_clear_in_the_store_or_in_any_answer() {
    let world = World::new();
    let site = &world.site;
    let folder = site.scene.folder().join("store");
    let mut said = String::new();
    let mut say = |words: &str| {
        for form in [&["--verbose"][..], &["--json"]] {
            let words: Vec<&str> = words.split(' ').chain(form.iter().copied()).collect();
            let output = site.scene.command(&words).output().unwrap();
            said.push_str(&String::from_utf8_lossy(&output.stdout));
            said.push_str(&String::from_utf8_lossy(&output.stderr));
        }
    };
    say(&format!(
        "cert issue mx --domain mx.box.test {} --renew",
        world.by_http()
    ));
    say(&format!(
        "cert issue no --domain no.elsewhere {}",
        world.by_http()
    ));
    for words in [
        "cert renew --force",
        "cert renew --check",
        "cert show mx",
        "cert list",
        "status",
    ] {
        say(words);
    }
    let mut secrets = Vec::new();
    let store = SqliteStore::open(&folder).unwrap();
    let kept = store
        .acme_credentials(&world.pebble.directory())
        .unwrap()
        .unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    let account = kept["key_pkcs8"].as_str().unwrap();
    let account = account.replace('-', "+").replace('_', "/");
    let padded = format!("{account}{}", "=".repeat((4 - account.len() % 4) % 4));
    secrets.push(openssl::base64::decode_block(&padded).unwrap());
    for version in 1..=store.certificate_versions("mx").unwrap()[0].version {
        let pem = store.private_key("mx", version).unwrap().unwrap();
        let key = openssl::pkey::PKey::private_key_from_pem(&pem).unwrap();
        secrets.push(key.private_key_to_pkcs8().unwrap());
    }
    assert!(secrets.len() >= 3);
    for secret in &secrets {
        assert_eq!(holding(&folder, &forms(secret)), [""; 0]);
        for form in forms(secret).iter().skip(1) {
            assert!(!said.contains(std::str::from_utf8(form).unwrap()));
        }
    }
    drop(store);
    for needle in ["PRIVATE KEY", "key_pkcs8"] {
        assert!(!said.contains(needle));
        assert_eq!(holding(&folder, &[needle.into()]), [""; 0]);
    }
    // What is kept in clear is found, so the search is one.
    let directory = world.pebble.directory().into_bytes();
    assert!(!holding(&folder, &[directory]).is_empty());
}
