//! TLS of the console's own.
//!
//! Owns: which certificate is presented, from the next connection on. Never: reads a key from a file or from a store;
//! whoever has the right to it hands it over.

use crate::error::ConsoleError;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt::{Debug, Display, Formatter};
use std::sync::{Arc, PoisonError, RwLock};

/// The certificate that is presented.
#[derive(Default)]
pub struct Presented(RwLock<Option<Arc<ServerConfig>>>);

/// No key reaches a log.
impl Debug for Presented {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("Presented")
    }
}

impl Presented {
    /// Presents another one, as PEM: its key, and its chain with the leaf first. What cannot be presented leaves the one
    /// before in its place.
    pub fn put(&self, pem: &[u8]) -> Result<(), ConsoleError> {
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(unfit)?;
        let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unfit)?
            .with_no_client_auth()
            .with_single_cert(chain.map_err(unfit)?, key)
            .map_err(unfit)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut place = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *place = Some(Arc::new(config));
        Ok(())
    }

    pub(crate) fn now(&self) -> Option<Arc<ServerConfig>> {
        let place = self.0.read().unwrap_or_else(PoisonError::into_inner);
        place.clone()
    }
}

fn unfit(why: impl Display) -> ConsoleError {
    ConsoleError::Certificate(why.to_string())
}
