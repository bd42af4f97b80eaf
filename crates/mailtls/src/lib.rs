//! Postfix's TLS words, names and certificates.
//!
//! Owns: TLS levels, protocol and cipher-grade lists, fingerprints, what a certificate chain
//! says and whether a key matches it. Never: resolves, fetches, opens a file, reads a clock,
//! logs. Knows nothing of Postseal.

mod fingerprint;
mod grade;
mod level;
mod protocols;
mod version;

pub use fingerprint::Fingerprint;
pub use grade::Grade;
pub use level::{Level, OnServer};
pub use protocols::{ProtocolError, ProtocolList, RangeSyntax, render_floor};
pub use version::TlsVersion;
