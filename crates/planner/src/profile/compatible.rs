//! `compatible`: whoever can encrypt at all is served.
//!
//! Owns: data. Never: code.

use super::Profile;
use super::row::Value::{Floor, Text};
use super::row::row;
use mailtls::TlsVersion::{Tls1_0, Tls1_2};

const ANY_TLS: &str = "Where TLS is optional, old encryption is more than none (RFC 7435): what is \
                       refused comes in clear.";
const ANY_TLS_OUT: &str =
    "A server that speaks nothing newer would get the mail in clear (RFC 7435).";
const CLIENTS: &str =
    "Passwords are sent here: mail programs are to have TLS 1.2 (RFC 8314 §4.1, RFC 8997).";
const DEMANDED: &str = "Whoever demands encryption means one that holds (RFC 8996).";
const MEDIUM: &str = "Every suite that is not broken.";

pub(super) static COMPATIBLE: Profile = Profile {
    name: "compatible",
    version: "2026-11",
    meaning: "as many encrypted sessions as possible: old versions where TLS is optional, TLS 1.2 \
              where it is demanded",
    source: "RFC 7435, RFC 8314, RFC 8996",
    unfit: None,
    inbound: &[
        row("smtpd_tls_protocols", Floor(Tls1_0), ANY_TLS),
        row("smtpd_tls_ciphers", Text("medium"), MEDIUM),
    ],
    submission: &[
        row("smtpd_tls_mandatory_protocols", Floor(Tls1_2), CLIENTS),
        row("smtpd_tls_mandatory_ciphers", Text("medium"), MEDIUM),
    ],
    outbound: &[
        row("smtp_tls_protocols", Floor(Tls1_0), ANY_TLS_OUT),
        row("smtp_tls_ciphers", Text("medium"), MEDIUM),
        row("smtp_tls_mandatory_protocols", Floor(Tls1_2), DEMANDED),
        row("smtp_tls_mandatory_ciphers", Text("medium"), MEDIUM),
    ],
    shared: &[],
};
