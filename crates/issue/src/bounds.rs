//! How long something may take, who may stop it, and what time it is.
//!
//! Owns: the deadline of a call, the flag that interrupts it, and the time of day, which was
//! handed in and is carried on by the monotonic clock. Never: reads the time of day.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often a waiting call looks whether it was interrupted.
pub(crate) const GLANCE: Duration = Duration::from_millis(50);

/// The bounds of one call.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<'a> {
    began: Instant,
    until: Instant,
    now: i64,
    interrupted: Option<&'a AtomicBool>,
}

/// Why a call ended before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halt {
    /// Its time was up.
    Deadline,
    /// Somebody asked it to stop.
    Interrupted,
}

impl<'a> Bounds<'a> {
    /// `allowed` from this instant on, `now` being the time in seconds since 1970.
    pub fn new(now: i64, allowed: Duration, interrupted: &'a AtomicBool) -> Self {
        let began = Instant::now();
        Self {
            began,
            until: began + allowed,
            now,
            interrupted: Some(interrupted),
        }
    }

    /// Bounds for putting things in order after the work: a time of its own, not interruptible.
    pub(crate) fn afterwards(&self, allowed: Duration) -> Self {
        let until = Instant::now() + allowed;
        Self {
            until,
            interrupted: None,
            ..*self
        }
    }

    /// The same, but no longer than `allowed` from this instant on.
    pub(crate) fn at_most(&self, allowed: Duration) -> Self {
        let until = self.until.min(Instant::now() + allowed);
        Self { until, ..*self }
    }

    /// The time, in seconds since 1970.
    pub fn now(&self) -> i64 {
        let passed = self.began.elapsed().as_secs();
        self.now
            .saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }

    /// What is left of the time.
    pub fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Whether to go on.
    pub fn check(&self) -> Result<(), Halt> {
        if self
            .interrupted
            .is_some_and(|flag| flag.load(Ordering::Relaxed))
        {
            return Err(Halt::Interrupted);
        }
        match self.left().is_zero() {
            true => Err(Halt::Deadline),
            false => Ok(()),
        }
    }

    /// Sleeps, unless the bounds end first.
    pub(crate) fn sleep(&self, wanted: Duration) -> Result<(), Halt> {
        let end = Instant::now() + wanted;
        loop {
            self.check()?;
            let rest = end.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Ok(());
            }
            std::thread::sleep(rest.min(GLANCE).min(self.left()));
        }
    }
}

#[cfg(test)]
mod tests;
