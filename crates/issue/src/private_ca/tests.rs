//! What is issued, read back by `mailtls`: by other code than the one that made it.

use crate::{IssueError, Key, KeyType, LeafRequest, PrivateCa, Validity, self_signed};
use mailtls::{Bundle, Certificate, KeyKind, Trust, TrustError, pem_certificates, verify_chain};

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;
const VALIDITY: Validity = Validity {
    not_before: NOW - DAY,
    not_after: NOW + 90 * DAY,
};

fn request(names: &[&str], key_type: KeyType) -> LeafRequest {
    LeafRequest {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        key_type,
        validity: VALIDITY,
    }
}

fn one(pem: &str) -> Certificate {
    pem_certificates(pem.as_bytes()).unwrap().remove(0)
}

#[test]
fn what_a_ca_issues_is_trusted_through_it_and_by_nothing_else() {
    let ca = PrivateCa::new("Test Root", KeyType::EcdsaP256, VALIDITY).unwrap();
    let other = PrivateCa::new("Test Root", KeyType::EcdsaP256, VALIDITY).unwrap();
    let issued = ca
        .issue(&request(
            &["mx.example.com", "127.0.0.1"],
            KeyType::EcdsaP256,
        ))
        .unwrap();
    let bundle = Bundle::read(
        issued.cert_pem.as_bytes(),
        Some(issued.key_pem.as_bytes()),
        None,
    )
    .unwrap();
    let anchors = [one(&ca.certificate_pem())];
    assert_eq!(verify_chain(&bundle.chain, &anchors, NOW), Ok(()));
    let stranger = [one(&other.certificate_pem())];
    assert!(matches!(
        verify_chain(&bundle.chain, &stranger, NOW),
        Err(TrustError::Untrusted { .. })
    ));
    let leaf = &bundle.chain[0];
    assert!(leaf.matches_name("mx.example.com") && leaf.matches_name("127.0.0.1"));
    assert!(!leaf.matches_name("example.com"));
    let names = ["mx.example.com"];
    assert_eq!(
        mailtls::problems(&bundle.chain, NOW, &names, Trust::Anchors(&anchors)),
        []
    );
}

#[test]
fn an_intermediate_stands_in_the_chain_and_the_root_does_not() {
    let root = PrivateCa::new("Root", KeyType::EcdsaP384, VALIDITY).unwrap();
    let middle = root
        .intermediate("Middle", KeyType::EcdsaP256, VALIDITY)
        .unwrap();
    let low = middle
        .intermediate("Low", KeyType::Ed25519, VALIDITY)
        .unwrap();
    let issued = low
        .issue(&request(&["mx.example.com"], KeyType::Ed25519))
        .unwrap();
    let chain = pem_certificates(issued.fullchain_pem().as_bytes()).unwrap();
    let subjects: Vec<_> = chain.iter().map(|c| c.subject.as_str()).collect();
    assert_eq!(subjects, ["CN=mx.example.com", "CN=Low", "CN=Middle"]);
    let anchors = [one(&root.certificate_pem())];
    assert_eq!(verify_chain(&chain, &anchors, NOW), Ok(()));
    assert!(verify_chain(&chain[..1], &anchors, NOW).is_err());
}

#[test]
fn every_key_type_gives_its_kind_and_a_key_that_fits() {
    let rsa = |bits| KeyKind::Rsa { bits };
    let ec = |curve: &str| KeyKind::Ec {
        curve: curve.to_owned(),
    };
    // RSA 3072 and 4096 take the same path as 2048 and many seconds each.
    for (key_type, kind) in [
        (KeyType::EcdsaP256, ec("prime256v1")),
        (KeyType::EcdsaP384, ec("secp384r1")),
        (KeyType::Rsa2048, rsa(2048)),
        (KeyType::Ed25519, KeyKind::Ed25519),
    ] {
        let issued = self_signed(&request(&["mx.example.com"], key_type)).unwrap();
        let key = mailtls::PrivateKey::parse(issued.key_pem.as_bytes()).unwrap();
        let certificate = one(&issued.cert_pem);
        assert!(key.matches(&certificate) && certificate.self_signed);
        assert_eq!(certificate.key, kind);
        assert!(!certificate.is_ca && certificate.allows_server_auth());
        assert_eq!(certificate.not_before, VALIDITY.not_before);
        assert_eq!(certificate.not_after, VALIDITY.not_after);
    }
}

#[test]
fn what_cannot_be_issued_is_refused() {
    let no_name = self_signed(&request(&[], KeyType::Ed25519));
    assert!(matches!(no_name, Err(IssueError::NoName)));
    let ulabel = self_signed(&request(&["bücher.example"], KeyType::Ed25519));
    assert!(matches!(ulabel, Err(IssueError::Library(_))));
    for (not_before, not_after) in [(NOW, NOW), (NOW, NOW - 1), (0, i64::MAX), (i64::MIN, 0)] {
        let mut request = request(&["a.example"], KeyType::Ed25519);
        request.validity = Validity {
            not_before,
            not_after,
        };
        assert!(matches!(self_signed(&request), Err(IssueError::Validity)));
    }
}

#[test]
fn a_name_too_long_for_a_common_name_is_an_alternative_name_only() {
    let long = format!("{}.example.com", "a".repeat(60));
    let issued = self_signed(&request(&[&long], KeyType::EcdsaP256)).unwrap();
    let certificate = one(&issued.cert_pem);
    assert_eq!(certificate.common_name, None);
    assert!(certificate.matches_name(&long));
}

#[test]
fn keys_are_not_printed() {
    let ca = PrivateCa::new("Root", KeyType::Ed25519, VALIDITY).unwrap();
    let issued = ca
        .issue(&request(&["a.example"], KeyType::Ed25519))
        .unwrap();
    assert_eq!(format!("{ca:?} {issued:?}"), "PrivateCa(…) Issued(…)");
}

#[test]
fn a_ca_read_again_issues_under_the_same_certificate() {
    let root = PrivateCa::new("Root", KeyType::EcdsaP256, VALIDITY).unwrap();
    let middle = root
        .intermediate("Middle", KeyType::Rsa2048, VALIDITY)
        .unwrap();
    let kept = format!("{}{}", middle.certificate_pem(), root.certificate_pem());
    let again = PrivateCa::read(&kept, middle.key_pem().as_bytes()).unwrap();
    assert_eq!(again.certificate_pem(), middle.certificate_pem());
    assert_eq!(again.validity(), VALIDITY);
    let key = Key::generate(KeyType::EcdsaP256).unwrap();
    let names = ["mx.example.com".to_owned()];
    let first = again.issue_for(&names, VALIDITY, &key).unwrap();
    let second = again.issue_for(&names, VALIDITY, &key).unwrap();
    assert_eq!(first.key_pem, second.key_pem);
    assert_ne!(one(&first.cert_pem).serial, one(&second.cert_pem).serial);
    let chain = pem_certificates(first.fullchain_pem().as_bytes()).unwrap();
    assert_eq!(chain.len(), 2);
    assert_eq!(
        verify_chain(&chain, &[one(&root.certificate_pem())], NOW),
        Ok(())
    );
}

#[test]
fn what_is_no_ca_or_has_another_key_is_not_read() {
    let root = PrivateCa::new("Root", KeyType::EcdsaP256, VALIDITY).unwrap();
    let leaf = root
        .issue(&request(&["a.example"], KeyType::EcdsaP256))
        .unwrap();
    let no_ca = PrivateCa::read(&leaf.cert_pem, leaf.key_pem.as_bytes());
    assert!(matches!(no_ca, Err(IssueError::NotACa)));
    let other = PrivateCa::read(&root.certificate_pem(), leaf.key_pem.as_bytes());
    assert!(matches!(other, Err(IssueError::OtherKey)));
    let nothing = PrivateCa::read("", leaf.key_pem.as_bytes());
    assert!(matches!(
        nothing,
        Err(IssueError::NotACa | IssueError::Unreadable(_))
    ));
}

#[test]
fn a_constrained_ca_issues_for_its_domains_only_and_openssl_agrees() {
    let domains = ["example.com".to_owned()];
    let made = PrivateCa::constrained("Root", KeyType::EcdsaP256, VALIDITY, &domains).unwrap();
    let root = PrivateCa::read(&made.certificate_pem(), made.key_pem().as_bytes()).unwrap();
    let below = root
        .intermediate("Middle", KeyType::EcdsaP256, VALIDITY)
        .unwrap();
    for ca in [&root, &below] {
        for good in ["example.com", "mx.Example.com"] {
            let issued = ca
                .issue(&request(&["192.0.2.1", good], KeyType::EcdsaP256))
                .unwrap();
            let chain = pem_certificates(issued.fullchain_pem().as_bytes()).unwrap();
            let anchors = [one(&root.certificate_pem())];
            assert_eq!(verify_chain(&chain, &anchors, NOW), Ok(()), "{good}");
        }
        let alone = ca.issue(&request(&["192.0.2.1"], KeyType::EcdsaP256));
        assert!(matches!(alone, Err(IssueError::OutsideConstraints(_))));
        for bad in ["example.org", "badexample.com"] {
            let refused = ca.issue(&request(&["mx.example.com", bad], KeyType::EcdsaP256));
            assert!(
                matches!(refused, Err(IssueError::OutsideConstraints(name)) if name == bad),
                "{bad}"
            );
        }
    }
}

#[test]
fn a_renewed_ca_vouches_for_what_was_issued_and_the_one_before_for_what_is_issued_next() {
    for (kind, domains) in [
        (KeyType::EcdsaP256, vec![]),
        (KeyType::Rsa2048, vec!["Example.COM".to_owned()]),
        (KeyType::Ed25519, vec!["example.com".to_owned()]),
    ] {
        let old = PrivateCa::constrained("Small CA", kind, VALIDITY, &domains).unwrap();
        let longer = Validity {
            not_before: NOW,
            not_after: NOW + 3650 * DAY,
        };
        let new = old.renewed(longer).unwrap();
        assert_eq!(new.validity(), longer);
        assert_eq!(*new.key_pem(), *old.key_pem());
        let leaf = |ca: &PrivateCa| {
            let issued = ca.issue(&request(&["mx.example.com"], KeyType::EcdsaP256));
            one(&issued.unwrap().cert_pem)
        };
        let (early, late) = (leaf(&old), leaf(&new));
        let [before, after] = [&old, &new].map(|ca| one(&ca.certificate_pem()));
        for leaf in [early, late] {
            for anchor in [&before, &after] {
                let anchors = std::slice::from_ref(anchor);
                assert_eq!(
                    verify_chain(std::slice::from_ref(&leaf), anchors, NOW),
                    Ok(()),
                    "{kind:?}"
                );
            }
        }
        // Its domains are the same; and so once more.
        let outside = new.issue(&request(&["mx.example.net"], KeyType::EcdsaP256));
        assert_eq!(outside.is_err(), !domains.is_empty());
        assert!(new.renewed(VALIDITY).is_ok());
    }
}

#[test]
fn what_is_no_root_made_here_is_not_made_again() {
    let root = PrivateCa::new("Root", KeyType::EcdsaP256, VALIDITY).unwrap();
    let middle = root.intermediate("Middle", KeyType::EcdsaP256, VALIDITY);
    let refused = middle.unwrap().renewed(VALIDITY);
    assert!(matches!(refused, Err(IssueError::NotMadeHere)));
}
