//! What is told, look by look.

use super::*;

const MINUTE: i64 = 60_000;

fn seen(causes: &[(State, &str)]) -> Seen {
    let causes = causes.iter();
    let causes = causes.map(|(state, about)| Note::new(*state, *about, format!("{about}, seen")));
    Seen {
        causes: causes.collect(),
        news: Vec::new(),
        operation: 4,
    }
}

/// Looks, a minute each; what is told is handed in. Why each look told something, and whether it is critical.
fn told(looks: &[Seen]) -> Vec<Option<(Why, bool)>> {
    let mut notices = Notices::default();
    let mut now = 0;
    let mut all = Vec::new();
    for seen in looks {
        now += MINUTE;
        all.push(look(&mut notices, seen, now));
    }
    all
}

fn look(notices: &mut Notices, seen: &Seen, now: i64) -> Option<(Why, bool)> {
    match decide(notices, seen, now) {
        Decision::Later => None,
        Decision::Silent(base) => {
            notices.base = Some(base);
            None
        }
        Decision::Tell(telling) => {
            notices.begin(now);
            notices.end(mail(telling.kind, now), Some(telling.base));
            Some((telling.why, telling.kind == Kind::Critical))
        }
    }
}

fn mail(kind: Kind, at_ms: i64) -> Mail {
    Mail {
        kind,
        at_ms,
        subject: String::new(),
        to: Vec::new(),
        queue_id: None,
        delivered: Vec::new(),
    }
}

const BROKEN: (State, &str) = (State::Critical, "smtp served.not-valid");
const EDITED: (State, &str) = (State::Warning, "owned keys");

#[test]
fn the_first_look_is_the_base_whatever_it_shows() {
    assert_eq!(told(&[seen(&[BROKEN])]), [None]);
    assert_eq!(told(&[seen(&[BROKEN]), seen(&[BROKEN])]), [None, None]);
}

#[test]
fn a_change_is_told_once_and_its_end_once() {
    let looks = [
        seen(&[]),
        seen(&[BROKEN]),
        seen(&[BROKEN]),
        seen(&[]),
        seen(&[]),
    ];
    let worse = Some((Why::Worse, true));
    let better = Some((Why::Better, true));
    assert_eq!(told(&looks), [None, worse, None, better, None]);
}

#[test]
fn another_cause_is_told_and_one_that_goes_is_not() {
    let both = seen(&[EDITED, (State::Warning, "renewal of mx")]);
    let one = seen(&[EDITED]);
    let cause = Some((Why::Cause, false));
    let looks = [one.clone(), both.clone(), both.clone(), one.clone(), both];
    assert_eq!(told(&looks), [None, cause, None, None, cause]);
    let worse = seen(&[EDITED, BROKEN]);
    let looks = [seen(&[BROKEN]), worse];
    assert_eq!(told(&looks), [None, Some((Why::Cause, false))]);
}

#[test]
fn other_words_for_the_same_are_no_news() {
    let mut later = seen(&[EDITED]);
    later.causes[0].said = "ends in 11 days".to_owned();
    assert_eq!(told(&[seen(&[EDITED]), later]), [None, None]);
}

#[test]
fn what_stays_critical_is_told_again_after_a_day_and_a_warning_is_not() {
    for (cause, expected) in [(BROKEN, Some((Why::Reminder, true))), (EDITED, None)] {
        let mut notices = Notices::default();
        look(&mut notices, &seen(&[]), 0);
        assert!(look(&mut notices, &seen(&[cause]), MINUTE).is_some());
        let day = MINUTE + REMINDER_MS;
        assert_eq!(look(&mut notices, &seen(&[cause]), day - 1), None);
        assert_eq!(look(&mut notices, &seen(&[cause]), day), expected);
        assert_eq!(look(&mut notices, &seen(&[cause]), day + MINUTE), None);
    }
}

#[test]
fn news_are_told_to_those_who_hear_everything() {
    let mut news = seen(&[]);
    news.news.push("operation 5 was rolled back".to_owned());
    assert_eq!(
        told(&[seen(&[]), news, seen(&[])]),
        [None, Some((Why::News, false)), None]
    );
}

#[test]
fn what_flaps_is_told_no_more_than_so_often_and_keeps_nothing_critical_back() {
    let mut notices = Notices::default();
    let mut told = 0;
    for n in 0..50 {
        let causes: &[(State, &str)] = match n % 2 {
            0 => &[],
            _ => &[EDITED],
        };
        let told_now = look(&mut notices, &seen(causes), n * MINUTE);
        told += usize::from(told_now.is_some());
    }
    assert_eq!(told, MOST_MAILS);
    let worse = Some((Why::Worse, true));
    let broken = [seen(&[BROKEN]), seen(&[])];
    assert_eq!(look(&mut notices, &broken[0], 51 * MINUTE), worse);
    for n in 1..MOST_MAILS {
        assert!(look(&mut notices, &broken[n % 2], 52 * MINUTE).is_some());
    }
    for seen in &broken {
        assert_eq!(look(&mut notices, seen, 53 * MINUTE), None);
    }
    // What is so then is told once the hour is over.
    assert_eq!(look(&mut notices, &broken[0], 2 * HOUR_MS), worse);
}

#[test]
fn a_mail_that_is_not_taken_is_tried_again_and_counted() {
    let mut notices = Notices::default();
    look(&mut notices, &seen(&[]), 0);
    for try_of in 1..=3 {
        let now = i64::from(try_of) * MINUTE;
        assert!(matches!(
            decide(&notices, &seen(&[BROKEN]), now),
            Decision::Tell(_)
        ));
        notices.begin(now);
        notices.fail("cannot run sendmail".to_owned());
        let hand_in = notices.hand_in.clone().unwrap();
        assert_eq!(
            (hand_in.tries, hand_in.since_ms),
            (u32::try_from(try_of).unwrap(), MINUTE)
        );
    }
    assert_eq!(
        look(&mut notices, &seen(&[BROKEN]), 5 * MINUTE),
        Some((Why::Worse, true))
    );
    assert_eq!(notices.hand_in, None);
}

#[test]
fn tests_have_a_bound_of_their_own() {
    let mut notices = Notices::default();
    for n in 0..MOST_MAILS {
        assert!(may_test(&notices, MINUTE), "{n}");
        notices.end(mail(Kind::Test, 0), None);
    }
    assert!(!may_test(&notices, MINUTE));
    assert!(may_test(&notices, HOUR_MS));
    look(&mut notices, &seen(&[]), 0);
    assert!(look(&mut notices, &seen(&[BROKEN]), MINUTE).is_some());
}

#[test]
fn addresses_are_read_or_refused() {
    for good in [
        "root",
        "admin@example.org",
        "a.b+c@mx-1.example",
        "o'neil@x",
    ] {
        assert_eq!(Address::parse(good).unwrap().as_str(), good);
    }
    let long = format!("{}@example.org", "a".repeat(65));
    for bad in [
        "",
        "@example.org",
        "a@",
        "a@b@c",
        "-f@example.org",
        "-oQ/tmp",
        "a b@example.org",
        "a@example.org, b@example.org",
        "a@example.org\nBcc: b@example.org",
        "a\r@example.org",
        "\"a b\"@example.org",
        "<a@example.org>",
        "a@[192.0.2.1]",
        "a@exa_mple.org",
        "a@-x.org",
        "a..b@example.org",
        "müller@example.org",
        "a@müller.example",
        "|/bin/sh",
        "/etc/passwd",
        "a%example.org@example.com",
        "example.org!a",
        &long,
    ] {
        assert!(Address::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn who_is_told_is_bounded_and_told_once() {
    let list = |names: &[&str]| -> Vec<String> { names.iter().map(|&name| name.into()).collect() };
    let both = Recipients::parse(&list(&["a@x", "a@x"]), &list(&["a@x", "pager@x"])).unwrap();
    let words =
        |told: Vec<Address>| -> Vec<String> { told.iter().map(ToString::to_string).collect() };
    assert_eq!(words(both.of(Kind::State)), ["a@x"]);
    assert_eq!(words(both.of(Kind::Critical)), ["a@x", "pager@x"]);
    let many: Vec<String> = (0..=MOST_ADDRESSES).map(|n| format!("a{n}@x")).collect();
    assert_eq!(
        Recipients::parse(&many, &[]),
        Err(AddressError::TooMany(MOST_ADDRESSES + 1))
    );
    assert!(Recipients::parse(&many[1..], &[]).is_ok());
}

#[test]
fn a_clock_that_was_put_back_silences_nobody() {
    const YEAR: i64 = 365 * REMINDER_MS;
    let mut notices = Notices::default();
    // A year ahead it flaps as often as is told.
    for n in 0..20 {
        let causes: &[(State, &str)] = match n % 2 {
            0 => &[],
            _ => &[BROKEN],
        };
        look(&mut notices, &seen(causes), YEAR + n);
    }
    look(&mut notices, &seen(&[]), 0);
    let worse = look(&mut notices, &seen(&[BROKEN]), MINUTE);
    assert!(worse.is_some(), "{notices:?}");
    // So does what was told then and has stayed since.
    notices.base.as_mut().unwrap().told_ms = YEAR;
    let still = look(&mut notices, &seen(&[BROKEN]), 2 * MINUTE);
    assert_eq!(still, Some((Why::Reminder, true)));
    assert_eq!(look(&mut notices, &seen(&[BROKEN]), 3 * MINUTE), None);
}

#[test]
fn a_change_at_every_look_is_waited_for_half_an_hour() {
    let mut notices = Notices::default();
    for (minute, is_changing, counts) in [
        (0, true, false),
        (29, true, false),
        (30, false, true),
        (31, true, false),
        (60, true, false),
        (61, true, true),
        (62, true, true),
        (63, false, true),
        (64, true, false),
    ] {
        let met = match is_changing {
            true => notices.meet_change(minute * MINUTE),
            false => {
                notices.meet_rest();
                true
            }
        };
        assert_eq!(met, counts, "{minute}");
    }
}

/// One that `sendmail` did not say yes to may lie in the queue all the same.
#[test]
fn a_mail_that_is_never_taken_is_tried_no_more_often_than_mails_may_go() {
    let mut notices = Notices::default();
    look(&mut notices, &seen(&[]), 0);
    let mut tried = Vec::new();
    for minute in 1..=180 {
        let now = minute * MINUTE;
        if matches!(decide(&notices, &seen(&[BROKEN]), now), Decision::Tell(_)) {
            notices.begin(now);
            notices.fail("it did not end within 30 s".to_owned());
            tried.push(minute);
        }
    }
    assert_eq!(tried[..6], [1, 2, 3, 4, 5, 6]);
    let later: Vec<_> = tried
        .windows(MOST_MAILS + 1)
        .map(|n| n[MOST_MAILS] - n[0])
        .collect();
    assert!(later.iter().all(|minutes| *minutes >= 60), "{tried:?}");
    assert!(tried.len() > 10, "{tried:?}");
}
