//! Lives of 1 hour to 100 years.

use super::*;
use proptest::prelude::*;

const START: i64 = 1_800_000_000;

/// The stage of a certificate of so many days when so many are left.
fn left(days: i64, life: i64) -> Stage {
    stage(START, START + life * DAY, START + (life - days) * DAY)
}

#[test]
fn stages_follow_the_share_that_is_left() {
    for (life, fine, due, urgent) in [
        (90, 30, 29, 6),
        (47, 16, 15, 4),
        (30, 10, 9, 2),
        (398, 45, 44, 6),
        (3650, 45, 44, 6),
    ] {
        assert_eq!(left(fine, life), Stage::Fine, "{life}");
        assert_eq!(left(due, life), Stage::Due, "{life}");
        assert_eq!(left(urgent, life), Stage::Urgent, "{life}");
    }
    assert_eq!(left(9, 90), Stage::Due);
    assert_eq!((left(7, 398), left(0, 90)), (Stage::Due, Stage::Urgent));
    assert_eq!(
        (left(-1, 90), left(91, 90)),
        (Stage::Expired, Stage::NotYetValid)
    );
    assert_eq!(stage(START, START - 1, START), Stage::Expired);
}

#[test]
fn renewal_comes_before_anybody_is_warned() {
    for life in [1, 6, 30, 47, 90, 398, 3650, 36_500] {
        let (start, end) = (START, START + life * DAY);
        for seed in 0..200 {
            let at = renew_at(start, end, None, seed);
            assert_eq!(stage(start, end, at), Stage::Fine, "{life} {seed}");
            let used = at - start;
            assert!(used >= life * DAY * 9 / 20 - 1, "{life} {seed}: {used}");
        }
    }
}

#[test]
fn seeds_spread_the_load_and_are_kept() {
    let at = |seed| renew_at(START, START + 90 * DAY, None, seed);
    assert_eq!(at(7), at(7));
    let hours: std::collections::BTreeSet<i64> = (0..1000).map(|seed| at(seed) / 3600).collect();
    assert!(hours.len() > 90, "{}", hours.len());
}

#[test]
fn the_window_of_the_ca_goes_first_where_it_makes_sense() {
    let (start, end) = (START, START + 90 * DAY);
    let at = |from: i64, to: i64, seed| {
        let window = Window {
            start: START + from * DAY,
            end: START + to * DAY,
        };
        (renew_at(start, end, Some(window), seed) - START) as f64 / DAY as f64
    };
    let plain = |seed| (renew_at(start, end, None, seed) - START) as f64 / DAY as f64;
    for seed in 0..100 {
        assert!((50.0..52.0).contains(&at(50, 52, seed)));
        // Revoked, or about to be: the window lies in the past.
        assert!(at(-2, -1, seed) < 0.0);
        assert!((80.0..90.0).contains(&at(80, 200, seed)));
        assert_eq!(at(52, 50, seed), plain(seed));
        assert_eq!(at(52, 52, seed), plain(seed));
        assert_eq!(at(91, 95, seed), plain(seed));
    }
}

proptest! {
    #[test]
    fn never_panics(a in any::<i64>(), b in any::<i64>(), now in any::<i64>(), window in prop::option::of((any::<i64>(), any::<i64>())), seed in any::<u64>()) {
        let _ = stage(a, b, now);
        let window = window.map(|(start, end)| Window { start, end });
        let _ = renew_at(a, b, window, seed);
    }
}
