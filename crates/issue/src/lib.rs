//! Certificates made here, or fetched from a CA.
//!
//! Owns: generating keys, signing certificates and requests with them, a private CA, and ACME
//! (RFC 8555) with its challenges. Never: writes into Postfix's folders, reads the time of day
//! (it is handed in), keeps a key that it gave away, puts a secret into an error or `Debug`.
//! Keys come from the cryptographic library, serial numbers from the kernel.

pub mod acme;
mod bounds;
pub mod dns01;
pub mod http01;
mod key;
mod leaf;
mod private_ca;
mod solver;

use thiserror::Error;

pub use bounds::{Bounds, Halt};
pub use key::{Key, KeyType};
pub use leaf::{
    Issued, LeafRequest, SigningRequest, Validity, self_signed, self_signed_for, signing_request,
};
pub use private_ca::PrivateCa;
pub use solver::{Challenge, ChallengeKind, Solver, SolverError};

/// Why no certificate could be made.
#[derive(Debug, Error)]
pub enum IssueError {
    /// No name to issue it for.
    #[error("a certificate needs at least one name")]
    NoName,
    /// Seconds that are no date, or an end before the start.
    #[error("the validity is no span of time")]
    Validity,
    /// What was to sign is no CA's certificate.
    #[error("this is not the certificate of a CA")]
    NotACa,
    /// A CA that is no root as they are made here, and so cannot be made again.
    #[error("this CA was not made here")]
    NotMadeHere,
    /// A CA's certificate with the key of another.
    #[error("the key is not that of the CA's certificate")]
    OtherKey,
    /// The CA's own name constraints forbid a name.
    #[error("the CA's name constraints do not permit {0}")]
    OutsideConstraints(String),
    /// The kernel gave no random numbers.
    #[error("the system gives no random numbers")]
    Chance,
    /// A certificate or a key could not be read.
    #[error("the certificate or key could not be read")]
    Unreadable(#[from] mailtls::CertError),
    /// The cryptographic library refused.
    #[error("the certificate could not be made")]
    Library(#[from] rcgen::Error),
}
