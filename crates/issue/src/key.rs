//! Private keys: made new, or read back to be used again.
//!
//! Owns: the kinds of keys, and the one form they leave in (PKCS#8 PEM). Never: prints a key,
//! keeps one that it gave away. Reading is `mailtls`'s, so that whatever can be imported can be
//! used again here.

use crate::IssueError;
use mailtls::PrivateKey;
use rcgen::{KeyPair, RsaKeySize};
use std::fmt;
use zeroize::Zeroizing;

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

/// What a key type is called.
const WORDS: [(KeyType, &str); 6] = [
    (KeyType::EcdsaP256, "ecdsa-p256"),
    (KeyType::EcdsaP384, "ecdsa-p384"),
    (KeyType::Rsa2048, "rsa-2048"),
    (KeyType::Rsa3072, "rsa-3072"),
    (KeyType::Rsa4096, "rsa-4096"),
    (KeyType::Ed25519, "ed25519"),
];

impl KeyType {
    /// The kind that is called so.
    pub fn of_word(word: &str) -> Option<Self> {
        let mut words = WORDS.iter();
        words
            .find(|(_, known)| *known == word)
            .map(|(kind, _)| *kind)
    }

    /// What it is called.
    pub fn word(self) -> &'static str {
        let mut words = WORDS.iter();
        words
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, word)| word)
    }

    /// Whether it is an RSA key.
    pub fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096)
    }
}

/// A private key that certificates and requests can be made for.
pub struct Key(pub(crate) KeyPair);

impl Key {
    /// A new key.
    pub fn generate(key_type: KeyType) -> Result<Self, IssueError> {
        let rsa = |size| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size);
        Ok(Self(match key_type {
            KeyType::EcdsaP256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?,
            KeyType::EcdsaP384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384)?,
            KeyType::Ed25519 => ed25519()?,
            KeyType::Rsa2048 => rsa(RsaKeySize::_2048)?,
            KeyType::Rsa3072 => rsa(RsaKeySize::_3072)?,
            KeyType::Rsa4096 => rsa(RsaKeySize::_4096)?,
        }))
    }

    /// A key that exists already: PEM or DER, in any form that can be imported.
    pub fn read(bytes: &[u8]) -> Result<Self, IssueError> {
        let pem = PrivateKey::parse(bytes)?.to_pem()?;
        let pem = std::str::from_utf8(&pem).map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
        Ok(Self(KeyPair::from_pem(pem)?))
    }

    /// The key as PKCS#8 PEM.
    pub fn to_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.serialize_pem())
    }

    pub(crate) fn is_rsa(&self) -> bool {
        self.0.is_compatible(&rcgen::PKCS_RSA_SHA256)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
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
