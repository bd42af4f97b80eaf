//! Which lines speak of a fault in TLS, and how bad it is.
//!
//! Owns: classifying a log. Never: knows what was configured. The messages themselves are
//! `rules`, observed on Postfix 3.7.11 and read in the source up to 3.11.

use crate::record::{Record, Severity, records};
use crate::rules::{self, Rule};
use std::borrow::Cow;

/// What a fault does to mail. Ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// A peer's doing: one handshake failed, or it has no TLSA records. Says nothing of the
    /// configuration.
    Peer,
    /// Nothing yet: it works, and will not when another setting changes.
    Latent,
    /// TLS is off, handshakes fail, or mail to some destinations waits; mail of opportunistic
    /// peers travels in cleartext.
    Degrades,
    /// A service is dead: it accepts connections and never answers, or is gone.
    Kills,
}

/// A line that speaks of a fault in TLS, or of any fatal error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsWarning<'a> {
    /// Stable code (`log.key-mismatch`).
    pub code: &'static str,
    /// The line's number, from 1.
    pub line: usize,
    /// The program as it calls itself (`postfix/submission/smtpd`).
    pub service: &'a str,
    /// The line's text, `warning: ` and the like included.
    pub message: Cow<'a, str>,
    /// What it does to mail.
    pub weight: Weight,
}

/// The TLS faults that a log speaks of, in order. One fault may be spoken of by several lines, and
/// by every process that starts.
pub fn tls_warnings(log: &[u8]) -> impl Iterator<Item = TlsWarning<'_>> {
    records(log).filter_map(|record| {
        let rule = classify(&record)?;
        Some(TlsWarning {
            code: rule.code,
            line: record.number,
            service: record.tag,
            message: String::from_utf8_lossy(record.text),
            weight: rule.weight,
        })
    })
}

fn classify(record: &Record<'_>) -> Option<&'static Rule> {
    let message = record.message();
    let severity = record.severity();
    if severity == Severity::Info {
        return rules::first(rules::PLAIN, message);
    }
    if record.service() == "tlsmgr"
        && let Some(rule) = rules::first(rules::TLSMGR, message)
    {
        return Some(rule);
    }
    let rule = rules::first(rules::MARKED, message);
    match severity {
        // A process that dies kills its service, whatever made it die.
        Severity::Fatal | Severity::Panic => rule
            .filter(|rule| rule.weight == Weight::Kills)
            .or(Some(&rules::FATAL)),
        _ => rule,
    }
}

#[cfg(test)]
mod tests;
