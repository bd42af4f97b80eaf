//! One small file by HTTPS, as senders fetch a policy of MTA-STS (RFC 8461 §3.3).
//!
//! Owns: whom it trusts (the CAs that are given, else the system's, or those that `SSL_CERT_FILE` names), the size of the
//! answer, one deadline for all. Never: follows a redirect, speaks plain HTTP, keeps anything.

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use mailtls::Anchors;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A policy has no more bytes.
pub const LARGEST: usize = 64 * 1024;
/// The head of an answer has no more.
const LARGEST_HEAD: usize = 32 * 1024;
const PORT: u16 = 443;
/// More addresses are not tried.
const MOST_ADDRESSES: usize = 4;

/// What is fetched.
#[derive(Clone, Copy, Debug)]
pub struct Get<'g> {
    /// The server's name; its certificate has to be for it.
    pub host: &'g str,
    /// Where it is.
    pub addresses: &'g [IpAddr],
    /// The path, from the first slash on.
    pub path: &'g str,
    /// The CAs that count, in place of the system's.
    pub cas: Option<&'g Anchors>,
}

/// Fetches it, within `deadline`.
///
/// # Errors
/// Why there is none, in words.
pub fn fetch(get: &Get<'_>, deadline: Duration) -> Result<Vec<u8>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let fetched = async { tokio::time::timeout(deadline, from_any(get)).await };
    runtime
        .block_on(fetched)
        .unwrap_or_else(|_| Err(format!("no answer within {} seconds", deadline.as_secs())))
}

async fn from_any(get: &Get<'_>) -> Result<Vec<u8>, String> {
    let connector = connector(get.cas)?;
    let mut last = "it has no address".to_owned();
    for address in get.addresses.iter().take(MOST_ADDRESSES) {
        let tcp = match TcpStream::connect(SocketAddr::new(*address, PORT)).await {
            Ok(tcp) => tcp,
            Err(error) => {
                last = format!("{address}: {error}");
                continue;
            }
        };
        // Whoever answers decides: another address of the same name is no other policy.
        return over(&connector, tcp, get).await;
    }
    Err(last)
}

fn connector(cas: Option<&Anchors>) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    // An anchor that cannot be read makes no other untrusted.
    match cas {
        Some(cas) => {
            let certificates = cas.certificates().map(CertificateDer::from);
            roots.add_parsable_certificates(certificates)
        }
        None => roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn over(connector: &TlsConnector, tcp: TcpStream, get: &Get<'_>) -> Result<Vec<u8>, String> {
    let name = ServerName::try_from(get.host.to_owned()).map_err(|error| error.to_string())?;
    let tls = connector.connect(name, tcp).await;
    let tls = tls.map_err(|error| format!("TLS: {error}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(LARGEST_HEAD)
        .handshake(TokioIo::new(tls))
        .await
        .map_err(|error| error.to_string())?;
    let request = Request::get(get.path)
        .header(HOST, get.host)
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let answer = async {
        let answer = sender.send_request(request).await;
        let answer = answer.map_err(|error| format!("HTTP: {error}"))?;
        match answer.status() {
            StatusCode::OK => {}
            status if status.is_redirection() => {
                return Err(format!(
                    "HTTP status {}: redirects are not followed (RFC 8461 §3.3)",
                    status.as_u16()
                ));
            }
            status => return Err(format!("HTTP status {}", status.as_u16())),
        }
        let body = Limited::new(answer.into_body(), LARGEST).collect().await;
        let body = body.map_err(|error| format!("HTTP: {error}"))?;
        Ok(body.to_bytes().to_vec())
    };
    let driven = async {
        // How the connection ends is seen by who asked.
        let _ = connection.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        answer = answer => answer,
        () = driven => Err("the connection ended".to_owned()),
    }
}
