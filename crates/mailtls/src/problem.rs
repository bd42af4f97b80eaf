//! What is wrong with a chain that can be read.
//!
//! Owns: the rules on dates, names, keys, signatures, uses and completeness, each with a code, a
//! sentence and a remedy. Never: reads a clock, decides what may be done with the certificate
//! (whoever asks maps codes and gravity to findings).

use crate::{CertError, Certificate, KeyKind, Trust};

const DAY: i64 = 86_400;
/// Ten-year certificates would else be called expiring for three years.
const EXPIRING_AT_MOST: i64 = 45 * DAY;
const EXPIRES_AT_ONCE_AT_MOST: i64 = 7 * DAY;
/// No CA issues for longer (CA/Browser Forum: 398 days, less from 2026 on); ssl-cert and
/// `postfix tls` make certificates for ten and a hundred years.
const PUBLIC_LIFETIME: i64 = 3 * 365 * DAY;
const NAMES_SHOWN: usize = 4;

/// How much a problem matters to mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gravity {
    /// Worth knowing.
    Note,
    /// Works today, or for peers that do not verify.
    Warning,
    /// Peers that verify refuse it, or Postfix cannot use it at all.
    Error,
}

/// One thing wrong with a certificate, its chain or its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertProblem {
    /// The stable code (`cert.expired`).
    pub code: &'static str,
    /// How much it matters.
    pub gravity: Gravity,
    /// One sentence: what is wrong.
    pub message: String,
    /// One sentence: what to do.
    pub remedy: String,
}

impl CertProblem {
    pub(crate) fn new(
        code: &'static str,
        gravity: Gravity,
        message: impl Into<String>,
        remedy: &str,
    ) -> Self {
        Self {
            code,
            gravity,
            message: message.into(),
            remedy: remedy.to_owned(),
        }
    }
}

impl From<&CertError> for CertProblem {
    fn from(error: &CertError) -> Self {
        let gravity = Gravity::Error;
        Self::new(error.code(), gravity, error.to_string(), error.remedy())
    }
}

/// Everything wrong with a chain (leaf first) for a server of these names, at `now` in seconds
/// since 1970. Worst first.
pub fn problems(
    chain: &[Certificate],
    now: i64,
    names: &[&str],
    trust: Trust<'_>,
) -> Vec<CertProblem> {
    let Some((leaf, issuers)) = chain.split_first() else {
        return vec![CertProblem::from(&CertError::NoCertificate)];
    };
    let mut found = Vec::new();
    dates(leaf, now, &mut found);
    for issuer in issuers {
        issuer_dates(issuer, now, &mut found);
    }
    for certificate in chain {
        strength(certificate, &mut found);
    }
    uses(leaf, &mut found);
    name(leaf, names, &mut found);
    if leaf.self_signed {
        found.push(self_signed(leaf));
    } else {
        completeness(chain, trust, &mut found);
    }
    found.sort_by_key(|problem| std::cmp::Reverse(problem.gravity));
    found
}

fn dates(leaf: &Certificate, now: i64, found: &mut Vec<CertProblem>) {
    const RENEW: &str = "Renew the certificate.";
    let (left, lifetime) = (
        leaf.not_after.saturating_sub(now),
        leaf.not_after.saturating_sub(leaf.not_before),
    );
    if left < 0 {
        let message = format!("{} expired {}", leaf.subject, ago(left.saturating_neg()));
        found.push(CertProblem::new(
            "cert.expired",
            Gravity::Error,
            message,
            RENEW,
        ));
    } else if now < leaf.not_before {
        let wait = leaf.not_before.saturating_sub(now);
        let message = format!("{} is not valid yet, for {}", leaf.subject, span(wait));
        let remedy = "Wait until it is valid, or check this host's clock.";
        found.push(CertProblem::new(
            "cert.not-yet-valid",
            Gravity::Error,
            message,
            remedy,
        ));
    } else if left < (lifetime / 3).min(EXPIRING_AT_MOST) {
        let soon = left < (lifetime / 10).min(EXPIRES_AT_ONCE_AT_MOST);
        let gravity = if soon {
            Gravity::Error
        } else {
            Gravity::Warning
        };
        let message = format!("{} expires in {}", leaf.subject, span(left));
        found.push(CertProblem::new("cert.expiring", gravity, message, RENEW));
    }
}

fn issuer_dates(issuer: &Certificate, now: i64, found: &mut Vec<CertProblem>) {
    if (issuer.not_before..=issuer.not_after).contains(&now) {
        return;
    }
    found.push(CertProblem::new(
        "cert.issuer-expired",
        Gravity::Error,
        format!("the intermediate {} is not valid now", issuer.subject),
        "Take the CA's current intermediate certificate.",
    ));
}

fn strength(certificate: &Certificate, found: &mut Vec<CertProblem>) {
    let subject = &certificate.subject;
    if let KeyKind::Rsa { bits } = certificate.key
        && bits < 2048
    {
        found.push(CertProblem::new(
            "cert.weak-key",
            Gravity::Error,
            format!("{subject} has an RSA key of {bits} bits; many peers refuse less than 2048"),
            "Have a certificate issued for a new key (ECDSA P-256, or RSA 2048 or more).",
        ));
    }
    // A self-signed certificate's signature proves nothing, so its strength does not matter.
    if certificate.weak_signature && !certificate.self_signed {
        let message = format!(
            "{subject} is signed with {}, which can be forged",
            certificate.signature
        );
        let remedy = "Have the certificate issued anew, with SHA-256.";
        found.push(CertProblem::new(
            "cert.weak-signature",
            Gravity::Error,
            message,
            remedy,
        ));
    }
}

fn uses(leaf: &Certificate, found: &mut Vec<CertProblem>) {
    if leaf.is_ca {
        found.push(CertProblem::new(
            "cert.ca-as-leaf",
            Gravity::Warning,
            format!("{} is a CA certificate, used as a server's", leaf.subject),
            "Have the CA issue a certificate for the server, and keep the CA's key elsewhere.",
        ));
    }
    if !leaf.allows_server_auth() {
        let usages = leaf.extended_key_usage.as_deref().unwrap_or_default();
        found.push(CertProblem::new(
            "cert.no-server-auth",
            Gravity::Error,
            format!(
                "{} is not for TLS servers (only {})",
                leaf.subject,
                usages.join(", ")
            ),
            "Have a certificate issued with extendedKeyUsage serverAuth.",
        ));
    }
}

fn name(leaf: &Certificate, names: &[&str], found: &mut Vec<CertProblem>) {
    let says = shown(leaf);
    for name in names.iter().filter(|name| !leaf.matches_name(name)) {
        found.push(CertProblem::new(
            "cert.name-mismatch",
            Gravity::Warning,
            format!("the certificate is for {says}, not for {name}; peers that verify refuse it"),
            "Have a certificate issued for this name, or use the host name that it has.",
        ));
    }
    if leaf.dns_names.is_empty() && leaf.ip_addresses.is_empty() {
        found.push(CertProblem::new(
            "cert.no-alternative-name",
            Gravity::Warning,
            "the certificate has no subjectAltName; many programs ignore the common name",
            "Have a certificate issued with the host name as a DNS name.",
        ));
    }
}

fn shown(leaf: &Certificate) -> String {
    let names = &leaf.dns_names;
    match (names.as_slice(), &leaf.common_name) {
        ([], Some(name)) => name.clone(),
        ([], None) => leaf.subject.clone(),
        _ => {
            let more = names.len().saturating_sub(NAMES_SHOWN);
            let list = names[..names.len() - more].join(", ");
            match more {
                0 => list,
                _ => format!("{list} and {more} more"),
            }
        }
    }
}

fn self_signed(leaf: &Certificate) -> CertProblem {
    let lifetime = leaf.not_after.saturating_sub(leaf.not_before);
    let only_its_name = leaf
        .dns_names
        .iter()
        .all(|name| Some(name) == leaf.common_name.as_ref());
    if leaf.bare_subject && only_its_name && lifetime > PUBLIC_LIFETIME {
        return CertProblem::new(
            "cert.system-certificate",
            Gravity::Error,
            format!(
                "{} is a certificate that the system made for itself (as ssl-cert's snakeoil); nobody can verify it",
                leaf.subject
            ),
            "Get a certificate from a CA.",
        );
    }
    CertProblem::new(
        "cert.self-signed",
        Gravity::Error,
        format!("{} is self-signed; nobody can verify it", leaf.subject),
        "Get a certificate from a CA, or give peers this one to trust.",
    )
}

fn completeness(chain: &[Certificate], trust: Trust<'_>, found: &mut Vec<CertProblem>) {
    if chain.windows(2).any(|pair| !pair[0].issued_by(&pair[1])) {
        found.push(CertProblem::new(
            "cert.wrong-order",
            Gravity::Warning,
            "the chain is not in order: each certificate must be followed by its issuer",
            "Put the leaf first, then the intermediate that issued it, then that one's issuer.",
        ));
        return;
    }
    let (Some(top), Trust::Anchors(anchors)) = (chain.last(), trust) else {
        return;
    };
    if anchors
        .iter()
        .any(|anchor| anchor == top || top.issued_by(anchor))
    {
        return;
    }
    let (issuer, remedy) = (
        &top.issuer,
        "Add the intermediate certificate; if this is a private CA, name its root.",
    );
    found.push(match chain.len() {
        1 => CertProblem::new(
            "cert.chain-incomplete",
            Gravity::Warning,
            format!("the certificate comes without its intermediate {issuer}; peers that verify refuse it"),
            remedy,
        ),
        _ => CertProblem::new(
            "cert.issuer-unknown",
            Gravity::Warning,
            format!("the chain ends at {issuer}, which is not among the trusted CAs"),
            remedy,
        ),
    });
}

fn ago(seconds: i64) -> String {
    format!("{} ago", span(seconds))
}

/// Days, or hours below two days.
fn span(seconds: i64) -> String {
    match seconds {
        s if s >= 2 * DAY => format!("{} days", s / DAY),
        s => format!("{} hours", s / 3600),
    }
}

#[cfg(test)]
mod tests;
