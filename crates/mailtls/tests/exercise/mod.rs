//! All that reads hostile bytes, called on the same bytes. The fuzzer and the replay share it.

use mailtls::tlsa::{Peer, TlsaRecord, judge, owner_name};
use mailtls::{Bundle, Files, PrivateKey, Trust, problems};

/// Reads the bytes in every way; nothing may panic, hang or take memory without bound.
pub(crate) fn exercise(bytes: &[u8]) {
    for password in [None, Some("correct horse")] {
        let files = Files {
            cert: bytes,
            password,
            ..Files::default()
        };
        if let Ok(bundle) = Bundle::from_files(files) {
            judged(&bundle);
        }
    }
    let _ = Bundle::read(bytes, Some(bytes), Some(bytes));
    let _ = PrivateKey::parse(bytes);
    let _ = mailtls::pem_certificates(bytes);
    let _ = mailtls::Summary::read(bytes);
    let _ = mailtls::chain_files_problems(&[bytes]);
    let _ = mailtls::pair_problems(bytes, bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = text.parse::<TlsaRecord>();
        let _ = owner_name(text, 25);
    }
}

fn judged(bundle: &Bundle) {
    let (names, now) = (&["mx.example.com"], 1_800_000_000);
    let _ = problems(&bundle.chain, now, names, Trust::Unknown);
    let _ = problems(&bundle.chain, now, names, Trust::Anchors(&bundle.chain));
    let _ = mailtls::verify_chain(&bundle.chain, &bundle.chain, now);
    for certificate in &bundle.chain {
        let records = [
            TlsaRecord::for_certificate(certificate),
            TlsaRecord::for_issuer(certificate),
        ];
        let _ = judge(&records, &bundle.chain, Peer { names, now });
        let _ = certificate.matches_name("bücher.example");
    }
}
