//! What became of a mail of our own, as the log tells it.
//!
//! Owns: finding it by its Message-ID, and waiting a moment for its deliveries. Never: hands a mail in; takes a log's
//! silence for a failure.

use crate::Engine;
use maillog::{Event, records};
use postseal_host::{LogLook, LogMark};
use postseal_planner::notice::Delivered;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(50);

/// What the log told of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handed {
    /// Its queue id; none where the log does not show it yet.
    pub queue_id: Option<String>,
    /// Its deliveries so far.
    pub delivered: Vec<Delivered>,
}

impl Engine<'_> {
    /// What the log has told since `mark` of the mail with this Message-ID (without its brackets), at the latest after
    /// `patience`, and as soon as that is all: as many deliveries as it has recipients.
    pub fn handed(
        &self,
        mark: &LogMark,
        (message_id, recipients): (&str, usize),
        patience: Duration,
    ) -> Handed {
        let deadline = self.clock.monotonic() + patience;
        loop {
            let told = match self.host.log_since(mark) {
                LogLook::Lines(lines) => told(&lines, message_id),
                LogLook::Unreadable(_) => return Handed::default(),
            };
            let is_all = told.delivered.len() >= recipients;
            if is_all || self.clock.monotonic() + PAUSE > deadline || self.is_interrupted() {
                return told;
            }
            self.clock.sleep(PAUSE);
        }
    }
}

fn told(lines: &[u8], message_id: &str) -> Handed {
    // cleanup(8): `ID: message-id=<…>`.
    let line = format!("message-id=<{message_id}>");
    let queued = records(lines).find(|one| one.text.ends_with(line.as_bytes()));
    let Some(id) = queued.and_then(|one| one.queue_id()) else {
        return Handed::default();
    };
    let delivered = records(lines).filter_map(|one| match Event::of(&one) {
        Event::Delivery(found) if found.queue_id == id => Some(Delivered {
            to: found.to.to_owned(),
            status: found.status.to_owned(),
            words: found.reason.to_owned(),
        }),
        _ => None,
    });
    Handed {
        delivered: delivered.collect(),
        queue_id: Some(id.to_owned()),
    }
}

#[cfg(test)]
mod tests;
