use super::*;
use RangeSyntax::{Allowed, Unknown};
use proptest::prelude::*;

/// Each list with what Postfix 3.7.11 made of it: measured with `posttls-finger -p LIST`, which
/// either went on to the handshake or said `Invalid TLS protocol list`.
const GOOD: &[(&str, &str)] = &[
    (">=TLSv1.2", "TLSv1.2, TLSv1.3"),
    (">=tlsv1.2", "TLSv1.2, TLSv1.3"),
    (">=TLSv1.2:<=TLSv1.3", "TLSv1.2, TLSv1.3"),
    (">=TLSv1 <=0304 !TLSv1.1", "TLSv1, TLSv1.2, TLSv1.3"),
    (">=0303", "TLSv1.2, TLSv1.3"),
    (">=0x0303", "TLSv1.2, TLSv1.3"),
    (">=+303", "TLSv1.2, TLSv1.3"),
    (">=0", "SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
    (">=", "SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
    (">= TLSv1.2", "TLSv1.2"),
    (">=sslv3", "SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
    (">=TLSv1.3 <=TLSv1.2", "none"),
    ("!TLSv1 !TLSv1.1 !TLSv1.2 !TLSv1.3", "SSLv2, SSLv3"),
    ("", "SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
    (", :\t\n", "SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
    ("!SSLv2", "SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
    ("!SSLv2, !SSLv3", "TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
    ("!SSLv2,!SSLv3:!TLSv1 !TLSv1.1", "TLSv1.2, TLSv1.3"),
    ("tlsv1.2 , !sslv3", "TLSv1.2"),
    ("TLSv1, SSLv3", "SSLv3, TLSv1"),
    ("SSLv2", "SSLv2"),
    ("<=TLSv1.2", "SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2"),
];

const BAD: &[&str] = &[
    "TLSv9",
    ">=TLSv1.9",
    ">=zz",
    ">=SSLv2",
    "<=SSLv2",
    "!>=TLSv1.2",
    "TLSv1.0",
    ">=TLSv1.0",
    "! TLSv1",
    "!",
    ">=-1",
    "=TLSv1.2",
    ">TLSv1",
    "none",
    "all",
    ">=80000000",
    ">=7fffffff",
    ">= 0303",
    "!!TLSv1",
    "{TLSv1.2}",
    "0x303",
    "!0303",
    ">=++303",
    ">=0x",
    "TLSv1.2 # comment",
];

#[test]
fn lists_mean_what_postfix_makes_of_them() {
    for (text, allowed) in GOOD {
        let list =
            ProtocolList::parse(text, Allowed).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(&list.to_string(), allowed, "{text:?}");
    }
}

#[test]
fn what_postfix_rejects_is_rejected_with_the_word_at_fault() {
    for text in BAD {
        let error = ProtocolList::parse(text, Allowed)
            .expect_err(text)
            .to_string();
        let word = text.split_whitespace().find(|word| error.contains(word));
        assert!(word.is_some(), "{text:?}: {error}");
    }
}

#[test]
fn before_3_6_a_range_is_an_invalid_list() {
    assert_eq!(
        ProtocolList::parse("!SSLv2, >=TLSv1.2", Unknown),
        Err(ProtocolError::RangeUnknown(">=TLSv1.2".into()))
    );
    assert!(ProtocolList::parse("!SSLv2 !SSLv3", Unknown).is_ok());
}

#[test]
fn a_blank_after_the_operator_is_noticed() {
    let parse = |text| ProtocolList::parse(text, Allowed).unwrap();
    assert!(parse(">= TLSv1.2").has_lone_operator());
    assert!(!parse(">=TLSv1.2").has_lone_operator());
    assert!(!parse("").has_lone_operator());
}

#[test]
fn a_rendered_floor_reads_back_as_that_floor() {
    for floor in TlsVersion::ALL {
        let old = ProtocolList::parse(&render_floor(floor, Unknown), Unknown).unwrap();
        assert_eq!(old, ProtocolList::from_floor(floor));
        assert_eq!(
            (old.floor(), old.ceiling()),
            (Some(floor), Some(TlsVersion::Tls1_3))
        );
        let new = ProtocolList::parse(&render_floor(floor, Allowed), Allowed).unwrap();
        assert_eq!(new.floor(), Some(floor.max(TlsVersion::Ssl3)));
    }
    assert_eq!(render_floor(TlsVersion::Tls1_2, Allowed), ">=TLSv1.2");
    assert_eq!(
        render_floor(TlsVersion::Tls1_2, Unknown),
        "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1"
    );
}

proptest! {
    #[test]
    fn never_panics(text in "\\PC{0,40}") {
        let _ = ProtocolList::parse(&text, Allowed);
        let _ = ProtocolList::parse(&text, Unknown);
    }

    #[test]
    fn never_panics_on_near_misses(text in "([!<>=+0-9a-fxTLSv., :]){0,20}") {
        if let Ok(list) = ProtocolList::parse(&text, Allowed) {
            prop_assert_eq!(list.floor().is_some(), list.ceiling().is_some());
            prop_assert!(list.floor() <= list.ceiling());
        }
    }
}
