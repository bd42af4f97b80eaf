//! Cipher expressions, on the library that Postfix uses.

use super::*;

#[test]
fn the_library_names_itself() {
    assert!(
        openssl_version().starts_with("OpenSSL "),
        "{}",
        openssl_version()
    );
}

#[test]
fn an_expression_is_expanded_in_its_order() {
    assert_eq!(
        cipher_list("ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305").unwrap(),
        [
            "ECDHE-RSA-AES256-GCM-SHA384",
            "ECDHE-ECDSA-CHACHA20-POLY1305"
        ]
    );
}

#[test]
fn postfixs_own_lists_are_expanded() {
    // `tls_medium_cipherlist` of Postfix 3.7: anonymous suites come first.
    let medium = cipher_list("aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH").unwrap();
    assert!(medium.len() > 30, "{medium:?}");
    assert!(
        medium[0].starts_with("ADH-") || medium[0].starts_with("AECDH-"),
        "{medium:?}"
    );
    assert!(medium.contains(&"AES128-SHA".to_owned()));
    assert!(
        !medium.iter().any(|name| name.starts_with("TLS_")),
        "{medium:?}"
    );
    let high = cipher_list("HIGH:!aNULL").unwrap();
    assert!(high.contains(&"ECDHE-ECDSA-AES128-GCM-SHA256".to_owned()));
    assert!(
        !high.iter().any(|name| name.starts_with("ADH-")),
        "{high:?}"
    );
    // `tls_null_cipherlist`.
    assert!(
        cipher_list("eNULL:!aNULL")
            .unwrap()
            .contains(&"NULL-SHA256".to_owned())
    );
}

#[test]
fn unknown_names_are_passed_over() {
    assert_eq!(cipher_list("NOSUCH:AES128-SHA").unwrap(), ["AES128-SHA"]);
}

#[test]
fn nothing_left_is_an_error() {
    for expression in ["NOSUCH", "", "HIGH:!HIGH", "@STRENGTH"] {
        assert_eq!(
            cipher_list(expression),
            Err("no cipher match".to_owned()),
            "{expression:?}"
        );
    }
    for expression in [
        "AES128-SHA\0",
        "AES128-SHA:@SECLEVEL=9",
        "AES128-SHA:@NONSENSE",
    ] {
        assert!(cipher_list(expression).is_err(), "{expression:?}");
    }
}

#[test]
fn each_version_has_its_own_suites() {
    use TlsVersion::{Ssl3, Tls1_0, Tls1_1, Tls1_2, Tls1_3};
    let medium = "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH";
    let of = |version, level| suites(medium, version, level).unwrap();
    let has = |version, name: &str| of(version, 0).iter().any(|one| one == name);
    for old in [Tls1_0, Tls1_1] {
        assert!(has(old, "ECDHE-RSA-AES256-SHA") && !has(old, "ECDHE-RSA-AES256-GCM-SHA384"));
        // The level takes out what has no certificate; the version stays.
        assert!(of(old, 1).iter().all(|name| !name.starts_with("ADH-")) && !of(old, 1).is_empty());
    }
    assert!(has(Tls1_2, "ECDHE-RSA-AES256-GCM-SHA384") && has(Tls1_2, "ADH-AES128-SHA"));
    assert!(!of(Tls1_2, 1).contains(&"ADH-AES128-SHA".to_owned()));
    assert!(has(Tls1_3, "TLS_AES_256_GCM_SHA384"));
    assert!(of(Tls1_3, 0).iter().all(|name| name.starts_with("TLS_")));
    assert!(suites(medium, Ssl3, 0).is_err());
}

#[test]
fn a_security_level_in_the_list_wins() {
    let plain = suites("ALL", TlsVersion::Tls1_2, 0).unwrap();
    let two = suites("ALL:@SECLEVEL=2", TlsVersion::Tls1_2, 0).unwrap();
    let none = suites("ALL:@SECLEVEL=0", TlsVersion::Tls1_2, 2).unwrap();
    assert!(two.len() < plain.len());
    assert_eq!(none, plain);
    for version in [TlsVersion::Tls1_2, TlsVersion::Tls1_3] {
        assert_eq!(
            suites("NOSUCH", version, 0),
            Err("no cipher match".to_owned())
        );
    }
}
