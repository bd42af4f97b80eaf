//! Postfix's TLS words, names and certificates.
//!
//! Owns: TLS levels, protocol and cipher-grade lists, fingerprints, what a certificate chain
//! says and whether a key matches it. Never: resolves, fetches, opens a file, reads a clock,
//! logs. Knows nothing of Postseal.

mod fingerprint;
mod version;

pub use fingerprint::Fingerprint;
pub use version::TlsVersion;
