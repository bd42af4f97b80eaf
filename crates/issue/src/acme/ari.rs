//! When a CA would like a certificate to be renewed (RFC 9773).
//!
//! Owns: asking for the window, and the name under which a CA knows a certificate. Never:
//! decides when to renew.

use super::{Account, AcmeError};
use crate::Bounds;
use instant_acme::CertificateIdentifier;
use mailtls::pem_certificates;
use rustls::pki_types::CertificateDer;
use std::time::Duration;

/// The longest explanation URL that is taken over.
const MAX_URL: usize = 500;

/// A CA's wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewalInfo {
    /// The beginning of the window, in seconds since 1970. In the past: renew now.
    pub start: i64,
    /// The end of the window.
    pub end: i64,
    /// Where the CA explains why, if it does; an `https:` or `http:` URL.
    pub explanation: Option<String>,
    /// How long to wait before asking again.
    pub ask_again: Duration,
}

/// The name under which a CA knows a certificate (RFC 9773, 4.1): what [`super::Order::replaces`]
/// wants. `None` where the certificate names no authority key.
pub fn certificate_id(cert_pem: &str) -> Option<String> {
    identifier(cert_pem).map(|id| id.to_string())
}

pub(super) fn identifier(cert_pem: &str) -> Option<CertificateIdentifier<'static>> {
    let certificates = pem_certificates(cert_pem.as_bytes()).ok()?;
    let der = CertificateDer::from(certificates.into_iter().next()?.der);
    let identifier = CertificateIdentifier::try_from(&der).ok()?;
    Some(identifier.into_owned())
}

impl Account {
    /// Asks when the CA would like this certificate to be renewed; `None` where the CA, or the
    /// certificate, does not allow to ask.
    pub fn renewal_info(
        &self,
        cert_pem: &str,
        bounds: &Bounds<'_>,
    ) -> Result<Option<RenewalInfo>, AcmeError> {
        let Some(id) = identifier(cert_pem) else {
            return Ok(None);
        };
        let answer = self
            .session
            .step(bounds, "asking when to renew", async || {
                match self.inner.renewal_info(&id).await {
                    Err(instant_acme::Error::Unsupported(_)) => Ok(None),
                    other => other.map(Some),
                }
            })?;
        let Some((info, ask_again)) = answer else {
            return Ok(None);
        };
        let (start, end) = (info.suggested_window.start, info.suggested_window.end);
        if end <= start {
            return Err(AcmeError::BadAnswer {
                url: self.session.url.clone(),
                reason: "the window for renewal ends before it begins".into(),
            });
        }
        Ok(Some(RenewalInfo {
            start: start.unix_timestamp(),
            end: end.unix_timestamp(),
            explanation: info.explanation_url.filter(|url| is_plain_url(url)),
            ask_again,
        }))
    }
}

/// It will be shown to an operator, perhaps as a link.
pub(super) fn is_plain_url(url: &str) -> bool {
    url.len() <= MAX_URL
        && (url.starts_with("https://") || url.starts_with("http://"))
        && url.bytes().all(|byte| byte.is_ascii_graphic())
}
