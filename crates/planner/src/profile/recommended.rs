//! `recommended`: at least TLS 1.2 everywhere.
//!
//! Owns: data. Never: code. Grades rather than lists of ciphers, because postconf(5) strongly
//! discourages changing the lists.

use super::Profile;
use super::row::Value::{Floor, Text};
use super::row::row;
use mailtls::TlsVersion::Tls1_2;

const FLOOR: &str = "TLS 1.0 and 1.1 are out of use (RFC 8996); RFC 9325 §3.1.1 asks for 1.2.";
const OPTIONAL: &str = "Every suite that is not broken: what is refused here is sent in clear.";
const DEMANDED: &str = "The strong suites only: there is no falling back to cleartext here.";

pub(super) static RECOMMENDED: Profile = Profile {
    name: "recommended",
    version: "2026-11",
    meaning: "at least TLS 1.2, cipher grade medium where TLS is optional and high where it is \
              required",
    source: "RFC 8996, RFC 9325",
    unfit: None,
    inbound: &[
        row("smtpd_tls_protocols", Floor(Tls1_2), FLOOR),
        row("smtpd_tls_ciphers", Text("medium"), OPTIONAL),
    ],
    submission: &[
        row("smtpd_tls_mandatory_protocols", Floor(Tls1_2), FLOOR),
        row("smtpd_tls_mandatory_ciphers", Text("high"), DEMANDED),
    ],
    outbound: &[
        row("smtp_tls_protocols", Floor(Tls1_2), FLOOR),
        row("smtp_tls_ciphers", Text("medium"), OPTIONAL),
        row("smtp_tls_mandatory_protocols", Floor(Tls1_2), FLOOR),
        row("smtp_tls_mandatory_ciphers", Text("high"), DEMANDED),
    ],
    shared: &[],
};
