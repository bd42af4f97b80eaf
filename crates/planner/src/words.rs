//! Words for people: versions, dates, certificates.
//!
//! Owns: how these read in sentences. Never: a clock; dates are printed, never “in 5 days”.

use crate::report::Handshake;
use mailtls::{Certificate, TlsVersion};

/// `TLS 1.2`.
pub(crate) fn version(version: TlsVersion) -> String {
    match version.name().strip_prefix("TLSv") {
        Some("1") => "TLS 1.0".to_owned(),
        Some(number) => format!("TLS {number}"),
        None => version.name().to_owned(),
    }
}

/// `20 Feb 2027`, UTC.
pub(crate) fn date(unix: i64) -> String {
    let date = crate::calendar::civil(unix);
    date.strftime("%-d %b %Y").to_string()
}

/// `mx.example.com (until 20 Feb 2027)`.
pub(crate) fn certificate(certificate: &Certificate) -> String {
    let name = certificate
        .dns_names
        .first()
        .or(certificate.common_name.as_ref())
        .unwrap_or(&certificate.subject);
    format!("{name} (until {})", date(certificate.not_after))
}

/// The certificate that a handshake showed, as far as the report still holds it.
pub(crate) fn shown_certificate(seen: &Handshake) -> String {
    let leaf = seen
        .chain
        .first()
        .and_then(|der| Certificate::parse(der).ok());
    match (leaf, seen.fingerprint) {
        (Some(leaf), _) => format!("the certificate {}", certificate(&leaf)),
        (None, Some(fingerprint)) => {
            format!(
                "the certificate with SHA-256 fingerprint {}…",
                fingerprint.prefix(8)
            )
        }
        (None, None) => "no certificate".to_owned(),
    }
}

/// What clients ask for: of the names below a domain, one is asked for in place of all.
pub(crate) fn asked(name: &str) -> String {
    match name.strip_prefix("any.") {
        Some(domain) => format!("ask for a name below {domain} (as {name})"),
        None => format!("ask for {name}"),
    }
}

/// `a, b and c`.
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// The same of the first few: `a, b, c, d, e and 7 more`.
pub(crate) fn some(items: &[String]) -> String {
    const SHOWN: usize = 5;
    match items.len().checked_sub(SHOWN) {
        None | Some(0) => list(items),
        Some(more) => format!("{} and {more} more", items[..SHOWN].join(", ")),
    }
}
