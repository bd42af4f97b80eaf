//! Moments as dates, in UTC.
//!
//! Owns: how a second since 1970 reads, up to the last one that a certificate can name
//! (`99991231235959Z`, RFC 5280 §4.1.2.5: no end). Never: a clock.

use jiff::SignedDuration;
use jiff::civil::DateTime;

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// `2027-02-20`, of seconds since 1970. What lies beyond the calendar is its first or last day.
pub fn day(unix: i64) -> String {
    civil(unix).strftime("%Y-%m-%d").to_string()
}

/// `2027-02-20 06:30`, of seconds since 1970. What lies beyond the calendar is its first or last minute.
pub fn minute(unix: i64) -> String {
    civil(unix).strftime("%Y-%m-%d %H:%M").to_string()
}

/// `2027-02-20T06:30:00Z`, of seconds since 1970. What lies beyond the calendar is its first or
/// last second.
pub fn moment(unix: i64) -> String {
    civil(unix).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A timestamp would end two hours before the last moment that a certificate can name.
pub(crate) fn civil(unix: i64) -> DateTime {
    EPOCH.saturating_add(SignedDuration::from_secs(unix))
}

#[cfg(test)]
mod tests;
