//! Times on pages: how long ago, and the exact one beside it.
//!
//! Owns: the words. Never: asks the clock.

use crate::clock;
use jiff::Timestamp;

/// A time, relative to now and exact; both empty where there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct When {
    pub(crate) exact: String,
    pub(crate) shown: String,
}

impl When {
    /// Of milliseconds since the epoch.
    pub(crate) fn at(ms: i64, now_ms: i64) -> Self {
        Self {
            exact: clock::written(ms),
            shown: ago(now_ms.saturating_sub(ms) / 1000),
        }
    }

    /// Of a time as documents write it.
    pub(crate) fn read(text: &str, now_ms: i64) -> Self {
        seconds(text).map_or_else(Self::default, |at| {
            Self::at(at.saturating_mul(1000), now_ms)
        })
    }
}

/// Seconds since the epoch of a time as documents write it.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

fn ago(seconds: i64) -> String {
    match seconds {
        ..-60 => "at a time that has not come".to_owned(),
        -60..0 => "just now".to_owned(),
        0..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}
