//! Clocks, windows and failures, as tables.

use super::*;
use crate::renewal::{Method, NextKey, Renewal, Way};
use mailtls::Fingerprint;

const NOW: i64 = 1_800_000_000;

/// An instance that presents the newest version, and one that does not.
const HERE: Here<'static> = Here {
    instance: "/etc/postfix",
    presents: Presents::Newest,
};
const BEHIND: Here<'static> = Here {
    presents: Presents::Older,
    ..HERE
};

fn life(days: i64, left: i64) -> Life {
    Life {
        of: Fingerprint::of(b"one"),
        not_before: NOW - (days - left) * DAY,
        not_after: NOW + left * DAY,
    }
}

fn failure() -> Failure {
    Failure {
        code: "acme.challenge-failed".into(),
        message: "mx failed http-01".into(),
        remedy: "open port 80".into(),
        at: NOW,
        of: None,
        mend: Mend::Itself,
    }
}

/// A version that could not be put in force.
fn undeployed(life: &Life) -> Failure {
    Failure {
        of: Some(life.of),
        ..failure()
    }
}

fn moment(now: i64, chance: u64) -> Moment {
    Moment { now, chance }
}

/// A renewal whose moment has been drawn.
fn drawn(life: &Life) -> Progress {
    let mut progress = Progress::default();
    progress.choose(life, 7);
    progress
}

#[test]
fn due_by_the_share_of_life_that_is_left() {
    // Days of life, days left, due: a third of the life is left at the latest, a third and a
    // twentieth of the whole at the earliest; half of it below ten days; 45 days at most.
    let cases = [
        (90, 60, false),
        (90, 36, false),
        (90, 29, true),
        (47, 25, false),
        (47, 14, true),
        (6, 4, false),
        (6, 2, true),
        (398, 70, false),
        (398, 44, true),
        (90, 1, true),
        (90, -5, true),
    ];
    for (days, left, due) in cases {
        let life = life(days, left);
        let decided = drawn(&life).decide(&life, HERE, NOW);
        assert_eq!(
            decided == Decision::Order,
            due,
            "{days} {left}: {decided:?}"
        );
        if let Decision::NotDue { at } = decided {
            assert!(at > NOW && at < life.not_after);
        }
    }
}

#[test]
fn the_moment_is_drawn_once_for_a_certificate_and_a_window() {
    let life = life(90, 80);
    let mut progress = Progress::default();
    progress.choose(&life, 1);
    let first = progress.due_at(&life);
    for chance in 2..20 {
        progress.choose(&life, chance);
        assert_eq!(progress.due_at(&life), first);
    }
    let spread: std::collections::BTreeSet<i64> = (0..20)
        .map(|chance| {
            let mut other = Progress::default();
            other.choose(&life, chance);
            other.due_at(&life)
        })
        .collect();
    assert!(spread.len() > 10, "{spread:?}");
    // The CA names a window, then another one.
    for (start, end) in [(NOW + DAY, NOW + 3 * DAY), (NOW - 3 * DAY, NOW - DAY)] {
        let window = Window { start, end };
        progress.answered(&life, said(window), NOW);
        progress.choose(&life, 5);
        let at = progress.due_at(&life);
        assert!((start..end).contains(&at));
        progress.choose(&life, 6);
        assert_eq!(progress.due_at(&life), at);
    }
    assert_eq!(progress.decide(&life, HERE, NOW), Decision::Order);
    // Another certificate: neither window nor moment are its.
    let next = Life {
        of: Fingerprint::of(b"two"),
        ..life
    };
    assert!(matches!(
        progress.decide(&next, HERE, NOW),
        Decision::NotDue { .. }
    ));
}

fn said(window: Window) -> Answer {
    Answer::Window {
        window,
        explanation: None,
        after: 6 * HOUR,
    }
}

#[test]
fn a_ca_is_asked_again_when_it_said_within_limits() {
    let life = life(90, 80);
    let mut progress = Progress::default();
    assert!(progress.asks(&life, NOW));
    // What it said, and after how long it is asked again.
    let window = Window {
        start: NOW,
        end: NOW + DAY,
    };
    for (after, again) in [
        (6 * HOUR, 6 * HOUR),
        (0, MINUTE),
        (-5, MINUTE),
        (i64::MAX, DAY),
    ] {
        let answer = Answer::Window {
            window,
            explanation: None,
            after,
        };
        progress.answered(&life, answer, NOW);
        assert!(!progress.asks(&life, NOW + again - 1), "{after}");
        assert!(progress.asks(&life, NOW + again), "{after}");
    }
    // Silence keeps what is known.
    progress.answered(&life, Answer::Silence, NOW + DAY);
    assert_eq!(progress.asked.as_ref().unwrap().window, Some(window));
    assert!(!progress.asks(&life, NOW + DAY + MINUTE));
    progress.answered(&life, Answer::NoWindow, NOW + 2 * DAY);
    assert_eq!(progress.asked.as_ref().unwrap().window, None);
    assert!(!progress.asks(&life, NOW + 2 * DAY + HOUR));
    // The clock was ahead when it was asked.
    assert!(progress.asks(&life, NOW));
    let next = Life {
        of: Fingerprint::of(b"two"),
        ..life
    };
    assert!(progress.asks(&next, NOW + 2 * DAY + HOUR));
}

#[test]
fn each_failure_doubles_the_pause_up_to_a_day() {
    let life = life(90, 20);
    let mut progress = drawn(&life);
    let mut now = NOW;
    for hours in [1, 2, 4, 8, 16, 24, 24, 24] {
        progress.failed(failure(), None, &life, moment(now, 0));
        let until = now + hours * HOUR;
        assert_eq!(
            progress.decide(&life, HERE, now),
            Decision::HeldBack { until }
        );
        assert_eq!(
            progress.decide(&life, HERE, until - 1),
            Decision::HeldBack { until }
        );
        assert_eq!(progress.decide(&life, HERE, until), Decision::Order);
        now = until;
    }
    assert_eq!(progress.failures, 8);
    // Chance adds a quarter at most; a certificate of days is not held back for one.
    for chance in [1, u64::MAX, 12_345_678_901] {
        let mut progress = drawn(&life);
        progress.failed(failure(), None, &life, moment(NOW, chance));
        let wait = progress.not_before.unwrap() - NOW;
        assert!((HOUR..HOUR + HOUR / 4).contains(&wait), "{wait}");
    }
    let short = super::tests::life(1, 0);
    let mut progress = drawn(&short);
    for _ in 0..40 {
        progress.failed(failure(), None, &short, moment(NOW, 0));
    }
    assert_eq!(progress.not_before, Some(NOW + 72 * MINUTE));
}

#[test]
fn a_ca_that_asks_for_patience_gets_it_but_not_for_ever() {
    let life = life(90, 20);
    // Retry-After in seconds from now, and what becomes of it.
    for (asked, held) in [
        (3 * DAY, 3 * DAY),
        (5 * HOUR, 5 * HOUR),
        (60, HOUR),
        (-100 * DAY, HOUR),
        (3650 * DAY, 7 * DAY),
        (i64::MAX - NOW, 7 * DAY),
    ] {
        let mut progress = drawn(&life);
        progress.failed(failure(), Some(NOW + asked), &life, moment(NOW, 0));
        assert_eq!(progress.held_back(NOW), Some(NOW + held), "{asked}");
        assert_eq!(progress.decide(&life, HERE, NOW + held), Decision::Order);
    }
}

#[test]
fn a_clock_that_jumps_neither_blocks_nor_hammers() {
    let life = life(90, 20);
    // It was years ahead at the last attempt: one attempt now, then a pause as after any.
    let mut progress = drawn(&life);
    progress.failed(failure(), None, &life, moment(NOW + 3650 * DAY, 0));
    assert_eq!(progress.decide(&life, HERE, NOW), Decision::Order);
    progress.failed(failure(), None, &life, moment(NOW, 0));
    assert!(matches!(
        progress.decide(&life, HERE, NOW + MINUTE),
        Decision::HeldBack { .. }
    ));
    // Put right by seconds: no jump.
    assert!(matches!(
        progress.decide(&life, HERE, NOW - 10),
        Decision::HeldBack { .. }
    ));
    // It jumps far ahead: one attempt.
    let ahead = NOW + 3650 * DAY;
    assert_eq!(progress.decide(&life, HERE, ahead), Decision::Order);
    progress.failed(failure(), None, &life, moment(ahead, 0));
    assert!(matches!(
        progress.decide(&life, HERE, ahead + MINUTE),
        Decision::HeldBack { .. }
    ));
    // In 1970, before the time is known, nothing is due, and the moment that was drawn stays.
    let drawn = drawn(&life);
    assert!(
        matches!(drawn.decide(&life, HERE, 0), Decision::NotDue { at } if at == drawn.due_at(&life))
    );
    // What a CA issued looks old to a clock that is ahead: not ordered again and again.
    let mut progress = drawn.clone();
    let fresh = super::tests::life(90, 90);
    progress.issued(&fresh, moment(NOW + 80 * DAY, 0));
    progress.deployed(&fresh, HERE.instance);
    let now = NOW + 80 * DAY + HOUR;
    assert!(matches!(
        progress.decide(&fresh, HERE, now),
        Decision::NotDue { at } if at == NOW + 81 * DAY
    ));
    // And the clock back where it belongs.
    assert!(matches!(
        progress.decide(&fresh, HERE, NOW),
        Decision::NotDue { .. }
    ));
}

#[test]
fn a_new_version_is_deployed_until_it_is() {
    let old = life(90, 20);
    let mut progress = drawn(&old);
    progress.failed(failure(), None, &old, moment(NOW, 0));
    let new = Life {
        of: Fingerprint::of(b"two"),
        ..life(90, 90)
    };
    progress.issued(&new, moment(NOW, 3));
    assert_eq!((progress.failures, &progress.failure), (0, &None));
    assert_eq!(progress.decide(&new, BEHIND, NOW), Decision::Deploy);
    // Something passing: again at the next start. Something else: after a pause.
    progress.postponed(failure());
    assert_eq!(progress.decide(&new, BEHIND, NOW), Decision::Deploy);
    progress.failed(failure(), None, &new, moment(NOW, 0));
    assert!(matches!(
        progress.decide(&new, BEHIND, NOW),
        Decision::HeldBack { .. }
    ));
    assert_eq!(progress.decide(&new, BEHIND, NOW + HOUR), Decision::Deploy);
    progress.deployed(&new, BEHIND.instance);
    assert_eq!(progress.failure, None);
    assert!(matches!(
        progress.decide(&new, BEHIND, NOW + 2 * DAY),
        Decision::NotDue { .. }
    ));
    // Gone back to by hand, it stays; another instance of the same store is still to come.
    let elsewhere = Here {
        instance: "/etc/postfix-out",
        ..BEHIND
    };
    assert_eq!(progress.decide(&new, elsewhere, NOW), Decision::Deploy);
    progress.deployed(&new, elsewhere.instance);
    assert!(!progress.waits(&new, elsewhere) && !progress.waits(&new, BEHIND));
    let third = Life {
        of: Fingerprint::of(b"three"),
        ..new
    };
    progress.issued(&third, moment(NOW, 3));
    assert!(progress.waits(&third, elsewhere) && progress.waits(&third, BEHIND));
    assert!(!progress.waits(&third, HERE));
}

/// What somebody binds and applies is in force, and what somebody deletes is not there: neither has
/// to be told to the renewal.
#[test]
fn a_failure_to_present_is_over_when_what_is_in_force_says_so() {
    let new = life(90, 90);
    let unbound = Here {
        presents: Presents::Nothing,
        ..HERE
    };
    let mut failed = drawn(&new);
    failed.failed(undeployed(&new), None, &new, moment(NOW, 0));
    let settled = |of: &Life, here: Here<'_>| {
        let mut progress = failed.clone();
        progress.settle(of, here);
        progress
    };
    assert_eq!(settled(&new, BEHIND), failed);
    let held_back = Decision::HeldBack { until: NOW + HOUR };
    assert_eq!(failed.decide(&new, BEHIND, NOW), held_back);
    for here in [HERE, unbound] {
        let over = settled(&new, here);
        assert_eq!((over.failures, &over.failure), (0, &None));
        let decided = over.decide(&new, here, NOW);
        assert!(
            matches!(decided, Decision::NotDue { at } if at > NOW + DAY),
            "{decided:?}"
        );
    }
    // Gone back to by hand after somebody had put it in force, the older one stays.
    let mut bound = settled(&new, HERE);
    assert!(!bound.waits(&new, BEHIND));
    bound.settle(&new, BEHIND);
    assert_eq!(bound.failure, None);
    // Where nothing was presented, it is still to come.
    assert!(settled(&new, unbound).waits(&new, BEHIND));
    // Deleted: the older one is the newest again, and is renewed when its time comes.
    let old = Life {
        of: Fingerprint::of(b"old"),
        ..life(90, 20)
    };
    let dropped = settled(&old, HERE);
    assert_eq!((dropped.failures, &dropped.failure), (0, &None));
    assert_eq!(dropped.decide(&old, HERE, NOW + HOUR), Decision::Order);
    // A CA that refused is no matter of what is in force.
    let mut refused = drawn(&new);
    refused.failed(failure(), None, &new, moment(NOW, 0));
    let before = refused.failure.clone();
    refused.settle(&new, HERE);
    assert_eq!((refused.failures, refused.failure), (1, before));
}

#[test]
fn a_failure_by_force_is_forgotten_once_it_does_not_matter() {
    let life = life(90, 80);
    let mut progress = drawn(&life);
    let calm = progress.clone();
    progress.failed(failure(), None, &life, moment(NOW, 0));
    assert!(matches!(
        progress.decide(&life, HERE, NOW),
        Decision::HeldBack { .. }
    ));
    assert!(matches!(
        progress.decide(&life, HERE, NOW + HOUR),
        Decision::NotDue { .. }
    ));
    progress.forget_failure();
    let last_attempt = Some(NOW);
    assert_eq!(
        progress,
        Progress {
            last_attempt,
            ..calm
        }
    );
}

#[test]
fn extreme_times_are_survived() {
    let extremes = [
        i64::MIN,
        i64::MIN + 1,
        -1,
        0,
        1,
        NOW,
        i64::MAX - 1,
        i64::MAX,
    ];
    for not_before in extremes {
        for not_after in extremes {
            for now in extremes {
                let life = Life {
                    of: Fingerprint::of(b"one"),
                    not_before,
                    not_after,
                };
                let mut progress = drawn(&life);
                let _ = progress.decide(&life, HERE, now);
                progress.failed(failure(), Some(not_after), &life, moment(now, u64::MAX));
                let _ = progress.decide(&life, HERE, not_before);
                progress.answered(&life, Answer::Silence, now);
                let _ = progress.asks(&life, not_after);
                progress.issued(&life, moment(now, 1));
                let _ = progress.decide(&life, HERE, now);
            }
        }
    }
}

#[test]
fn it_is_kept_as_json_and_told_in_words() {
    let ways = [
        (Way::Http { addresses: vec![] }, "http-01 on port 80"),
        (
            Way::Http {
                addresses: vec!["127.0.0.1:5002".parse().unwrap()],
            },
            "http-01 on 127.0.0.1:5002",
        ),
        (
            Way::Webroot {
                folder: "/var/www".into(),
            },
            "http-01 in /var/www",
        ),
        (
            Way::Hook {
                program: "/etc/hook".into(),
            },
            "dns-01 by /etc/hook",
        ),
        (
            Way::Update {
                server: "[::1]:53".parse().unwrap(),
                key_file: "/etc/key".into(),
            },
            "dns-01 by updates of [::1]:53, key in /etc/key",
        ),
    ];
    for (way, words) in ways {
        assert_eq!(way.to_string(), words);
        let life = life(90, 20);
        let mut progress = drawn(&life);
        progress.failed(failure(), None, &life, moment(NOW, 0));
        progress.answered(&life, Answer::NoWindow, NOW);
        let renewal = Renewal {
            name: "mx".into(),
            method: Method {
                directory: "https://ca.test/dir".into(),
                roots_pem: None,
                names: vec!["mx.test".into()],
                key_type: "ecdsa-p256".into(),
                key: NextKey::Reused,
                way,
            },
            progress,
        };
        let text = serde_json::to_string(&renewal).unwrap();
        assert_eq!(serde_json::from_str::<Renewal>(&text).unwrap(), renewal);
    }
}

#[test]
fn what_can_never_be_put_in_force_is_ordered_again_and_less_often_each_time() {
    let life = life(90, 89);
    let mut progress = drawn(&life);
    let mut now = NOW;
    let mut pauses = Vec::new();
    for times in 1..=4 {
        progress.issued(&life, moment(now, 0));
        assert_eq!(
            progress.decide(&life, BEHIND, now),
            Decision::Deploy,
            "not tried yet"
        );
        let spoilt = Failure {
            mend: Mend::Order,
            ..undeployed(&life)
        };
        progress.failed(spoilt, None, &life, moment(now, 0));
        progress.settle(&life, BEHIND);
        assert_eq!(progress.failures, times);
        let Decision::HeldBack { until } = progress.decide(&life, BEHIND, now) else {
            panic!("{progress:?}");
        };
        assert_eq!(progress.decide(&life, BEHIND, until), Decision::Order);
        pauses.push((until - now) / HOUR);
        now = until;
    }
    assert_eq!(pauses, [1, 2, 4, 8]);
    // A CA that failed before it answered begins anew when it does.
    progress.failed(failure(), None, &life, moment(now, 0));
    progress.issued(&life, moment(now, 0));
    assert_eq!(progress.failures, 0);
    // What is in force in the end, however it came there, was the last of it.
    progress.failed(undeployed(&life), None, &life, moment(now, 0));
    progress.issued(&life, moment(now, 0));
    assert_eq!(progress.failures, 1);
    progress.settle(&life, HERE);
    assert_eq!(progress.failures, 0);
}

#[test]
fn what_ends_too_soon_is_ordered_again_when_it_is_due_itself() {
    let young = life(20, 19);
    let mut progress = drawn(&young);
    let spoilt = |life: &Life| Failure {
        mend: Mend::OrderWhenDue,
        ..undeployed(life)
    };
    progress.failed(spoilt(&young), None, &young, moment(NOW, 0));
    let later = NOW + DAY;
    assert_eq!(progress.decide(&young, BEHIND, later), Decision::Deploy);
    let due = progress.due_at(&young);
    assert_eq!(progress.decide(&young, BEHIND, due), Decision::Order);
}

#[test]
fn only_what_the_ca_may_do_otherwise_is_mended_by_another_order() {
    use crate::{Finding, Severity};
    let of = |codes: &[&'static str]| {
        let findings = codes.iter();
        let findings = findings.map(|code| Finding::new(code, Severity::Error, "", ""));
        crate::renewal::mended_by(&findings.collect::<Vec<_>>())
    };
    for (codes, mend) in [
        (&[][..], Mend::Itself),
        (&["dane.would-break"], Mend::Itself),
        (&["drift.unresolved"], Mend::Itself),
        (&["cert.not-yet-valid"], Mend::Itself),
        (&["dane.would-break", "cert.chain-incomplete"], Mend::Order),
        (&["cert.untrusted"], Mend::Order),
        (&["cert.ends-sooner"], Mend::OrderWhenDue),
        (&["cert.ends-sooner", "cert.name-mismatch"], Mend::Order),
    ] {
        assert_eq!(of(codes), mend, "{codes:?}");
    }
}
