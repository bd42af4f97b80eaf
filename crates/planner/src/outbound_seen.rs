//! What deliveries showed of TLS: the mail that was really sent.
//!
//! Owns: counting the SMTP client's deliveries in a piece of log by how far the server was
//! authenticated. Never: reads a log, or takes a rehearsal for a delivery: that one has a log of its
//! own.

use crate::facts::Facts;
use crate::view::Files;
use maillog::{Event, TrustWord, Wire, deliveries, records};
use serde::Serialize;

/// Deliveries since the master started or read its configuration, as far as the log goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OutboundSeen {
    /// Name, fingerprint or TLSA record matched.
    pub verified: u64,
    /// A trusted chain; the name was not checked.
    pub trusted: u64,
    /// Encrypted; the certificate did not verify, or was not asked to.
    pub untrusted: u64,
    /// Encrypted, without a certificate.
    pub anonymous: u64,
    /// Without TLS.
    pub none: u64,
    /// It cannot be told: `smtp_tls_loglevel` is 0.
    pub untold: u64,
    /// Whether the last start or reload is in the log.
    pub since_reload: bool,
}

impl OutboundSeen {
    /// All of them.
    pub const fn all(&self) -> u64 {
        self.told() + self.untold
    }

    /// Those of which the log tells how they went.
    pub const fn told(&self) -> u64 {
        self.verified + self.trusted + self.untrusted + self.anonymous + self.none
    }
}

/// What a log shows of an instance's deliveries by SMTP.
pub fn outbound_seen(facts: &Facts, log: &[u8]) -> OutboundSeen {
    let files = Files::of(facts);
    let view = files.view(facts);
    let name = view.value(None, "syslog_name");
    let tag = match name.as_str() {
        "" => "postfix/".to_owned(),
        name => format!("{name}/"),
    };
    let quiet = matches!(view.value(None, "smtp_tls_loglevel").trim(), "" | "0");
    let since = records(log)
        .filter(|record| record.tag.starts_with(&tag))
        .filter(|record| matches!(Event::of(record), Event::Started | Event::Reloaded))
        .last()
        .map(|record| record.number);
    let mut seen = OutboundSeen {
        since_reload: since.is_some(),
        ..OutboundSeen::default()
    };
    let ours = deliveries(log).filter(|one| {
        one.record.tag.starts_with(&tag)
            && one.record.service() == "smtp"
            && since.is_none_or(|since| one.record.number > since)
            && one.delivery.status == "sent"
    });
    for one in ours {
        *match one.wire {
            Wire::Tls(session) => match session.trust {
                TrustWord::Verified => &mut seen.verified,
                TrustWord::Trusted => &mut seen.trusted,
                TrustWord::Untrusted => &mut seen.untrusted,
                TrustWord::Anonymous => &mut seen.anonymous,
            },
            Wire::NoTlsLine if quiet => &mut seen.untold,
            Wire::NoTlsLine => &mut seen.none,
            Wire::None => continue,
        } += 1;
    }
    seen
}

#[cfg(test)]
mod tests;
