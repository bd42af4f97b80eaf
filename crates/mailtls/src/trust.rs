//! Whether a chain leads to a trust anchor.
//!
//! Owns: verification by OpenSSL at a given time, for TLS servers. Never: reads the system's
//! anchors or a clock; checks a name (`Certificate::matches_name`), asks for revocation.

mod anchors;

pub use anchors::Anchors;

use crate::Certificate;
use openssl::error::ErrorStack;
use openssl::stack::Stack;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509PurposeId, X509StoreContext};
use thiserror::Error;

/// What peers are taken to trust.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// Not known: nothing is said about trust.
    Unknown,
    /// These certificates.
    Anchors(&'a [Certificate]),
}

/// Why a chain is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TrustError {
    /// There is no certificate.
    #[error("there is no certificate")]
    Empty,
    /// OpenSSL's reason, as Postfix logs it (`unable to get local issuer certificate`), and the
    /// certificate it concerns.
    #[error("{reason} (certificate {depth} of the chain, the leaf being 0)")]
    Untrusted {
        /// The reason.
        reason: &'static str,
        /// Which certificate, the leaf being 0.
        depth: u32,
    },
    /// OpenSSL could not even try.
    #[error("OpenSSL could not check the chain")]
    Library,
}

/// Verifies a chain (leaf first) against trust anchors, at `now` in seconds since 1970.
pub fn verify_chain(
    chain: &[Certificate],
    anchors: &[Certificate],
    now: i64,
) -> Result<(), TrustError> {
    let (leaf, rest) = chain.split_first().ok_or(TrustError::Empty)?;
    verify(leaf, rest, anchors, now).unwrap_or(Err(TrustError::Library))
}

fn verify(
    leaf: &Certificate,
    rest: &[Certificate],
    anchors: &[Certificate],
    now: i64,
) -> Result<Result<(), TrustError>, ErrorStack> {
    let mut untrusted = Stack::new()?;
    for certificate in rest {
        untrusted.push(certificate.x509.clone())?;
    }
    let store = store(anchors, now)?;
    let mut context = X509StoreContext::new()?;
    context.init(&store, &leaf.x509, &untrusted, |context| {
        Ok(match context.verify_cert()? {
            true => Ok(()),
            false => Err(TrustError::Untrusted {
                reason: context.error().error_string(),
                depth: context.error_depth(),
            }),
        })
    })
}

fn store(anchors: &[Certificate], now: i64) -> Result<X509Store, ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    for anchor in anchors {
        store.add_cert(anchor.x509.clone())?;
    }
    let mut parameters = X509VerifyParam::new()?;
    parameters.set_time(now);
    parameters.set_purpose(X509PurposeId::SSL_SERVER)?;
    // Whoever names an intermediate as an anchor means it.
    parameters.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
    store.set_param(&parameters)?;
    Ok(store.build())
}

#[cfg(test)]
mod tests;
