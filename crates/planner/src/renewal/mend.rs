//! What helps a version that could not be put in force.
//!
//! Owns: whether another order can bring a better one. Never: orders one; a version that may come in
//! force later as it is (its TLSA record is not published yet, a disk is full) is tried again.

use crate::Finding;
use serde::{Deserialize, Serialize};

/// What of a certificate the CA may do otherwise the next time.
const BY_ANOTHER: [&str; 20] = [
    "cert.ca-as-leaf",
    "cert.chain-broken",
    "cert.chain-incomplete",
    "cert.expired",
    "cert.issuer-expired",
    "cert.issuer-unknown",
    "cert.key-mismatch",
    "cert.must-staple",
    "cert.name-mismatch",
    "cert.names-gone",
    "cert.no-alternative-name",
    "cert.no-digital-signature",
    "cert.no-names",
    "cert.no-server-auth",
    "cert.other-names",
    "cert.self-signed",
    "cert.system-certificate",
    "cert.untrusted",
    "cert.weak-signature",
    "cert.wrong-order",
];

/// What the next order brings again, unless it comes much later or is another one.
const BY_A_LATER_ONE: [&str; 3] = ["cert.ends-sooner", "cert.kind-gone", "cert.weak-key"];

/// What helps a version that could not be put in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mend {
    /// Trying it again.
    #[default]
    Itself,
    /// Another order.
    Order,
    /// Another order, and not before this one is due itself.
    OrderWhenDue,
}

/// What helps a version that waits for these reasons.
pub fn mended_by(reasons: &[Finding]) -> Mend {
    let any = |codes: &[&str]| reasons.iter().any(|one| codes.contains(&&*one.code));
    if any(&BY_ANOTHER) {
        Mend::Order
    } else if any(&BY_A_LATER_ONE) {
        Mend::OrderWhenDue
    } else {
        Mend::Itself
    }
}
