//! Rules on names.

use super::{CertProblem, Gravity};
use crate::Certificate;

pub(super) fn judge(leaf: &Certificate, names: &[&str], found: &mut Vec<CertProblem>) {
    found.extend(names.iter().filter_map(|name| mismatch(leaf, name)));
    unusable(leaf, found);
    if leaf.dns_names.is_empty() && leaf.ip_addresses.is_empty() {
        found.push(CertProblem::new(
            "cert.no-alternative-name",
            Gravity::Warning,
            "the certificate has no subjectAltName; many programs ignore the common name",
            "Have a certificate issued with the host name as a DNS name.",
        ));
    }
}

/// A name that peers ask for and the certificate does not have.
pub(super) fn mismatch(leaf: &Certificate, name: &str) -> Option<CertProblem> {
    let says = (!leaf.matches_name(name)).then(|| leaf.names_shown())?;
    Some(CertProblem::new(
        "cert.name-mismatch",
        Gravity::Warning,
        format!("the certificate is for {says}, not for {name}; peers that verify refuse it"),
        "Have a certificate issued for this name, or use the host name that it has.",
    ))
}

/// Names in the certificate that no peer takes (RFC 9525, 6.3): `*` is a whole left-most label,
/// under a parent of two labels or more; names are A-labels.
fn unusable(leaf: &Certificate, found: &mut Vec<CertProblem>) {
    let of = |bad: fn(&str) -> bool| {
        let mut names = leaf.dns_names.iter();
        names.find(|name| bad(name))
    };
    if let Some(name) = of(is_bad_wildcard) {
        found.push(CertProblem::new(
            "cert.bad-wildcard",
            Gravity::Warning,
            format!("peers do not take {name}: a * must be the whole first label, and not of a top-level domain"),
            "Have a certificate issued with the full names, or with *.example.org.",
        ));
    }
    if let Some(name) = of(|name| !name.is_ascii()) {
        found.push(CertProblem::new(
            "cert.name-not-ascii",
            Gravity::Warning,
            format!("peers do not take {name}: names in certificates are written as xn--…"),
            "Have a certificate issued with the name in its ASCII form.",
        ));
    }
}

fn is_bad_wildcard(name: &str) -> bool {
    let parent = name.strip_prefix("*.");
    name.contains('*') && parent.is_none_or(|parent| parent.contains('*') || !parent.contains('.'))
}
