//! Seconds, and how they read.

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
