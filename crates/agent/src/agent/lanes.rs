//! Which job may begin.
//!
//! Owns: the order: what changes anything goes one after the other, as it was filed; what only looks goes
//! beside it. Never: starts one.

use crate::child::{Ended, Running};
use postseal_planner::task::{Effect, Task};
use postseal_store::desk::Job;
use std::collections::VecDeque;

/// How many may look at once.
const LOOKING: usize = 3;

/// A job that is being carried out.
pub(super) struct Work {
    pub(super) job: Job,
    pub(super) task: Task,
    pub(super) running: Running,
    /// How many events were told.
    pub(super) events: u64,
    /// How it ended, until the desk has it.
    pub(super) ended: Option<Ended>,
}

impl Work {
    pub(super) fn new(job: Job, task: Task, running: Running) -> Self {
        Self {
            job,
            task,
            running,
            events: 0,
            ended: None,
        }
    }

    fn looks(&self) -> bool {
        self.task.effect() == Effect::Look
    }
}

/// The jobs in hand.
#[derive(Default)]
pub(super) struct Lanes {
    held: VecDeque<(Job, Task)>,
    running: Vec<Work>,
}

impl Lanes {
    pub(super) fn len(&self) -> usize {
        self.held.len() + self.running.len()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.len() == 0
    }

    /// Whether one is at work that does not only look.
    pub(super) fn is_changing(&self) -> bool {
        !self.running.iter().all(Work::looks)
    }

    pub(super) fn take(&mut self, job: Job, task: Task) {
        self.held.push_back((job, task));
    }

    pub(super) fn begin(&mut self, work: Work) {
        self.running.push(work);
    }

    pub(super) fn running(&mut self) -> impl Iterator<Item = &mut Work> {
        self.running.iter_mut()
    }

    pub(super) fn take_ended(&mut self) -> Vec<Work> {
        self.running
            .extract_if(.., |work| work.ended.is_some())
            .collect()
    }

    /// The next job that may begin now.
    pub(super) fn next(&mut self) -> Option<(Job, Task)> {
        let looking = self.running.iter().filter(|work| work.looks()).count();
        let may_look = looking < LOOKING;
        let may_change = looking == self.running.len();
        let place = self.held.iter().position(|(_, task)| match task.effect() {
            Effect::Look => may_look,
            Effect::Wish | Effect::Change => may_change,
        })?;
        self.held.remove(place)
    }

    /// Wants a job to end: one that runs is interrupted, one that is held is given back.
    pub(super) fn cancel(&mut self, id: u64) -> Option<u64> {
        if let Some(work) = self.running.iter().find(|work| work.job.id == id) {
            work.running.interrupt();
        }
        let place = self.held.iter().position(|(job, _)| job.id == id)?;
        self.held.remove(place).map(|(job, _)| job.id)
    }
}
