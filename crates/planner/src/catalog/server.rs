//! Parameters of the SMTP server and of postscreen(8).
//!
//! Owns: data. Never: code. Sources: postconf(5) of 3.4 to 3.11, and what 3.7.11 did.

use super::row::Family::{Plain, Server, ServerAndTlsproxy};
use super::row::{Row, end, row, v};
use super::{Direction::Inbound, Ending, Kind, kind::at_least};

const CLIENT_WORDS: &str = "set smtpd_tls_security_level";

/// The rows.
pub(super) const ROWS: &[Row] = &[
    row(
        ServerAndTlsproxy,
        "tls_security_level",
        Kind::ServerLevel,
        "",
    ),
    row(ServerAndTlsproxy, "tls_chain_files", Kind::FileList, "").since(3, 4),
    row(ServerAndTlsproxy, "tls_cert_file", Kind::FileOrNone, ""),
    row(
        ServerAndTlsproxy,
        "tls_key_file",
        Kind::File,
        "$smtpd_tls_cert_file",
    ),
    row(ServerAndTlsproxy, "tls_eccert_file", Kind::File, ""),
    row(
        ServerAndTlsproxy,
        "tls_eckey_file",
        Kind::File,
        "$smtpd_tls_eccert_file",
    ),
    row(ServerAndTlsproxy, "tls_dcert_file", Kind::File, "").use_instead(
        DSA,
        "smtpd_tls_chain_files",
        "use an RSA or ECDSA certificate in smtpd_tls_chain_files; DSA is not accepted by peers",
    ),
    row(
        ServerAndTlsproxy,
        "tls_dkey_file",
        Kind::File,
        "$smtpd_tls_dcert_file",
    )
    .use_instead(
        DSA,
        "smtpd_tls_chain_files",
        "use an RSA or ECDSA certificate in smtpd_tls_chain_files; DSA is not accepted by peers",
    ),
    row(ServerAndTlsproxy, "tls_CAfile", Kind::File, ""),
    row(ServerAndTlsproxy, "tls_CApath", Kind::Directory, ""),
    row(Server, "tls_auth_only", Kind::Bool, "no"),
    row(ServerAndTlsproxy, "tls_ask_ccert", Kind::Bool, "no"),
    row(ServerAndTlsproxy, "tls_req_ccert", Kind::Bool, "no"),
    row(
        ServerAndTlsproxy,
        "tls_ccert_verifydepth",
        Kind::Integer(at_least(i32::MIN)),
        "9",
    ),
    row(Server, "tls_received_header", Kind::Bool, "no"),
    row(Server, "tls_wrappermode", Kind::Bool, "no"),
    row(
        ServerAndTlsproxy,
        "tls_always_issue_session_ids",
        Kind::Bool,
        "yes",
    ),
    row(
        Server,
        "client_new_tls_session_rate_limit",
        Kind::Integer(at_least(i32::MIN)),
        "0",
    ),
    row(
        Server,
        "starttls_timeout",
        Kind::Time(at_least(1)),
        "${stress?{10}:{300}}s",
    )
    .not_empty(),
    row(
        ServerAndTlsproxy,
        "tls_loglevel",
        Kind::WordList(LOG_WORDS),
        "0",
    ),
    row(
        ServerAndTlsproxy,
        "tls_protocols",
        Kind::ProtocolList,
        "!SSLv2, !SSLv3",
    )
    .later(FLOOR),
    row(
        ServerAndTlsproxy,
        "tls_mandatory_protocols",
        Kind::ProtocolList,
        "!SSLv2, !SSLv3",
    )
    .later(FLOOR),
    row(
        ServerAndTlsproxy,
        "tls_ciphers",
        Kind::CipherGrade,
        "medium",
    )
    .not_empty(),
    row(
        ServerAndTlsproxy,
        "tls_mandatory_ciphers",
        Kind::CipherGrade,
        "medium",
    )
    .not_empty(),
    row(
        ServerAndTlsproxy,
        "tls_exclude_ciphers",
        Kind::Exclusions,
        "",
    ),
    row(
        ServerAndTlsproxy,
        "tls_mandatory_exclude_ciphers",
        Kind::Exclusions,
        "",
    ),
    row(
        ServerAndTlsproxy,
        "tls_fingerprint_digest",
        Kind::Digest,
        "md5",
    )
    .later(DIGEST)
    .not_empty(),
    row(
        Server,
        "tls_session_cache_database",
        Kind::CacheDatabase,
        "",
    )
    .main_only(),
    row(
        Server,
        "tls_session_cache_timeout",
        Kind::Time(at_least(0)),
        "3600s",
    )
    .main_only(),
    row(ServerAndTlsproxy, "tls_enable_rpk", Kind::Bool, "no").since(3, 9),
    row(
        ServerAndTlsproxy,
        "tls_eecdh_grade",
        Kind::Word(EECDH_GRADES),
        "auto",
    )
    .not_empty()
    .use_instead(
        &[end(3, 6, Ending::Ignored)],
        "tls_eecdh_auto_curves",
        "delete it (the default, auto, is best); curves are chosen by tls_eecdh_auto_curves",
    ),
    row(ServerAndTlsproxy, "tls_dh1024_param_file", Kind::DhFile, "").drop_it(
        &[end(3, 6, Ending::Obsolete), end(3, 9, Ending::Warned)],
        "delete it: Postfix has good groups built in (from 3.8 on tls_ffdhe_auto_groups)",
    ),
    row(ServerAndTlsproxy, "tls_dh512_param_file", Kind::File, "").drop_it(
        &[end(3, 4, Ending::Obsolete), end(3, 6, Ending::Ignored)],
        "delete it: export ciphers, its only use, are gone",
    ),
    row(ServerAndTlsproxy, "use_tls", Kind::Bool, "no").use_instead(
        USE_TLS,
        "smtpd_tls_security_level",
        "set smtpd_tls_security_level = may",
    ),
    row(ServerAndTlsproxy, "enforce_tls", Kind::Bool, "no").use_instead(
        USE_TLS,
        "smtpd_tls_security_level",
        "set smtpd_tls_security_level = encrypt (on a public port 25: may)",
    ),
    row(Server, "tls_cipherlist", Kind::CipherList, "").use_instead(
        &[end(3, 4, Ending::Gone)],
        "smtpd_tls_mandatory_ciphers",
        "use smtpd_tls_mandatory_ciphers (a grade) and smtpd_tls_mandatory_exclude_ciphers",
    ),
    row(
        Plain(Inbound),
        "postscreen_tls_security_level",
        Kind::ServerLevel,
        "$smtpd_tls_security_level",
    ),
    row(
        Plain(Inbound),
        "postscreen_use_tls",
        Kind::Bool,
        "$smtpd_use_tls",
    )
    .use_instead(USE_TLS, "postscreen_tls_security_level", CLIENT_WORDS),
    row(
        Plain(Inbound),
        "postscreen_enforce_tls",
        Kind::Bool,
        "$smtpd_enforce_tls",
    )
    .use_instead(USE_TLS, "postscreen_tls_security_level", CLIENT_WORDS),
    row(Plain(Inbound), "smtpd_sasl_auth_enable", Kind::Bool, "no").companion(),
    row(Plain(Inbound), "smtpd_sasl_type", Kind::Text, "cyrus")
        .not_empty()
        .companion(),
    row(Plain(Inbound), "smtpd_sasl_path", Kind::Text, "smtpd")
        .not_empty()
        .companion(),
    row(
        Plain(Inbound),
        "smtpd_sasl_security_options",
        Kind::WordList(SASL_WORDS),
        "noanonymous",
    )
    .companion(),
    row(
        Plain(Inbound),
        "smtpd_sasl_tls_security_options",
        Kind::WordList(SASL_WORDS),
        "$smtpd_sasl_security_options",
    )
    .companion(),
];

/// Words of `*_tls_loglevel`: tls_misc.c `tls_log_table`.
pub(super) const LOG_WORDS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "none",
    "routine",
    "debug",
    "ssl-expert",
    "ssl-developer",
    "summary",
    "untrusted",
    "peercert",
    "certmatch",
    "verbose",
    "cache",
    "ssl-debug",
    "ssl-handshake-packet-dump",
    "ssl-session-packet-dump",
];
/// Words of `*_sasl_*security_options`.
pub(super) const SASL_WORDS: &[&str] = &[
    "noplaintext",
    "noactive",
    "nodictionary",
    "noanonymous",
    "forward_secrecy",
    "mutual_auth",
];
const EECDH_GRADES: &[&str] = &["none", "strong", "ultra", "auto"];
/// `use_tls` and `enforce_tls`: obsolete since 2.3.
pub(super) const USE_TLS: &[super::End] = &[end(3, 4, Ending::Obsolete), end(3, 9, Ending::Warned)];
/// DSA certificates.
pub(super) const DSA: &[super::End] = &[end(3, 4, Ending::Obsolete)];
/// Protocols from 3.6 on.
pub(super) const FLOOR: &[(crate::PostfixVersion, &str)] = &[(v(3, 6), ">=TLSv1")];
/// Digest from 3.6 on.
pub(super) const DIGEST: &[(crate::PostfixVersion, &str)] = &[(
    v(3, 6),
    "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}",
)];
