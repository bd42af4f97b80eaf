//! Tests of `settings`.
//!
//! Owns: which values each key takes, and the refusals of the others. Never: a host.

use super::*;
use crate::intent::{Inbound, Outbound, Setting, Switch, Trust};

const VERSION: PostfixVersion = PostfixVersion::new(3, 7, 11);

fn one(key: &str, value: &str) -> Setting {
    match parse(key, value, VERSION).expect("a wish").as_slice() {
        [Wish::Set(_, setting)] => setting.clone(),
        other => panic!("{other:?}"),
    }
}

fn code(key: &str, value: &str) -> String {
    let refusal = parse(key, value, VERSION).expect_err("a refusal");
    assert!(!refusal.findings[0].remedy.is_empty());
    refusal.findings[0].code.to_string()
}

#[test]
fn every_listed_key_can_be_parsed_with_its_first_value() {
    for doc in KEYS {
        let value = match doc.name {
            "param.NAME" => continue,
            _ => doc.values.split(", ").next().expect("a value"),
        };
        parse(doc.name, value, VERSION).unwrap_or_else(|_| panic!("{}={value}", doc.name));
        parse_unset(doc.name).expect("an unset");
    }
}

#[test]
fn every_listed_value_is_taken_and_nothing_else() {
    for doc in KEYS
        .iter()
        .filter(|doc| !doc.values.contains('/') && doc.name != "param.NAME")
    {
        for value in doc.values.split(", ") {
            assert!(
                parse(doc.name, value, VERSION).is_ok(),
                "{}={value}",
                doc.name
            );
        }
        for bad in ["", "perhaps", "MAY", " may", "5", "-1"] {
            assert_eq!(
                code(doc.name, bad),
                "setting.bad-value",
                "{}={bad:?}",
                doc.name
            );
        }
    }
}

#[test]
fn mode_is_both_directions() {
    let wishes = parse("mode", "encrypt", VERSION).expect("wishes");
    assert_eq!(
        wishes,
        [
            Wish::Set(Key::Inbound, Setting::Inbound(Inbound::Encrypt)),
            Wish::Set(Key::Outbound, Setting::Outbound(Outbound::Encrypt)),
        ]
    );
    // What only one direction knows is no mode.
    assert_eq!(code("mode", "dane"), "setting.bad-value");
    assert_eq!(parse_unset("mode").expect("wishes").len(), 2);
}

#[test]
fn a_parameter_with_a_word_of_its_own_is_an_alias_of_it() {
    for (name, value, key, setting) in [
        (
            "smtpd_tls_security_level",
            "none",
            Key::Inbound,
            Setting::Inbound(Inbound::Off),
        ),
        (
            "smtp_tls_security_level",
            "dane",
            Key::Outbound,
            Setting::Outbound(Outbound::Dane),
        ),
        (
            "smtpd_tls_auth_only",
            "yes",
            Key::AuthOnly,
            Setting::Switch(Switch::On),
        ),
        (
            "smtpd_tls_received_header",
            "no",
            Key::ReceivedHeader,
            Setting::Switch(Switch::Off),
        ),
        (
            "smtpd_tls_loglevel",
            "1",
            Key::LoglevelInbound,
            Setting::Loglevel(1),
        ),
        (
            "smtp_tls_loglevel",
            "2",
            Key::LoglevelOutbound,
            Setting::Loglevel(2),
        ),
    ] {
        let wishes = parse(&format!("param.{name}"), value, VERSION).expect("a wish");
        assert_eq!(wishes, [Wish::Set(key.clone(), setting)], "{name}");
        assert_eq!(
            parse_unset(&format!("param.{name}")).expect("a wish"),
            [Wish::Unset(key)],
            "{name}"
        );
    }
}

#[test]
fn trust_is_nothing_the_system_a_file_or_a_directory() {
    assert_eq!(one("trust.outbound", "none"), Setting::Trust(Trust::None));
    assert_eq!(
        one("trust.inbound", "system"),
        Setting::Trust(Trust::System)
    );
    assert_eq!(
        one("trust.outbound", "/etc/ssl/ca.pem"),
        Setting::Trust(Trust::File("/etc/ssl/ca.pem".into()))
    );
    assert_eq!(
        one("trust.outbound", "/etc/ssl/certs/"),
        Setting::Trust(Trust::Directory("/etc/ssl/certs/".into()))
    );
    for bad in ["ca.pem", "/etc/../ca.pem", "/a b", "/a,/b", "/$x", "/a{b}"] {
        assert_eq!(code("trust.outbound", bad), "setting.bad-value", "{bad}");
    }
}

#[test]
fn each_mistake_has_its_own_code() {
    for (key, value, expected) in [
        ("inbuond", "may", "setting.unknown-key"),
        ("smtpd_tls_ciphers", "high", "setting.unknown-key"),
        (
            "param.smtpd_tls_cipers",
            "high",
            "setting.unknown-parameter",
        ),
        (
            "param.smtpd_sasl_auth_enable",
            "yes",
            "setting.not-a-tls-parameter",
        ),
        (
            "param.smtp_tlsrpt_enable",
            "yes",
            "parameter.unknown-to-version",
        ),
        ("param.smtpd_use_tls", "yes", "parameter.obsolete"),
        (
            "param.smtpd_tls_exclude_ciphers",
            "a\nb",
            "setting.control-character",
        ),
        ("param.smtpd_tls_ciphers", "hihg", "value.grade"),
        ("param.smtp_tls_protocols", ">=TLSv1.9", "value.protocols"),
        (
            "param.tls_append_default_CA",
            "yes # note",
            "value.inline-comment",
        ),
    ] {
        assert_eq!(code(key, value), expected, "{key}={value}");
    }
}

#[test]
fn a_misspelt_parameter_is_answered_with_the_right_one() {
    let refusal = parse("param.smtpd_tls_cipers", "high", VERSION).expect_err("a refusal");
    assert!(refusal.findings[0].remedy.contains("smtpd_tls_ciphers"));
}

#[test]
fn the_version_decides() {
    let newer = PostfixVersion::new(3, 10, 0);
    assert!(parse("param.smtp_tlsrpt_enable", "yes", newer).is_ok());
    let old = PostfixVersion::new(3, 5, 0);
    assert!(parse("param.smtp_tls_protocols", ">=TLSv1.2", VERSION).is_ok());
    assert!(parse("param.smtp_tls_protocols", ">=TLSv1.2", old).is_err());
}

#[test]
fn a_value_is_shown_as_it_was_given() {
    for doc in KEYS.iter().filter(|doc| doc.name != "param.NAME") {
        for value in doc.values.split(", ") {
            let wishes = parse(doc.name, value, VERSION).expect(value);
            for wish in wishes {
                let Wish::Set(key, setting) = wish else {
                    panic!("{wish:?}")
                };
                assert_eq!(setting.text(&key), value, "{}", doc.name);
            }
        }
    }
}
