//! Mozilla's guidelines for TLS on servers, version 6.0: `intermediate` and `modern`.
//!
//! Owns: data. Never: code. They were made for web servers and say nothing of clients; for outgoing
//! mail the same is taken where TLS is demanded, and TLS 1.2 where it is optional.
//!
//! TLS 1.3's suites are those that OpenSSL has by default, and are not set.

use super::Profile;
use super::narrow::Narrow;
use super::row::Value::{Floor, Text};
use super::row::{Row, row};
use super::strict::ECDHE_AEAD;
use mailtls::TlsVersion::{Tls1_2, Tls1_3};

const FROM_1_2: &str = "tls_versions of the guidelines: 1.2 and 1.3.";
const ONLY_1_3: &str = "tls_versions of the guidelines: 1.3.";
const SUITES: &str = "Leaves the guidelines' six suites: ECDHE with AES-GCM or ChaCha20-Poly1305.";
const SUITES_ON_25: &str = "Leaves the guidelines' six suites: ECDHE with AES-GCM or \
                            ChaCha20-Poly1305. It holds on 587 and 465, too.";
const OPTIONAL_OUT: &str = "Where TLS is optional a failed handshake ends in cleartext: TLS 1.2 \
                            stays, and no suite is excluded.";
const MEDIUM: &str = "Every suite that is not broken: what is refused here is sent in clear.";
const GROUPS: &str = "tls_curves of the guidelines.";
const GROUPS_BEFORE: &str = "tls_curves of the guidelines, but for X25519MLKEM768: it takes \
                             Postfix 3.11 and OpenSSL 3.5.";
const NO_FFDHE: &str = "tls_curves of the guidelines have no finite fields.";

/// Key exchange, for all programs.
const SHARED: &[Row] = &[
    row(
        "tls_eecdh_auto_curves",
        Text("X25519MLKEM768 X25519 prime256v1 secp384r1"),
        GROUPS,
    )
    .postfix(3, 11)
    .openssl(3, 5),
    row(
        "tls_eecdh_auto_curves",
        Text("X25519 prime256v1 secp384r1"),
        GROUPS_BEFORE,
    ),
    row("tls_ffdhe_auto_groups", Text(""), NO_FFDHE).postfix(3, 8),
];

const ROWS: Narrow = Narrow {
    exclusions: ECDHE_AEAD,
    floor: FROM_1_2,
    on_25: SUITES_ON_25,
    demanded: SUITES,
    optional_floor: OPTIONAL_OUT,
    optional: MEDIUM,
};

pub(super) static INTERMEDIATE: Profile = Profile {
    name: "mozilla-intermediate-6.0",
    version: "6.0",
    meaning: "Mozilla's guidelines for servers in general: TLS 1.2 with six suites, and TLS 1.3",
    source: "https://ssl-config.mozilla.org/guidelines/6.0.json",
    unfit: Some(
        "It was made for web servers, whose visitors see an error. Senders with TLS 1.2 and only \
         older suites (RSA or DHE key exchange, CBC mode) send in clear instead, or keep the mail.",
    ),
    inbound: &ROWS.inbound(),
    submission: &ROWS.submission(),
    outbound: &ROWS.outbound(),
    shared: SHARED,
};

pub(super) static MODERN: Profile = Profile {
    name: "mozilla-modern-6.0",
    version: "6.0",
    meaning: "Mozilla's guidelines for clients of today only: TLS 1.3 and nothing else",
    source: "https://ssl-config.mozilla.org/guidelines/6.0.json",
    unfit: Some(
        "Many senders speak no more than TLS 1.2: they send in clear, or, where they demand TLS \
         (DANE, MTA-STS), keep the mail until it is returned. RFC 9325 §3.1.1 asks servers to have 1.2.",
    ),
    inbound: &[row("smtpd_tls_protocols", Floor(Tls1_3), ONLY_1_3)],
    submission: &[row(
        "smtpd_tls_mandatory_protocols",
        Floor(Tls1_3),
        ONLY_1_3,
    )],
    outbound: &[
        row("smtp_tls_protocols", Floor(Tls1_2), OPTIONAL_OUT),
        row("smtp_tls_ciphers", Text("medium"), MEDIUM),
        row("smtp_tls_mandatory_protocols", Floor(Tls1_3), ONLY_1_3),
    ],
    shared: SHARED,
};
