//! A certificate in a row of a list: what is read of many at once.
//!
//! Owns: the few fields that a list shows, read by x509-parser alone, fifty times as fast as
//! [`Certificate::parse`](super::Certificate::parse). Never: checks a signature or a key; who
//! judges a certificate parses it.

use super::{KeyKind, hexadecimal, names};
use crate::{CertError, Fingerprint, pem};
use openssl::asn1::Asn1Object;
use std::net::IpAddr;
use x509_parser::asn1_rs::{Oid, oid};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// What a list shows of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The subject, as in [`Certificate`](super::Certificate).
    pub subject: String,
    /// The issuer, in the same form.
    pub issuer: String,
    /// The serial number, upper-case hexadecimal.
    pub serial: String,
    /// DNS names of the subjectAltName extension; printable.
    pub dns_names: Vec<String>,
    /// IP addresses of the subjectAltName extension.
    pub ip_addresses: Vec<IpAddr>,
    /// Valid from, in seconds since 1970.
    pub not_before: i64,
    /// Valid to, in seconds since 1970.
    pub not_after: i64,
    /// The key's kind.
    pub key: KeyKind,
    /// Whether it names itself as its issuer. Its signature was not looked at.
    pub names_itself: bool,
    /// SHA-256 of the DER.
    pub fingerprint: Fingerprint,
}

impl Summary {
    /// Reads what a list shows of one certificate's DER.
    pub fn read(der: &[u8]) -> Result<Self, CertError> {
        if der.len() > pem::MAX_INPUT {
            return Err(CertError::TooLarge(der.len() as u64));
        }
        let damaged = || CertError::Damaged("the certificate".into());
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| damaged())?;
        if !rest.is_empty() {
            return Err(damaged());
        }
        let alternative = names::alternative(&parsed)?;
        Ok(Self {
            subject: names::distinguished(parsed.subject()),
            issuer: names::distinguished(parsed.issuer()),
            serial: hexadecimal(parsed.raw_serial()),
            dns_names: alternative.dns,
            ip_addresses: alternative.ip,
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            key: kind(parsed.public_key()),
            names_itself: parsed.subject().as_raw() == parsed.issuer().as_raw(),
            fingerprint: Fingerprint::of(der),
        })
    }
}

/// RFC 8410, 3.
const ED25519: Oid<'_> = oid!(1.3.101.112);
const ED448: Oid<'_> = oid!(1.3.101.113);

/// The kind by the key's algorithm.
fn kind(info: &SubjectPublicKeyInfo<'_>) -> KeyKind {
    match info.parsed() {
        _ if info.algorithm.algorithm == ED25519 => KeyKind::Ed25519,
        _ if info.algorithm.algorithm == ED448 => KeyKind::Ed448,
        Ok(PublicKey::RSA(key)) => KeyKind::Rsa {
            bits: bits(key.modulus),
        },
        Ok(PublicKey::EC(_)) => {
            let curve = info.algorithm.parameters.as_ref();
            let oid = curve.and_then(|curve| curve.as_oid().ok());
            let nid = oid.and_then(|oid| Asn1Object::from_str(&oid.to_id_string()).ok());
            let name = nid.and_then(|object| object.nid().short_name().ok());
            KeyKind::Ec {
                curve: name.unwrap_or("unnamed curve").to_owned(),
            }
        }
        _ => KeyKind::Other,
    }
}

/// The length of a number without its leading zeros.
fn bits(number: &[u8]) -> u32 {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let rest = &number[zeros..];
    let leading = rest.first().map_or(0, |byte| byte.leading_zeros());
    u32::try_from(rest.len() * 8).unwrap_or(u32::MAX) - leading
}

#[cfg(test)]
mod tests;
