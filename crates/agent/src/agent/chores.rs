//! What is due by the clock.
//!
//! Owns: that the folders of ACME clients are watched, that renewals are asked for every hour, and that the state is
//! looked at for those who are told by mail. Never: decides whether a renewal's time has come (`cert renew` does), or
//! what is told (`notify check` does).

use super::AgentError;
use crate::child::{Program, Running};
use postseal_planner::task::Task;
use postseal_store::StoreError;
use postseal_store::desk::{Clerk, NewJob};
use std::time::{Duration, Instant};

/// Who files what is due.
const TIMER: &str = "agent (timer)";
/// How often renewals are asked for, milliseconds.
const HOUR_MS: i64 = 3_600_000;
/// A watch that has ended, as where no folder is remembered, begins again no sooner.
const REST: Duration = Duration::from_secs(15);

#[derive(Default)]
pub(super) struct Chores {
    watch: Option<Running>,
    watched: Option<Instant>,
    /// The last hour in which renewals were asked for.
    hour: Option<i64>,
    look: Option<Running>,
    looked: Option<Instant>,
}

impl Chores {
    pub(super) fn step(
        &mut self,
        clerk: &mut dyn Clerk,
        program: &Program,
        instance: &str,
        now_ms: i64,
    ) -> Result<Result<(), StoreError>, AgentError> {
        self.keep_watching(program)?;
        let hour = now_ms.div_euclid(HOUR_MS);
        if self.hour == Some(hour) {
            return Ok(Ok(()));
        }
        let Some(job) = renewal(instance, now_ms, hour) else {
            return Ok(Ok(()));
        };
        let filed = clerk.due(&job);
        if filed.is_ok() {
            self.hour = Some(hour);
        }
        Ok(filed)
    }

    /// Where nobody is told, once: what was told before is forgotten, and no base when somebody is told again.
    pub(super) fn look(
        &mut self,
        program: &Program,
        every: Option<Duration>,
    ) -> Result<(), AgentError> {
        if let Some(look) = &mut self.look {
            look.told();
            if look.ended().map_err(AgentError::Start)?.is_some() {
                self.look = None;
            }
            return Ok(());
        }
        let is_due = match (self.looked, every) {
            (None, _) => true,
            (Some(last), Some(every)) => last.elapsed() > every,
            (Some(_), None) => false,
        };
        if is_due {
            self.looked = Some(Instant::now());
            self.look = Some(program.notify().map_err(AgentError::Start)?);
        }
        Ok(())
    }

    fn keep_watching(&mut self, program: &Program) -> Result<(), AgentError> {
        if let Some(watch) = &mut self.watch {
            if watch.ended().map_err(AgentError::Start)?.is_some() {
                self.watch = None;
            }
            return Ok(());
        }
        if self.watched.is_none_or(|last| last.elapsed() > REST) {
            self.watched = Some(Instant::now());
            self.watch = Some(program.watch().map_err(AgentError::Start)?);
        }
        Ok(())
    }
}

/// The renewals of an hour: an agent that starts again within it asks no second time.
fn renewal(instance: &str, now_ms: i64, hour: i64) -> Option<NewJob> {
    let renew = Task::CertRenew {
        names: Vec::new(),
        force: false,
    };
    Some(NewJob {
        instance: instance.to_owned(),
        actor: TIMER.to_owned(),
        filed_ms: now_ms,
        task: serde_json::to_string(&renew).ok()?,
        request: Some(format!("{instance} renew {hour}")),
    })
}
