//! What each rule rests on: parameters, RFCs, guidelines.
//!
//! Owns: data: the references of codes, and of whole families. A parameter stands with the
//! Postfix release that it came with, an RFC with its section; NCSC-NL is “ICT-beveiligings-
//! richtlijnen voor Transport Layer Security”, Mozilla “Server Side TLS”. Never: a rule.

use super::Rule;

const OLD_TLS: &[&str] = &[
    "smtpd_tls_protocols (Postfix 2.6)",
    "smtpd_tls_mandatory_protocols (Postfix 2.3)",
    "RFC 8996 §4",
    "RFC 8996 §5",
    "RFC 9325 §3.1.1",
    "NCSC-NL 2025-05: TLS 1.0 and 1.1 insufficient, 1.2 sufficient, 1.3 good",
    "Mozilla 6.0: >=TLSv1.2",
];
const LEVELS: &[&str] = &[
    "smtpd_tls_security_level (Postfix 2.3)",
    "RFC 3207 §4",
    "RFC 7435 §3",
];
const CLIENT_LEVELS: &[&str] = &[
    "smtp_tls_security_level (Postfix 2.3)",
    "RFC 7435 §3",
    "RFC 8461 §5",
];
const WRAPPER: &[&str] = &["smtpd_tls_wrappermode (Postfix 2.2)", "RFC 8314 §3.3"];
const CLIENT_WRAPPER: &[&str] = &["smtp_tls_wrappermode (Postfix 3.0)", "RFC 8314 §3.3"];
const DANE: &[&str] = &[
    "smtp_dns_support_level (Postfix 2.11)",
    "RFC 7672 §2.1",
    "RFC 4035 §3.2.3",
];
const SUITES: &[&str] = &[
    "tls_medium_cipherlist (Postfix 2.3)",
    "smtpd_tls_mandatory_exclude_ciphers (Postfix 2.3)",
    "RFC 9325 §4.1",
    "NCSC-NL 2025-05: RSA key exchange, 3DES and RC4 insufficient",
];
const NAMES: &[&str] = &["RFC 9525 §6.3", "RFC 6125 §6.4"];
const KEYS: &[&str] = &[
    "RFC 9325 §4.1",
    "NCSC-NL 2025-05: RSA from 3072 bits and EC from 256 bits good",
    "Mozilla 6.0: P-256 or RSA 2048",
];
const DATES: &[&str] = &["RFC 5280 §4.1.2.5"];
const CHAINS: &[&str] = &[
    "smtpd_tls_chain_files (Postfix 3.4)",
    "smtpd_tls_cert_file (Postfix 2.2)",
    "RFC 8446 §4.4.2",
];
const RELAY_TRUST: &[&str] = &[
    "tls_append_default_CA (Postfix 2.8)",
    "permit_tls_all_clientcerts (Postfix 2.2)",
];
const SUBMISSION: &[&str] = &["RFC 8314 §3", "RFC 6409 §3.1"];
const SOCKET: &[&str] = &[
    "smtpd_sasl_type (Postfix 2.3)",
    "smtpd_sasl_path (Postfix 2.3)",
    "RFC 4954 §3",
];
const TICKETS: &[&str] = &[
    "smtpd_tls_session_cache_timeout (Postfix 2.2)",
    "RFC 5077 §5.6",
    "RFC 9325 §3.4",
];

/// What a code rests on; a code that ends with a point stands for its family.
#[rustfmt::skip]
const TABLE: &[(&str, &[&str])] = &[
    ("auth.", &["smtpd_tls_auth_only (Postfix 2.2)", "smtpd_sasl_auth_enable (Postfix 1.0)", "RFC 4954 §4", "RFC 8314 §3"]),
    ("auth.anonymous", &["smtpd_sasl_security_options (Postfix 1.0)", "RFC 4505 §1"]),
    ("auth.no-sasl", SOCKET),
    ("auth.on-port-25", SUBMISSION),
    ("auth.relay-mechanisms-refused", &["smtp_sasl_tls_security_options (Postfix 2.2)", "RFC 4616 §6"]),
    ("auth.relay-password-in-clear", CLIENT_LEVELS),
    ("auth.socket-outside-jail", SOCKET),
    ("cache.", &["smtp_tls_session_cache_database (Postfix 2.2)"]),
    ("cache.exchange-folder-missing", &["tls_random_exchange_name (Postfix 2.2)"]),
    ("cache.proxy-not-approved", &["proxy_write_maps (Postfix 2.5)", "smtp_tls_session_cache_database (Postfix 2.2)"]),
    ("cache.random-source-missing", &["tls_random_source (Postfix 2.2)"]),
    ("cache.random-source-not-random", &["tls_random_source (Postfix 2.2)", "RFC 4086 §7"]),
    ("cache.seed-too-long", &["tls_daemon_random_bytes (Postfix 2.2)"]),
    ("cache.server", &["smtpd_tls_session_cache_database (Postfix 2.2)", "RFC 5077 §3.1"]),
    ("cache.too-long", TICKETS),
    ("cert.", CHAINS),
    ("cert.bad-curve", KEYS),
    ("cert.bad-serial", &["RFC 5280 §4.1.2.2"]),
    ("cert.bad-wildcard", NAMES),
    ("cert.expired", DATES),
    ("cert.expiring", DATES),
    ("cert.issuer-expired", DATES),
    ("cert.issuer-not-yet-valid", DATES),
    ("cert.issuer-unknown", &["RFC 5280 §6.1"]),
    ("cert.key-readable", &["smtpd_tls_key_file (Postfix 2.2)"]),
    ("cert.must-staple", &["RFC 7633 §4"]),
    ("cert.name-mismatch", NAMES),
    ("cert.name-not-ascii", NAMES),
    ("cert.no-alternative-name", NAMES),
    ("cert.no-digital-signature", &["RFC 5280 §4.2.1.3", "RFC 8446 §4.4.2.2"]),
    ("cert.no-server-auth", &["RFC 5280 §4.2.1.12"]),
    ("cert.not-yet-valid", DATES),
    ("cert.rare-curve", KEYS),
    ("cert.self-signed", &["RFC 7672 §3.1", "RFC 8461 §4.2"]),
    ("cert.small-exponent", KEYS),
    ("cert.weak-key", KEYS),
    ("cert.weak-signature", &["RFC 9155 §2", "NCSC-NL 2025-05: SHA-1 and MD5 insufficient"]),
    ("ciphers.", SUITES),
    ("ciphers.broken", &["RFC 7465 §2", "RFC 9325 §4.1", "RFC 7435 §3", "NCSC-NL 2025-05: 3DES and RC4 insufficient"]),
    ("ciphers.large-hello-for-all", &["tls_eecdh_auto_curves (Postfix 3.2)", "Mozilla 6.0 puts it first"]),
    ("ciphers.list-redefined", &["tls_high_cipherlist (Postfix 2.3)", "Mozilla 6.0 redefines tls_medium_cipherlist"]),
    ("ciphers.null", &["tls_null_cipherlist (Postfix 2.3)", "RFC 9325 §4.1"]),
    ("ciphers.small-dh-group", &["smtpd_tls_dh1024_param_file (Postfix 2.2)", "RFC 9325 §4.1", "NCSC-NL 2025-05: groups of one's own insufficient", "Mozilla 6.0: no DHE"]),
    ("ciphers.unknown-group", &["tls_eecdh_auto_curves (Postfix 3.2)", "RFC 8422 §5.1.1"]),
    ("inbound.anonymous-on-public-port-25", &["smtpd_tls_cert_file (Postfix 2.2)", "RFC 7672 §1.3", "RFC 3207 §4"]),
    ("level.", LEVELS),
    ("level.certificate-unused", CHAINS),
    ("level.client-certificate-not-required", &["smtpd_tls_req_ccert (Postfix 2.2)"]),
    ("level.no-certificate", CHAINS),
    ("level.smtps-without-wrapper", WRAPPER),
    ("level.submission-not-encrypted", SUBMISSION),
    ("level.wrapper-ignores-level", WRAPPER),
    ("level.wrapper-on-starttls-port", WRAPPER),
    ("library.", &["tls_config_file (Postfix 3.9, and late releases from 3.5 on)"]),
    ("logging.", &["smtpd_tls_loglevel (Postfix 2.2)", "smtp_tls_loglevel (Postfix 2.2)"]),
    ("logging.no-received-header", &["smtpd_tls_received_header (Postfix 2.2)", "RFC 8314 §4.3"]),
    ("maps.", &["smtp_tls_policy_maps (Postfix 2.3)", "tls_server_sni_maps (Postfix 3.4)"]),
    ("name.", &["postconf(5)"]),
    ("obsolete.", &["smtpd_tls_security_level (Postfix 2.3)", "Postfix DEPRECATION_README (3.9)"]),
    ("obsolete.ignored", &["postconf(5)"]),
    ("outbound.", CLIENT_LEVELS),
    ("outbound.client-certificate", &["smtp_tls_cert_file (Postfix 2.2)"]),
    ("outbound.dane-without-dnssec", DANE),
    ("outbound.no-fingerprint", &["smtp_tls_fingerprint_cert_match (Postfix 2.5)"]),
    ("outbound.nothing-to-verify-with", &["smtp_tls_CAfile (Postfix 2.2)", "tls_append_default_CA (Postfix 2.8)"]),
    ("outbound.relay-465-without-wrapper", CLIENT_WRAPPER),
    ("outbound.secure-by-mx-name", &["smtp_tls_secure_cert_match (Postfix 2.3)", "RFC 8461 §1", "RFC 7672 §1.3.2"]),
    ("outbound.tlsrpt-without-socket", &["smtp_tlsrpt_socket_name (Postfix 3.10)", "RFC 8460 §3"]),
    ("outbound.verify-by-mx-name", &["smtp_tls_verify_cert_match (Postfix 2.3)", "RFC 7672 §1.3.2"]),
    ("outbound.weak-fingerprint-digest", &["smtp_tls_fingerprint_digest (Postfix 2.5)", "RFC 6151 §2", "RFC 9155 §1"]),
    ("outbound.wrapper-for-all", CLIENT_WRAPPER),
    ("outbound.wrapper-on-starttls-relay", CLIENT_WRAPPER),
    ("outbound.wrapper-without-encrypt", CLIENT_WRAPPER),
    ("policy.", &["smtp_tls_policy_maps (Postfix 2.3)"]),
    ("policy.old-protocols", &["smtp_tls_policy_maps (Postfix 2.3)", "RFC 8996 §4", "RFC 8996 §5"]),
    ("policy.one-form-of-name", &["smtp_tls_policy_maps (Postfix 2.3)", "RFC 5890 §2.3.2.1"]),
    ("ports.", &["inet_interfaces (Postfix 1.0)", "RFC 8314 §7.3"]),
    ("protocols.", OLD_TLS),
    ("protocols.ssl", &["smtpd_tls_protocols (Postfix 2.6)", "RFC 6176 §3", "RFC 7568 §3", "NCSC-NL 2025-05: SSL insufficient"]),
    ("protocols.too-strict-for-may", &["smtpd_tls_protocols (Postfix 2.6)", "RFC 7435 §3", "Mozilla 6.0 modern is for web servers"]),
    ("resolver.", DANE),
    ("service.", &["master(5)"]),
    ("service.behind-proxy", &["smtpd_upstream_proxy_protocol (Postfix 2.10)"]),
    ("service.no-implicit-tls", &["RFC 8314 §3.3"]),
    ("service.no-submission", SUBMISSION),
    ("service.no-tlsmgr", &["tlsmgr(8) (Postfix 2.2)"]),
    ("service.no-tlsproxy", &["tlsproxy(8) (Postfix 2.8)", "postscreen(8) (Postfix 2.8)"]),
    ("service.open-reinjection", &["FILTER_README", "content_filter (Postfix 1.0)"]),
    ("service.postscreen-differs", &["postscreen_tls_security_level (Postfix 2.8)"]),
    ("service.postscreen-on-submission", &["postscreen(8) (Postfix 2.8)", "RFC 6409 §3.1"]),
    ("service.reuse-without-tlsproxy", &["smtp_tls_connection_reuse (Postfix 3.4)"]),
    ("service.tlsproxy-limit", &["tlsproxy(8) (Postfix 2.8)", "smtp_tls_connection_reuse (Postfix 3.4)"]),
    ("starttls.", &["smtpd_discard_ehlo_keywords (Postfix 2.2)", "RFC 3207 §4"]),
    ("starttls.no-ehlo", &["smtp_never_send_ehlo (Postfix 1.0)", "RFC 5321 §3.2"]),
    ("starttls.not-seen", &["smtp_discard_ehlo_keywords (Postfix 2.2)", "RFC 3207 §4"]),
    ("syntax.", &["postconf(5)", "master(5)"]),
    ("trust.", &["smtpd_tls_CAfile (Postfix 2.2)", "smtpd_tls_ask_ccert (Postfix 2.2)"]),
    ("trust.all-cas-named-to-clients", &["smtpd_tls_CAfile (Postfix 2.2)", "RFC 8446 §4.2.4"]),
    ("trust.client-certificates-untrusted", RELAY_TRUST),
    ("trust.public-cas-relay", RELAY_TRUST),
    ("trust.weak-fingerprint-digest", &["smtpd_tls_fingerprint_digest (Postfix 2.5)", "RFC 6151 §2"]),
    ("value.", &["postconf(5)"]),
    ("value.digest", &["smtp_tls_fingerprint_digest (Postfix 2.5)"]),
    ("value.grade", &["smtpd_tls_ciphers (Postfix 2.6)"]),
    ("value.grade-obsolete", &["smtpd_tls_ciphers (Postfix 2.6)", "tls_export_cipherlist (ignored since Postfix 3.8)"]),
    ("value.level", LEVELS),
    ("value.level-of-client", LEVELS),
    ("value.protocols", OLD_TLS),
];

/// Gives a rule its references.
pub(super) fn add(rule: &mut Rule) {
    let of = |code: &str| TABLE.iter().find(|(known, _)| *known == code);
    let family = rule.code.split_inclusive('.').next().unwrap_or_default();
    if let Some((_, references)) = of(rule.code).or_else(|| of(family)) {
        rule.references = references;
    }
}
