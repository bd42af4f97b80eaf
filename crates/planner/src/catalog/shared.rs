//! Parameters of the TLS library, tlsmgr(8) and tlsproxy(8), and REQUIRETLS.
//!
//! Owns: data. Never: code. Sources: postconf(5) of 3.4 to 3.11, and what 3.7.11 did.

use super::row::Family::{Plain, SmtpAndLmtp};
use super::row::{Row, end, row, v};
use super::{
    Direction::{Inbound, Shared, Tlsproxy},
    Ending, Kind,
    kind::at_least,
};
use crate::PostfixVersion;

/// The rows.
pub(super) const ROWS: &[Row] = &[
    row(Plain(Shared), "tls_append_default_CA", Kind::Bool, "no"),
    row(Plain(Inbound), "tls_server_sni_maps", Kind::MapList, "").since(3, 4),
    row(Plain(Shared), "tls_preempt_cipherlist", Kind::Bool, "no"),
    row(Plain(Shared), "tls_high_cipherlist", Kind::CipherList, "aNULL:-aNULL:HIGH:@STRENGTH")
        .later(&[(v(3, 8), "aNULL:-aNULL:HIGH:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:@STRENGTH")])
        .not_empty(),
    row(Plain(Shared), "tls_medium_cipherlist", Kind::CipherList, "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH")
        .later(&[(v(3, 8), "aNULL:-aNULL:HIGH:MEDIUM:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5:@STRENGTH")])
        .not_empty(),
    row(Plain(Shared), "tls_low_cipherlist", Kind::CipherList, "aNULL:-aNULL:HIGH:MEDIUM:LOW:+RC4:@STRENGTH")
        .later(&[(v(3, 8), "")])
        .drop_it(WEAK_LISTS, "delete it: the grade low is medium from 3.8 on"),
    row(Plain(Shared), "tls_export_cipherlist", Kind::CipherList, "aNULL:-aNULL:HIGH:MEDIUM:LOW:EXPORT:+RC4:@STRENGTH")
        .later(&[(v(3, 8), "")])
        .drop_it(WEAK_LISTS, "delete it: the grade export is medium from 3.8 on"),
    row(Plain(Shared), "tls_null_cipherlist", Kind::CipherList, "eNULL:!aNULL")
        .later(&[(v(3, 8), "eNULL:!aNULL:!SEED:!IDEA:!3DES:!RC2:!RC4:!RC5:!kDH:!kECDH:!aDSS:!MD5")])
        .not_empty(),
    row(Plain(Shared), "tls_eecdh_auto_curves", Kind::Groups, "X25519 X448 prime256v1 secp521r1 secp384r1")
        .later(&[(v(3, 8), "X25519 X448 prime256v1 secp384r1 secp521r1")])
        .empty_from(3, 10),
    row(Plain(Shared), "tls_ffdhe_auto_groups", Kind::Groups, "ffdhe2048 ffdhe3072").since(3, 8),
    row(Plain(Shared), "tls_eecdh_strong_curve", Kind::Text, "prime256v1")
        .not_empty()
        .use_instead(CURVES, "tls_eecdh_auto_curves", "delete it; curves are chosen by tls_eecdh_auto_curves"),
    row(Plain(Shared), "tls_eecdh_ultra_curve", Kind::Text, "secp384r1")
        .not_empty()
        .use_instead(CURVES, "tls_eecdh_auto_curves", "delete it; curves are chosen by tls_eecdh_auto_curves"),
    row(Plain(Shared), "tls_config_file", Kind::LibraryFile, "default").since(3, 9).backports(CONFIG_FILE),
    row(Plain(Shared), "tls_config_name", Kind::Text, "").since(3, 9).backports(CONFIG_FILE),
    row(Plain(Shared), "tls_disable_workarounds", Kind::SslOptions(WORKAROUNDS), ""),
    row(Plain(Shared), "tls_ssl_options", Kind::SslOptions(OPTIONS), ""),
    row(Plain(Shared), "tls_session_ticket_cipher", Kind::Word(TICKET_CIPHERS), "aes-256-cbc"),
    row(Plain(Shared), "tls_fast_shutdown_enable", Kind::Bool, "yes").since(3, 4),
    row(Plain(Shared), "tls_dane_digests", Kind::DigestList, "sha512 sha256").not_empty(),
    row(Plain(Shared), "tls_wildcard_matches_multiple_labels", Kind::Bool, "yes"),
    row(Plain(Shared), "tls_legacy_public_key_fingerprints", Kind::Bool, "no").drop_it(
        &[end(3, 4, Ending::Obsolete), end(3, 11, Ending::Gone)],
        "delete it and record public key fingerprints anew where any are from before 2.9.6",
    ),
    row(Plain(Shared), "tls_daemon_random_bytes", Kind::Integer(at_least(1)), "32"),
    row(Plain(Shared), "tls_random_source", Kind::RandomSource, "dev:/dev/urandom").main_only(),
    row(Plain(Shared), "tls_random_bytes", Kind::Integer(at_least(1)), "32").main_only(),
    row(Plain(Shared), "tls_random_exchange_name", Kind::MadeFile, "${data_directory}/prng_exch").main_only(),
    row(Plain(Shared), "tls_random_reseed_period", Kind::Time(at_least(1)), "3600s").main_only(),
    row(Plain(Shared), "tls_random_prng_update_period", Kind::Time(at_least(1)), "3600s").main_only(),
    row(Plain(Shared), "tls_required_enable", Kind::Bool, "yes").since(3, 10),
    row(Plain(Shared), "requiretls_enable", Kind::Bool, "yes").since(3, 11),
    row(Plain(Shared), "requiretls_esmtp_header", Kind::Bool, "yes").since(3, 11),
    row(Plain(Shared), "requiretls_redact_dsn", Kind::Bool, "yes").since(3, 11),
    row(SmtpAndLmtp, "requiretls_policy", Kind::MapList, "").since(3, 11),
    row(Plain(Shared), "tlsmgr_service_name", Kind::Text, "tlsmgr").not_empty().companion(),
    row(Plain(Tlsproxy), "tlsproxy_service_name", Kind::Text, "tlsproxy").not_empty().companion(),
    row(Plain(Tlsproxy), "tlsproxy_watchdog_timeout", Kind::Time(at_least(1)), "10s").companion(),
];

const WEAK_LISTS: &[super::End] = &[end(3, 4, Ending::Obsolete), end(3, 8, Ending::Ignored)];
const CURVES: &[super::End] = &[end(3, 4, Ending::Obsolete), end(3, 6, Ending::Ignored)];
/// Patch releases that got `tls_config_file` before 3.9.
const CONFIG_FILE: &[PostfixVersion] = &[
    PostfixVersion::new(3, 5, 20),
    PostfixVersion::new(3, 6, 10),
    PostfixVersion::new(3, 7, 6),
    PostfixVersion::new(3, 8, 1),
];
/// Names in `tls_ssl_options` (postconf(5); the same from 3.4 to 3.11).
const OPTIONS: &[&str] = &[
    "ENABLE_MIDDLEBOX_COMPAT",
    "LEGACY_SERVER_CONNECT",
    "NO_COMPRESSION",
    "NO_RENEGOTIATION",
    "NO_SESSION_RESUMPTION_ON_RENEGOTIATION",
    "NO_TICKET",
    "PRIORITIZE_CHACHA",
];
/// Names in `tls_disable_workarounds` (postconf(5)); two are known by their CVE, too.
const WORKAROUNDS: &[&str] = &[
    "CRYPTOPRO_TLSEXT_BUG",
    "CVE-2005-2969",
    "CVE-2010-4180",
    "DONT_INSERT_EMPTY_FRAGMENTS",
    "LEGACY_SERVER_CONNECT",
    "MICROSOFT_BIG_SSLV3_BUFFER",
    "MICROSOFT_SESS_ID_BUG",
    "MSIE_SSLV2_RSA_PADDING",
    "NETSCAPE_CHALLENGE_BUG",
    "NETSCAPE_REUSE_CIPHER_CHANGE_BUG",
    "SSLEAY_080_CLIENT_DH_BUG",
    "SSLREF2_REUSE_CERT_TYPE_BUG",
    "TLSEXT_PADDING",
    "TLS_BLOCK_PADDING_BUG",
    "TLS_D5_BUG",
    "TLS_ROLLBACK_BUG",
];
/// CBC mode, blocks of 128 bits, keys of 128 to 256 bits (postconf(5)).
const TICKET_CIPHERS: &[&str] = &[
    "aes-256-cbc",
    "aes-192-cbc",
    "aes-128-cbc",
    "camellia-256-cbc",
    "camellia-192-cbc",
    "camellia-128-cbc",
    "aria-256-cbc",
    "aria-192-cbc",
    "aria-128-cbc",
];
