//! TLSA records (RFC 6698, 7671) as SMTP uses them (RFC 7672).
//!
//! Owns: reading, writing and making them, and whether a chain matches a set of them. Never: asks
//! a resolver, or whether DNSSEC vouches for the answer: give it only records of which it does.

mod judge;

use crate::{CertError, Certificate, PrivateKey};
pub use judge::{Peer, Verdict, judge};
use sha2::{Digest as _, Sha256, Sha512};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The certificate of an issuer that stands in the chain.
const DANE_TA: u8 = 2;
/// The server's own certificate.
const DANE_EE: u8 = 3;
/// The whole certificate.
const CERT: u8 = 0;
/// The public key with its algorithm.
const SPKI: u8 = 1;
const FULL: u8 = 0;
const SHA2_256: u8 = 1;
const SHA2_512: u8 = 2;
/// No certificate is longer (as in `Certificate::parse`).
const MAX_DATA: usize = 1 << 20;

/// A record's content. Fields are as they came: see [`Self::unusable`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TlsaRecord {
    /// Certificate usage: 3 DANE-EE, 2 DANE-TA; 0 and 1 rest on public CAs.
    pub usage: u8,
    /// Selector: 1 the public key, 0 the whole certificate.
    pub selector: u8,
    /// Matching type: 1 SHA-256, 2 SHA-512, 0 the thing itself.
    pub matching: u8,
    /// The digest, or the thing itself.
    pub data: Vec<u8>,
}

/// Why text is no TLSA record.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TlsaError {
    /// Fewer than four fields.
    #[error("a TLSA record has four fields: usage, selector, matching type and data")]
    Fields,
    /// A field that is no number up to 255.
    #[error("not a number from 0 to 255: {0:?}")]
    Number(String),
    /// Data that is not hexadecimal, or absurdly long.
    #[error("the data is not hexadecimal")]
    Data,
}

/// Why a record is of no use to SMTP; it is then as if it were not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unusable {
    /// Usages 0 and 1 (RFC 7672, 3.1.3).
    #[error("usages 0 and 1 rest on public CAs, which mail servers do not agree on")]
    PublicCa,
    /// Not 0 to 3.
    #[error("the usage is not known")]
    Usage,
    /// Not 0 or 1.
    #[error("the selector is not known")]
    Selector,
    /// Not 0 to 2.
    #[error("the matching type is not known")]
    Matching,
    /// Not as long as its digest is, or empty.
    #[error("the data is not as long as the matching type says")]
    Length,
}

impl TlsaRecord {
    /// `3 1 1`: this certificate's public key. Survives renewals that keep the key.
    pub fn for_certificate(leaf: &Certificate) -> Self {
        Self::sha256(DANE_EE, leaf)
    }

    /// `2 1 1`: the public key of a CA whose certificate stands in the chain. Survives renewals
    /// by that CA.
    pub fn for_issuer(issuer: &Certificate) -> Self {
        Self::sha256(DANE_TA, issuer)
    }

    /// `3 1 1` of a key that no certificate was issued for yet.
    pub fn for_key(key: &PrivateKey) -> Result<Self, CertError> {
        Ok(Self {
            usage: DANE_EE,
            selector: SPKI,
            matching: SHA2_256,
            data: Sha256::digest(key.public_key_info()?).to_vec(),
        })
    }

    fn sha256(usage: u8, certificate: &Certificate) -> Self {
        let mut record = Self {
            usage,
            selector: SPKI,
            matching: SHA2_256,
            data: Vec::new(),
        };
        record.data = record.association(certificate).into_owned();
        record
    }

    /// Why the record is of no use to SMTP, where it is not.
    pub fn unusable(&self) -> Option<Unusable> {
        let length = match self.matching {
            SHA2_256 => Some(32),
            SHA2_512 => Some(64),
            _ => None,
        };
        match self {
            Self { usage: 0 | 1, .. } => Some(Unusable::PublicCa),
            Self { usage: 4.., .. } => Some(Unusable::Usage),
            Self { selector: 2.., .. } => Some(Unusable::Selector),
            Self { matching: 3.., .. } => Some(Unusable::Matching),
            _ if self.data.is_empty() => Some(Unusable::Length),
            _ if length.is_some_and(|length| length != self.data.len()) => Some(Unusable::Length),
            _ => None,
        }
    }

    /// Whether the record names this certificate (or its key).
    pub fn names(&self, certificate: &Certificate) -> bool {
        self.unusable().is_none() && *self.association(certificate) == self.data
    }

    /// What a record of these fields holds for a certificate.
    fn association<'a>(&self, certificate: &'a Certificate) -> Cow<'a, [u8]> {
        let selected = match self.selector {
            CERT => certificate.der.as_slice(),
            _ => certificate.public_key_info(),
        };
        match self.matching {
            SHA2_256 => Cow::Owned(Sha256::digest(selected).to_vec()),
            SHA2_512 => Cow::Owned(Sha512::digest(selected).to_vec()),
            _ => Cow::Borrowed(selected),
        }
    }
}

/// `3 1 1 0123…`, as in a zone file.
impl fmt::Display for TlsaRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} ", self.usage, self.selector, self.matching)?;
        self.data
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for TlsaRecord {
    type Err = TlsaError;

    /// Reads what a zone file says after `TLSA`; blanks within the data are allowed.
    fn from_str(text: &str) -> Result<Self, TlsaError> {
        let mut fields = text.split_ascii_whitespace();
        let mut number = || {
            let field = fields.next().ok_or(TlsaError::Fields)?;
            // parse() takes a plus sign, a zone file does not.
            let plain = field.bytes().all(|byte| byte.is_ascii_digit());
            let value = field.parse().ok().filter(|_| plain);
            value.ok_or_else(|| TlsaError::Number(field.chars().take(20).collect()))
        };
        let (usage, selector, matching) = (number()?, number()?, number()?);
        let digits: Vec<u8> = fields.flat_map(str::bytes).collect();
        if digits.is_empty() {
            return Err(TlsaError::Fields);
        }
        Ok(Self {
            usage,
            selector,
            matching,
            data: hexadecimal(&digits).ok_or(TlsaError::Data)?,
        })
    }
}

fn hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() > MAX_DATA {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    pairs
        .iter()
        .map(|[high, low]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok())
        .collect()
}

/// Where the records of a server's port stand: `_25._tcp.mx.example.org.`; `None` where the host
/// is no host name.
pub fn owner_name(host: &str, port: u16) -> Option<String> {
    let host = crate::certificate::host_name(host)?;
    Some(format!("_{port}._tcp.{host}."))
}

#[cfg(test)]
mod tests;
