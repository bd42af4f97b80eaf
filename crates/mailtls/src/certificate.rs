//! What one certificate says (RFC 5280).
//!
//! Owns: a summary fit for people and rules, made from hostile bytes. Never: trusts it (that is
//! `verify_chain`), reads a clock.
//!
//! The text comes from x509-parser, which tolerates much and never reads C strings; signatures
//! and keys from OpenSSL, because that is what Postfix uses. Both must be able to read it.

mod compare;
mod names;
mod summary;

pub use compare::Digests;
pub use names::host_name;
pub use summary::Summary;

use crate::der::{Reader, SEQUENCE};
use crate::{CertError, Fingerprint, pem};
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, Id, PKeyRef};
use openssl::x509::{X509, X509VerifyResult};
use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;
use x509_parser::prelude::FromDer as _;
use x509_parser::prelude::{ParsedExtension, X509Certificate};

/// A certificate: its DER, and what it says. Made by [`Certificate::parse`] only.
#[derive(Clone)]
#[non_exhaustive]
pub struct Certificate {
    /// The certificate itself.
    pub der: Vec<u8>,
    /// The subject, `CN=…, O=…`; printable.
    pub subject: String,
    /// The issuer, in the same form.
    pub issuer: String,
    /// The last common name of the subject, where there is one; printable.
    pub common_name: Option<String>,
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
    /// The signature algorithm, by OpenSSL's name (`ecdsa-with-SHA256`).
    pub signature: String,
    /// Whether that algorithm rests on SHA-1 or MD5.
    pub weak_signature: bool,
    /// Whether basicConstraints say that it may issue certificates.
    pub is_ca: bool,
    /// keyUsage, by RFC 5280's names; `None` where the extension is absent.
    pub key_usage: Option<Vec<&'static str>>,
    /// extendedKeyUsage, by RFC 5280's names or dotted; `None` where the extension is absent.
    pub extended_key_usage: Option<Vec<String>>,
    /// Where its issuer's certificate can be fetched (authorityInfoAccess); printable.
    pub issuer_url: Option<String>,
    /// Whether it demands a stapled OCSP answer (RFC 7633, `status_request`).
    pub must_staple: bool,
    /// Whether it names itself as its issuer and its own key verifies its signature.
    pub self_signed: bool,
    pub(crate) x509: X509,
    /// Whether the subject holds nothing but one common name.
    pub(crate) bare_subject: bool,
}

/// The kind of a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA.
    Rsa {
        /// Length of the modulus.
        bits: u32,
    },
    /// ECDSA.
    Ec {
        /// The curve, by OpenSSL's name (`prime256v1`).
        curve: String,
    },
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// Anything else.
    Other,
}

impl Certificate {
    /// Reads one certificate from its DER.
    pub fn parse(der: &[u8]) -> Result<Self, CertError> {
        if der.len() > pem::MAX_INPUT {
            return Err(CertError::TooLarge(der.len() as u64));
        }
        let damaged = || CertError::Damaged("the certificate".into());
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| damaged())?;
        let x509 = X509::from_der(der).map_err(|_| damaged())?;
        if !rest.is_empty() {
            return Err(damaged());
        }
        let alternative = names::alternative(&parsed)?;
        let algorithm = x509.signature_algorithm().object();
        Ok(Self {
            der: der.to_vec(),
            subject: names::distinguished(parsed.subject()),
            issuer: names::distinguished(parsed.issuer()),
            common_name: names::common(parsed.subject())?,
            serial: hexadecimal(parsed.raw_serial()),
            dns_names: alternative.dns,
            ip_addresses: alternative.ip,
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            key: x509
                .public_key()
                .map_or(KeyKind::Other, |key| KeyKind::of(&key)),
            signature: algorithm.to_string(),
            weak_signature: is_weak(algorithm.nid()),
            is_ca: parsed.is_ca(),
            key_usage: key_usage(&parsed),
            extended_key_usage: extended_key_usage(&parsed),
            issuer_url: names::issuer_url(&parsed),
            must_staple: must_staple(&parsed),
            self_signed: is_self_signed(&x509),
            bare_subject: parsed.subject().iter_attributes().count() == 1
                && parsed.subject().iter_common_name().count() == 1,
            x509,
        })
    }

    /// SHA-256 of the DER, as Postfix prints it.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.der)
    }

    /// SHA-256 of the public key with its algorithm (SubjectPublicKeyInfo), as DANE and pins use
    /// it; the same for every certificate of one key.
    pub fn key_fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.public_key_info())
    }

    /// DER of the SubjectPublicKeyInfo, as it stands in the certificate.
    pub(crate) fn public_key_info(&self) -> &[u8] {
        // It was read when the certificate was made.
        X509Certificate::from_der(&self.der)
            .map_or(&[], |(_, parsed)| parsed.tbs_certificate.subject_pki.raw)
    }

    /// The certificate as PEM.
    pub fn to_pem(&self) -> Result<Vec<u8>, CertError> {
        self.x509
            .to_pem()
            .map_err(|_| CertError::Damaged("the certificate".into()))
    }

    /// Whether `issuer` issued this certificate: its name, its key identifier, its right to sign
    /// and its key all fit.
    pub fn issued_by(&self, issuer: &Self) -> bool {
        issuer.x509.issued(&self.x509) == X509VerifyResult::OK
            && issuer
                .x509
                .public_key()
                .is_ok_and(|key| self.x509.verify(&key).unwrap_or(false))
    }

    /// Whether it is a CA's that may issue certificates (RFC 5280 §4.2.1.3, §4.2.1.9).
    pub fn may_issue(&self) -> bool {
        let usage = self.key_usage.as_ref();
        self.is_ca && usage.is_none_or(|usage| usage.contains(&"keyCertSign"))
    }

    /// Whether it is a CA's that may do nothing but issue: no handshake can be signed with it.
    pub fn only_issues(&self) -> bool {
        let usage = self.key_usage.as_ref();
        self.is_ca && usage.is_some_and(|usage| !usage.contains(&"digitalSignature"))
    }

    /// Whether the certificate is for this host name or IP address (RFC 6125): a `*` stands for
    /// exactly one left-most label, U-labels and A-labels are the same name, and the common name
    /// counts only where there is no DNS name.
    pub fn matches_name(&self, host: &str) -> bool {
        names::matches(self, host)
    }

    /// Whether it has what was asked for: a host name or address as in [`Self::matches_name`], or a
    /// wildcard, which only itself is.
    pub fn covers(&self, asked: &str) -> bool {
        match asked.starts_with("*.") {
            true => {
                let mut own = self.dns_names.iter();
                own.any(|own| own.eq_ignore_ascii_case(asked))
            }
            false => self.matches_name(asked),
        }
    }

    /// Whether it has a name below this domain, as OpenSSL takes `.example.org` (Postfix's
    /// `dot-nexthop` and `match=.example.org`); the common name counts as in [`Self::matches_name`].
    pub fn has_name_below(&self, domain: &str) -> bool {
        names::below(self, domain)
    }

    /// Whether it may be used by a TLS server (extendedKeyUsage absent, or allowing it).
    pub fn allows_server_auth(&self) -> bool {
        self.allows("serverAuth")
    }

    /// Whether it may be used by a TLS client (extendedKeyUsage absent, or allowing it).
    pub fn allows_client_auth(&self) -> bool {
        self.allows("clientAuth")
    }

    fn allows(&self, usage: &str) -> bool {
        self.extended_key_usage.as_ref().is_none_or(|usages| {
            usages
                .iter()
                .any(|u| u == usage || u == "anyExtendedKeyUsage")
        })
    }
}

impl KeyKind {
    fn of<T: HasPublic>(key: &PKeyRef<T>) -> Self {
        match key.id() {
            Id::RSA | Id::RSA_PSS => Self::Rsa { bits: key.bits() },
            Id::EC => Self::Ec {
                curve: key
                    .ec_key()
                    .ok()
                    .and_then(|key| key.group().curve_name())
                    .and_then(|nid| nid.short_name().ok())
                    .unwrap_or("unnamed curve")
                    .to_owned(),
            },
            Id::ED25519 => Self::Ed25519,
            Id::ED448 => Self::Ed448,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::Ec { curve } => write!(f, "ECDSA {curve}"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Ed448 => f.write_str("Ed448"),
            Self::Other => f.write_str("other"),
        }
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, serial {})", self.subject, self.serial)
    }
}

/// The certificates of a PEM file in order, or the one of a DER file. Other objects are skipped.
pub fn pem_certificates(bytes: &[u8]) -> Result<Vec<Certificate>, CertError> {
    match pem::form(bytes)? {
        pem::Form::Der(der) => Ok(vec![Certificate::parse(der)?]),
        pem::Form::Pem(pem) => pem::blocks(pem)?
            .iter()
            .filter(|block| block.is_certificate())
            .map(|block| Certificate::parse(&block.der))
            .collect(),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    // DER puts a zero before a first byte over 0x7f; it is no part of the number.
    let bytes = match bytes {
        [0, rest @ ..] if !rest.is_empty() => rest,
        _ => bytes,
    };
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn is_weak(algorithm: Nid) -> bool {
    algorithm
        .signature_algorithms()
        .is_some_and(|parts| matches!(parts.digest, Nid::MD5 | Nid::SHA1 | Nid::MD2))
}

fn is_self_signed(x509: &X509) -> bool {
    let same_name = x509.subject_name().try_cmp(x509.issuer_name());
    same_name.is_ok_and(|order| order == Ordering::Equal)
        && x509
            .public_key()
            .is_ok_and(|key| x509.verify(&key).unwrap_or(false))
}

/// The TLS feature extension: a sequence of TLS extension numbers, 5 being status_request.
fn must_staple(certificate: &X509Certificate<'_>) -> bool {
    const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";
    let mut extensions = certificate.extensions().iter();
    let feature = extensions.find(|extension| extension.oid.to_id_string() == TLS_FEATURE);
    let features = feature.and_then(|extension| Reader::new(extension.value).enter(SEQUENCE));
    features.is_some_and(|mut features| std::iter::from_fn(|| features.number()).any(|n| n == 5))
}

fn key_usage(certificate: &X509Certificate<'_>) -> Option<Vec<&'static str>> {
    let usage = certificate.key_usage().ok().flatten()?.value;
    let flags = [
        (usage.digital_signature(), "digitalSignature"),
        (usage.non_repudiation(), "nonRepudiation"),
        (usage.key_encipherment(), "keyEncipherment"),
        (usage.data_encipherment(), "dataEncipherment"),
        (usage.key_agreement(), "keyAgreement"),
        (usage.key_cert_sign(), "keyCertSign"),
        (usage.crl_sign(), "cRLSign"),
    ];
    Some(flags.iter().filter(|f| f.0).map(|f| f.1).collect())
}

fn extended_key_usage(certificate: &X509Certificate<'_>) -> Option<Vec<String>> {
    let usage = certificate.extensions().iter().find_map(|extension| {
        match extension.parsed_extension() {
            ParsedExtension::ExtendedKeyUsage(usage) => Some(usage),
            _ => None,
        }
    })?;
    let flags = [
        (usage.any, "anyExtendedKeyUsage"),
        (usage.server_auth, "serverAuth"),
        (usage.client_auth, "clientAuth"),
        (usage.code_signing, "codeSigning"),
        (usage.email_protection, "emailProtection"),
        (usage.time_stamping, "timeStamping"),
        (usage.ocsp_signing, "OCSPSigning"),
    ];
    let known = flags.iter().filter(|f| f.0).map(|f| f.1.to_owned());
    Some(
        known
            .chain(usage.other.iter().map(|oid| oid.to_id_string()))
            .collect(),
    )
}

#[cfg(test)]
mod tests;
