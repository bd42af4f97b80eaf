//! Files that cannot be read, and files that merely look so.

use super::*;

/// Bytes with one change.
fn changed(bytes: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    change(&mut bytes);
    bytes
}

fn text(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    String::from_utf8_lossy(bytes)
        .replace(from, to)
        .into_bytes()
}

fn utf16(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| [*byte, 0]).collect()
}

pub(super) fn cases(chain: &Chain) -> Vec<Case> {
    let leaf = &chain.leaf;
    let (pem, der, key) = (fullchain(leaf, chain), leaf.der(), leaf.key_pem());
    let windows = [b"\xef\xbb\xbf".to_vec(), text(&pem, "\n", " \t\r\n")].concat();
    let nested = (0..2000).fold(vec![5, 0], |inner, _| super::der(0x30, &[&inner]));
    let request = request(leaf);
    vec![
        case("good", "ok", &[("cert.pem", &pem), ("key.pem", &key)]),
        case(
            "good-der",
            "ok",
            &[
                ("cert.der", &der),
                ("chain.der", &chain.middle.der()),
                ("key.der", &leaf.key.private_key_to_pkcs8().unwrap()),
            ],
        ),
        case("empty", "cert.empty", &[("cert.pem", b"")]),
        case("blanks", "cert.empty", &[("cert.pem", b" \r\n\t\n")]),
        case(
            "truncated-pem",
            "cert.truncated",
            &[("cert.pem", &pem[..300])],
        ),
        case(
            "truncated-der",
            "cert.truncated",
            &[("cert.der", &der[..200])],
        ),
        case(
            "half-key",
            "cert.truncated",
            &[("cert.pem", &pem), ("key.pem", &key[..100])],
        ),
        case(
            "web-page",
            "cert.not-pem",
            &[("cert.pem", b"<html><title>404 Not Found</title></html>\n")],
        ),
        case(
            "utf16",
            "cert.utf16",
            &[(
                "cert.pem",
                &[b"\xff\xfe".to_vec(), utf16(&pem[..200])].concat(),
            )],
        ),
        case(
            "utf16-without-mark",
            "cert.utf16",
            &[("cert.pem", &utf16(&pem[..200]))],
        ),
        case(
            "windows-text",
            "ok",
            &[("cert.pem", &windows), ("key.pem", &key)],
        ),
        case(
            "dash-missing-at-begin",
            "cert.not-pem",
            &[("cert.pem", &text(&leaf.pem(), "-----BEGIN", "----BEGIN"))],
        ),
        case(
            "dash-missing-at-end",
            "cert.truncated",
            &[(
                "cert.pem",
                &text(
                    &leaf.pem(),
                    "-----END CERTIFICATE-----",
                    "-----END CERTIFICATE----",
                ),
            )],
        ),
        case(
            "labels-differ",
            "cert.truncated",
            &[(
                "cert.pem",
                &text(&leaf.pem(), "END CERTIFICATE", "END CERT"),
            )],
        ),
        case(
            "illegal-base64",
            "cert.damaged",
            &[("cert.pem", &changed(&pem, |pem| pem[100] = b'*'))],
        ),
        case(
            "line-lost",
            "cert.damaged",
            &[("cert.pem", &changed(&pem, |pem| drop(pem.drain(28..93))))],
        ),
        case(
            "der-garbage",
            "cert.damaged",
            &[("cert.der", b"\x30\x10ABCDEFGHIJKLMNOP")],
        ),
        case(
            "bytes-after-der",
            "cert.damaged",
            &[("cert.der", &changed(&der, |der| der.push(0)))],
        ),
        case("deep-nesting", "cert.damaged", &[("cert.der", &nested)]),
        case(
            "open-length",
            "cert.open-length",
            &[("cert.p12", b"\x30\x80\x02\x01\x03\x30\x80\0\0\0\0")],
        ),
        case(
            "request",
            "cert.is-request",
            &[("cert.pem", &request.to_pem().unwrap())],
        ),
        case(
            "request-der",
            "cert.is-request",
            &[("cert.der", &request.to_der().unwrap())],
        ),
        case("key-only", "cert.no-certificate", &[("cert.pem", &key)]),
        case(
            "public-key-only",
            "cert.no-certificate",
            &[("cert.pem", &leaf.key.public_key_to_pem().unwrap())],
        ),
        case(
            "certificate-as-key",
            "cert.key-missing",
            &[("cert.pem", &pem), ("key.pem", &pem)],
        ),
        case(
            "nul-in-name",
            "cert.nul-in-name",
            &[("cert.pem", &named(b"mx.example.com\0.evil.example", chain))],
        ),
        case(
            "names-cut",
            "cert.damaged",
            &[("cert.pem", &with_names(b"\x30\x05\x82\x09ab", chain))],
        ),
    ]
}

fn request(leaf: &Forged) -> X509Req {
    let mut request = X509Req::builder().unwrap();
    request.set_subject_name(leaf.x509.subject_name()).unwrap();
    request.set_pubkey(&leaf.key).unwrap();
    request.sign(&leaf.key, MessageDigest::sha256()).unwrap();
    request.build()
}

/// A certificate with this DNS name, whatever it holds.
pub(super) fn named(name: &[u8], chain: &Chain) -> Vec<u8> {
    let host = super::der(0x82, &[HOST.as_bytes()]);
    with_names(
        &super::der(0x30, &[&host, &super::der(0x82, &[name])]),
        chain,
    )
}

fn with_names(names: &[u8], chain: &Chain) -> Vec<u8> {
    let mut recipe = Recipe::leaf(HOST).by(&chain.middle);
    recipe.raw_alternative_names = Some(names.to_vec());
    fullchain(&recipe.make(), chain)
}
