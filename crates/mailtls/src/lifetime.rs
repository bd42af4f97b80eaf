//! How old a certificate is, by the share of its lifetime.
//!
//! Owns: when it is due, when it is urgent, and at which second to renew it. Never: reads a clock
//! or draws a number.
//!
//! Shares serve certificates of 6, 47, 90 and 398 days alike; limits keep a certificate of ten
//! years from being due for three of them.

use serde::{Deserialize, Serialize};

const DAY: i64 = 86_400;
/// Ten-year certificates would else be due for three years.
const DUE_AT_MOST: i64 = 45 * DAY;
const URGENT_AT_MOST: i64 = 7 * DAY;
/// Below this a third is too little time for a second try; half of the life is left instead.
const SHORT_LIVED: i64 = 10 * DAY;

/// How far a certificate's life has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Its time has not come.
    NotYetValid,
    /// Enough is left.
    Fine,
    /// A third of its life is left, or less: renewal should have happened.
    Due,
    /// A tenth is left, or less: somebody must look at it.
    Urgent,
    /// Its time is over.
    Expired,
}

/// The stage of a certificate with these dates; all in seconds since 1970.
pub const fn stage(not_before: i64, not_after: i64, now: i64) -> Stage {
    let left = not_after.saturating_sub(now);
    let [due, urgent] = limits(not_before, not_after);
    match () {
        () if left < 0 => Stage::Expired,
        () if now < not_before => Stage::NotYetValid,
        () if left < urgent => Stage::Urgent,
        () if left < due => Stage::Due,
        () => Stage::Fine,
    }
}

/// With fewer seconds left than these a certificate is due, and urgent.
pub const fn limits(not_before: i64, not_after: i64) -> [i64; 2] {
    let life = not_after.saturating_sub(not_before);
    [
        least(life / 3, DUE_AT_MOST),
        least(life / 10, URGENT_AT_MOST),
    ]
}

/// When the CA asks for the renewal (RFC 9773, `suggestedWindow`); seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// From here on.
    pub start: i64,
    /// Up to here, not included.
    pub end: i64,
}

/// When to renew: a second of the CA's window where it names a sensible one, else at a third of
/// the life left (half of it below ten days), or up to a twentieth of the life earlier. The same
/// seed gives the same second, so that a restart changes nothing; different seeds spread the load.
pub fn renew_at(not_before: i64, not_after: i64, window: Option<Window>, seed: u64) -> i64 {
    let sensible = |window: &Window| window.start < window.end && window.start < not_after;
    if let Some(window) = window.filter(sensible) {
        // A window that ends after the certificate does would leave a hole.
        let end = window.end.min(not_after);
        return window.start + share(seed, end.saturating_sub(window.start));
    }
    let life = not_after.saturating_sub(not_before).max(0);
    let left = match life {
        short if short < SHORT_LIVED => short / 2,
        life => least(life / 3, DUE_AT_MOST),
    };
    let jitter = share(seed, least(life / 20, DUE_AT_MOST / 3));
    not_after.saturating_sub(left.saturating_add(jitter))
}

/// A number below `below` that looks random; 0 where there is none.
fn share(seed: u64, below: i64) -> i64 {
    // SplitMix64's finaliser: neighbouring seeds (counters) come to lie far apart.
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let below = u64::try_from(below).unwrap_or(0);
    i64::try_from(mixed.checked_rem(below).unwrap_or(0)).unwrap_or(0)
}

const fn least(a: i64, b: i64) -> i64 {
    if a < b { a } else { b }
}

#[cfg(test)]
mod tests;
