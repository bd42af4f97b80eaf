//! The guidelines of the Dutch NCSC for TLS, edition 2025-05: what is *good* or *sufficient*.
//!
//! Owns: data. Never: code. (ICT-beveiligingsrichtlijnen voor Transport Layer Security.)
//!
//! TLS_AES_128_CCM_SHA256 would do, too; OpenSSL does not offer it by default, and it is not set.

use super::Profile;
use super::narrow::Narrow;
use super::row::Value::Text;
use super::row::row;

/// Leaves ECDHE with AES-GCM, AES-CCM or ChaCha20-Poly1305 (appendix B).
const SUFFICIENT: &str = "aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM8";

const FLOOR: &str = "Table 1: TLS 1.3 is good, 1.2 sufficient, all older insufficient.";
const SUITES: &str = "Appendix B: ECDHE with AES-GCM, AES-CCM or ChaCha20-Poly1305 is sufficient; \
                      DHE and CBC mode are to be phased out.";
const SUITES_ON_25: &str = "Appendix B: ECDHE with AES-GCM, AES-CCM or ChaCha20-Poly1305 is \
                            sufficient; DHE and CBC mode are to be phased out. It holds on 587 and \
                            465, too.";
const OPTIONAL_OUT: &str = "Where TLS is optional a failed handshake ends in cleartext: no suite is \
                            excluded.";

const ROWS: Narrow = Narrow {
    exclusions: SUFFICIENT,
    floor: FLOOR,
    on_25: SUITES_ON_25,
    demanded: SUITES,
    optional_floor: FLOOR,
    optional: OPTIONAL_OUT,
};

pub(super) static NCSC: Profile = Profile {
    name: "ncsc-2025-05",
    version: "2025-05",
    meaning: "what the Dutch NCSC calls good or sufficient, and what internet.nl tests mail servers \
              for",
    source: "NCSC-NL, ICT-beveiligingsrichtlijnen voor Transport Layer Security, 2025-05",
    unfit: Some(
        "Senders with TLS 1.2 and only older suites (RSA or DHE key exchange, CBC mode) find none in \
         common: they send in clear, or keep the mail. Who is held to the guidelines accepts that.",
    ),
    inbound: &ROWS.inbound(),
    submission: &ROWS.submission(),
    outbound: &ROWS.outbound(),
    shared: &[
        row(
            "tls_eecdh_auto_curves",
            Text("X25519MLKEM768 X25519 X448 prime256v1 secp384r1"),
            "Table 7: these curves are good, and X25519MLKEM768 keeps what is recorded today \
             from the quantum computers of later.",
        )
        .postfix(3, 11)
        .openssl(3, 5),
        row(
            "tls_eecdh_auto_curves",
            Text("X25519 X448 prime256v1 secp384r1"),
            "Table 7: these curves are good.",
        ),
        row(
            "tls_ffdhe_auto_groups",
            Text(""),
            "Table 7: finite fields are to be phased out, ffdhe2048 is insufficient.",
        )
        .postfix(3, 8),
        row(
            "tls_ssl_options",
            Text("NO_RENEGOTIATION"),
            "Clients shall not begin a renegotiation; from OpenSSL 3.0 on they cannot.",
        )
        .before_openssl(3, 0),
    ],
};
