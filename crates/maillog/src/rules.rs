//! The messages by which Postfix speaks of a TLS fault.
//!
//! Owns: the table. Never: regular expressions; the first rule that fits is taken, so the specific
//! ones come first.

use crate::warning::Weight;
use Weight::{Degrades, Kills, Latent, Peer};
use memchr::memmem;

/// A message, by what stands in it: `*` is any text, also at both ends.
pub(crate) struct Rule {
    pub(crate) code: &'static str,
    pub(crate) weight: Weight,
    pattern: &'static str,
}

impl Rule {
    fn fits(&self, message: &[u8]) -> bool {
        let mut rest = message;
        self.pattern.split('*').all(|words| {
            let found = memmem::find(rest, words.as_bytes());
            rest = found.map_or(rest, |at| &rest[at + words.len()..]);
            found.is_some()
        })
    }
}

const fn rule(code: &'static str, weight: Weight, pattern: &'static str) -> Rule {
    Rule {
        code,
        weight,
        pattern,
    }
}

/// The first rule that fits.
pub(crate) fn first(rules: &'static [Rule], message: &[u8]) -> Option<&'static Rule> {
    rules.iter().find(|rule| rule.fits(message))
}

/// A fatal error that no other rule names.
pub(crate) static FATAL: Rule = rule("log.fatal", Kills, "");

/// Messages without a mark.
pub(crate) static PLAIN: &[Rule] = &[
    rule(
        "log.ca-file",
        Degrades,
        "cannot load Certification Authority data",
    ),
    rule(
        "log.entropy",
        Kills,
        "exiting to reopen external entropy source",
    ),
];

/// Messages of tlsmgr(8), whose tables are only caches.
pub(crate) static TLSMGR: &[Rule] = &[
    rule("log.session-cache", Latent, "open database "),
    rule("log.session-cache", Latent, " is unavailable. "),
    rule("log.session-cache", Latent, "unsupported dictionary type"),
];

/// Messages marked `warning:`, `error:`, `fatal:` or `panic:`.
pub(crate) static MARKED: &[Rule] = &[
    // A service dies.
    rule("log.bad-level", Kills, "Invalid TLS level "),
    rule("log.bad-boolean", Kills, "bad boolean configuration"),
    rule("log.bad-number", Kills, "bad numerical configuration"),
    rule("log.bad-number", Kills, "invalid * parameter value "),
    rule("log.bad-time", Kills, "bad time value or unit"),
    rule(
        "log.bad-main-cf",
        Kills,
        ".cf, line *missing '=' after attribute name",
    ),
    rule("log.bad-main-cf", Kills, "unbalanced "),
    rule("log.bad-main-cf", Kills, "macro processing error"),
    rule("log.entropy", Kills, "cannot open entropy "),
    rule("log.throttled", Kills, "bad command startup -- throttling"),
    rule("log.process-died", Kills, "process * pid *exit status "),
    rule(
        "log.process-died",
        Kills,
        "process * pid *killed by signal ",
    ),
    rule("log.cannot-listen", Kills, "bind * port "),
    // Certificates and keys.
    rule(
        "log.key-mismatch",
        Degrades,
        " does not match next certificate",
    ),
    rule(
        "log.key-mismatch",
        Degrades,
        " does not match the certificate",
    ),
    rule(
        "log.key-mismatch",
        Degrades,
        "private key in *does not match public key",
    ),
    rule(
        "log.key-mismatch",
        Degrades,
        "TLS library*key values mismatch",
    ),
    rule(
        "log.key-mismatch",
        Degrades,
        "TLS library*private key mismatch",
    ),
    rule(
        "log.key-mismatch",
        Degrades,
        "TLS library*different key types",
    ),
    rule(
        "log.two-of-a-kind",
        Degrades,
        "TLS library*not replacing certificate",
    ),
    rule(
        "log.key-encrypted",
        Degrades,
        "ignoring PEM type: ENCRYPTED PRIVATE KEY",
    ),
    rule(
        "log.key-encrypted",
        Degrades,
        "TLS library*problems getting password",
    ),
    rule(
        "log.key-encrypted",
        Degrades,
        "TLS library*bad password read",
    ),
    rule(
        "log.key-encrypted",
        Degrades,
        "TLS library*unable to get passphrase",
    ),
    rule(
        "log.key-encrypted",
        Degrades,
        "TLS library*interrupted or cancelled",
    ),
    rule(
        "log.key-encrypted",
        Degrades,
        "TLS library*while reading strings",
    ),
    rule(
        "log.key-not-first",
        Degrades,
        "error loading chain from *key not first",
    ),
    rule("log.key-alone", Degrades, " not followed by a certificate"),
    rule("log.key-alone", Degrades, "No certs for key at index "),
    rule("log.key-missing", Degrades, "No private key found in "),
    rule("log.no-pem", Degrades, "No PEM data in "),
    rule("log.chain-missing", Degrades, "error opening chain file: "),
    rule(
        "log.cert-unreadable",
        Degrades,
        "cannot get * certificate from file",
    ),
    rule(
        "log.key-unreadable",
        Degrades,
        "cannot get * private key from file",
    ),
    rule(
        "log.key-unreadable",
        Degrades,
        "error loading private key (PEM object",
    ),
    rule(
        "log.cert-unreadable",
        Degrades,
        "error loading certificate (PEM object",
    ),
    rule("log.pem-damaged", Degrades, "TLS library*PEM routines"),
    rule(
        "log.chain-unloadable",
        Degrades,
        "error loading private keys and certificates from",
    ),
    rule(
        "log.weak-certificate",
        Degrades,
        "TLS library*key too small",
    ),
    rule("log.weak-certificate", Degrades, "TLS library*md too weak"),
    rule("log.no-certificate", Degrades, "No server certs available"),
    rule(
        "log.ca-file",
        Degrades,
        "cannot load Certification Authority data",
    ),
    rule("log.ca-file", Degrades, "TLS library*by_file.c"),
    rule("log.sni-chain", Degrades, "malformed BASE64 value"),
    // Protocols and ciphers.
    rule("log.bad-protocols", Degrades, "Invalid TLS protocol list "),
    rule(
        "log.bad-protocols",
        Degrades,
        "error setting m*TLS version to",
    ),
    rule(
        "log.bad-protocols",
        Degrades,
        "TLS library*no protocols available",
    ),
    rule("log.bad-grade", Degrades, "invalid cipher grade"),
    rule("log.no-cipher", Degrades, "error setting cipher grade"),
    rule("log.no-cipher", Degrades, "TLS library*no cipher match"),
    rule(
        "log.bad-exclusion",
        Degrades,
        "invalid unary *cipher exclusion",
    ),
    rule("log.bad-digest", Degrades, "Digest algorithm * not found"),
    rule(
        "log.tls-config-file",
        Degrades,
        "OpenSSL configuration file",
    ),
    rule(
        "log.server-role-off",
        Degrades,
        "TLS server role is disabled",
    ),
    // Policies and maps.
    rule(
        "log.policy-row",
        Degrades,
        "_tls_policy_maps, next-hop destination ",
    ),
    // The level dane-only, and a destination that has no TLSA records: a promise kept.
    rule(
        "log.no-tlsa",
        Peer,
        "TLS policy lookup for *: no TLSA records found",
    ),
    rule("log.policy-row", Degrades, "TLS policy lookup for "),
    rule("log.policy-row", Degrades, "malformed fingerprint value"),
    rule(
        "log.policy-row",
        Degrades,
        "configured at fingerprint security level",
    ),
    rule("log.trust-anchor", Degrades, "trust anchor file"),
    rule(
        "log.dane-without-dnssec",
        Degrades,
        "dane configured with dnssec lookups disabled",
    ),
    rule("log.tlsa-lookup", Degrades, "TLSA lookup"),
    rule(
        "log.sts-mx-mismatch",
        Degrades,
        "does not match STS MX pattern",
    ),
    rule("log.map-unavailable", Degrades, "open database "),
    rule(
        "log.map-unavailable",
        Degrades,
        "unsupported dictionary type",
    ),
    rule("log.map-unavailable", Degrades, " is unavailable. "),
    rule("log.map-unavailable", Degrades, "table * lookup error"),
    rule(
        "log.map-unavailable",
        Degrades,
        "socketmap server * error: ",
    ),
    rule("log.map-unavailable", Degrades, " lookup error for "),
    // One handshake, by the peer's doing.
    rule("log.peer-handshake", Peer, "TLS library* alert "),
    rule(
        "log.peer-handshake",
        Peer,
        "TLS library*unsupported protocol",
    ),
    rule("log.peer-handshake", Peer, "TLS library*version too low"),
    rule(
        "log.peer-handshake",
        Peer,
        "TLS library*wrong version number",
    ),
    rule("log.peer-handshake", Peer, "TLS library*unknown protocol"),
    rule("log.peer-handshake", Peer, "TLS library*no shared cipher"),
    rule("log.peer-handshake", Peer, "TLS library*no suitable "),
    rule("log.peer-handshake", Peer, "TLS library*http request"),
    rule("log.peer-handshake", Peer, "TLS library*unexpected eof"),
    rule("log.peer-handshake", Peer, "TLS library*unexpected message"),
    rule("log.peer-handshake", Peer, "TLS library*bad record mac"),
    rule(
        "log.peer-handshake",
        Peer,
        "TLS library*packet length too long",
    ),
    rule("log.peer-handshake", Peer, "TLS library*legacy sigalg"),
    rule("log.peer-handshake", Peer, "TLS SNI from * is invalid"),
    // What is left of TLS being switched off, after the reasons above.
    rule("log.tls-disabled", Degrades, "disabling TLS support"),
    rule("log.tls-disabled", Degrades, "TLS won't be enabled"),
    rule(
        "log.tls-disabled",
        Degrades,
        "TLS context initialization failed",
    ),
    rule("log.tls-disabled", Degrades, "aborting TLS "),
    rule("log.tls-library", Degrades, "TLS library problem"),
    // Works today.
    rule(
        "log.level-as-encrypt",
        Latent,
        "unsupported TLS level *using \"encrypt\"",
    ),
    rule(
        "log.both-forms",
        Latent,
        "Both *_tls_chain_files and one or more of the legacy",
    ),
    rule("log.pem-object", Latent, "ignoring PEM type: "),
    rule("log.second-key", Latent, "ignoring 2nd key at index "),
    rule("log.unknown-curve", Latent, "ignoring unknown * curve "),
    rule("log.dh-file", Latent, "DH parameter"),
    rule("log.unknown-value", Latent, "unknown tls_* value * in "),
    rule(
        "log.unknown-value",
        Latent,
        "unknown *_tls_loglevel value * in ",
    ),
    rule(
        "log.client-certs",
        Latent,
        "Can't require client certs unless TLS is required",
    ),
    rule(
        "log.client-certs",
        Latent,
        "Need a server cert to request client certs",
    ),
    rule("log.unused-parameter", Latent, "unused parameter: "),
    rule("log.undefined-parameter", Latent, "undefined parameter: "),
    rule(
        "log.obsolete-parameter",
        Latent,
        "support for parameter *will be removed",
    ),
    rule(
        "log.duplicate-parameter",
        Latent,
        "overriding earlier entry: ",
    ),
    rule(
        "log.indented-line",
        Latent,
        "logical line must not start with whitespace",
    ),
    rule("log.duplicate-service", Latent, "duplicate master.cf entry"),
    rule("log.needs-restart", Latent, "stop and start Postfix"),
    rule(
        "log.needs-restart",
        Latent,
        "ignoring inet_interfaces change",
    ),
    rule("log.tlsrpt", Latent, "to tlsrpt library"),
];
