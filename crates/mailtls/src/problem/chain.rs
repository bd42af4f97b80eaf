//! Rules on who issued the certificate.

use super::{CertProblem, Gravity, dates};
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
    // A CA may be called anything; what a system makes for itself is called by its host's name.
    let own_name = leaf.common_name.as_deref().and_then(crate::host_name);
    let is_of_host = !leaf.is_ca || own_name.is_some_and(|name| name.contains('.'));
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
    let mut pairs = chain.windows(2);
    if let Some(before) = pairs.position(|pair| !pair[0].issued_by(&pair[1])) {
        let problem = CertProblem::new(
            "cert.wrong-order",
            Gravity::Warning,
            "the chain is not in order: each certificate must be followed by its issuer",
            "Put the leaf first, then the intermediate that issued it, then that one's issuer.",
        );
        found.push(CertProblem {
            at: before + 1,
            ..problem
        });
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
        ends_sooner(chain, anchors, now, found);
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

/// A leaf that outlives those who vouch for it, up to the first that is trusted or issued by one
/// that is: peers refuse it from the day that the first of them ends.
fn ends_sooner(
    chain: &[Certificate],
    anchors: &[Certificate],
    now: i64,
    found: &mut Vec<CertProblem>,
) {
    let mut path: Vec<&Certificate> = Vec::new();
    for link in chain {
        let is_anchor = anchors.contains(link);
        let above = anchors.iter().filter(|anchor| link.issued_by(anchor));
        path.push(link);
        if let Some(longest) = above.max_by_key(|anchor| anchor.not_after) {
            path.push(longest);
            break;
        }
        if is_anchor {
            break;
        }
    }
    let Some((leaf, issuers)) = path.split_first() else {
        return;
    };
    let Some(first) = issuers.iter().min_by_key(|issuer| issuer.not_after) else {
        return;
    };
    let left = first.not_after.saturating_sub(now);
    let sooner = leaf.not_after.saturating_sub(first.not_after);
    // One that has ended already is told as that; hours matter to nobody, who renews in time.
    if sooner < dates::DAY || left < 0 {
        return;
    }
    let urgent = left < dates::URGENT;
    found.push(CertProblem::new(
        "cert.issuer-ends-sooner",
        if urgent { Gravity::Error } else { Gravity::Warning },
        format!(
            "{} outlives {}, which vouches for it and ends in {}; peers that verify refuse it from then on",
            leaf.subject,
            first.subject,
            dates::span(left)
        ),
        "Have it issued anew before then, by a CA that lasts longer.",
    ));
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
