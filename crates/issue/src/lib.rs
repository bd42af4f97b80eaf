//! Certificates made here: a private CA, what it issues, and self-signed ones.
//!
//! Owns: generating keys and signing certificates with them. Never: writes a file, reads a clock
//! (validity is an argument), keeps a key that it gave away. Random numbers come from the
//! cryptographic library, since a key from any other source would be no key.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, RsaKeySize,
};
use std::fmt;
use thiserror::Error;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// The longest common name (RFC 5280, upper bound ub-common-name).
const MAX_COMMON_NAME: usize = 64;

/// The kind of a key to generate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum KeyType {
    #[default]
    EcdsaP256,
    EcdsaP384,
    Rsa2048,
    Rsa3072,
    Rsa4096,
    Ed25519,
}

/// From when to when, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: i64,
    /// The last second.
    pub not_after: i64,
}

/// What a certificate is issued for.
#[derive(Clone, Debug)]
pub struct LeafRequest {
    /// Host names (A-labels) and IP addresses; the first is the common name too.
    pub names: Vec<String>,
    /// The key to generate.
    pub key_type: KeyType,
    /// From when to when.
    pub validity: Validity,
}

/// A certificate with its key.
#[derive(Clone)]
pub struct Issued {
    /// The certificate.
    pub cert_pem: String,
    /// Its private key, PKCS#8.
    pub key_pem: Zeroizing<String>,
    /// The intermediates, from the one that issued the certificate upwards, without the root.
    /// Empty where the root or the certificate itself issued it.
    pub chain_pem: String,
}

impl Issued {
    /// The certificate and its intermediates, as ACME clients write `fullchain.pem`.
    pub fn fullchain_pem(&self) -> String {
        format!("{}{}", self.cert_pem, self.chain_pem)
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Issued(…)")
    }
}

/// A private CA: a root, or an intermediate of one.
pub struct PrivateCa {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// From this CA upwards, without the root: what a server sends after its leaf.
    intermediates_pem: String,
}

/// Why no certificate could be made.
#[derive(Debug, Error)]
pub enum IssueError {
    /// No name to issue it for.
    #[error("a certificate needs at least one name")]
    NoName,
    /// Seconds that are no date, or an end before the start.
    #[error("the validity is no span of time")]
    Validity,
    /// The cryptographic library refused.
    #[error("the certificate could not be made")]
    Library(#[from] rcgen::Error),
}

impl PrivateCa {
    /// A new root with a key of its own.
    pub fn new(name: &str, key_type: KeyType, validity: Validity) -> Result<Self, IssueError> {
        let issuer = CertifiedIssuer::self_signed(ca_params(name, validity)?, generate(key_type)?)?;
        Ok(Self {
            issuer,
            intermediates_pem: String::new(),
        })
    }

    /// A new CA below this one, with a key of its own.
    pub fn intermediate(
        &self,
        name: &str,
        key_type: KeyType,
        validity: Validity,
    ) -> Result<Self, IssueError> {
        let params = ca_params(name, validity)?;
        let issuer = CertifiedIssuer::signed_by(params, generate(key_type)?, &self.issuer)?;
        let intermediates_pem = format!("{}{}", issuer.pem(), self.intermediates_pem);
        Ok(Self {
            issuer,
            intermediates_pem,
        })
    }

    /// The CA's own certificate.
    pub fn certificate_pem(&self) -> String {
        self.issuer.pem()
    }

    /// Issues a certificate for a new key, for TLS servers and clients.
    pub fn issue(&self, request: &LeafRequest) -> Result<Issued, IssueError> {
        let key = generate(request.key_type)?;
        let certificate = leaf_params(request)?.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            cert_pem: certificate.pem(),
            key_pem: Zeroizing::new(key.serialize_pem()),
            chain_pem: self.intermediates_pem.clone(),
        })
    }
}

impl fmt::Debug for PrivateCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateCa(…)")
    }
}

/// A certificate that only its own key vouches for.
pub fn self_signed(request: &LeafRequest) -> Result<Issued, IssueError> {
    let key = generate(request.key_type)?;
    let mut params = leaf_params(request)?;
    params.use_authority_key_identifier_extension = false;
    Ok(Issued {
        cert_pem: params.self_signed(&key)?.pem(),
        key_pem: Zeroizing::new(key.serialize_pem()),
        chain_pem: String::new(),
    })
}

fn generate(key_type: KeyType) -> Result<KeyPair, IssueError> {
    let rsa = |size| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size);
    Ok(match key_type {
        KeyType::EcdsaP256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?,
        KeyType::EcdsaP384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384)?,
        KeyType::Ed25519 => ed25519()?,
        KeyType::Rsa2048 => rsa(RsaKeySize::_2048)?,
        KeyType::Rsa3072 => rsa(RsaKeySize::_3072)?,
        KeyType::Rsa4096 => rsa(RsaKeySize::_4096)?,
    })
}

/// An Ed25519 key as PKCS#8 version 1. The library writes version 2 (RFC 5958, the public key
/// appended), which OpenSSL 3.0 cannot read, and so neither can Postfix.
fn ed25519() -> Result<KeyPair, IssueError> {
    const VERSION_1: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    const SEED_LENGTH: usize = 32;
    let generated = KeyPair::generate_for(&rcgen::PKCS_ED25519)?;
    let seed = generated
        .serialized_der()
        .get(VERSION_1.len()..VERSION_1.len() + SEED_LENGTH)
        .ok_or(rcgen::Error::KeyGenerationUnavailable)?;
    let der = Zeroizing::new([VERSION_1, seed].concat());
    Ok(KeyPair::try_from(der.as_slice())?)
}

fn ca_params(name: &str, validity: Validity) -> Result<CertificateParams, IssueError> {
    let mut params = dated(validity)?;
    params.distinguished_name = common_name(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    Ok(params)
}

fn leaf_params(request: &LeafRequest) -> Result<CertificateParams, IssueError> {
    let first = request.names.first().ok_or(IssueError::NoName)?;
    let mut params = dated(request.validity)?;
    params.subject_alt_names = CertificateParams::new(request.names.clone())?.subject_alt_names;
    params.distinguished_name = common_name(first);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if matches!(
        request.key_type,
        KeyType::Rsa2048 | KeyType::Rsa3072 | KeyType::Rsa4096
    ) {
        // RSA key exchange of TLS 1.2 and older.
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    Ok(params)
}

fn dated(validity: Validity) -> Result<CertificateParams, IssueError> {
    let date =
        |seconds| OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| IssueError::Validity);
    if validity.not_after <= validity.not_before {
        return Err(IssueError::Validity);
    }
    let mut params = CertificateParams::default();
    params.not_before = date(validity.not_before)?;
    params.not_after = date(validity.not_after)?;
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    if name.len() <= MAX_COMMON_NAME {
        distinguished.push(DnType::CommonName, name);
    }
    distinguished
}

#[cfg(test)]
mod tests;
