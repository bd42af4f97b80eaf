//! The terms that a CA wants agreed to.
//!
//! Owns: finding their URL in the directory (RFC 8555, 7.1.1). Never: agrees to anything.

use super::account::{AcmeCa, roots};
use super::ari::is_plain_url;
use super::error::AcmeError;
use super::http::Https;
use super::session::Session;
use crate::Bounds;
use hyper::body::Bytes;
use hyper::{Method, Request};
use instant_acme::{BodyWrapper, Error, HttpClient as _};

/// The URL of a CA's terms of service, where it names one.
pub fn terms_of_service(ca: &AcmeCa, bounds: &Bounds<'_>) -> Result<Option<String>, AcmeError> {
    let session = Session::new(&ca.directory)?;
    let roots = roots(ca)?;
    let body = session.step(bounds, "asking for the directory", async || {
        let https =
            Https::new(&roots, session.seen.clone()).map_err(|error| Error::Other(error.into()))?;
        let request = Request::builder()
            .method(Method::GET)
            .uri(&ca.directory)
            .body(BodyWrapper::<Bytes>::default())
            .map_err(|error| Error::Other(error.into()))?;
        let mut answer = https.request(request).await?;
        let body = answer.body.into_bytes().await.map_err(Error::Other)?;
        if !answer.parts.status.is_success() {
            return Err(Error::Api(serde_json::from_slice(&body)?));
        }
        Ok(serde_json::from_slice::<serde_json::Value>(&body)?)
    })?;
    let url = body
        .pointer("/meta/termsOfService")
        .and_then(serde_json::Value::as_str);
    Ok(url.filter(|url| is_plain_url(url)).map(str::to_owned))
}
