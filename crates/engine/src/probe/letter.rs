//! One message by the real dialogue.
//!
//! Owns: through which of the servers that were seen it goes, and what became of it. Never: sends in
//! cleartext.

use super::{ProbeOptions, Prober};
use postseal_planner::probed::{AddressProbed, ProbeTarget, Probed, SentMessage, queue_id};
use postseal_planner::report::Outcome;
use postseal_probe::{Envelope, SendError, Target};

/// A message to be sent for a test.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The sender; empty for none.
    pub from: String,
    /// The one recipient.
    pub to: String,
    /// Head and body.
    pub message: String,
}

impl Letter {
    pub(crate) fn envelope(&self) -> Envelope {
        Envelope {
            mail_from: self.from.clone(),
            rcpt_to: vec![self.to.clone()],
        }
    }
}

impl Prober<'_> {
    /// Sends it through the first server of a target that was seen with TLS; `None` where none was.
    pub fn send(
        &self,
        letter: &Letter,
        (target, seen): (&ProbeTarget, &Probed),
        options: &ProbeOptions,
    ) -> Option<SentMessage> {
        let mut all = seen.hosts.iter().flat_map(|host| &host.addresses);
        let through = all.find(|one| has_tls(one))?;
        let to = Target {
            sni: through.sni.clone(),
            ehlo_name: options.ehlo_name.clone(),
            ..Target::new(
                through.address.to_string(),
                through.address,
                target.opening.into(),
            )
        };
        let (outcome, words) = match self.wire.send(&to, letter, options.budget.deadline) {
            Ok(accepted) => (Outcome::Pass, accepted.reply),
            Err(error) => (outcome(&error), error.to_string()),
        };
        Some(SentMessage {
            address: through.address,
            queue_id: queue_id(&words).filter(|_| outcome == Outcome::Pass),
            from: letter.from.clone(),
            to: letter.to.clone(),
            outcome,
            words,
        })
    }
}

fn has_tls(one: &AddressProbed) -> bool {
    let report = one.report.as_ref();
    report.is_some_and(|report| report.handshake.is_some() && !report.ehlo_after.is_empty())
}

/// Whether the server may have it all the same.
fn outcome(error: &SendError) -> Outcome {
    match error {
        SendError::Lost { command, .. } if *command == postseal_probe::session::FINAL_DOT => {
            Outcome::Undetermined
        }
        _ => Outcome::Fail,
    }
}
