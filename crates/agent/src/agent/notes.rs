//! What happened at the console, on its way into the audit log.
//!
//! Owns: that each note goes once it is there, and no sooner. Never: reads one.

use super::AgentError;
use crate::child::{Program, Running};
use postseal_store::StoreError;
use postseal_store::desk::Clerk;
use std::time::{Duration, Instant};

/// How many are taken at once.
const AT_ONCE: usize = 200;
/// How often it is looked for more.
const EVERY: Duration = Duration::from_secs(2);

/// The notes.
#[derive(Default)]
pub(super) struct Notes {
    /// The last that is in the audit log.
    taken: u64,
    /// Up to which they are being taken in.
    taking: Option<(u64, Running)>,
    looked: Option<Instant>,
}

impl Notes {
    pub(super) fn step(
        &mut self,
        clerk: &mut dyn Clerk,
        program: &Program,
    ) -> Result<Result<(), StoreError>, AgentError> {
        if let Some((upto, mut running)) = self.taking.take() {
            match running.ended().map_err(AgentError::Start)? {
                None => self.taking = Some((upto, running)),
                // Where they could not be taken in they stay, and are tried again.
                Some(ended) if ended.end.exit == 0 => self.taken = upto,
                Some(_) => {}
            }
            return Ok(Ok(()));
        }
        if self.looked.is_some_and(|last| last.elapsed() < EVERY) {
            return Ok(Ok(()));
        }
        self.looked = Some(Instant::now());
        let notes = match clerk.notes(self.taken, AT_ONCE) {
            Ok(notes) => notes,
            Err(error) => return Ok(Err(error)),
        };
        if let (Some(last), Ok(text)) = (notes.last(), serde_json::to_string(&notes)) {
            let running = program.take_notes(text).map_err(AgentError::Start)?;
            self.taking = Some((last.id, running));
        }
        Ok(Ok(()))
    }
}
