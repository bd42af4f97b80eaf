//! Cases whose certificates are mailtls' bad ones.

use crate::host::{Case, legacy};
use std::path::{Path, PathBuf};

/// The folder of a mistake, and what lint says of it.
const CASES: [(&str, &str); 10] = [
    ("40-p-224", "cert.bad-curve"),
    ("53-negative-serial", "cert.bad-serial"),
    ("62-partial-wildcard", "cert.bad-wildcard"),
    ("89-openssh-key", "cert.key-unusable"),
    ("51-must-staple", "cert.must-staple"),
    ("48-may-not-sign", "cert.no-digital-signature"),
    ("26-nul-in-name", "cert.nul-in-name"),
    ("42-brainpool", "cert.rare-curve"),
    ("38-exponent-3", "cert.small-exponent"),
    ("110-ten-thousand-names", "cert.too-long"),
];

pub(crate) fn cases() -> Vec<Case> {
    CASES
        .into_iter()
        .map(|(folder, code)| {
            let read = |folder: &str, stem: &str| std::fs::read(path(folder, stem));
            let chain = read(folder, "chain").unwrap_or_default();
            let cert = [read(folder, "cert").unwrap(), chain].concat();
            legacy(cert, read(folder, "key").unwrap_or_default(), code)
        })
        .collect()
}

fn path(folder: &str, stem: &str) -> PathBuf {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mailtls/tests/bad-certs");
    all.join(folder).join(format!("{stem}.pem"))
}
