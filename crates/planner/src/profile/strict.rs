//! `strict`: forward secrecy and authenticated encryption only.
//!
//! Owns: data, and the exclusions that leave only such suites. Never: code.
//!
//! Exclusions rather than `tls_high_cipherlist`, which all programs of a Postfix share.

use super::Profile;
use super::narrow::Narrow;

/// Leaves ECDHE with AES-GCM or ChaCha20-Poly1305: `SHA1`, `SHA256` and `SHA384` are the suites
/// with such a MAC, which is all of CBC mode. Those left are the suites of RFC 9325 §4.2.
pub(super) const ECDHE_AEAD: &str = "aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM";

const FLOOR: &str = "TLS 1.0 and 1.1 are out of use (RFC 8996).";
const INBOUND: &str = "Leaves ECDHE with AES-GCM or ChaCha20-Poly1305 (RFC 9325 §4.2). It holds on \
                       587 and 465, too: Postfix adds to this list there, and takes nothing away.";
const DEMANDED: &str = "Leaves ECDHE with AES-GCM or ChaCha20-Poly1305 (RFC 9325 §4.2).";
const OPTIONAL_OUT: &str = "No exclusions where TLS is optional: what fails is sent in clear.";

const ROWS: Narrow = Narrow {
    exclusions: ECDHE_AEAD,
    floor: FLOOR,
    on_25: INBOUND,
    demanded: DEMANDED,
    optional_floor: FLOOR,
    optional: OPTIONAL_OUT,
};

pub(super) static STRICT: Profile = Profile {
    name: "strict",
    version: "2026-11",
    meaning: "TLS 1.2 with forward secrecy and authenticated encryption only (ECDHE with AES-GCM \
              or ChaCha20-Poly1305)",
    source: "RFC 9325 §4.2",
    unfit: Some(
        "Senders with TLS 1.2 and only older suites (RSA or DHE key exchange, CBC mode: Windows \
         Server 2012, old appliances) find none in common: they send in clear, or keep the mail. \
         Nobody else is safer for it.",
    ),
    inbound: &ROWS.inbound(),
    submission: &ROWS.submission(),
    outbound: &ROWS.outbound(),
    shared: &[],
};
