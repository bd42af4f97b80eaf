//! Postfix's TLS words, names and certificates.
//!
//! Owns: TLS levels, protocol and cipher-grade lists, fingerprints, what a certificate chain
//! says and whether a key matches it. Never: resolves, fetches, opens a file, reads a clock,
//! logs. Knows nothing of Postseal.

mod bundle;
mod cas;
mod cert_error;
mod certificate;
mod configured;
mod der;
pub mod destination;
mod fingerprint;
mod grade;
mod key;
pub mod layout;
mod level;
mod lifetime;
pub mod mta_sts;
mod pem;
mod pkcs12;
mod pkcs7;
pub mod policy;
mod problem;
mod protocols;
pub mod tlsa;
mod trust;
mod version;

#[cfg(test)]
mod bad_certs;
#[cfg(test)]
mod forge;

pub use bundle::{Bundle, Files, Note, Part};
pub use cas::{cas_from_der, cas_to_der, leads_to, read_cas};
pub use cert_error::CertError;
pub use certificate::{Certificate, Digests, KeyKind, Summary, host_name, pem_certificates};
pub use configured::{Loaded, Standing, chain_file_problems, chain_files_problems, pair_problems};
pub use fingerprint::Fingerprint;
pub use grade::Grade;
pub use key::{PrivateKey, key_first_pem};
pub use level::{Level, OnServer};
pub use lifetime::{Stage, Window, limits as lifetime_limits, renew_at, stage};
pub use problem::{CertProblem, Gravity, KeyFile, duplicate, name_problem, problems, span};
pub use protocols::{ProtocolError, ProtocolList, RangeSyntax, render_floor};
pub use trust::{Anchors, Trust, TrustError, verify_chain};
pub use version::TlsVersion;
