//! What deliveries showed of the SMTP client.
//!
//! Owns: reading the newest part of the instance's log for it, of bounded size, and looking up what
//! demands the TLS that mail waits for. Never: sends mail, or counts the message of a rehearsal.

use crate::Engine;
use crate::explain::explain_in;
use postseal_host::LogLook;
use postseal_planner::explain::{Explanation, Subject};
use postseal_planner::facts::Facts;
use postseal_planner::{Finding, HeldBack, OutboundSeen, held_back, mail_waits, outbound_seen};

/// The ways of so many kinds of mail that waits are looked up.
const MOST: usize = 20;

/// What is known of deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// What the log shows.
    Seen(OutboundSeen),
    /// Why there is nothing to be seen.
    Unknown(String),
}

impl Default for Sent {
    fn default() -> Self {
        Self::Seen(OutboundSeen::default())
    }
}

impl Engine<'_> {
    /// What the log shows of deliveries since the last reload, and what is to be said of mail that waits
    /// for TLS.
    pub(crate) fn sent(&self, facts: &Facts) -> (Sent, Vec<Finding>) {
        // From its start; of a long one only the end is read.
        match self.host.log_since(&self.host.log_mark().whole()) {
            LogLook::Lines(lines) => (
                Sent::Seen(outbound_seen(facts, &lines)),
                self.waiting(facts, held_back(facts, &lines)),
            ),
            LogLook::Unreadable(why) => (Sent::Unknown(why), Vec::new()),
        }
    }

    fn waiting(&self, facts: &Facts, held: Vec<HeldBack>) -> Vec<Finding> {
        let mut left = MOST;
        let each = held.into_iter().map(|held| {
            let way = (left > 0).then(|| self.way_of(facts, &held)).flatten();
            // A table that does not answer may take its time each time.
            left = match &way {
                Some(way) if !is_told(way) => 0,
                _ => left.saturating_sub(1),
            };
            (held, way)
        });
        mail_waits(&each.collect::<Vec<_>>())
    }

    /// The way of mail that waits; of a failing look, `explain` tells.
    fn way_of(&self, facts: &Facts, held: &HeldBack) -> Option<Explanation> {
        let recipient = Subject::parse(&held.recipient).ok()?;
        let sender = match Subject::parse(&held.sender) {
            Ok(Subject::Address(sender)) => sender,
            _ => String::new(),
        };
        explain_in(self.host, facts, &recipient, &sender).ok()
    }
}

/// Whether every table on the way could be asked.
fn is_told(way: &Explanation) -> bool {
    let has_failed = |found: &Finding| found.code == "policy.table-failed";
    !way.is_undetermined() && !way.findings.iter().any(has_failed)
}
