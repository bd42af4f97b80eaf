//! PEM, near misses of it, and what is something else.

use super::*;
use proptest::prelude::*;

const BODY: &str = "AQIDBAUG\n";

fn pem(begin: &str, body: &str, end: &str) -> String {
    format!("-----BEGIN {begin}-----\n{body}-----END {end}-----\n")
}

fn code<T>(result: Result<T, CertError>) -> &'static str {
    result.err().map_or("ok", |error| error.code())
}

#[test]
fn objects_are_cut_out_with_their_labels() {
    let text = format!(
        "subject=/CN=x\r\n{}text between\n{}",
        pem("CERTIFICATE", BODY, "CERTIFICATE").replace('\n', "\r\n"),
        pem("EC PRIVATE KEY", "AQID BAUG  \n", "EC PRIVATE KEY"),
    );
    let blocks = blocks(text.as_bytes()).unwrap();
    let found: Vec<_> = blocks
        .iter()
        .map(|block| (block.label.as_str(), block.encrypted, block.der.len()))
        .collect();
    assert_eq!(
        found,
        [("CERTIFICATE", false, 6), ("EC PRIVATE KEY", false, 6)]
    );
    assert!(blocks[0].is_certificate() && !blocks[0].is_key());
    assert!(blocks[1].is_key() && !blocks[1].is_certificate());
}

#[test]
fn headers_are_read_and_tell_that_a_key_is_encrypted() {
    let body = format!("Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n{BODY}");
    let text = pem("RSA PRIVATE KEY", &body, "RSA PRIVATE KEY");
    let found = blocks(text.as_bytes()).unwrap();
    assert!(found[0].encrypted);
    assert_eq!(found[0].der.len(), 6);
}

#[test]
fn what_ends_too_early_or_is_no_base64_is_refused() {
    for (text, expected) in [
        (
            "-----BEGIN CERTIFICATE-----\nAQID".to_owned(),
            "cert.truncated",
        ),
        ("-----BEGIN CERTIFICATE-----".to_owned(), "cert.truncated"),
        (pem("CERTIFICATE", BODY, "X509 CRL"), "cert.truncated"),
        (pem("A", &pem("B", BODY, "B"), "A"), "cert.truncated"),
        (pem("CERTIFICATE", "AQI!\n", "CERTIFICATE"), "cert.damaged"),
        (pem("CERTIFICATE", "AQIDB\n", "CERTIFICATE"), "cert.damaged"),
        (pem("CERTIFICATE", "", "CERTIFICATE"), "cert.damaged"),
        // Where OpenSSL sees no start either.
        ("  -----BEGIN A-----\n".to_owned(), "ok"),
        ("-----BEGIN A-----AQID-----END A\n".to_owned(), "ok"),
    ] {
        assert_eq!(code(blocks(text.as_bytes())), expected, "{text}");
    }
}

#[test]
fn other_formats_are_told_by_their_first_bytes() {
    let utf16 = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<_>>()
    };
    let begin = "-----BEGIN CERTIFICATE-----\n";
    for (bytes, expected) in [
        (vec![], "cert.empty"),
        (b" \r\n\t\n".to_vec(), "cert.empty"),
        (b"\xef\xbb\xbf\n".to_vec(), "cert.empty"),
        ([&[0xff, 0xfe][..], &utf16(begin)].concat(), "cert.utf16"),
        (utf16(begin), "cert.utf16"),
        (b"hello".to_vec(), "cert.not-pem"),
        (b"\x7fELF".to_vec(), "cert.not-pem"),
        (vec![b'a'; MAX_INPUT + 1], "cert.too-large"),
        (begin.as_bytes().to_vec(), "ok"),
        (format!("\u{feff}{begin}").into_bytes(), "ok"),
        (b"\x30\x03\x02\x01\x00".to_vec(), "ok"),
    ] {
        assert_eq!(
            code(form(&bytes)),
            expected,
            "{:?}",
            &bytes[..bytes.len().min(40)]
        );
    }
}

#[test]
fn der_that_is_no_certificate_is_named() {
    for (der, expected) in [
        (&b"\x30\x82\x01\x00\x02"[..], "cert.truncated"),
        (b"\x30", "cert.truncated"),
        (b"\x30\x84\x01", "cert.truncated"),
        (
            b"\x30\x89\x01\x01\x01\x01\x01\x01\x01\x01\x01",
            "cert.truncated",
        ),
        (b"\x30\x03\x02\x01\x03", "cert.pkcs12"),
        (
            b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02",
            "cert.pkcs7",
        ),
        (
            b"\x30\x0d\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d",
            "cert.key-encrypted",
        ),
        (b"\x30\x03\x02\x01\x07", "cert.damaged"),
    ] {
        assert_eq!(der_mistake(der).code(), expected, "{der:x?}");
    }
}

#[test]
fn too_many_objects_are_refused() {
    let text = pem("X", BODY, "X").repeat(MAX_BLOCKS + 1);
    assert_eq!(code(blocks(text.as_bytes())), "cert.too-many");
}

proptest! {
    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = form(&bytes);
        let _ = blocks(&bytes);
        let _ = der_mistake(&bytes);
    }

    #[test]
    fn never_panics_on_near_misses(text in "((-----(BEGIN|END) [A ]{0,3}-----|Proc-Type: 4,ENCRYPTED|[A-D=+/ ]{0,8})\r?\n){0,8}") {
        let _ = blocks(text.as_bytes());
    }
}
