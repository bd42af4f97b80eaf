//! Why a console could not run.
//!
//! Owns: the errors of its process. Never: errors of a request; those are problems (`problem`).

use std::net::SocketAddr;

/// Why a console could not run.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// It would send sessions over a network in clear.
    #[error(
        "will not listen on {0}: passwords and sessions would cross the network in clear; listen on \
         127.0.0.1 or [::1], behind a proxy that speaks TLS, or give it a certificate"
    )]
    Exposed(SocketAddr),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A proxy that is none.
    #[error("{0:?} is no address and no network of a proxy: write 192.0.2.1 or 192.0.2.0/24")]
    Proxy(String),
    /// The certificate that was handed over.
    #[error("cannot present the certificate: {0}")]
    Certificate(String),
    /// The system gives no threads, signals or randomness.
    #[error("cannot {doing}: {source}")]
    System {
        /// What for.
        doing: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The desk does not open.
    #[error("cannot open the desk: {0}")]
    Desk(#[from] postseal_store::StoreError),
    /// Passwords cannot be hashed here.
    #[error("cannot hash passwords: {0}")]
    Password(String),
}

impl ConsoleError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Exposed(_) => "console.exposed",
            Self::Listen { .. } => "console.listen",
            Self::Certificate(_) => "console.bad-certificate",
            Self::Proxy(_) => "console.bad-proxy",
            Self::System { .. } => "console.system",
            Self::Desk(_) => "console.desk",
            Self::Password(_) => "console.password",
        }
    }
}
