//! The one clock of the house.
//!
//! Owns: now, and waiting. Never: decides what time means. Everything below the engine gets
//! `now` as an argument, so that tests can stop time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time, and the passing of it.
pub trait Clock {
    /// Milliseconds since the epoch.
    fn now_ms(&self) -> i64;

    /// A rising time for deadlines and durations.
    fn monotonic(&self) -> Duration;

    /// Waits.
    fn sleep(&self, duration: Duration);

    /// Seconds since the epoch.
    fn now_unix(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }
}

/// The system's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}
