//! Private keys.
//!
//! Owns: reading the forms people have (PKCS#8, PKCS#1, SEC1; PEM or DER), writing PKCS#8, and
//! whether a key belongs to a certificate. Never: prints one, asks for a pass phrase, or copies
//! one into memory that is not wiped.

use crate::pem::{self, Block, Form};
use crate::{CertError, Certificate};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::ec::EcKey;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;
use std::fmt;
use zeroize::Zeroizing;

/// A private key. OpenSSL wipes its memory when it is freed.
#[derive(Clone)]
pub struct PrivateKey(PKey<Private>);

impl PrivateKey {
    /// Reads the one private key in `bytes`; certificates beside it are skipped.
    pub fn parse(bytes: &[u8]) -> Result<Self, CertError> {
        let mut keys = match pem::form(bytes)? {
            Form::Der(der) => vec![Self::from_der(der)?],
            Form::Pem(pem) => pem::blocks(pem)?
                .iter()
                .filter(|block| block.is_key())
                .map(Self::from_block)
                .collect::<Result<Vec<_>, _>>()?,
        };
        let key = keys.pop().ok_or(CertError::KeyMissing)?;
        match keys.iter().all(|other| other.is_same(&key)) {
            true => Ok(key),
            false => Err(CertError::TwoKeys),
        }
    }

    /// The key as PKCS#8 PEM. The same key gives the same bytes, whatever form it came in.
    pub fn to_pem(&self) -> Result<Zeroizing<Vec<u8>>, CertError> {
        self.0
            .private_key_to_pem_pkcs8()
            .map(Zeroizing::new)
            .map_err(|_| CertError::KeyUnusable("it has no PKCS#8 form".into()))
    }

    /// Whether the certificate was issued for this key.
    pub fn matches(&self, certificate: &Certificate) -> bool {
        certificate
            .x509
            .public_key()
            .is_ok_and(|public| self.0.public_eq(&public))
    }

    /// DER of the SubjectPublicKeyInfo that certificates for this key hold.
    pub(crate) fn public_key_info(&self) -> Result<Vec<u8>, CertError> {
        self.0
            .public_key_to_der()
            .map_err(|_| CertError::KeyUnusable("it has no public part".into()))
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.0.public_eq(&other.0)
    }

    pub(crate) fn from_block(block: &Block) -> Result<Self, CertError> {
        match ed25519_version_2(&block.der) {
            Some(key) => Self::usable(key),
            None => Self::as_postfix_reads(block),
        }
    }

    /// As [`Self::from_block`], without the forms that OpenSSL 3.0 does not read.
    pub(crate) fn as_postfix_reads(block: &Block) -> Result<Self, CertError> {
        if block.encrypted || block.label == "ENCRYPTED PRIVATE KEY" {
            return Err(CertError::KeyEncrypted);
        }
        let key = match block.label.as_str() {
            "PRIVATE KEY" => pkcs8(&block.der),
            "RSA PRIVATE KEY" => pkcs1(&block.der),
            "EC PRIVATE KEY" => sec1(&block.der),
            other => return Err(CertError::KeyUnusable(format!("Postfix reads no {other}"))),
        };
        Self::usable(key.ok_or_else(|| CertError::Damaged("the private key".into()))?)
    }

    /// A key in the older encrypted form (`Proc-Type: 4,ENCRYPTED`; RFC 1421), as
    /// `openssl rsa -aes256 -traditional` writes it.
    pub(crate) fn unlock_block(block: &Block, password: &str) -> Result<Self, CertError> {
        let cipher = block.cipher.as_deref().ok_or(CertError::KeyEncrypted)?;
        if cipher.starts_with("DES-CBC,") {
            return Err(CertError::LegacyCipher("single DES"));
        }
        let label = &block.label;
        let body = Zeroizing::new(STANDARD.encode(&block.der));
        let mut pem = Zeroizing::new(String::with_capacity(body.len() * 2 + 200));
        pem.push_str(&format!(
            "-----BEGIN {label}-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: {cipher}\n\n"
        ));
        let mut rest = body.as_str();
        while !rest.is_empty() {
            let (line, more) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = more;
        }
        pem.push_str(&format!("-----END {label}-----\n"));
        let key = PKey::private_key_from_pem_passphrase(pem.as_bytes(), password.as_bytes());
        Self::usable(key.map_err(|_| CertError::PasswordWrong)?)
    }

    pub(crate) fn from_der(der: &[u8]) -> Result<Self, CertError> {
        let key = pkcs8(der)
            .or_else(|| pkcs1(der))
            .or_else(|| sec1(der))
            .or_else(|| ed25519_version_2(der));
        Self::usable(key.ok_or_else(|| pem::der_mistake(der))?)
    }

    fn usable(key: PKey<Private>) -> Result<Self, CertError> {
        match key.id() {
            Id::RSA | Id::RSA_PSS | Id::EC | Id::ED25519 | Id::ED448 => Ok(Self(key)),
            Id::DSA => Err(CertError::KeyUnusable("DSA is obsolete in TLS".into())),
            _ => Err(CertError::KeyUnusable("its kind cannot sign in TLS".into())),
        }
    }
}

fn pkcs8(der: &[u8]) -> Option<PKey<Private>> {
    PKey::private_key_from_pkcs8(der).ok()
}

fn pkcs1(der: &[u8]) -> Option<PKey<Private>> {
    PKey::from_rsa(Rsa::private_key_from_der(der).ok()?).ok()
}

fn sec1(der: &[u8]) -> Option<PKey<Private>> {
    PKey::from_ec_key(EcKey::private_key_from_der(der).ok()?).ok()
}

/// PKCS#8 version 2 of an Ed25519 key (RFC 5958, the public key appended), which some libraries
/// write and OpenSSL 3.0 does not read.
fn ed25519_version_2(der: &[u8]) -> Option<PKey<Private>> {
    const START: &[u8] = b"\x02\x01\x01\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    let seed = der.get(2..)?.strip_prefix(START)?.get(..32)?;
    PKey::private_key_from_raw_bytes(seed, Id::ED25519).ok()
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

/// Key first, then the chain, leaf first: the one file that `smtpd_tls_chain_files` and
/// `smtp_tls_chain_files` want (Postfix 3.4 and later). The same input gives the same bytes.
pub fn key_first_pem(
    key: &PrivateKey,
    chain: &[Certificate],
) -> Result<Zeroizing<Vec<u8>>, CertError> {
    let certificates = chain
        .iter()
        .map(Certificate::to_pem)
        .collect::<Result<Vec<_>, _>>()?
        .concat();
    let key = key.to_pem()?;
    let mut file = Zeroizing::new(Vec::with_capacity(key.len() + certificates.len()));
    file.extend_from_slice(&key);
    file.extend_from_slice(&certificates);
    Ok(file)
}

#[cfg(test)]
mod tests;
