//! Rounds of wishes: every word of `postseal set` with every value it takes.
//!
//! Owns: data. Never: code.

/// `KEY=VALUE` and what `postconf` must show then: `PARAMETER=VALUE`, `SERVICE: on`,
/// `SERVICE: off` or `SERVICE/PARAMETER=VALUE`. `{files}` is the test's folder.
pub(crate) type Wish = (&'static str, &'static [&'static str]);

/// A listener for a content filter, as many servers have one.
pub(crate) const FILTER: &str = "{address}:10025 inet n - y - - smtpd\n  -o content_filter=\n";
const FILTER_LEVEL: &str = "{filter}/smtpd_tls_security_level=none";
pub(crate) const SYSTEM: &str = "/etc/ssl/certs/ca-certificates.crt";

pub(crate) const ROUNDS: &[&[Wish]] = &[
    &[
        (
            "mode=may",
            &[
                "smtpd_tls_security_level=may",
                "smtp_tls_security_level=may",
            ],
        ),
        (
            "profile=recommended",
            &[
                "smtpd_tls_protocols=>=TLSv1.2",
                "smtpd_tls_mandatory_protocols=>=TLSv1.2",
                "smtpd_tls_ciphers=medium",
                "smtpd_tls_mandatory_ciphers=high",
                "smtp_tls_protocols=>=TLSv1.2",
                "smtp_tls_mandatory_protocols=>=TLSv1.2",
                "smtp_tls_ciphers=medium",
                "smtp_tls_mandatory_ciphers=high",
            ],
        ),
        ("submission=on", &["submission: on"]),
        ("smtps=on", &["submissions: on"]),
        ("auth-only=yes", &["smtpd_tls_auth_only=yes"]),
        ("received-header=yes", &["smtpd_tls_received_header=yes"]),
        ("loglevel.inbound=1", &["smtpd_tls_loglevel=1"]),
        ("loglevel.outbound=1", &["smtp_tls_loglevel=1"]),
        (
            "session-cache=client",
            &[
                "smtp_tls_session_cache_database=btree:${data_directory}/smtp_scache",
                "smtpd_tls_session_cache_database=",
            ],
        ),
        (
            "client-certs=ask",
            &["smtpd_tls_ask_ccert=yes", "smtpd_tls_req_ccert=no"],
        ),
        (
            "trust.inbound=system",
            &["smtpd_tls_CAfile={system}", "smtpd_tls_CApath="],
        ),
        (
            "trust.outbound={files}/ca.pem",
            &["smtp_tls_CAfile={files}/ca.pem", "smtp_tls_CApath="],
        ),
    ],
    &[
        ("profile=compatible", &[]),
        (
            "profile.inbound=recommended",
            &[
                "smtpd_tls_protocols=>=TLSv1.2",
                "smtpd_tls_exclude_ciphers=",
            ],
        ),
        (
            "profile.submission=strict",
            &[
                "smtpd_tls_mandatory_protocols=>=TLSv1.2",
                "smtpd_tls_mandatory_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM",
            ],
        ),
        (
            "profile.outbound=mozilla-intermediate-6.0",
            &[
                "smtp_tls_mandatory_protocols=>=TLSv1.2",
                "smtp_tls_mandatory_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM",
            ],
        ),
        (
            "mode=encrypt",
            &[
                "smtpd_tls_security_level=encrypt",
                "smtp_tls_security_level=encrypt",
            ],
        ),
        ("loopback-cleartext=yes", &[FILTER_LEVEL]),
        ("submission=off", &["submission: off"]),
        ("smtps=off", &["submissions: off"]),
        ("auth-only=no", &["smtpd_tls_auth_only=no"]),
        ("received-header=no", &["smtpd_tls_received_header=no"]),
        ("loglevel.inbound=2", &["smtpd_tls_loglevel=2"]),
        ("loglevel.outbound=2", &["smtp_tls_loglevel=2"]),
        (
            "session-cache=both",
            &[
                "smtp_tls_session_cache_database=btree:${data_directory}/smtp_scache",
                "smtpd_tls_session_cache_database=btree:${data_directory}/smtpd_scache",
            ],
        ),
        (
            "client-certs=require",
            &["smtpd_tls_ask_ccert=no", "smtpd_tls_req_ccert=yes"],
        ),
        (
            "trust.inbound={files}/ca.pem",
            &["smtpd_tls_CAfile={files}/ca.pem"],
        ),
        ("trust.outbound=system", &["smtp_tls_CAfile={system}"]),
    ],
    &[
        ("profile=recommended", &[]),
        (
            "profile.inbound=strict",
            &[
                "smtpd_tls_protocols=>=TLSv1.2",
                "smtpd_tls_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM",
            ],
        ),
        (
            "profile.submission=mozilla-intermediate-6.0",
            &[
                "smtpd_tls_mandatory_protocols=>=TLSv1.2",
                "smtpd_tls_mandatory_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM",
            ],
        ),
        (
            "profile.outbound=mozilla-modern-6.0",
            &[
                "smtp_tls_mandatory_protocols=>=TLSv1.3",
                "smtp_tls_mandatory_exclude_ciphers=",
            ],
        ),
        ("inbound=may", &["smtpd_tls_security_level=may"]),
        ("outbound=secure", &["smtp_tls_security_level=secure"]),
        ("loopback-cleartext=no", &[]),
        ("loglevel.inbound=3", &["smtpd_tls_loglevel=3"]),
        ("loglevel.outbound=3", &["smtp_tls_loglevel=3"]),
        (
            "session-cache=off",
            &[
                "smtp_tls_session_cache_database=",
                "smtpd_tls_session_cache_database=",
            ],
        ),
        (
            "client-certs=off",
            &["smtpd_tls_ask_ccert=no", "smtpd_tls_req_ccert=no"],
        ),
        (
            "trust.inbound={files}/certs/",
            &["smtpd_tls_CApath={files}/certs/", "smtpd_tls_CAfile="],
        ),
        (
            "trust.outbound={files}/certs/",
            &["smtp_tls_CApath={files}/certs/", "smtp_tls_CAfile="],
        ),
    ],
    &[
        ("profile=strict", &[]),
        (
            "profile.inbound=mozilla-intermediate-6.0",
            &[
                "smtpd_tls_protocols=>=TLSv1.2",
                "smtpd_tls_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM",
            ],
        ),
        (
            "profile.submission=mozilla-modern-6.0",
            &[
                "smtpd_tls_mandatory_protocols=>=TLSv1.3",
                "smtpd_tls_mandatory_exclude_ciphers=",
            ],
        ),
        (
            "profile.outbound=ncsc-2025-05",
            &[
                "smtp_tls_mandatory_protocols=>=TLSv1.2",
                "smtp_tls_mandatory_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM8",
            ],
        ),
        ("inbound=encrypt", &["smtpd_tls_security_level=encrypt"]),
        ("loopback-cleartext=yes", &[FILTER_LEVEL]),
        ("outbound=verify", &["smtp_tls_security_level=verify"]),
        ("loglevel.inbound=4", &["smtpd_tls_loglevel=4"]),
        ("loglevel.outbound=4", &["smtp_tls_loglevel=4"]),
        (
            "trust.inbound=none",
            &["smtpd_tls_CApath=", "smtpd_tls_CAfile="],
        ),
    ],
    &[
        (
            "profile=mozilla-intermediate-6.0",
            &["tls_eecdh_auto_curves=X25519 prime256v1 secp384r1"],
        ),
        (
            "profile.inbound=mozilla-modern-6.0",
            &[
                "smtpd_tls_protocols=>=TLSv1.3",
                "smtpd_tls_exclude_ciphers=",
            ],
        ),
        (
            "profile.submission=ncsc-2025-05",
            &[
                "smtpd_tls_mandatory_protocols=>=TLSv1.2",
                "smtpd_tls_mandatory_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM8",
            ],
        ),
        (
            "profile.outbound=compatible",
            &[
                "smtp_tls_mandatory_protocols=>=TLSv1.2",
                "smtp_tls_mandatory_exclude_ciphers=",
            ],
        ),
        (
            "outbound=dane",
            &[
                "smtp_tls_security_level=dane",
                "smtp_dns_support_level=dnssec",
            ],
        ),
        (
            "trust.outbound=none",
            &["smtp_tls_CApath=", "smtp_tls_CAfile="],
        ),
    ],
    &[
        (
            "profile=mozilla-modern-6.0",
            &["tls_eecdh_auto_curves=X25519 prime256v1 secp384r1"],
        ),
        (
            "profile.inbound=ncsc-2025-05",
            &[
                "smtpd_tls_protocols=>=TLSv1.2",
                "smtpd_tls_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM8",
            ],
        ),
        (
            "profile.submission=compatible",
            &[
                "smtpd_tls_mandatory_protocols=>=TLSv1.2",
                "smtpd_tls_mandatory_exclude_ciphers=",
            ],
        ),
        (
            "profile.outbound=recommended",
            &[
                "smtp_tls_mandatory_protocols=>=TLSv1.2",
                "smtp_tls_mandatory_exclude_ciphers=",
            ],
        ),
        ("outbound=dane-only", &["smtp_tls_security_level=dane-only"]),
    ],
    &[
        (
            "profile=ncsc-2025-05",
            &["tls_eecdh_auto_curves=X25519 X448 prime256v1 secp384r1"],
        ),
        (
            "profile.inbound=compatible",
            &["smtpd_tls_protocols=>=TLSv1", "smtpd_tls_exclude_ciphers="],
        ),
        (
            "profile.submission=recommended",
            &[
                "smtpd_tls_mandatory_protocols=>=TLSv1.2",
                "smtpd_tls_mandatory_exclude_ciphers=",
            ],
        ),
        (
            "profile.outbound=strict",
            &[
                "smtp_tls_mandatory_protocols=>=TLSv1.2",
                "smtp_tls_mandatory_exclude_ciphers=aNULL, kRSA, kDHE, PSK, SHA1, SHA256, SHA384, ARIA, AESCCM",
            ],
        ),
        ("inbound=off", &["smtpd_tls_security_level=none"]),
        ("outbound=off", &["smtp_tls_security_level=none"]),
        ("loglevel.inbound=0", &["smtpd_tls_loglevel=0"]),
        ("loglevel.outbound=0", &["smtp_tls_loglevel=0"]),
    ],
    &[
        ("inbound=may", &["smtpd_tls_security_level=may"]),
        ("outbound=may", &["smtp_tls_security_level=may"]),
    ],
    &[
        ("inbound=off", &["smtpd_tls_security_level=none"]),
        ("outbound=encrypt", &["smtp_tls_security_level=encrypt"]),
    ],
    &[(
        "mode=off",
        &[
            "smtpd_tls_security_level=none",
            "smtp_tls_security_level=none",
        ],
    )],
    // With a client that always begins with TLS, main.cf can only be turned off in two steps.
    &[(
        "smtps-out=on",
        &["smtps-out: on", "smtps-out/unix/smtp_tls_wrappermode=yes"],
    )],
];
