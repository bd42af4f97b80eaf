//! The connection to a console.
//!
//! Owns: one request at a time, its deadline, the size of an answer, whom it trusts: the system's roots, and plain
//! HTTP on loopback alone. Never: follows a redirect, shows the token.

use super::Server;
use crate::failure::{Exit, Failure};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use postseal_planner::whole_chain;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// The largest answer that is read.
const LARGEST: usize = 64 * 1024 * 1024;
/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A console that is asked.
pub(super) struct Client {
    base: String,
    authorization: HeaderValue,
    http: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    runtime: Runtime,
}

/// What it says.
#[derive(Debug)]
pub(super) struct Reply {
    /// The HTTP status.
    pub(super) status: u16,
    /// The document; null where it is none.
    pub(super) body: Value,
}

impl Client {
    pub(super) fn new(server: &Server) -> Result<Self, Failure> {
        let base = server.url.trim_end_matches('/').to_owned();
        may_be_asked(&base)?;
        let bad_token = |_| usage("server.bad-token", "the token is none".to_owned());
        let mut authorization =
            HeaderValue::from_str(&format!("Bearer {}", server.token)).map_err(bad_token)?;
        authorization.set_sensitive(true);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| unreachable_server(&base, &error))?;
        let tls = trusting().map_err(|error| unreachable_server(&base, &error))?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .build();
        let http = legacy::Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self {
            base,
            authorization,
            http,
            runtime,
        })
    }

    pub(super) fn get(&self, place: &str) -> Result<Reply, Failure> {
        self.ask(Method::GET, place, String::new())
    }

    pub(super) fn post(&self, place: &str, body: String) -> Result<Reply, Failure> {
        self.ask(Method::POST, place, body)
    }

    fn ask(&self, method: Method, place: &str, body: String) -> Result<Reply, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{place}", self.base))
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| unreachable_server(&self.base, &error))?;
        let asked = async {
            let answer = self.http.request(request).await?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), LARGEST).collect().await?;
            let body = serde_json::from_slice(&body.to_bytes()).unwrap_or(Value::Null);
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Reply { status, body })
        };
        let asked = async { tokio::time::timeout(PATIENCE, asked).await };
        match self.runtime.block_on(asked) {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(error)) => Err(unreachable_server(&self.base, &*error)),
            Err(late) => Err(unreachable_server(&self.base, &late)),
        }
    }
}

/// Whether a token may be sent there: under TLS, or without leaving this machine.
fn may_be_asked(base: &str) -> Result<(), Failure> {
    let bad = || {
        usage(
            "server.bad-url",
            format!("{base:?} is no address of a server"),
        )
    };
    let uri: Uri = base.parse().map_err(|_| bad())?;
    let host = uri.host().ok_or_else(bad)?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = bare == "localhost" || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_here => Ok(()),
        Some("http") => Err(usage(
            "server.no-tls",
            format!("{base} would get the token in clear"),
        )),
        _ => Err(bad()),
    }
}

fn trusting() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn usage(code: &str, text: String) -> Failure {
    Failure::new(Exit::Usage, code, text).hint("Say --server https://HOST[:PORT].")
}

fn unreachable_server(base: &str, error: &dyn std::error::Error) -> Failure {
    let text = format!("{base}: {}", whole_chain(error));
    Failure::new(Exit::Unreachable, "server.unreachable", text).hint(
        "See whether `postseal console` or `postseal up` runs there, and is reached from here.",
    )
}
