//! What leaves and requests say, read back by other code than the one that made them.

use super::*;
use mailtls::{KeyKind, PrivateKey, pem_certificates};
use x509_parser::prelude::{FromDer as _, GeneralName, ParsedExtension, X509CertificationRequest};

const NOW: i64 = 1_800_000_000;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_request_says_its_names_and_is_signed_by_its_key() {
    for key_type in [
        KeyType::EcdsaP256,
        KeyType::EcdsaP384,
        KeyType::Rsa2048,
        KeyType::Ed25519,
    ] {
        let key = Key::generate(key_type).unwrap();
        let request = signing_request(
            &names(&["mx.example.com", "*.example.com", "192.0.2.1"]),
            &key,
        )
        .unwrap();
        let (rest, parsed) = X509CertificationRequest::from_der(&request.der).unwrap();
        assert!(rest.is_empty());
        parsed.verify_signature().unwrap();
        assert_eq!(
            parsed.certification_request_info.subject.to_string(),
            "CN=mx.example.com"
        );
        let alternative = parsed
            .requested_extensions()
            .unwrap()
            .find_map(|extension| match extension {
                ParsedExtension::SubjectAlternativeName(names) => Some(names.clone()),
                _ => None,
            })
            .unwrap();
        assert_eq!(
            alternative.general_names,
            [
                GeneralName::DNSName("mx.example.com"),
                GeneralName::DNSName("*.example.com"),
                GeneralName::IPAddress(&[192, 0, 2, 1]),
            ]
        );
        assert!(
            request
                .pem
                .starts_with("-----BEGIN CERTIFICATE REQUEST-----")
        );
    }
    let key = Key::generate(KeyType::EcdsaP256).unwrap();
    assert!(matches!(
        signing_request(&[], &key),
        Err(IssueError::NoName)
    ));
}

#[test]
fn a_key_read_again_is_the_same_key() {
    for key_type in [
        KeyType::EcdsaP256,
        KeyType::EcdsaP384,
        KeyType::Rsa2048,
        KeyType::Ed25519,
    ] {
        let key = Key::generate(key_type).unwrap();
        let again = Key::read(key.to_pem().as_bytes()).unwrap();
        let first = self_signed_for(&names(&["a.example"]), Validity::days(NOW, 30), &key).unwrap();
        let second =
            self_signed_for(&names(&["a.example"]), Validity::days(NOW, 60), &again).unwrap();
        let key = PrivateKey::parse(first.key_pem.as_bytes()).unwrap();
        for issued in [&first, &second] {
            let certificate = pem_certificates(issued.cert_pem.as_bytes())
                .unwrap()
                .remove(0);
            assert!(key.matches(&certificate), "{key_type:?}");
            let rsa = matches!(certificate.key, KeyKind::Rsa { .. });
            let usages = certificate.key_usage.unwrap();
            assert_eq!(usages.contains(&"keyEncipherment"), rsa, "{key_type:?}");
        }
    }
    assert!(matches!(
        Key::read(b"nothing"),
        Err(IssueError::Unreadable(_))
    ));
}

#[test]
fn days_begin_an_hour_early_and_can_be_kept_within_the_ca() {
    let month = Validity::days(NOW, 30);
    assert_eq!(month.not_before, NOW - 3600);
    assert_eq!(month.not_after, NOW + 30 * 86_400);
    let inner = Validity::days(NOW - 86_400, 400).within(month);
    assert_eq!(
        inner,
        Validity {
            not_before: NOW - 3600,
            ..month
        }
    );
    assert_eq!(Validity::days(i64::MAX, 1).not_after, i64::MAX);
}

#[test]
fn keys_are_not_printed() {
    let key = Key::generate(KeyType::EcdsaP256).unwrap();
    assert_eq!(format!("{key:?}"), "Key(…)");
}
