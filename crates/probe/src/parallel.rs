//! A few jobs at the same time.
//!
//! Owns: that, and their order. Never: knows what they do.

use std::sync::{Mutex, PoisonError};
use std::thread;

/// Has `threads` threads do the same work, this one among them.
pub(crate) fn by_threads(threads: usize, work: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 1..threads {
            // Where no thread is to be had, those that run do the work; this one always does.
            let _ = thread::Builder::new().spawn_scoped(scope, &work);
        }
        work();
    });
}

/// One job.
pub(crate) type Job<'j, T> = Box<dyn FnOnce() -> T + Send + 'j>;

/// Does the jobs, up to `at_once` at a time, begun in their order; results in that order.
pub(crate) fn together<T: Send>(jobs: Vec<Job<'_, T>>, at_once: usize) -> Vec<T> {
    let threads = at_once.min(jobs.len());
    let queue = Mutex::new(jobs.into_iter().enumerate());
    let done = Mutex::new(Vec::new());
    let work = || {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((place, job)) = next else { break };
            let result = job();
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((place, result));
        }
    };
    by_threads(threads, work);
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}
