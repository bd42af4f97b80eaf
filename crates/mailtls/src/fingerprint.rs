//! SHA-256 fingerprints of certificates.
//!
//! Owns: making, printing and parsing them. Never: SHA-1 or MD5, which Postfix still allows in
//! `smtp_tls_fingerprint_digest`; those are recognised elsewhere and refused.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

/// SHA-256 of a certificate's DER. Printed as Postfix prints it: `AB:CD:…`, 32 pairs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a certificate's DER.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// The first `n` bytes as lower-case hexadecimal without colons, for file names (`n` ≤ 32).
    pub fn prefix(&self, n: usize) -> String {
        self.0
            .iter()
            .take(n)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digit = |nibble: u8| char::from(b"0123456789ABCDEF"[usize::from(nibble)]);
        let mut text = String::with_capacity(3 * self.0.len());
        for (i, byte) in self.0.iter().enumerate() {
            if i > 0 {
                text.push(':');
            }
            text.extend([digit(byte >> 4), digit(byte & 15)]);
        }
        f.write_str(&text)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({}…)", self.prefix(6))
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    /// Accepts upper and lower case, with or without colons.
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("not a SHA-256 fingerprint: {text:?}");
        let hex: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
        if hex.len() != 64 {
            return Err(bad());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| bad())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
