//! What a leaf certificate says, whoever signs it.
//!
//! Owns: names, usages and validity of a leaf; self-signed certificates; signing requests.
//! Never: reads a clock (validity is an argument).

use crate::{IssueError, Key, KeyType};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    SerialNumber,
};
use rustix::rand::GetRandomFlags;
use std::fmt;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// The longest common name (RFC 5280, upper bound ub-common-name).
const MAX_COMMON_NAME: usize = 64;
/// How far before now a certificate begins, for peers whose clocks are slow.
const SLOW_CLOCK: i64 = 3600;
const DAY: i64 = 86_400;

/// From when to when, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: i64,
    /// The last second.
    pub not_after: i64,
}

impl Validity {
    /// So many days from `now`, beginning an hour earlier for peers whose clocks are slow.
    pub fn days(now: i64, days: u32) -> Self {
        Self {
            not_before: now.saturating_sub(SLOW_CLOCK),
            not_after: now.saturating_add(i64::from(days) * DAY),
        }
    }

    /// The part of it that lies within `outer`: a leaf should not outlive its CA.
    pub fn within(self, outer: Self) -> Self {
        Self {
            not_before: self.not_before.max(outer.not_before),
            not_after: self.not_after.min(outer.not_after),
        }
    }
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

/// A certificate signing request (PKCS#10, RFC 2986).
#[derive(Clone, Debug)]
pub struct SigningRequest {
    /// Its DER.
    pub der: Vec<u8>,
    /// The same as PEM, as other CAs want it.
    pub pem: String,
}

/// A certificate that only its own new key vouches for.
pub fn self_signed(request: &LeafRequest) -> Result<Issued, IssueError> {
    let key = Key::generate(request.key_type)?;
    self_signed_for(&request.names, request.validity, &key)
}

/// A certificate that only its own key vouches for, for a key that exists.
pub fn self_signed_for(
    names: &[String],
    validity: Validity,
    key: &Key,
) -> Result<Issued, IssueError> {
    let mut params = leaf_params(names, validity, key)?;
    params.use_authority_key_identifier_extension = false;
    Ok(Issued {
        cert_pem: params.self_signed(&key.0)?.pem(),
        key_pem: key.to_pem(),
        chain_pem: String::new(),
    })
}

/// A request for a CA to sign: these names (A-labels, IP addresses), this key.
pub fn signing_request(names: &[String], key: &Key) -> Result<SigningRequest, IssueError> {
    let mut params = named(names)?;
    // What a request asks for beside names is the CA's to say, and some CAs refuse it.
    params.is_ca = IsCa::NoCa;
    let request = params.serialize_request(&key.0)?;
    Ok(SigningRequest {
        der: request.der().to_vec(),
        pem: request.pem()?,
    })
}

pub(crate) fn leaf_params(
    names: &[String],
    validity: Validity,
    key: &Key,
) -> Result<CertificateParams, IssueError> {
    let mut params = dated(named(names)?, validity)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if key.is_rsa() {
        // RSA key exchange of TLS 1.2 and older.
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    Ok(params)
}

fn named(names: &[String]) -> Result<CertificateParams, IssueError> {
    let first = names.first().ok_or(IssueError::NoName)?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = common_name(first);
    Ok(params)
}

pub(crate) fn dated(
    mut params: CertificateParams,
    validity: Validity,
) -> Result<CertificateParams, IssueError> {
    let date =
        |seconds| OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| IssueError::Validity);
    if validity.not_after <= validity.not_before {
        return Err(IssueError::Validity);
    }
    params.serial_number = Some(serial()?);
    params.not_before = date(validity.not_before)?;
    params.not_after = date(validity.not_after)?;
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// A serial number by chance (CA/Browser Forum, 7.1: at least 64 bits). The library's own is made
/// from the key, so that two certificates for one key would bear the same.
fn serial() -> Result<SerialNumber, IssueError> {
    let mut bytes = [0; 16];
    rustix::rand::getrandom(&mut bytes, GetRandomFlags::empty()).map_err(|_| IssueError::Chance)?;
    // Positive, and of one length.
    bytes[0] = bytes[0] & 0x3f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

pub(crate) fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    if name.len() <= MAX_COMMON_NAME {
        distinguished.push(DnType::CommonName, name);
    }
    distinguished
}

#[cfg(test)]
mod tests;
