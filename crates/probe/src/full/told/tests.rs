//! Finite fields and names.

use super::*;

#[test]
fn finite_fields_by_their_prime() {
    let suite = || "DHE-RSA-AES256-GCM-SHA384".to_owned();
    let named = [
        &[0xFF; 8][..],
        &[0xAD, 0xF8, 0x54, 0x58, 0xA2, 0xBB, 0x4A, 0x9A],
        &[0x55; 368],
    ]
    .concat();
    let seen = dh(&named, suite());
    assert_eq!((seen.bits, seen.name.as_deref()), (3072, Some("ffdhe3072")));
    // RFC 2409 and RFC 3526 begin otherwise; leading zeros do not count.
    let modp = [
        &[0, 0][..],
        &[0xFF; 8],
        &[0xC9, 0x0F, 0xDA, 0xA2, 0x21, 0x68, 0xC2, 0x34],
        &[0x55; 112],
    ]
    .concat();
    let seen = dh(&modp, suite());
    assert_eq!((seen.bits, seen.name.as_deref()), (1024, Some("modp1024")));
    let own = dh(&[0xFF; 128], suite());
    assert_eq!((own.bits, own.name), (1024, None));
    assert_eq!(dh(&[0x7F, 0xFF], suite()).bits, 15);
    assert_eq!(dh(&[], suite()).bits, 0);
    assert_eq!(dh(&[0, 0], suite()).bits, 0);
}

#[test]
fn names_of_authorities() {
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("O", "Example\u{7}").unwrap();
    name.append_entry_by_text("CN", "Prüf CA").unwrap();
    let name = name.build().to_der().unwrap();
    assert_eq!(name_words(&name), "O=Example?, CN=Prüf CA");
    assert_eq!(name_words(b"\x30\x03abc"), "a name that cannot be read");
}

#[test]
fn suites_by_both_names() {
    let seen = suite_seen(0xC030, Evidence::Chosen);
    assert_eq!(seen.name, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
    assert_eq!(seen.openssl.as_deref(), Some("ECDHE-RSA-AES256-GCM-SHA384"));
    // No OpenSSL of today has export suites.
    assert_eq!(suite_seen(0x0003, Evidence::Chosen).openssl, None);
    assert_eq!(suite_seen(0xFAFA, Evidence::Chosen).name, "0xFAFA");
}
