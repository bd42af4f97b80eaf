//! What may be said about a rule, and what stays.

use super::{Given, is_day};
use crate::policy::{About, Both, Rule};
use mailtls::policy::Dialect;

fn rule() -> Rule {
    Rule::new("a.example", None, "may", Dialect { major: 3, minor: 7 }).unwrap()
}

fn noted(note: &str) -> About {
    About {
        note: Some(note.to_owned()),
        ..About::default()
    }
}

#[test]
fn what_nobody_sees_is_refused_and_letters_of_all_scripts_are_not() {
    let good = [
        "Vertrag 12, läuft aus",
        "חוזה עם השותף",
        "العقد رقم ١٢",
        "契約 12",
        "हिन्दी",
        "a–b “c” …",
        "⚠\u{fe0f} 🔒",
    ];
    for note in good {
        assert!(rule().with(noted(note)).is_ok(), "{note}");
    }
    let hidden = [
        '\0',
        '\n',
        '\t',
        '\u{7f}',
        '\u{85}',
        '\u{ad}',
        '\u{61c}',
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{200e}',
        '\u{200f}',
        '\u{2028}',
        '\u{2029}',
        '\u{202a}',
        '\u{202b}',
        '\u{202c}',
        '\u{202d}',
        '\u{202e}',
        '\u{2060}',
        '\u{2066}',
        '\u{2067}',
        '\u{2068}',
        '\u{2069}',
        '\u{3164}',
        '\u{feff}',
        '\u{e0041}',
    ];
    for c in hidden {
        let note = format!("a{c}b");
        let word = |about: About| rule().with(about).unwrap_err().code();
        assert_eq!(word(noted(&note)), "policy.bad-word", "{c:?}");
        let owner = About {
            owner: Some(note.clone()),
            ..About::default()
        };
        assert_eq!(word(owner), "policy.bad-word", "{c:?}");
        let reason = About {
            reason: Some(note.clone()),
            ..About::default()
        };
        assert_eq!(word(reason), "policy.bad-word", "{c:?}");
        let tags = About {
            tags: vec![note],
            ..About::default()
        };
        assert_eq!(word(tags), "policy.bad-word", "{c:?}");
    }
}

#[test]
fn blanks_around_words_and_empty_words_go() {
    let with = rule().with(noted("  a  b ")).unwrap();
    assert_eq!(with.about.note.as_deref(), Some("a  b"));
    assert_eq!(rule().with(noted(" ")).unwrap(), rule());
}

#[test]
fn what_is_not_said_stays() {
    let text = |text: &str| Some(text.to_owned());
    let mut now = rule()
        .with(About {
            note: text("note"),
            owner: text("owner"),
            tags: vec!["tag".to_owned()],
            until: text("2027-01-31"),
            reason: text("reason"),
            entry: None,
            follow: None,
        })
        .unwrap();
    now.both = Both::Yes;
    let mut kept = rule();
    kept.keep(Given::NONE, &now);
    assert_eq!(kept, now);
    let mut wiped = rule();
    wiped.keep(Given::ALL, &now);
    assert_eq!(wiped, rule());
    let mut some = rule();
    some.keep(Given::NOTE.and(Given::UNTIL), &now);
    assert_eq!((some.about.note, some.about.until), (None, None));
    assert_eq!(some.about.owner, text("owner"));
    assert!(Given::ALL.has(Given::SCOPE.and(Given::REASON)));
    assert!(!Given::NOTE.has(Given::NOTE.and(Given::TAGS)));
}

#[test]
fn a_day_is_one_of_the_calendar() {
    for day in ["2027-01-31", "2028-02-29", "2000-02-29"] {
        assert!(is_day(day), "{day}");
    }
    for day in [
        "never",
        "2026-13-40",
        "2027-02-29",
        "1900-02-29",
        "2027-1-1",
        "",
    ] {
        assert!(!is_day(day), "{day}");
    }
}
