//! Chains that fit, and those that do not.

use super::*;
use crate::{KeyType, PrivateCa, Validity};

const NOW: i64 = 1_800_000_000;

struct Scene {
    root: PrivateCa,
    middle: PrivateCa,
    key: Key,
}

fn scene() -> Scene {
    let life = Validity::days(NOW, 90);
    let root = PrivateCa::new("Root", KeyType::EcdsaP256, life).unwrap();
    let middle = root
        .intermediate("Middle", KeyType::EcdsaP256, life)
        .unwrap();
    let key = Key::generate(KeyType::EcdsaP256).unwrap();
    Scene { root, middle, key }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn reason(pem: &str, key: &Key, wanted: &[&str]) -> String {
    match accept(pem, key, &names(wanted), NOW) {
        Err(AcmeError::WrongChain(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_ordered_is_taken_and_the_root_is_not() {
    let Scene { root, middle, key } = scene();
    let wanted = names(&["mx.example.com", "*.example.com", "192.0.2.1"]);
    let issued = middle
        .issue_for(&wanted, Validity::days(NOW, 60), &key)
        .unwrap();
    let sent = format!("{}{}", issued.fullchain_pem(), root.certificate_pem());
    let taken = accept(&sent, &key, &wanted, NOW).unwrap();
    assert_eq!(
        pem_certificates(taken.fullchain_pem().as_bytes())
            .unwrap()
            .len(),
        2
    );
    assert_eq!(taken.key_pem, key.to_pem());
}

#[test]
fn what_was_not_ordered_is_refused() {
    let Scene { root, middle, key } = scene();
    let life = Validity::days(NOW, 60);
    let issued = middle
        .issue_for(&names(&["mx.example.com"]), life, &key)
        .unwrap();
    let good = issued.fullchain_pem();
    let other = Key::generate(KeyType::EcdsaP256).unwrap();
    assert!(reason(&good, &other, &["mx.example.com"]).contains("another key"));
    assert!(reason(&good, &key, &["a.example.com"]).contains("not for a.example.com"));
    // A wildcard that was ordered must be a wildcard, not a name that it would cover.
    assert!(reason(&good, &key, &["*.example.com"]).contains("not for *.example.com"));
    let strange = format!("{}{}", issued.cert_pem, root.certificate_pem());
    assert!(reason(&strange, &key, &["mx.example.com"]).contains("did not issue"));
    assert!(!reason("", &key, &["mx.example.com"]).is_empty());
    assert!(!reason("-----BEGIN CERTIFICATE-----\nAAAA\n", &key, &[]).is_empty());
    let long = format!("{good}{}", middle.certificate_pem().repeat(20));
    assert!(reason(&long, &key, &["mx.example.com"]).contains("certificates"));
    let old = Validity {
        not_before: NOW - 100,
        not_after: NOW - 1,
    };
    let expired = middle
        .issue_for(&names(&["mx.example.com"]), old, &key)
        .unwrap();
    assert!(reason(&expired.fullchain_pem(), &key, &["mx.example.com"]).contains("expired"));
}

/// Whether it is left out depends on who is trusted, which nobody knows here.
#[test]
fn a_root_that_issued_it_itself_is_kept() {
    let Scene { root, key, .. } = scene();
    let wanted = names(&["mx.example.com"]);
    let issued = root
        .issue_for(&wanted, Validity::days(NOW, 60), &key)
        .unwrap();
    let sent = format!("{}{}", issued.cert_pem, root.certificate_pem());
    let taken = accept(&sent, &key, &wanted, NOW).unwrap();
    assert_eq!(taken.chain_pem, root.certificate_pem());
}

#[test]
fn a_ca_as_leaf_is_refused() {
    let Scene { middle, .. } = scene();
    let key = Key::read(middle.key_pem().as_bytes()).unwrap();
    assert!(reason(&middle.certificate_pem(), &key, &[]).contains("a CA's"));
}
