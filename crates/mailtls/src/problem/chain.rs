//! Rules on who issued the certificate.

use super::{CertProblem, Gravity};
use crate::{Certificate, Trust, verify_chain};

/// No CA issues for longer (CA/Browser Forum: 398 days, less from 2026 on); ssl-cert and
/// `postfix tls` make certificates for ten and a hundred years.
const PUBLIC_LIFETIME: i64 = 3 * 365 * 86_400;

pub(super) fn self_signed(leaf: &Certificate) -> CertProblem {
    let lifetime = leaf.not_after.saturating_sub(leaf.not_before);
    let only_its_name = leaf
        .dns_names
        .iter()
        .all(|name| Some(name) == leaf.common_name.as_ref());
    let own_name = leaf.common_name.as_deref().and_then(crate::host_name);
    let is_of_host = own_name.is_some() || !leaf.is_ca;
    if leaf.bare_subject && only_its_name && is_of_host && lifetime > PUBLIC_LIFETIME {
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

pub(super) fn judge(
    chain: &[Certificate],
    now: i64,
    trust: Trust<'_>,
    found: &mut Vec<CertProblem>,
) {
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
    // A chain may lead beyond an anchor, to the root that has signed it once.
    let leads_to = |anchor: &Certificate| {
        let mut path = chain.iter();
        path.any(|certificate| anchor == certificate || certificate.issued_by(anchor))
    };
    if anchors.iter().any(leads_to) {
        return refused(chain, anchors, now, found);
    }
    let issuer = &top.issuer;
    let from = top.issuer_url.as_ref();
    let from = from.map(|url| format!(" (from {url})")).unwrap_or_default();
    let remedy =
        format!("Add the intermediate certificate{from}; if this is a private CA, name its root.");
    found.push(match chain.len() {
        1 => CertProblem::new(
            "cert.chain-incomplete",
            Gravity::Warning,
            format!("the certificate comes without its intermediate {issuer}; peers that verify refuse it"),
            &remedy,
        ),
        _ => CertProblem::new(
            "cert.issuer-unknown",
            Gravity::Warning,
            format!("the chain ends at {issuer}, which is not among the trusted CAs"),
            &remedy,
        ),
    });
}

/// What OpenSSL holds against a chain that leads to an anchor: an issuer that is no CA, a path too
/// long, a name that a CA may not give. Where graver things were found, it would say them again.
fn refused(chain: &[Certificate], anchors: &[Certificate], now: i64, found: &mut Vec<CertProblem>) {
    if found
        .iter()
        .any(|problem| problem.gravity == Gravity::Error)
    {
        return;
    }
    if let Err(reason) = verify_chain(chain, anchors, now) {
        found.push(CertProblem::new(
            "cert.untrusted",
            Gravity::Warning,
            format!("peers that verify refuse the chain: {reason}"),
            "Have the certificate issued anew, and take the intermediates that come with it.",
        ));
    }
}
