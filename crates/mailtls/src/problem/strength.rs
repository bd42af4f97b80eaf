//! Rules on keys, signatures and serial numbers.

use super::{CertProblem, Gravity};
use crate::{Certificate, KeyKind};

/// Curves that every TLS library signs with.
const CURVES: [&str; 3] = ["prime256v1", "secp384r1", "secp521r1"];
const ANEW: &str = "Have a certificate issued for a new key (ECDSA P-256, or RSA 2048 or more).";

pub(super) fn judge(certificate: &Certificate, found: &mut Vec<CertProblem>) {
    let subject = &certificate.subject;
    key(certificate, found);
    serial(certificate, found);
    // A self-signed certificate's signature proves nothing, so its strength does not matter.
    if certificate.weak_signature && !certificate.self_signed {
        let message = format!(
            "{subject} is signed with {}, which can be forged",
            certificate.signature
        );
        let remedy = "Have the certificate issued anew, with SHA-256.";
        found.push(CertProblem::new(
            "cert.weak-signature",
            Gravity::Error,
            message,
            remedy,
        ));
    }
}

fn key(certificate: &Certificate, found: &mut Vec<CertProblem>) {
    let subject = &certificate.subject;
    let (code, gravity, what) = match &certificate.key {
        KeyKind::Rsa { bits } if *bits < 2048 => (
            "cert.weak-key",
            Gravity::Error,
            format!("an RSA key of {bits} bits; many peers refuse less than 2048"),
        ),
        KeyKind::Rsa { .. } => match exponent(certificate) {
            Exponent::Usual => return,
            Exponent::Small => (
                "cert.small-exponent",
                Gravity::Note,
                "an RSA key with an exponent below 65537, which some peers refuse".to_owned(),
            ),
            Exponent::Broken => (
                "cert.weak-key",
                Gravity::Error,
                "an RSA key with a broken exponent: anybody can sign in its name".to_owned(),
            ),
        },
        KeyKind::Ec { curve } if CURVES.contains(&curve.as_str()) => return,
        KeyKind::Ec { curve } if curve.starts_with("brainpool") => (
            "cert.rare-curve",
            Gravity::Warning,
            format!("a key on {curve}, which few peers know"),
        ),
        KeyKind::Ec { curve } => (
            "cert.bad-curve",
            Gravity::Error,
            format!("a key on {curve}, which TLS 1.3 does not have and most peers refuse"),
        ),
        KeyKind::Ed25519 | KeyKind::Ed448 => return,
        KeyKind::Other => (
            "cert.key-kind",
            Gravity::Error,
            "a key of a kind that cannot be used in TLS".to_owned(),
        ),
    };
    let message = format!("{subject} has {what}");
    found.push(CertProblem::new(code, gravity, message, ANEW));
}

enum Exponent {
    Usual,
    /// Odd, from 3 on: allowed, and what careless padding checks were broken with.
    Small,
    /// 1 signs nothing, and an even one cannot work.
    Broken,
}

fn exponent(certificate: &Certificate) -> Exponent {
    let key = certificate.x509.public_key().and_then(|key| key.rsa());
    let Ok(key) = key else {
        return Exponent::Usual;
    };
    let exponent = key.e();
    let is_one = exponent.num_bits() <= 1;
    match () {
        () if is_one || !exponent.is_bit_set(0) => Exponent::Broken,
        () if exponent.num_bits() < 17 => Exponent::Small,
        () => Exponent::Usual,
    }
}

/// RFC 5280, 4.1.2.2: positive, of at most 20 bytes.
fn serial(certificate: &Certificate, found: &mut Vec<CertProblem>) {
    let Ok(number) = certificate.x509.serial_number().to_bn() else {
        return;
    };
    let what = match () {
        () if number.is_negative() => "a negative serial number",
        () if number.num_bits() == 0 => "the serial number 0",
        () if number.num_bits() > 20 * 8 => "a serial number of more than 20 bytes",
        () => return,
    };
    found.push(CertProblem::new(
        "cert.bad-serial",
        Gravity::Warning,
        format!(
            "{} has {what}; strict peers (Go's among them) refuse it",
            certificate.subject
        ),
        "Have the certificate issued anew by a CA that keeps to RFC 5280.",
    ));
}
