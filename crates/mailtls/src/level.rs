//! TLS security levels, by Postfix's names.
//!
//! Owns: parsing, order and what each level promises, in one sentence (postconf(5)
//! `smtp_tls_security_level`, TLS_README). Never: which level applies to a destination.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A TLS security level; ordered as Postfix orders them (`tls_level.c`), which is not an order of
/// strength: `fingerprint` authenticates better than `encrypt`, but no worse than `secure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it, `promises` explains it")]
pub enum Level {
    None,
    May,
    Encrypt,
    Fingerprint,
    /// Only ever logged: `dane` towards an MX host found without DNSSEC.
    #[serde(rename = "halfdane")]
    HalfDane,
    Dane,
    DaneOnly,
    Verify,
    Secure,
}

/// What smtpd(8) makes of a level (3.7.11; the code is unchanged up to 3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnServer {
    /// The level is one of a server's own: `none`, `may`, `encrypt`.
    AsWritten,
    /// A warning at every start, then as `encrypt`.
    AsEncrypt,
    /// Fatal: the service accepts connections and never answers.
    Fatal,
}

impl Level {
    /// All levels that can be configured, in Postfix's order.
    pub const CONFIGURABLE: [Self; 8] = [
        Self::None,
        Self::May,
        Self::Encrypt,
        Self::Fingerprint,
        Self::Dane,
        Self::DaneOnly,
        Self::Verify,
        Self::Secure,
    ];

    /// Postfix's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::May => "may",
            Self::Encrypt => "encrypt",
            Self::Fingerprint => "fingerprint",
            Self::HalfDane => "halfdane",
            Self::Dane => "dane",
            Self::DaneOnly => "dane-only",
            Self::Verify => "verify",
            Self::Secure => "secure",
        }
    }

    /// What a client at this level promises, in one sentence.
    pub const fn promises(self) -> &'static str {
        match self {
            Self::None => "TLS is never used: everything travels in cleartext.",
            Self::May => {
                "TLS is used when the server offers it, without checking who the server is; \
                 otherwise the mail travels in cleartext."
            }
            Self::Encrypt => {
                "Mail is only sent encrypted, but to whoever answers: the server is not \
                 authenticated; without TLS the mail waits in the queue."
            }
            Self::Fingerprint => {
                "Mail is only sent encrypted, to a server whose certificate or key has a listed \
                 fingerprint; otherwise it waits in the queue."
            }
            Self::HalfDane => {
                "The server's TLSA records matched, but its MX host was found without DNSSEC: \
                 the name of the host is not authenticated."
            }
            Self::Dane => {
                "Where DNSSEC-signed TLSA records exist, mail is only sent to a server that matches \
                 them; where none exist it is sent as with may."
            }
            Self::DaneOnly => {
                "Mail is only sent to servers that match DNSSEC-signed TLSA records; where there \
                 are none it waits in the queue."
            }
            Self::Verify => {
                "Mail is only sent encrypted, to a server with a trusted certificate for the MX \
                 host's name; that name is taken from the DNS, so a forged MX record still \
                 deceives."
            }
            Self::Secure => {
                "Mail is only sent encrypted, to a server with a trusted certificate for a name \
                 that is derived from the destination itself; a forged DNS answer does not help."
            }
        }
    }

    /// Whether mail is never sent in cleartext at this level. `dane` is not among them: without
    /// TLSA records it is `may`.
    pub const fn never_cleartext(self) -> bool {
        !matches!(self, Self::None | Self::May | Self::Dane | Self::HalfDane)
    }

    /// Whether the server is always authenticated at this level.
    pub const fn authenticates(self) -> bool {
        matches!(
            self,
            Self::Fingerprint | Self::DaneOnly | Self::Verify | Self::Secure
        )
    }

    /// What smtpd(8) makes of this level in `smtpd_tls_security_level`.
    pub const fn on_server(self) -> OnServer {
        match self {
            Self::None | Self::May | Self::Encrypt => OnServer::AsWritten,
            Self::Fingerprint | Self::Verify | Self::Secure => OnServer::AsEncrypt,
            Self::HalfDane | Self::Dane | Self::DaneOnly => OnServer::Fatal,
        }
    }

    /// The level of a log line (`tls=halfdane`), where `halfdane` may stand too.
    pub fn from_log(text: &str) -> Option<Self> {
        if text == Self::HalfDane.name() {
            return Some(Self::HalfDane);
        }
        text.parse().ok()
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = String;

    /// Case-insensitive, no blanks: as Postfix reads a configured level.
    fn from_str(text: &str) -> Result<Self, String> {
        Self::CONFIGURABLE
            .into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                format!(
                    "not a TLS security level: {text:?} (none, may, encrypt, fingerprint, dane, \
                     dane-only, verify, secure)"
                )
            })
    }
}

#[cfg(test)]
mod tests;
