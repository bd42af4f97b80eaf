//! What deliveries showed of the SMTP client.
//!
//! Owns: reading the newest part of the instance's log for it, of bounded size. Never: sends mail,
//! or counts the message of a rehearsal.

use crate::Engine;
use postseal_host::LogLook;
use postseal_planner::facts::Facts;
use postseal_planner::{OutboundSeen, outbound_seen};

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
    /// What the log shows of deliveries since the last reload.
    pub(crate) fn sent(&self, facts: &Facts) -> Sent {
        // From its start; of a long one only the end is read.
        match self.host.log_since(&self.host.log_mark().whole()) {
            LogLook::Lines(lines) => Sent::Seen(outbound_seen(facts, &lines)),
            LogLook::Unreadable(why) => Sent::Unknown(why),
        }
    }
}
