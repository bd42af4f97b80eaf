//! The console's clock.
//!
//! Owns: what time it is, and how a time is written. Never: decides by it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// Today in UTC, `YYYY-MM-DD`.
pub(crate) fn today() -> String {
    let mut now = written(now_ms());
    now.truncate(10);
    now
}

/// A time as RFC 3339 writes it, to the second; empty where it is none.
pub(crate) fn written(ms: i64) -> String {
    jiff::Timestamp::from_second(ms.div_euclid(1000))
        .map(|at| at.to_string())
        .unwrap_or_default()
}
