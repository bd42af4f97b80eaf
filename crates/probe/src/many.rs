//! Many targets at once, within a budget of connections.
//!
//! Owns: who is looked at when: never more connections than the budget allows, in all and to one
//! host, because a mail server may well refuse a client that comes often. Never: a thread for
//! each target; judges.

use crate::driver::{StageSeen, probe_told};
use crate::parallel::by_threads;
use crate::target::Target;
use postseal_planner::report::Report;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How much may go on at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Connections in all.
    pub at_once: usize,
    /// Connections to one IP address, whatever the port.
    pub per_address: usize,
    /// The time for one target, from its own beginning.
    pub deadline: Duration,
}

/// Looks at every target, up to sixteen at a time, each within `deadline` of its own beginning;
/// reports in the targets' order.
pub fn probe_all(targets: &[Target], deadline: Duration) -> Vec<Report> {
    const PARALLEL: usize = 16;
    let budget = Budget {
        at_once: PARALLEL,
        per_address: PARALLEL,
        deadline,
    };
    probe_within(targets, budget, &|_| {})
}

/// The same within a budget. `seen` is told how many are done, after each.
pub fn probe_within(
    targets: &[Target],
    budget: Budget,
    seen: &(dyn Fn(usize) + Sync),
) -> Vec<Report> {
    let done = AtomicUsize::new(0);
    probe_each(targets, budget, &|_, news| {
        if matches!(news, News::Done(_)) {
            seen(done.fetch_add(1, Ordering::Relaxed) + 1);
        }
    })
}

/// What happens while many targets are looked at.
#[derive(Clone, Copy, Debug)]
pub enum News<'n> {
    /// A stage of one ended.
    Stage(StageSeen<'n>),
    /// One was looked at.
    Done(&'n Report),
}

/// The same. `told` hears, by the target's place, of each stage as it ends and of each that is
/// done; in any order among the targets.
pub fn probe_each(
    targets: &[Target],
    budget: Budget,
    told: &(dyn Fn(usize, News<'_>) + Sync),
) -> Vec<Report> {
    let queue = Queue::new(targets, budget.per_address.max(1));
    let work = || {
        while let Some(place) = queue.take() {
            let mut stage = |seen: StageSeen<'_>| told(place, News::Stage(seen));
            let look = |one| probe_told(one, budget.deadline, &mut stage);
            let report = targets.get(place).map(look);
            if let Some(report) = &report {
                told(place, News::Done(report));
            }
            queue.put(place, report);
        }
    };
    by_threads(budget.at_once.min(targets.len()), work);
    let state = queue.state.into_inner();
    let mut done = state.unwrap_or_else(PoisonError::into_inner).done;
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, report)| report).collect()
}

/// What is to be looked at, and what is being looked at.
struct Queue<'t> {
    targets: &'t [Target],
    per_address: usize,
    state: Mutex<State>,
    /// A host has room again.
    freed: Condvar,
}

#[derive(Default)]
struct State {
    /// Places of targets whose host has no connection too many; they are taken in order.
    ready: BTreeSet<usize>,
    /// Places of those that wait for their host, in order.
    waiting: BTreeMap<IpAddr, BTreeSet<usize>>,
    /// Connections to each host: those under way, and those that `ready` stands for.
    promised: BTreeMap<IpAddr, usize>,
    done: Vec<(usize, Report)>,
}

impl<'t> Queue<'t> {
    fn new(targets: &'t [Target], per_address: usize) -> Self {
        let mut state = State::default();
        for (place, target) in targets.iter().enumerate() {
            let host = target.address.ip();
            let promised = state.promised.entry(host).or_default();
            if *promised < per_address {
                *promised += 1;
                state.ready.insert(place);
            } else {
                state.waiting.entry(host).or_default().insert(place);
            }
        }
        Self {
            targets,
            per_address,
            state: Mutex::new(state),
            freed: Condvar::new(),
        }
    }

    /// The next place; waits where all that is left waits for a host. `None` at the end.
    fn take(&self) -> Option<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(place) = state.ready.pop_first() {
                return Some(place);
            }
            if state.waiting.is_empty() {
                return None;
            }
            let woken = self.freed.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Notes a report and hands the host's room on.
    fn put(&self, place: usize, report: Option<Report>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(target) = self.targets.get(place) {
            state.hand_on(target.address.ip(), self.per_address);
        }
        state.done.extend(report.map(|report| (place, report)));
        self.freed.notify_all();
    }
}

impl State {
    fn hand_on(&mut self, host: IpAddr, per_address: usize) {
        let promised = self.promised.entry(host).or_default();
        *promised = promised.saturating_sub(1);
        let Some(waiting) = self.waiting.get_mut(&host) else {
            return;
        };
        while *promised < per_address
            && let Some(place) = waiting.pop_first()
        {
            *promised += 1;
            self.ready.insert(place);
        }
        if waiting.is_empty() {
            self.waiting.remove(&host);
        }
    }
}

#[cfg(test)]
mod tests;
