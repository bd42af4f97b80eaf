//! Time that stands still until somebody sleeps.

use postseal_engine::Clock;
use std::cell::Cell;
use std::time::Duration;

/// When every story begins, in milliseconds since the epoch: 1 Dec 2026.
pub(crate) const START: i64 = 1_796_083_200_000;

#[derive(Debug)]
pub(crate) struct FixedClock(Cell<i64>);

impl FixedClock {
    pub(crate) fn new() -> Self {
        Self(Cell::new(START))
    }

    /// Somebody sets it, forward or back.
    #[allow(dead_code, reason = "for the stories of renewals")]
    pub(crate) fn jump(&self, ms: i64) {
        self.0.set(self.0.get() + ms);
    }

    pub(crate) fn pass(&self, time: Duration) {
        let ms = i64::try_from(time.as_millis()).unwrap();
        self.0.set(self.0.get() + ms);
    }
}

impl Clock for FixedClock {
    fn now_ms(&self) -> i64 {
        self.0.get()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.get()).unwrap())
    }

    fn sleep(&self, duration: Duration) {
        self.pass(duration.max(Duration::from_millis(1)));
    }
}
