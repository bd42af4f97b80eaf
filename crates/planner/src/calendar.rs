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
mod tests {
    use super::{day, moment};

    #[test]
    fn every_second_that_a_certificate_can_name_is_a_date() {
        for (unix, said) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_803_105_000, "2027-02-20T06:30:00Z"),
            (-631_152_000, "1950-01-01T00:00:00Z"),
            // The last timestamp, and what lies beyond it.
            (253_402_207_200, "9999-12-30T22:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (i64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(moment(unix), said);
            assert_eq!(day(unix), said[..10]);
        }
        assert!(!moment(i64::MIN).is_empty());
    }
}
