//! The HTTPS client under ACME.
//!
//! Owns: whom it trusts (the system's roots and one more), the size of an answer, and what the
//! last answer said of when to come back. Never: speaks plain HTTP, follows a redirect.

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use hyper::http::response::Parts;
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The largest answer that is read: a chain is some kilobytes.
const MAX_ANSWER: usize = 1 << 20;
const CONNECT: Duration = Duration::from_secs(20);
const IDLE: Duration = Duration::from_secs(15);
/// When to ask again for renewal information that says nothing of it (RFC 9773, 4.3.3).
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("21600");

type Answer = Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>>;

/// The `Retry-After` of the last answer.
#[derive(Clone, Default)]
pub(super) struct Seen(Arc<Mutex<Option<RetryAfter>>>);

#[derive(Clone, Copy)]
enum RetryAfter {
    Seconds(u64),
    At(SystemTime),
}

pub(super) struct Https {
    client: Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>,
    seen: Seen,
}

impl Seen {
    /// How long the last answer asked to wait, in whole seconds from `now` (since 1970).
    pub(super) fn seconds(&self, now: i64) -> Option<u64> {
        match (*self.0.lock().unwrap_or_else(PoisonError::into_inner))? {
            RetryAfter::Seconds(seconds) => Some(seconds),
            RetryAfter::At(time) => {
                let at = time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
                Some(at.saturating_sub(u64::try_from(now).unwrap_or_default()))
            }
        }
    }

    fn note(&self, headers: &HeaderMap) {
        let text = headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let parsed = text.map(str::trim).and_then(|text| match text.parse() {
            Ok(seconds) => Some(RetryAfter::Seconds(seconds)),
            Err(_) => httpdate::parse_http_date(text).ok().map(RetryAfter::At),
        });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = parsed;
    }
}

impl Https {
    pub(super) fn new(
        roots: &[CertificateDer<'static>],
        seen: Seen,
    ) -> Result<Self, rustls::Error> {
        let mut store = RootCertStore::empty();
        // An anchor that cannot be read makes no other untrusted.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        store.add_parsable_certificates(roots.iter().cloned());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(store)
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_only()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Ok(Self { client, seen })
    }
}

impl HttpClient for Https {
    fn request(&self, request: Request<BodyWrapper<Bytes>>) -> Answer {
        let seen = self.seen.clone();
        let get = request.method() == Method::GET;
        let signed = request.method() == Method::POST;
        let answer = self.client.request(request);
        Box::pin(async move {
            let answer = answer.await.map_err(|error| Error::Other(error.into()))?;
            let (mut parts, body) = answer.into_parts();
            seen.note(&parts.headers);
            let body = Limited::new(body, MAX_ANSWER).collect().await;
            let body = body.map_err(Error::Other)?.to_bytes();
            if get && parts.status.is_success() {
                sound(&body)?;
                parts.headers.entry(RETRY_AFTER).or_insert(ASK_AGAIN);
            }
            let body = problem(&parts, body);
            // The client reads problem documents only where it asked with a signature.
            if !signed && matches!(parts.status.as_u16(), 429 | 503) {
                return Err(Error::Api(serde_json::from_slice(&body)?));
            }
            Ok(BytesResponse {
                parts,
                body: Box::new(body),
            })
        })
    }
}

/// The client takes the URL for nonces on trust, and panics if it is none.
fn sound(body: &[u8]) -> Result<(), Error> {
    let answer: serde_json::Value = serde_json::from_slice(body)?;
    match answer.get("newNonce").and_then(serde_json::Value::as_str) {
        Some(url) if url.parse::<Uri>().is_err() => Err(Error::Str("newNonce is no URL")),
        _ => Ok(()),
    }
}

/// A failure is always a problem document with the status in it: load balancers before a CA
/// answer in HTML.
fn problem(parts: &Parts, body: Bytes) -> Bytes {
    if !parts.status.is_client_error() && !parts.status.is_server_error() {
        return body;
    }
    let status = parts.status.as_u16();
    let mut document = match serde_json::from_slice(&body) {
        Ok(serde_json::Value::Object(document)) => document,
        _ => {
            let kind = parts.headers.get(CONTENT_TYPE);
            let kind = kind
                .and_then(|value| value.to_str().ok())
                .unwrap_or("nothing");
            let detail = format!("HTTP status {status} with {kind}, no problem document");
            serde_json::Map::from_iter([("detail".to_owned(), detail.into())])
        }
    };
    tell_where(&mut document);
    document.insert("status".to_owned(), status.into());
    serde_json::Value::Object(document).to_string().into()
}

/// Where the user has to do something, `instance` is the page to visit (RFC 8555 §7.3.3). The client drops it.
fn tell_where(document: &mut serde_json::Map<String, serde_json::Value>) {
    let text = |name: &str| document.get(name).and_then(serde_json::Value::as_str);
    let is_action = text("type").is_some_and(|kind| kind.ends_with(":userActionRequired"));
    if let (true, Some(page)) = (is_action, text("instance")) {
        let detail = text("detail").unwrap_or("the user has to do something");
        let detail = format!("{detail}: visit {page}");
        document.insert("detail".to_owned(), detail.into());
    }
}

#[cfg(test)]
mod tests;
