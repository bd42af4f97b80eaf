//! Rows as smtp(8) 3.7.11 reads them; the refusals are those of its log.

use super::{Dialect, Name, Policy, PolicyError};
use crate::Level;

const NOW: Dialect = Dialect { major: 3, minor: 7 };
const NEWEST: Dialect = Dialect {
    major: 3,
    minor: 11,
};

#[test]
fn good() {
    let rows = [
        ("may", Level::May, 0),
        ("MAY", Level::May, 0),
        (
            "encrypt protocols=>=TLSv1.2 ciphers=high",
            Level::Encrypt,
            2,
        ),
        ("encrypt, protocols=!SSLv3:!TLSv1", Level::Encrypt, 1),
        ("secure match=nexthop:dot-nexthop", Level::Secure, 1),
        ("secure match=a.example match=.b.example", Level::Secure, 2),
        (
            "verify tafile=/etc/a.pem tafile=/etc/b.pem match=hostname",
            Level::Verify,
            3,
        ),
        ("fingerprint match=AA:BB|CC:DD", Level::Fingerprint, 1),
        ("dane servername=nexthop", Level::Dane, 1),
        ("encrypt exclude=", Level::Encrypt, 1),
        (
            "encrypt connection_reuse=yes connection_reuse=no",
            Level::Encrypt,
            2,
        ),
        ("none", Level::None, 0),
        ("\tencrypt\t \tCIPHERS=Medium ", Level::Encrypt, 1),
    ];
    for (text, level, attributes) in rows {
        let policy = Policy::parse(text, NOW).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(policy.level, level, "{text:?}");
        assert_eq!(policy.attributes.len(), attributes, "{text:?}");
        let again = Policy::parse(&policy.to_string(), NOW).unwrap();
        assert_eq!(again, policy, "what is written is read again");
    }
}

#[test]
fn bad() {
    let rows = [
        ("", "the policy is empty"),
        ("bogus", "not a TLS security level"),
        ("halfdane", "not a TLS security level"),
        ("encrypt mach=x", "\"mach\" is no attribute"),
        ("encrypt high", "\"high\" is no name=value"),
        (
            "encrypt protocols=TLSv1.2,TLSv1.3",
            "\"TLSv1.3\" is no name=value",
        ),
        ("encrypt =x", "\"=x\" is no name=value"),
        ("secure match=", "match has no value"),
        ("encrypt protocols=", "protocols has no value"),
        (
            "encrypt ciphers=high ciphers=medium",
            "ciphers stands more than once",
        ),
        ("encrypt match=x", "match means nothing at level encrypt"),
        ("dane match=x", "match means nothing at level dane"),
        ("encrypt tafile=/x", "tafile means nothing at level encrypt"),
        (
            "fingerprint tafile=/x match=AA",
            "tafile means nothing at level fingerprint",
        ),
        ("none ciphers=high", "ciphers means nothing at level none"),
        ("encrypt exclude=RC4:!MD5", "\"!MD5\" has a sign"),
        ("encrypt ciphers=strong", "not a cipher grade"),
        ("encrypt protocols=TLSv9", "TLSv9"),
        ("encrypt connection_reuse=maybe", "neither yes nor no"),
        ("encrypt servername=-x-", "is no host name"),
        ("encrypt enable_rpk=yes", "needs Postfix 3.9"),
        ("secure policy_type=sts", "needs Postfix 3.10"),
    ];
    for (text, part) in rows {
        let error = Policy::parse(text, NOW).expect_err(text).to_string();
        assert!(error.contains(part), "{text:?}: {error}");
    }
}

#[test]
fn what_a_postfix_knows_depends_on_its_version() {
    for name in Name::ALL {
        let Some(since) = name.since() else { continue };
        let (major, minor) = since.split_once('.').unwrap();
        let (major, minor): (u16, u16) = (major.parse().unwrap(), minor.parse().unwrap());
        let value = match name {
            Name::PolicyType => "sts",
            Name::ConnectionReuse | Name::EnableRpk => "yes",
            _ => "mx.example",
        };
        let row = format!("encrypt {}={value}", name.text());
        let before = Dialect {
            major,
            minor: minor - 1,
        };
        let refused = Policy::parse(&row, before);
        assert!(matches!(refused, Err(PolicyError::TooNew { .. })), "{row}");
        Policy::parse(&row, Dialect { major, minor }).unwrap();
        Policy::parse(&row, NEWEST).unwrap();
    }
}

#[test]
fn ranges_came_with_3_6() {
    let old = Dialect { major: 3, minor: 5 };
    let row = "encrypt protocols=>=TLSv1.2";
    assert!(matches!(
        Policy::parse(row, old),
        Err(PolicyError::Value { .. })
    ));
    Policy::parse(row, NOW).unwrap();
}

#[test]
fn hostile_text_is_an_error_and_no_more() {
    let long = format!("encrypt {}", "match=x ".repeat(100_000));
    assert!(Policy::parse(&long, NOW).is_err());
    for text in [
        "\0",
        "encrypt \0=\0",
        "encrypt \u{2028}",
        "=",
        "encrypt ====",
    ] {
        assert!(Policy::parse(text, NOW).is_err(), "{text:?}");
    }
}
