//! The table of keys.
//!
//! Owns: names, values, meanings: what `postseal set` alone prints. Never: parses.

/// One key of `postseal set`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyDoc {
    /// Its name.
    pub name: &'static str,
    /// The values it takes.
    pub values: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What Postfix does where nothing is set.
    pub default: Option<&'static str>,
}

/// The profiles, as a list of values.
const PROFILES: &str = "compatible, recommended, strict, mozilla-intermediate-6.0, \
                        mozilla-modern-6.0, ncsc-2025-05";

/// All keys, in the order they are listed.
pub const KEYS: &[KeyDoc] = &[
    KeyDoc {
        name: "mode",
        values: "off, may, encrypt",
        meaning: "inbound and outbound at once",
        default: None,
    },
    KeyDoc {
        name: "inbound",
        values: "off, may, encrypt",
        meaning: "TLS of the SMTP server (smtpd_tls_security_level): not offered, offered, \
                  required. Required on a public port 25 loses mail and needs a typed confirmation",
        default: Some("off"),
    },
    KeyDoc {
        name: "outbound",
        values: "off, may, encrypt, dane, dane-only, verify, secure",
        meaning: "default TLS level of deliveries (smtp_tls_security_level); encrypt does not \
                  authenticate the other side, verify and secure need trust.outbound, dane and \
                  dane-only need a DNSSEC-validating resolver",
        default: Some("off before Postfix 3.11, may from then on"),
    },
    KeyDoc {
        name: "inbound-certificate",
        values: "none",
        meaning: "anonymous TLS without any certificate, for closed networks only; refused on a \
                  public port 25. Certificates are given by `postseal cert bind`",
        default: None,
    },
    KeyDoc {
        name: "profile",
        values: PROFILES,
        meaning: "protocols, ciphers and key exchange by a table, in all directions; recommended \
                  is at least TLS 1.2 (RFC 8996, RFC 9325), cipher grade medium where TLS is \
                  optional and high where it is required",
        default: None,
    },
    KeyDoc {
        name: "profile.inbound",
        values: PROFILES,
        meaning: "the same for port 25 alone, where strict ones turn senders away",
        default: None,
    },
    KeyDoc {
        name: "profile.submission",
        values: PROFILES,
        meaning: "the same for mail clients alone (587 and 465)",
        default: None,
    },
    KeyDoc {
        name: "profile.outbound",
        values: PROFILES,
        meaning: "the same for outgoing mail alone",
        default: None,
    },
    KeyDoc {
        name: "submission",
        values: "on, off",
        meaning: "mail clients on port 587: STARTTLS and AUTH required",
        default: Some("off"),
    },
    KeyDoc {
        name: "smtps",
        values: "on, off",
        meaning: "mail clients on port 465: TLS from the first byte, AUTH required",
        default: Some("off"),
    },
    KeyDoc {
        name: "smtps-out",
        values: "on",
        meaning: "a client smtps-out in master.cf for next hops that expect TLS from the first \
                  byte (port 465); `domain add --smtps` wishes for it",
        default: None,
    },
    KeyDoc {
        name: "auth-only",
        values: "yes, no",
        meaning: "offer AUTH only under TLS (smtpd_tls_auth_only)",
        default: Some("no"),
    },
    KeyDoc {
        name: "received-header",
        values: "yes, no",
        meaning: "note protocol and cipher in the Received header (smtpd_tls_received_header)",
        default: Some("no"),
    },
    KeyDoc {
        name: "loglevel.inbound",
        values: "0, 1, 2, 3, 4",
        meaning: "TLS logging of the server; 1 is a line a session, 3 and 4 are for debugging",
        default: Some("0"),
    },
    KeyDoc {
        name: "loglevel.outbound",
        values: "0, 1, 2, 3, 4",
        meaning: "TLS logging of deliveries; 1 is a line a session",
        default: Some("0"),
    },
    KeyDoc {
        name: "session-cache",
        values: "off, client, both",
        meaning: "where TLS sessions are remembered on disk; servers resume by tickets without a \
                  cache, so client is enough for nearly everybody",
        default: Some("off"),
    },
    KeyDoc {
        name: "client-certs",
        values: "off, ask, require",
        meaning: "whether clients are asked for a certificate; require needs inbound=encrypt",
        default: Some("off"),
    },
    KeyDoc {
        name: "trust.inbound",
        values: "none, system, /FILE.pem, /DIRECTORY/",
        meaning: "whose client certificates are trusted; a directory ends in / and is read \
                  inside the chroot jail, so a file is the safer choice",
        default: Some("none"),
    },
    KeyDoc {
        name: "trust.outbound",
        values: "none, system, /FILE.pem, /DIRECTORY/",
        meaning: "whose server certificates are trusted by verify and secure",
        default: Some("none"),
    },
    KeyDoc {
        name: "loopback-cleartext",
        values: "yes, no",
        meaning: "keep the loopback listeners and clients of content filters in clear when TLS \
                  becomes mandatory",
        default: Some("no"),
    },
    KeyDoc {
        name: "param.NAME",
        values: "as postconf(5) says, default",
        meaning: "any TLS parameter of main.cf, checked against its type and the installed \
                  version; default takes its line out; a parameter with a word of its own is an \
                  alias of it. param.SERVICE/TYPE/NAME (submission/inet/smtpd_tls_ciphers, as \
                  postconf -P has it) is the -o of a service",
        default: None,
    },
];

/// The documentation of the key that is spelt `name`; `param.NAME` for all parameters.
pub(super) fn doc(name: &str) -> &'static KeyDoc {
    let last = &KEYS[KEYS.len() - 1];
    KEYS.iter().find(|doc| doc.name == name).unwrap_or(last)
}
