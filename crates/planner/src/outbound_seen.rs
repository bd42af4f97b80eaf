//! What deliveries showed of TLS: the mail that was really sent.
//!
//! Owns: counting the SMTP client's deliveries in a piece of log by how far the server was
//! authenticated. Never: reads a log, or takes a rehearsal for a delivery: that one has a log of its
//! own.

use crate::facts::Facts;
use crate::view::{Files, View};
use maillog::{Event, Record, TrustWord, Wire, deliveries, records};
use serde::Serialize;
use std::collections::HashMap;

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

/// What of a log is an instance's.
pub(crate) struct OwnLog<'l> {
    /// What its programs call themselves begins with it.
    tag: String,
    /// The messages that its queue manager took up, with their senders: by these its clients are known
    /// that have another name in the log (Debian's `relay` has `-o syslog_name=postfix/$service_name`).
    senders: HashMap<&'l str, &'l str>,
    /// The line of its last start or reload.
    since: Option<usize>,
}

impl<'l> OwnLog<'l> {
    pub(crate) fn of(view: &View<'_>, log: &'l [u8]) -> Self {
        let tag = match view.value(None, "syslog_name").as_str() {
            "" => "postfix/".to_owned(),
            name => format!("{name}/"),
        };
        let mut own = Self {
            tag,
            senders: HashMap::new(),
            since: None,
        };
        for record in records(log) {
            if !record.tag.starts_with(&own.tag) {
                continue;
            }
            match Event::of(&record) {
                Event::Started | Event::Reloaded => own.since = Some(record.number),
                Event::Queued { queue_id, sender } => {
                    own.senders.insert(queue_id, sender);
                }
                _ => {}
            }
        }
        own
    }

    /// Whether a line about a message is of this instance, and of now.
    pub(crate) fn has(&self, record: &Record<'_>, queue_id: &str) -> bool {
        let is_own = record.tag.starts_with(&self.tag) || self.senders.contains_key(queue_id);
        is_own && self.since.is_none_or(|since| record.number > since)
    }

    /// The envelope sender of a message; empty where it has none, or it is not in the log.
    pub(crate) fn sender(&self, queue_id: &str) -> &'l str {
        self.senders.get(queue_id).copied().unwrap_or_default()
    }
}

/// What a log shows of an instance's deliveries by SMTP.
pub fn outbound_seen(facts: &Facts, log: &[u8]) -> OutboundSeen {
    let files = Files::of(facts);
    let view = files.view(facts);
    let quiet = matches!(view.value(None, "smtp_tls_loglevel").trim(), "" | "0");
    let own = OwnLog::of(&view, log);
    let mut seen = OutboundSeen {
        since_reload: own.since.is_some(),
        ..OutboundSeen::default()
    };
    let ours = deliveries(log).filter(|one| {
        one.record.service() == "smtp"
            && one.delivery.status == "sent"
            && own.has(&one.record, one.delivery.queue_id)
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
