//! Names in certificates: reading them so that nothing hides in them, and matching them.
//!
//! Owns: printing distinguished names (after RFC 4514), the alternative names, and RFC 6125's
//! matching. Never: lets through a NUL, a control or a direction mark.

use super::Certificate;
use crate::CertError;
use std::net::IpAddr;
use x509_parser::asn1_rs::{Oid, oid};
use x509_parser::prelude::{FromDer as _, GeneralName, ParsedExtension, X509Certificate};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// Longest text made of one name; what exceeds it is cut.
const MAX_TEXT: usize = 1024;

impl Certificate {
    /// The domains that a CA may issue for, with all names below them (RFC 5280 §4.2.1.10); printable,
    /// lower-case. Empty where DNS names are not constrained. An error where the extension is damaged.
    pub fn permitted_domains(&self) -> Result<Vec<String>, CertError> {
        let damaged = |_| CertError::Damaged("the certificate's name constraints".into());
        let (_, parsed) = X509Certificate::from_der(&self.der).map_err(damaged)?;
        let constraints = parsed.name_constraints();
        let constraints = constraints
            .map_err(|_| CertError::Damaged("the certificate's name constraints".into()))?;
        let subtrees = constraints.and_then(|found| found.value.permitted_subtrees.as_ref());
        let names = subtrees.into_iter().flatten();
        let names = names.filter_map(|subtree| match subtree.base {
            GeneralName::DNSName(name) => Some(printable(&name.to_ascii_lowercase())),
            _ => None,
        });
        Ok(names.collect())
    }
}

/// The subjectAltName extension, as far as TLS uses it.
#[derive(Default)]
pub(super) struct Alternative {
    pub(super) dns: Vec<String>,
    pub(super) ip: Vec<IpAddr>,
}

pub(super) fn alternative(certificate: &X509Certificate<'_>) -> Result<Alternative, CertError> {
    const SUBJECT_ALT_NAME: Oid<'_> = oid!(2.5.29.17);
    let mut found = Alternative::default();
    for extension in certificate.extensions() {
        if extension.oid != SUBJECT_ALT_NAME {
            continue;
        }
        let damaged = || CertError::Damaged("the certificate's list of alternative names".into());
        let ParsedExtension::SubjectAlternativeName(names) = extension.parsed_extension() else {
            return Err(damaged());
        };
        for name in &names.general_names {
            match name {
                GeneralName::DNSName(name) => found.dns.push(without_nul(name)?),
                GeneralName::IPAddress(bytes) => found.ip.extend(address(bytes)),
                GeneralName::Invalid(..) => return Err(damaged()),
                _ => {}
            }
        }
    }
    Ok(found)
}

/// The web address of the issuer's certificate (RFC 5280, 4.2.2.1).
pub(super) fn issuer_url(certificate: &X509Certificate<'_>) -> Option<String> {
    const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";
    let mut extensions = certificate.extensions().iter();
    let access = extensions.find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => Some(access),
        _ => None,
    })?;
    access.accessdescs.iter().find_map(|description| {
        let is_issuer = description.access_method.to_id_string() == CA_ISSUERS;
        match &description.access_location {
            GeneralName::URI(url) if is_issuer && url.starts_with("http") => Some(printable(url)),
            _ => None,
        }
    })
}

/// The last common name of a subject.
pub(super) fn common(subject: &X509Name<'_>) -> Result<Option<String>, CertError> {
    subject
        .iter_common_name()
        .last()
        .map(|name| without_nul(&value(name)))
        .transpose()
}

/// `CN=mx.example.com, O=Example`, in the certificate's order.
pub(super) fn distinguished(name: &X509Name<'_>) -> String {
    let mut text = String::new();
    for attribute in name.iter_attributes() {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&attribute_name(attribute));
        text.push('=');
        for character in value(attribute).chars() {
            if matches!(character, ',' | '+' | '=') {
                text.push('\\');
            }
            push_printable(&mut text, character);
        }
    }
    cut(text)
}

fn attribute_name(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    let short = match oid.as_str() {
        "2.5.4.3" => "CN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "1.2.840.113549.1.9.1" => "emailAddress",
        "0.9.2342.19200300.100.1.25" => "DC",
        _ => return oid,
    };
    short.to_owned()
}

/// An attribute's text. BMPString is UTF-16; all others are taken for UTF-8, of which the old
/// string types are subsets or close to it.
fn value(attribute: &AttributeTypeAndValue<'_>) -> String {
    const BMP_STRING: u32 = 30;
    let bytes = attribute.attr_value().data;
    if attribute.attr_value().tag().0 == BMP_STRING {
        let units = bytes
            .chunks_exact(2)
            .map(|b| u16::from_be_bytes([b[0], b[1]]));
        return char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
    }
    String::from_utf8_lossy(bytes).into_owned()
}

fn without_nul(name: &str) -> Result<String, CertError> {
    let text = printable(name);
    match name.contains('\0') {
        true => Err(CertError::NulInName(text)),
        false => Ok(text),
    }
}

fn printable(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for character in name.chars() {
        push_printable(&mut text, character);
    }
    cut(text)
}

/// Controls, direction marks, zero-width characters and the escape character itself are written
/// as `\u{…}`, so that what is shown is what is there.
fn push_printable(text: &mut String, character: char) {
    let hidden = matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}');
    if character == '\\' || character.is_control() || hidden {
        text.extend(character.escape_unicode());
    } else {
        text.push(character);
    }
}

fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        text.truncate(text.floor_char_boundary(MAX_TEXT));
        text.push('…');
    }
    text
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(v4));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

/// RFC 6125, 6.4.
pub(super) fn matches(certificate: &Certificate, host: &str) -> bool {
    let literal = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    if let Ok(address) = literal.unwrap_or(host).parse::<IpAddr>() {
        return certificate.ip_addresses.contains(&address);
    }
    let Some(host) = host_name(host) else {
        return false;
    };
    counting(certificate)
        .iter()
        .any(|name| pattern_matches(name, &host))
}

/// The names that count: the common name only where there is no other.
fn counting(certificate: &Certificate) -> &[String] {
    match certificate.dns_names.as_slice() {
        [] => certificate.common_name.as_slice(),
        names => names,
    }
}

/// Any number of labels below; a `*` is a label like others here (`X509_check_host`).
pub(super) fn below(certificate: &Certificate, domain: &str) -> bool {
    let Some(domain) = host_name(domain) else {
        return false;
    };
    counting(certificate).iter().any(|name| {
        let name = name.to_ascii_lowercase();
        let above = name.strip_suffix(&domain);
        above
            .and_then(|above| above.strip_suffix('.'))
            .is_some_and(|label| !label.is_empty())
    })
}

/// A name in a certificate is an A-label: Postfix and OpenSSL do not take U-labels there.
fn pattern_matches(pattern: &str, host: &str) -> bool {
    // A final dot is no part of a name in a certificate (RFC 5280, 4.2.1.6); OpenSSL, and so
    // Postfix, never takes it for the name without.
    if !pattern.is_ascii() || pattern.ends_with('.') {
        return false;
    }
    let Some(parent) = pattern.strip_prefix("*.") else {
        return host_name(pattern).is_some_and(|name| name == host);
    };
    // `*.com` would be a certificate for all of com; no CA issues one.
    let Some(parent) = host_name(parent).filter(|parent| parent.contains('.')) else {
        return false;
    };
    host.split_once('.')
        .is_some_and(|(label, rest)| !label.is_empty() && rest == parent)
}

/// A host name in lower-case A-labels (RFC 5890) without a final dot; `None` for what is none, an
/// address among them.
pub fn host_name(name: &str) -> Option<String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let ascii = idna::domain_to_ascii(name).ok()?;
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            // RFC 1123 §2.1 with RFC 952: a hyphen stands neither first nor last.
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let address = ascii.parse::<std::net::Ipv4Addr>().is_ok();
    (!address && ascii.len() <= 253 && ascii.split('.').all(label)).then_some(ascii)
}
