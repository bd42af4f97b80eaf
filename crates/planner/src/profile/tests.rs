//! Every table is of parameters and values that the catalogue knows, for every Postfix it tells
//! apart; and an intent's words choose among them.

use super::{Direction, PROFILES, Software, between, chosen, find, wished};
use crate::catalog::{self, Role};
use crate::intent::{Intent, Key, Setting, Wish};
use crate::settings::KEYS;
use crate::{PostfixVersion, settings};
use std::collections::BTreeSet;

const OPENSSL: [&str; 3] = [
    "OpenSSL 1.1.1w  11 Sep 2023",
    "OpenSSL 3.0.19 27 Jan 2026",
    "3.5",
];

fn versions() -> impl Iterator<Item = PostfixVersion> {
    (4..=12).map(|minor| PostfixVersion::new(3, minor, 0))
}

fn newest() -> Software {
    Software::new(PostfixVersion::new(3, 11, 6), OPENSSL[2])
}

#[test]
fn every_value_is_one_that_the_version_takes() {
    for profile in PROFILES {
        for version in versions() {
            for openssl in OPENSSL {
                for row in profile.parameters(Software::new(version, openssl)) {
                    let what = format!("{} {} for {version}", profile.name, row.name);
                    let known = catalog::find(row.name).unwrap_or_else(|| panic!("{what}"));
                    assert_eq!(known.role, Role::Tls, "{what}");
                    assert!(known.exists_in(version), "{what}");
                    assert!(
                        known.check(&row.value, version).is_ok(),
                        "{what}: {}",
                        row.value
                    );
                    assert!(row.why.ends_with('.'), "{what}: {}", row.why);
                }
            }
        }
    }
}

#[test]
fn directions_do_not_write_each_others_parameters() {
    for profile in PROFILES {
        let rows = profile.parameters(newest());
        let names: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), rows.len(), "{}", profile.name);
        for row in rows {
            let mandatory = row.name.contains("_mandatory_");
            let fits = match row.direction {
                Direction::Inbound => row.name.starts_with("smtpd_tls_") && !mandatory,
                Direction::Submission => row.name.starts_with("smtpd_tls_") && mandatory,
                Direction::Outbound => row.name.starts_with("smtp_tls_"),
                Direction::Shared => row.name.starts_with("tls_"),
            };
            assert!(fits, "{} {:?} {}", profile.name, row.direction, row.name);
        }
    }
}

#[test]
fn names_are_what_set_lists_and_takes() {
    let names: Vec<&str> = PROFILES.iter().map(|profile| profile.name).collect();
    assert_eq!(names, wished::WORDS);
    for key in [
        "profile",
        "profile.inbound",
        "profile.submission",
        "profile.outbound",
    ] {
        let doc = KEYS.iter().find(|doc| doc.name == key).unwrap();
        assert_eq!(doc.values.split(", ").collect::<Vec<_>>(), names);
        for name in &names {
            let version = PostfixVersion::new(3, 7, 11);
            assert!(settings::parse(key, name, version).is_ok(), "{key}={name}");
        }
    }
}

#[test]
fn versions_decide_the_form_of_a_list_and_the_groups() {
    let value = |postfix, openssl, name| {
        let profile = find("mozilla-intermediate-6.0").unwrap();
        let rows = profile.parameters(Software::new(postfix, openssl));
        let row = rows.into_iter().find(|row| row.name == name);
        row.map(|row| row.value)
    };
    let old = PostfixVersion::new(3, 5, 0);
    let (lists, groups) = ("smtpd_tls_protocols", "tls_eecdh_auto_curves");
    let said = value(old, OPENSSL[0], lists).unwrap();
    assert_eq!(said, "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1");
    let said = value(old, OPENSSL[2], groups).unwrap();
    assert_eq!(said, "X25519 prime256v1 secp384r1");
    let new = PostfixVersion::new(3, 11, 0);
    assert_eq!(value(new, OPENSSL[0], lists).unwrap(), ">=TLSv1.2");
    for openssl in [OPENSSL[0], OPENSSL[1], "no version at all"] {
        let said = value(new, openssl, groups).unwrap();
        assert!(!said.contains("MLKEM"), "{openssl}");
    }
    let said = value(new, "OpenSSL 3.6.1 27 Jan 2026", groups).unwrap();
    assert!(said.starts_with("X25519MLKEM768 "), "{said}");
    let ffdhe = "tls_ffdhe_auto_groups";
    assert_eq!(value(old, OPENSSL[0], ffdhe), None);
    assert_eq!(value(new, OPENSSL[0], ffdhe).unwrap(), "");
}

#[test]
fn renegotiation_is_switched_off_where_openssl_does_not_by_itself() {
    let has = |openssl| {
        let software = Software::new(PostfixVersion::new(3, 7, 11), openssl);
        let rows = find("ncsc-2025-05").unwrap().parameters(software);
        rows.iter().any(|row| row.name == "tls_ssl_options")
    };
    assert!(has(OPENSSL[0]) && !has(OPENSSL[1]) && !has(OPENSSL[2]));
}

fn said(words: &[(Key, &str)]) -> Intent {
    let wishes = words
        .iter()
        .map(|(key, name)| Wish::Set(key.clone(), Setting::Word((*name).to_owned())));
    Intent::default().with_all(&wishes.collect::<Vec<_>>())
}

fn names(intent: &Intent) -> Vec<(Direction, &'static str)> {
    let all = chosen(intent).into_iter();
    all.map(|one| (one.direction, one.profile)).collect()
}

#[test]
fn what_a_direction_says_comes_before_what_all_say_until_all_are_told_again() {
    let one = said(&[(Key::ProfileOutbound, "strict")]);
    assert_eq!(names(&one), [(Direction::Outbound, "strict")]);
    let both = said(&[
        (Key::Profile, "recommended"),
        (Key::ProfileSubmission, "strict"),
    ]);
    assert_eq!(
        names(&both),
        [
            (Direction::Inbound, "recommended"),
            (Direction::Submission, "strict"),
            (Direction::Outbound, "recommended"),
            (Direction::Shared, "recommended"),
        ]
    );
    let again = said(&[
        (Key::ProfileSubmission, "strict"),
        (Key::Profile, "compatible"),
    ]);
    assert!(names(&again).iter().all(|(_, name)| *name == "compatible"));
    assert_eq!(names(&again).len(), 4);
    let gone = both.with(Wish::Unset(Key::ProfileSubmission));
    assert!(names(&gone).iter().all(|(_, name)| *name == "recommended"));
    assert_eq!(names(&said(&[(Key::Profile, "of a later release")])), []);
}

#[test]
fn a_profile_takes_earlier_words_about_its_own_parameters_away_and_no_others() {
    let param = |name: &str| Key::Param(name.to_owned());
    let all = [
        "smtpd_tls_protocols",
        "smtpd_tls_exclude_ciphers",
        "smtp_tls_ciphers",
    ];
    let start = all.iter().fold(Intent::default(), |intent, name| {
        intent.with(Wish::Set(param(name), Setting::Raw("x".to_owned())))
    });
    let left = |key: Key, profile: &str| {
        let wish = Wish::Set(key, Setting::Word(profile.to_owned()));
        let after = start.with(wish);
        let left = all
            .iter()
            .filter(|name| after.settings.contains_key(&param(name)));
        left.copied().collect::<Vec<_>>()
    };
    assert_eq!(
        left(Key::Profile, "recommended"),
        ["smtpd_tls_exclude_ciphers"]
    );
    assert_eq!(left(Key::Profile, "strict"), [""; 0]);
    assert_eq!(left(Key::ProfileInbound, "strict"), ["smtp_tls_ciphers"]);
    assert_eq!(left(Key::ProfileSubmission, "strict"), all);
}

#[test]
fn two_profiles_differ_where_their_rows_do() {
    let software = Software::new(PostfixVersion::new(3, 7, 11), OPENSSL[1]);
    let of = |name| find(name).unwrap();
    assert_eq!(between(of("strict"), of("strict"), software), []);
    let rows = between(of("recommended"), of("mozilla-modern-6.0"), software);
    let row = |name: &str| rows.iter().find(|row| row.parameter == name).unwrap();
    let floor = row("smtpd_tls_protocols");
    assert_eq!(floor.first.as_deref(), Some(">=TLSv1.2"));
    assert_eq!(floor.second.as_deref(), Some(">=TLSv1.3"));
    assert_eq!(row("smtpd_tls_ciphers").second, None);
    assert_eq!(row("tls_eecdh_auto_curves").first, None);
    assert!(!rows.iter().any(|row| row.parameter == "smtp_tls_protocols"));
}

#[test]
fn every_unfit_profile_says_why_and_the_usual_ones_fit() {
    for profile in PROFILES {
        let fit = ["compatible", "recommended"].contains(&profile.name);
        assert_eq!(profile.unfit.is_none(), fit, "{}", profile.name);
        if let Some(why) = profile.unfit {
            assert!(why.contains("in clear") && why.contains("keep"), "{why}");
        }
    }
}
