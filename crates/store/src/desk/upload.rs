//! A certificate on its way to the store from afar.
//!
//! Owns: sealing it to the store's identity where it comes in, so that the desk never holds a private key in clear.
//! Never: reads the files in it; the engine does.

use super::Secret;
use crate::StoreError;
use crate::identity;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postseal_planner::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

/// The files of a certificate, as somebody sent them (PEM, DER, PKCS#12).
#[derive(Clone, Default)]
pub struct Upload {
    /// The certificate; its chain and key may stand in it.
    pub cert: Zeroizing<Vec<u8>>,
    /// The private key.
    pub key: Option<Zeroizing<Vec<u8>>>,
    /// Intermediate certificates.
    pub chain: Option<Zeroizing<Vec<u8>>>,
    /// The private CA that is to vouch for it.
    pub private_ca: Option<Zeroizing<Vec<u8>>>,
    /// The password of a PKCS#12 file or of an encrypted key.
    pub password: Option<Zeroizing<String>>,
}

/// No key reaches a log.
impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Upload")
    }
}

/// What is sealed: bytes as base64.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Letter {
    cert: Zeroizing<String>,
    key: Option<Zeroizing<String>>,
    chain: Option<Zeroizing<String>>,
    private_ca: Option<Zeroizing<String>>,
    password: Option<Zeroizing<String>>,
}

impl Letter {
    /// How long it is at most, written: each character of the password may be escaped (RFC 8259 §7).
    fn longest(&self) -> usize {
        let parts = [&self.key, &self.chain, &self.private_ca];
        let parts = parts.into_iter().flatten().map(|text| text.len());
        let password = self.password.as_ref().map_or(0, |text| 6 * text.len());
        200 + self.cert.len() + parts.sum::<usize>() + password
    }
}

impl Upload {
    /// Seals it to a store's recipient (an age public key, as `cert list` names it): base64.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] where the recipient is none.
    pub fn seal(&self, recipient: &str) -> Result<String, StoreError> {
        let letter = Letter {
            cert: encoded(&self.cert),
            key: self.key.as_ref().map(encoded),
            chain: self.chain.as_ref().map(encoded),
            private_ca: self.private_ca.as_ref().map(encoded),
            password: self.password.clone(),
        };
        // Grown while it is written it would leave copies behind.
        let mut plain = Zeroizing::new(Vec::with_capacity(letter.longest()));
        serde_json::to_writer(&mut *plain, &letter).map_err(|source| unfit(source.into()))?;
        let sealed = identity::seal_to(recipient, &plain).map_err(unfit)?;
        Ok(STANDARD.encode(sealed))
    }

    /// A task without its upload, in whose place stands its digest (SHA-256, hexadecimal): the same task again is known
    /// by it. None where it carries no upload, or none any more.
    pub(crate) fn spent(task: &str) -> Option<String> {
        let mut task: Value = serde_json::from_str(task).ok()?;
        let sealed = task.get_mut("sealed")?;
        let text = sealed.as_str()?;
        // No sealed upload is as short as a digest.
        if text.len() <= 2 * size_of::<Secret>() {
            return None;
        }
        *sealed = Digest::of(text.as_bytes()).to_string().into();
        serde_json::to_string(&task).ok()
    }

    /// What [`Upload::seal`] made, opened by `open`.
    pub(crate) fn opened(
        sealed: &str,
        open: impl FnOnce(&[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError>,
    ) -> Result<Self, StoreError> {
        let sealed = STANDARD.decode(sealed.trim());
        let plain = open(&sealed.map_err(|source| damaged(source.into()))?)?;
        let letter: Letter =
            serde_json::from_slice(&plain).map_err(|source| damaged(source.into()))?;
        Ok(Self {
            cert: decoded(&letter.cert)?,
            key: letter.key.map(|key| decoded(&key)).transpose()?,
            chain: letter.chain.map(|chain| decoded(&chain)).transpose()?,
            private_ca: letter.private_ca.map(|ca| decoded(&ca)).transpose()?,
            password: letter.password,
        })
    }
}

fn encoded(bytes: &Zeroizing<Vec<u8>>) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(bytes.as_slice()))
}

fn decoded(text: &Zeroizing<String>) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let bytes = STANDARD.decode(text.as_bytes());
    bytes
        .map(Zeroizing::new)
        .map_err(|source| damaged(source.into()))
}

fn unfit(source: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    StoreError::Unfit {
        what: "upload",
        source,
    }
}

fn damaged(source: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    StoreError::Format {
        what: "sealed upload",
        source,
    }
}
