//! Parameters of the SMTP client, which is the LMTP client too.
//!
//! Owns: data. Never: code. Sources: postconf(5) of 3.4 to 3.11, and what 3.7.11 did.

use super::row::Family::{ClientAndTlsproxy, Plain, Smtp, SmtpAndLmtp};
use super::row::{Row, end, row, v};
use super::server::{DIGEST, DSA, FLOOR, LOG_WORDS, SASL_WORDS, USE_TLS};
use super::{Direction, Ending, Kind, kind::at_least};

/// The rows.
pub(super) const ROWS: &[Row] = &[
    row(SmtpAndLmtp, "tls_security_level", Kind::ClientLevel, "")
        .later(&[(
            v(3, 11),
            "${{$compatibility_level} <level {3.11} ? {} : {may}}",
        )])
        .lmtp_default(""),
    row(ClientAndTlsproxy, "tls_chain_files", Kind::FileList, "").since(3, 4),
    row(ClientAndTlsproxy, "tls_cert_file", Kind::File, ""),
    row(
        ClientAndTlsproxy,
        "tls_key_file",
        Kind::File,
        "$@tls_cert_file",
    ),
    row(ClientAndTlsproxy, "tls_eccert_file", Kind::File, ""),
    row(
        ClientAndTlsproxy,
        "tls_eckey_file",
        Kind::File,
        "$@tls_eccert_file",
    ),
    row(ClientAndTlsproxy, "tls_dcert_file", Kind::File, "").use_instead(
        DSA,
        "smtp_tls_chain_files",
        NO_DSA,
    ),
    row(
        ClientAndTlsproxy,
        "tls_dkey_file",
        Kind::File,
        "$@tls_dcert_file",
    )
    .use_instead(DSA, "smtp_tls_chain_files", NO_DSA),
    row(ClientAndTlsproxy, "tls_CAfile", Kind::File, ""),
    row(ClientAndTlsproxy, "tls_CApath", Kind::Directory, ""),
    row(SmtpAndLmtp, "tls_servername", Kind::ServerName, ""),
    row(SmtpAndLmtp, "tls_wrappermode", Kind::Bool, "no"),
    row(
        SmtpAndLmtp,
        "starttls_timeout",
        Kind::Time(at_least(1)),
        "300s",
    ),
    row(
        ClientAndTlsproxy,
        "tls_loglevel",
        Kind::WordList(LOG_WORDS),
        "0",
    ),
    row(
        SmtpAndLmtp,
        "tls_protocols",
        Kind::ProtocolList,
        "!SSLv2, !SSLv3",
    )
    .later(FLOOR),
    row(
        SmtpAndLmtp,
        "tls_mandatory_protocols",
        Kind::ProtocolList,
        "!SSLv2, !SSLv3",
    )
    .later(FLOOR),
    row(SmtpAndLmtp, "tls_ciphers", Kind::CipherGrade, "medium").not_empty(),
    row(
        SmtpAndLmtp,
        "tls_mandatory_ciphers",
        Kind::CipherGrade,
        "medium",
    )
    .not_empty(),
    row(SmtpAndLmtp, "tls_exclude_ciphers", Kind::Exclusions, ""),
    row(
        SmtpAndLmtp,
        "tls_mandatory_exclude_ciphers",
        Kind::Exclusions,
        "",
    ),
    row(
        ClientAndTlsproxy,
        "tls_fingerprint_digest",
        Kind::Digest,
        "md5",
    )
    .later(DIGEST)
    .not_empty(),
    row(
        SmtpAndLmtp,
        "tls_fingerprint_cert_match",
        Kind::Fingerprints,
        "",
    ),
    row(
        SmtpAndLmtp,
        "tls_verify_cert_match",
        Kind::MatchList,
        "hostname",
    )
    .not_empty(),
    row(
        SmtpAndLmtp,
        "tls_secure_cert_match",
        Kind::MatchList,
        "nexthop, dot-nexthop",
    )
    .lmtp_default("nexthop")
    .not_empty(),
    row(
        ClientAndTlsproxy,
        "tls_scert_verifydepth",
        Kind::Integer(at_least(i32::MIN)),
        "9",
    ),
    row(SmtpAndLmtp, "tls_trust_anchor_file", Kind::FileList, ""),
    row(SmtpAndLmtp, "tls_policy_maps", Kind::MapList, ""),
    row(
        SmtpAndLmtp,
        "tls_session_cache_database",
        Kind::CacheDatabase,
        "",
    )
    .main_only(),
    row(
        SmtpAndLmtp,
        "tls_session_cache_timeout",
        Kind::Time(at_least(0)),
        "3600s",
    )
    .main_only(),
    row(
        Smtp,
        "tls_dane_insecure_mx_policy",
        Kind::Word(INSECURE_MX),
        "dane",
    )
    .later(&[(
        v(3, 6),
        "${{$smtp_tls_security_level} == {dane} ? {dane} : {may}}",
    )]),
    row(
        SmtpAndLmtp,
        "tls_force_insecure_host_tlsa_lookup",
        Kind::Bool,
        "no",
    ),
    row(SmtpAndLmtp, "tls_connection_reuse", Kind::Bool, "no").since(3, 4),
    row(SmtpAndLmtp, "tls_note_starttls_offer", Kind::Bool, "no"),
    row(SmtpAndLmtp, "tls_block_early_mail_reply", Kind::Bool, "no"),
    row(SmtpAndLmtp, "tls_enable_rpk", Kind::Bool, "no").since(3, 9),
    row(SmtpAndLmtp, "tlsrpt_enable", Kind::Bool, "no").since(3, 10),
    row(SmtpAndLmtp, "tlsrpt_socket_name", Kind::Text, "").since(3, 10),
    row(
        SmtpAndLmtp,
        "tlsrpt_skip_reused_handshakes",
        Kind::Bool,
        "yes",
    )
    .since(3, 10)
    .later(&[(v(3, 11), "no")]),
    row(
        SmtpAndLmtp,
        "tls_enforce_sts_mx_patterns",
        Kind::Bool,
        "yes",
    )
    .since(3, 11)
    .backports(&[crate::PostfixVersion::new(3, 10, 5)]),
    row(SmtpAndLmtp, "log_tls_feature_status", Kind::Bool, "yes").since(3, 11),
    row(ClientAndTlsproxy, "use_tls", Kind::Bool, "no").use_instead(
        USE_TLS,
        "smtp_tls_security_level",
        "set smtp_tls_security_level = may",
    ),
    row(ClientAndTlsproxy, "enforce_tls", Kind::Bool, "no").use_instead(
        USE_TLS,
        "smtp_tls_security_level",
        "set smtp_tls_security_level = encrypt, or verify where certificates are to be checked",
    ),
    row(ClientAndTlsproxy, "tls_per_site", Kind::MapList, "").use_instead(
        USE_TLS,
        "smtp_tls_policy_maps",
        "move its rows to smtp_tls_policy_maps",
    ),
    row(SmtpAndLmtp, "tls_enforce_peername", Kind::Bool, "yes").use_instead(
        &[end(3, 4, Ending::Obsolete), end(3, 11, Ending::Warned)],
        "smtp_tls_security_level",
        "delete it; the levels encrypt (no check), verify and secure say what is checked",
    ),
    row(Smtp, "cname_overrides_servername", Kind::Bool, "no").drop_it(
        &[end(3, 11, Ending::Warned)],
        "delete it (the default, no, stays)",
    ),
    row(Smtp, "tls_cipherlist", Kind::CipherList, "").use_instead(
        &[end(3, 4, Ending::Gone)],
        "smtp_tls_mandatory_ciphers",
        "use smtp_tls_mandatory_ciphers (a grade) and smtp_tls_mandatory_exclude_ciphers",
    ),
    row(
        Plain(Direction::Tlsproxy),
        "tlsproxy_client_policy_maps",
        Kind::MapList,
        "${tlsproxy_client_policy:$smtp_tls_policy_maps}",
    )
    .since(3, 7),
    row(
        Plain(Direction::Tlsproxy),
        "tlsproxy_client_security_level",
        Kind::ClientLevel,
        "${tlsproxy_client_level:$smtp_tls_security_level}",
    )
    .since(3, 7),
    row(
        Plain(Direction::Tlsproxy),
        "tlsproxy_client_policy",
        Kind::MapList,
        "$smtp_tls_policy_maps",
    )
    .since(3, 4)
    .later(SET_OR_EMPTY)
    .use_instead(
        RENAMED,
        "tlsproxy_client_policy_maps",
        "use tlsproxy_client_policy_maps",
    ),
    row(
        Plain(Direction::Tlsproxy),
        "tlsproxy_client_level",
        Kind::ClientLevel,
        "$smtp_tls_security_level",
    )
    .since(3, 4)
    .later(SET_OR_EMPTY)
    .use_instead(
        RENAMED,
        "tlsproxy_client_security_level",
        "use tlsproxy_client_security_level",
    ),
    row(
        Plain(Direction::Tlsproxy),
        "tlsproxy_client_loglevel_parameter",
        Kind::Text,
        "smtp_tls_loglevel",
    ),
    row(
        SmtpAndLmtp,
        "dns_support_level",
        Kind::Word(&["disabled", "enabled", "dnssec"]),
        "",
    )
    .companion(),
    row(SmtpAndLmtp, "sasl_auth_enable", Kind::Bool, "no").companion(),
    row(
        SmtpAndLmtp,
        "sasl_security_options",
        Kind::WordList(SASL_WORDS),
        "noplaintext, noanonymous",
    )
    .companion(),
    row(
        SmtpAndLmtp,
        "sasl_tls_security_options",
        Kind::WordList(SASL_WORDS),
        "$@sasl_security_options",
    )
    .companion(),
    row(
        SmtpAndLmtp,
        "sasl_tls_verified_security_options",
        Kind::WordList(SASL_WORDS),
        "$@sasl_tls_security_options",
    )
    .companion(),
];

const NO_DSA: &str = "use an RSA or ECDSA certificate; DSA is not accepted by peers";
const INSECURE_MX: &[&str] = &["none", "may", "encrypt", "dane"];
/// Under its old name a parameter counts where it is set.
const SET_OR_EMPTY: &[(super::PostfixVersion, &str)] = &[(v(3, 7), "")];
const RENAMED: &[super::End] = &[end(3, 7, Ending::Obsolete), end(3, 11, Ending::Warned)];
