//! What others compare a certificate by: fingerprints, the hashes of folders of CAs, names in words.
//!
//! Owns: these in OpenSSL's and Postfix's spelling. Never: decides whether a digest is strong enough.

use super::Certificate;
use openssl::hash::{MessageDigest, hash};

/// Names that a sentence lists.
const NAMES_SHOWN: usize = 4;

/// Fingerprints as Postfix prints them: `AB:CD:…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Of the whole certificate.
    pub certificate: String,
    /// Of its public key with its algorithm.
    pub key: String,
}

impl Certificate {
    /// Its fingerprints by a digest of OpenSSL's naming (`smtp_tls_fingerprint_digest`: `sha256`,
    /// `sha1`, `md5`); `None` where OpenSSL knows no such digest.
    pub fn digests(&self, name: &str) -> Option<Digests> {
        let digest = MessageDigest::from_name(&name.to_ascii_lowercase())?;
        let of = |bytes: &[u8]| {
            let made = hash(digest, bytes).ok()?;
            let pairs: Vec<String> = made.iter().map(|byte| format!("{byte:02X}")).collect();
            Some(pairs.join(":"))
        };
        Some(Digests {
            certificate: of(&self.der)?,
            key: of(self.public_key_info())?,
        })
    }

    /// The hash by which a folder of CAs names the file of its issuer (`c_rehash`, `HASH.0`).
    pub fn issuer_hash(&self) -> u32 {
        self.x509.issuer_name_hash()
    }

    /// The hash by which a folder of CAs names its own file.
    pub fn subject_hash(&self) -> u32 {
        self.x509.subject_name_hash()
    }

    /// The names it is for, in words: the first few, and how many more.
    pub fn names_shown(&self) -> String {
        let names = &self.dns_names;
        match (names.as_slice(), &self.common_name) {
            ([], Some(name)) => name.clone(),
            ([], None) => self.subject.clone(),
            _ => {
                let more = names.len().saturating_sub(NAMES_SHOWN);
                let list = names[..names.len() - more].join(", ");
                match more {
                    0 => list,
                    _ => format!("{list} and {more} more"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
