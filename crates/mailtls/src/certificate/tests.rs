//! What is read, what matches, and what a hostile certificate cannot do.

use super::*;
use crate::forge::{DAY, NOW, Recipe, chain, ed25519_key, rsa_key};
use openssl::hash::MessageDigest;
use proptest::prelude::*;

fn named(dns: &[&str]) -> Certificate {
    let mut recipe = Recipe::leaf("cn.example.com");
    recipe.dns = dns.iter().map(|name| (*name).to_owned()).collect();
    recipe.make().certificate()
}

#[test]
fn a_certificate_says_what_was_put_into_it() {
    let ca = Recipe::ca("Issuing, Inc=\"1\"").make();
    let mut recipe = Recipe::leaf("mx.example.com").by(&ca);
    recipe.organisation = Some("Bücher + Co");
    recipe.dns.push("*.example.org".into());
    recipe.ip = vec!["192.0.2.1", "2001:db8::1"];
    recipe.usages = vec!["serverAuth", "1.3.6.1.5.5.7.3.30"];
    let forged = recipe.make();
    let certificate = forged.certificate();
    assert_eq!(certificate.subject, "CN=mx.example.com, O=Bücher \\+ Co");
    assert_eq!(certificate.issuer, "CN=Issuing\\, Inc\\=\"1\", O=Test CA");
    assert_eq!(certificate.common_name.as_deref(), Some("mx.example.com"));
    assert_eq!(certificate.dns_names, ["mx.example.com", "*.example.org"]);
    let addresses: Vec<String> = certificate
        .ip_addresses
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(addresses, ["192.0.2.1", "2001:db8::1"]);
    assert_eq!(certificate.not_before, NOW - 30 * DAY);
    assert_eq!(certificate.not_after, NOW + 60 * DAY);
    assert_eq!(certificate.key.to_string(), "ECDSA prime256v1");
    assert_eq!(certificate.signature, "ecdsa-with-SHA256");
    assert!(!certificate.weak_signature && !certificate.is_ca && !certificate.self_signed);
    let usages = certificate.extended_key_usage.clone().unwrap();
    assert_eq!(usages, ["serverAuth", "1.3.6.1.5.5.7.3.30"]);
    assert!(certificate.allows_server_auth() && !certificate.allows_client_auth());
    assert_eq!(certificate.key_usage, None);
    let serial = forged.x509.serial_number().to_bn().unwrap();
    let expected = serial.to_hex_str().unwrap().to_string();
    assert_eq!(
        certificate.serial.trim_start_matches('0'),
        expected.trim_start_matches('0')
    );
    assert_eq!(certificate.fingerprint(), Fingerprint::of(&forged.der()));
    assert_eq!(certificate.to_pem().unwrap(), forged.pem());
}

#[test]
fn a_ca_is_told_from_a_leaf_and_from_a_self_signed_one() {
    let ca = Recipe::ca("Root").make().certificate();
    assert!(ca.is_ca && ca.self_signed);
    assert_eq!(ca.key_usage, Some(vec!["keyCertSign", "cRLSign"]));
    let chain = chain("mx.example.com");
    let (leaf, middle, root) = (
        chain.leaf.certificate(),
        chain.middle.certificate(),
        chain.root.certificate(),
    );
    assert!(leaf.issued_by(&middle) && middle.issued_by(&root) && root.issued_by(&root));
    assert!(!leaf.issued_by(&root) && !middle.issued_by(&leaf) && !leaf.issued_by(&leaf));
}

#[test]
fn the_same_name_with_another_key_is_not_the_issuer() {
    let real = Recipe::ca("Root").make();
    let fake = Recipe::ca("Root").make();
    let leaf = Recipe::leaf("mx.example.com")
        .by(&real)
        .make()
        .certificate();
    assert!(leaf.issued_by(&real.certificate()));
    assert!(!leaf.issued_by(&fake.certificate()));
}

#[test]
fn a_certificate_in_its_own_name_signed_by_another_key_is_not_self_signed() {
    let other = Recipe::leaf("mx.example.com").make();
    let forged = Recipe::leaf("mx.example.com").by(&other).make();
    assert!(other.certificate().self_signed);
    assert!(!forged.certificate().self_signed);
}

#[test]
fn keys_and_signatures_are_named() {
    let kind = |key, digest: Option<MessageDigest>| {
        let mut recipe = Recipe::leaf("mx.example.com");
        (recipe.key, recipe.digest) = (key, digest);
        let certificate = recipe.make().certificate();
        let weak = if certificate.weak_signature {
            " weak"
        } else {
            ""
        };
        format!("{}, {}{weak}", certificate.key, certificate.signature)
    };
    assert_eq!(
        kind(rsa_key(2048), Some(MessageDigest::sha256())),
        "RSA 2048, sha256WithRSAEncryption"
    );
    assert_eq!(
        kind(rsa_key(1024), Some(MessageDigest::sha1())),
        "RSA 1024, sha1WithRSAEncryption weak"
    );
    assert_eq!(
        kind(rsa_key(1024), Some(MessageDigest::md5())),
        "RSA 1024, md5WithRSAEncryption weak"
    );
    assert_eq!(kind(ed25519_key(), None), "Ed25519, ED25519");
}

#[test]
fn names_match_as_rfc_6125_says() {
    for (names, host, matches) in [
        (&["mx.example.com"][..], "mx.example.com", true),
        (&["mx.example.com"], "MX.Example.COM.", true),
        (&["mx.example.com."], "mx.example.com", false),
        (&["mx.example.com."], "mx.example.com.", false),
        (&["*.example.com."], "mx.example.com", false),
        (&["MX.EXAMPLE.com"], "mx.example.com", true),
        (&["mx.example.com"], "mx2.example.com", false),
        (&["mx.example.com"], "example.com", false),
        (&["a.example", "mx.example.com"], "mx.example.com", true),
        (&["*.example.com"], "mx.example.com", true),
        (&["*.example.com"], "a.mx.example.com", false),
        (&["*.example.com"], "example.com", false),
        (&["*.example.com"], ".example.com", false),
        (&["*.com"], "example.com", false),
        (&["*"], "example.com", false),
        (&["m*.example.com"], "mx.example.com", false),
        (&["mx.*.com"], "mx.example.com", false),
        (&["*.*.com"], "mx.example.com", false),
        (&["xn--bcher-kva.example"], "bücher.example", true),
        (&["xn--bcher-kva.example"], "BÜCHER.example", true),
        (&["*.xn--bcher-kva.example"], "mx.bücher.example", true),
        (&["xn--bcher-kva.example"], "xn--bcher-kva.example", true),
        (&["mx_1.example.com"], "mx_1.example.com", true),
        (&["cn.example.com"], "cn.example.com", true),
        (&["192.0.2.1"], "192.0.2.1", false),
        (&["mx.example.com"], "", false),
        (&["mx.example.com"], "mx.example.com\0", false),
        (&["mx.example.com"], "mx .example.com", false),
    ] {
        let found = named(names).matches_name(host);
        assert_eq!(found, matches, "{names:?} {host:?}");
    }
}

#[test]
fn the_common_name_counts_only_without_dns_names() {
    let mut recipe = Recipe::leaf("cn.example.com");
    recipe.dns.clear();
    assert!(recipe.make().certificate().matches_name("cn.example.com"));
    assert!(!named(&["other.example.com"]).matches_name("cn.example.com"));
}

#[test]
fn addresses_match_addresses_only() {
    let mut recipe = Recipe::leaf("mx.example.com");
    recipe.ip = vec!["192.0.2.1", "2001:db8::1"];
    let certificate = recipe.make().certificate();
    for host in ["192.0.2.1", "[192.0.2.1]", "2001:DB8:0::1", "[2001:db8::1]"] {
        assert!(certificate.matches_name(host), "{host}");
    }
    assert!(!certificate.matches_name("192.0.2.2"));
}

#[test]
fn a_nul_in_a_name_is_refused_and_shown() {
    let name = b"mx.example.com\0.evil.example";
    let mut der = vec![0x30, name.len() as u8 + 2, 0x82, name.len() as u8];
    der.extend(name);
    let mut recipe = Recipe::leaf("mx.example.com");
    recipe.raw_alternative_names = Some(der);
    let error = Certificate::parse(&recipe.make().der()).unwrap_err();
    assert_eq!(error.code(), "cert.nul-in-name");
    assert_eq!(
        error,
        CertError::NulInName("mx.example.com\\u{0}.evil.example".into())
    );
    let error = Certificate::parse(&Recipe::leaf("a\0b").make().der()).unwrap_err();
    assert_eq!(error.code(), "cert.nul-in-name");
}

#[test]
fn what_would_deceive_the_eye_is_escaped() {
    let mut recipe = Recipe::leaf("mx");
    recipe.common_name = "a\u{202e}b\u{200b}c\nd\\e\u{7f}";
    let certificate = recipe.make().certificate();
    assert_eq!(
        certificate.subject,
        "CN=a\\u{202e}b\\u{200b}c\\u{a}d\\u{5c}e\\u{7f}"
    );
}

#[test]
fn a_damaged_list_of_names_is_not_taken_for_an_empty_one() {
    for der in [
        &b"\x30\x05\x82\x09ab"[..],
        b"\x04\x02ab",
        b"\x30\x04\x82\x02\xff\xfe",
    ] {
        let mut recipe = Recipe::leaf("mx.example.com");
        recipe.raw_alternative_names = Some(der.to_vec());
        let error = Certificate::parse(&recipe.make().der()).unwrap_err();
        assert_eq!(error.code(), "cert.damaged");
    }
}

#[test]
fn ten_thousand_names_are_read_and_matched() {
    let mut recipe = Recipe::leaf("mx.example.com");
    recipe.dns = (0..10_000)
        .map(|i| format!("host{i}.example.com"))
        .collect();
    let certificate = recipe.make().certificate();
    assert_eq!(certificate.dns_names.len(), 10_000);
    assert!(certificate.matches_name("host9999.example.com"));
    assert!(!certificate.matches_name("host10000.example.com"));
}

#[test]
fn bytes_after_a_certificate_or_missing_from_it_are_refused() {
    let der = Recipe::leaf("mx.example.com").make().der();
    let longer = [der.as_slice(), b"\0"].concat();
    for bad in [&longer[..], &der[..der.len() - 1], &der[..10], b"", b"\x30"] {
        assert_eq!(Certificate::parse(bad).unwrap_err().code(), "cert.damaged");
    }
    let huge = vec![0x30; pem::MAX_INPUT + 1];
    assert_eq!(
        Certificate::parse(&huge).unwrap_err().code(),
        "cert.too-large"
    );
}

#[test]
fn the_certificates_of_a_file_are_read_in_order_and_other_objects_skipped() {
    let chain = chain("mx.example.com");
    let file = [
        b"a comment\n".to_vec(),
        chain.leaf.pem(),
        chain.leaf.key_pem(),
        chain.middle.pem(),
    ]
    .concat();
    let found = pem_certificates(&file).unwrap();
    assert_eq!(
        found,
        [chain.leaf.certificate(), chain.middle.certificate()]
    );
    assert_eq!(pem_certificates(&chain.leaf.der()).unwrap().len(), 1);
    assert_eq!(pem_certificates(b"").unwrap_err().code(), "cert.empty");
}

/// The system's own trust anchors are the largest collection of odd certificates at hand.
#[test]
fn every_trust_anchor_of_the_system_is_read() {
    let path = "/etc/ssl/certs/ca-certificates.crt";
    let Ok(bytes) = std::fs::read(path) else {
        postseal_testkit::beside::missing(&format!("{path} is absent"));
        return;
    };
    let anchors = pem_certificates(&bytes).unwrap();
    assert!(anchors.len() > 50);
    for anchor in &anchors {
        assert!(anchor.is_ca && anchor.self_signed, "{anchor:?}");
        assert!(anchor.key != KeyKind::Other, "{anchor:?}");
        assert!(anchor.not_before < anchor.not_after, "{anchor:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn never_panics_on_changed_bytes(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        static DER: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let der = DER.get_or_init(|| {
            let mut recipe = Recipe::ca("Root");
            recipe.dns = vec!["a.example".into()];
            recipe.ip = vec!["192.0.2.1"];
            recipe.usages = vec!["serverAuth"];
            recipe.make().der()
        });
        let mut der = der.clone();
        for (index, byte) in changes {
            let at = index.index(der.len());
            der[at] = byte;
        }
        if let Ok(certificate) = Certificate::parse(&der) {
            let _ = certificate.matches_name("a.example");
            let _ = certificate.issued_by(&certificate);
        }
    }

    #[test]
    fn never_panics_on_any_bytes(der in prop::collection::vec(any::<u8>(), 0..80), host in "\\PC{0,30}") {
        let _ = Certificate::parse(&der);
        let _ = pem_certificates(&der);
        static ONE: std::sync::OnceLock<Certificate> = std::sync::OnceLock::new();
        let one = ONE.get_or_init(|| Recipe::leaf("*.example.com").make().certificate());
        let _ = one.matches_name(&host);
    }
}

#[test]
fn a_hyphen_stands_neither_first_nor_last_in_a_label() {
    use super::host_name;
    for name in ["-", "-a.example", "a-.example", "a.-example", "a.example-"] {
        assert_eq!(host_name(name), None, "{name}");
    }
    let known = ["mail-1.example", "xn--mller-kva.example", "_dmarc.example"];
    for name in known {
        assert_eq!(host_name(name).as_deref(), Some(name));
    }
}
