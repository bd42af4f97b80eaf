//! Certificates as they go into the store and come out of it.
//!
//! Owns: their shape. Never: shows a key, not even to a debugger's print; parses a certificate.

use postseal_planner::Digest;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// A certificate to add.
pub struct NewCertificate {
    /// The operator's name for it.
    pub name: String,
    /// Leaf first, DER each.
    pub chain: Vec<Vec<u8>>,
    /// The private key, PEM (PKCS#8); sealed before it is stored.
    pub key: Option<Zeroizing<Vec<u8>>>,
    /// The explicitly given CAs of one's own, DER, one after the other.
    pub private_ca: Option<Vec<u8>>,
    /// Where it came from, for people.
    pub source: String,
    /// When, milliseconds since the epoch.
    pub added_ms: i64,
    /// Digest of the key-first PEM file as it will stand on disk.
    pub file_digest: Option<Digest>,
    /// Whether it may follow another one under its name.
    pub succession: Succession,
}

/// Whether a certificate may follow another one under its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Succession {
    /// The name must be free, or stand for this very chain.
    First,
    /// It becomes the newest version under its name. Older ones stay: operations may lead back to
    /// them.
    Renewal,
}

/// By hand, because `Zeroizing` prints what it guards.
impl fmt::Debug for NewCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCertificate")
            .field("name", &self.name)
            .field("chain", &self.chain.len())
            .field("has_key", &self.key.is_some())
            .field("source", &self.source)
            .field("added_ms", &self.added_ms)
            .field("file_digest", &self.file_digest)
            .field("succession", &self.succession)
            .finish_non_exhaustive()
    }
}

/// A certificate of the store, without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in NewCertificate")]
pub struct Certificate {
    pub name: String,
    /// From 1, rising with each renewal.
    pub version: u32,
    pub chain: Vec<Vec<u8>>,
    pub has_key: bool,
    pub private_ca: Option<Vec<u8>>,
    pub source: String,
    pub added_ms: i64,
    pub file_digest: Option<Digest>,
}

/// A request that waits for its certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRequest {
    /// The name that the certificate will have.
    pub name: String,
    /// The request (PKCS#10, PEM).
    pub pem: String,
    /// The names asked for.
    pub names: Vec<String>,
    /// When it was made, milliseconds since the epoch.
    pub made_ms: i64,
}

/// A key that waits for its certificate: the next one under a name. Without the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextKey {
    /// The certificate's name.
    pub name: String,
    /// When it was made, milliseconds since the epoch.
    pub made_ms: i64,
}
