//! Making the copies that pages show.
//!
//! Owns: which is made next, one at a time: pages may wait, jobs do not. Never: what is in one (`copies`).

use super::AgentError;
use crate::child::{Program, Running};
use crate::copies::task;
use postseal_store::StoreError;
use postseal_store::desk::{Clerk, CopyOf};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How often the copies are made anew where nothing happens.
const EVERY: Duration = Duration::from_secs(60);
/// How often while an operation waits for somebody to keep it: it may end by itself at any moment.
const SOON: Duration = Duration::from_secs(4);

/// How long after a change it waits: what is asked for next, a plan to be applied, say, is not kept from its processor.
const AFTER: Duration = Duration::from_millis(300);
/// But no longer in all than this, however many changes follow each other.
const AT_MOST: Duration = Duration::from_secs(3);

/// The copies.
#[derive(Default)]
pub(super) struct Copying {
    /// When something was changed last.
    changed: Option<Instant>,
    /// Since when there is one to be made.
    since: Option<Instant>,
    /// Those to be made, the one that has waited longest first.
    wanted: VecDeque<CopyOf>,
    making: Option<Making>,
    made: Option<Instant>,
    /// Whether an operation waits for somebody to keep it.
    awaits: bool,
}

/// One that is being made.
struct Making {
    of: CopyOf,
    running: Running,
    began_ms: i64,
}

impl Copying {
    /// Something has changed: each is made anew. Those that wait keep their place, so that under steady changes every
    /// copy has its turn.
    pub(super) fn after_a_change(&mut self) {
        self.changed = Some(Instant::now());
        self.again();
    }

    fn again(&mut self) {
        self.since.get_or_insert_with(Instant::now);
        self.want(&CopyOf::ALL);
    }

    fn want(&mut self, copies: &[CopyOf]) {
        for &of in copies {
            if !self.wanted.contains(&of) {
                self.wanted.push_back(of);
            }
        }
    }

    /// Whether one may be begun; `changing` tells whether a change is under way.
    fn is_time(&self, changing: bool) -> bool {
        let rests = self.changed.is_some_and(|at| at.elapsed() < AFTER);
        let is_late = self.since.is_some_and(|at| at.elapsed() > AT_MOST);
        is_late || !(changing || rests)
    }

    pub(super) fn step(
        &mut self,
        clerk: &mut dyn Clerk,
        program: &Program,
        instance: &str,
        now_ms: fn() -> i64,
        changing: bool,
    ) -> Result<Result<(), StoreError>, AgentError> {
        let rested = |so_long| self.made.is_none_or(|last| last.elapsed() > so_long);
        match self.wanted.is_empty() {
            true if rested(EVERY) => self.again(),
            true if self.awaits && rested(SOON) => {
                self.want(&[CopyOf::Status, CopyOf::Plan, CopyOf::History]);
            }
            _ => {}
        }
        let stored = self.finish(clerk, instance)?;
        let is_free = self.making.is_none() && stored.is_ok() && self.is_time(changing);
        if let Some(of) = self.wanted.pop_front_if(|_| is_free) {
            self.begin(of, program, now_ms())?;
        }
        Ok(stored)
    }

    fn begin(&mut self, of: CopyOf, program: &Program, now_ms: i64) -> Result<(), AgentError> {
        let running = program.start(&task(of), "agent");
        self.making = Some(Making {
            of,
            running: running.map_err(AgentError::Start)?,
            began_ms: now_ms,
        });
        if self.wanted.is_empty() {
            self.since = None;
        }
        Ok(())
    }

    /// Stores what is being made, once it is; where that fails it has its turn again with all the others.
    fn finish(
        &mut self,
        clerk: &mut dyn Clerk,
        instance: &str,
    ) -> Result<Result<(), StoreError>, AgentError> {
        let Some(mut making) = self.making.take() else {
            return Ok(Ok(()));
        };
        let Some(ended) = making.running.ended().map_err(AgentError::Start)? else {
            self.making = Some(making);
            return Ok(Ok(()));
        };
        self.made = Some(Instant::now());
        let document = &ended.end.answer;
        if making.of == CopyOf::Status {
            self.awaits = awaits(document);
        }
        Ok(clerk.put_copy(instance, making.of.name(), document, making.began_ms))
    }
}

/// Whether `status` tells of an operation that waits for somebody to keep it.
fn awaits(status: &str) -> bool {
    let told: serde_json::Value = serde_json::from_str(status).unwrap_or_default();
    !told["open_operation"].is_null()
}
