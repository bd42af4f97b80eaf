//! Destinations, good and bad.

use super::{Destination, DestinationError, Kind, Scope};

fn parsed(text: &str) -> (Destination, Scope) {
    Destination::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

#[test]
fn keys_are_what_postfix_looks_up() {
    let cases: [(&str, &[&str]); 12] = [
        ("example.org", &["example.org"]),
        ("EXAMPLE.Org", &["example.org"]),
        (".example.org", &[".example.org"]),
        ("[mx.example.org]", &["[mx.example.org]"]),
        ("[MX.example.org]:587", &["[mx.example.org]:587"]),
        ("mx.example.org:smtp", &["mx.example.org:smtp"]),
        ("[192.0.2.1]:25", &["[192.0.2.1]:25"]),
        ("[2001:DB8::1]", &["[2001:db8::1]"]),
        ("[IPv6:2001:db8::1]:587", &["[ipv6:2001:db8::1]:587"]),
        (
            "bücher.example",
            &["xn--bcher-kva.example", "bücher.example"],
        ),
        (
            "xn--bcher-kva.example",
            &["xn--bcher-kva.example", "bücher.example"],
        ),
        (
            "[BÜCHER.example]:26",
            &["[xn--bcher-kva.example]:26", "[bücher.example]:26"],
        ),
    ];
    for (text, keys) in cases {
        let (destination, scope) = parsed(text);
        assert_eq!(destination.keys(scope).unwrap(), keys, "{text}");
    }
}

#[test]
fn both_scopes_are_two_keys_a_spelling() {
    let (destination, _) = parsed("bücher.example");
    assert_eq!(
        destination.keys(Scope::Both).unwrap(),
        [
            ".xn--bcher-kva.example",
            "xn--bcher-kva.example",
            ".bücher.example",
            "bücher.example"
        ]
    );
    let (hop, _) = parsed("[mx.example.org]");
    assert_eq!(hop.kind(), Kind::NextHop);
    assert_eq!(hop.keys(Scope::Both), Err(DestinationError::ScopeOfNextHop));
}

#[test]
fn people_see_their_own_letters() {
    assert_eq!(
        parsed("xn--bcher-kva.example").0.to_string(),
        "bücher.example"
    );
    assert_eq!(
        parsed("xn--bcher-kva.example").0,
        parsed("BÜCHER.example").0
    );
    // From right to left, in one script.
    assert_eq!(parsed("אתר.example").0.ascii(), "xn--4db2cf.example");
    // Han and kana are of one language.
    parsed("日本語テスト.example");
}

#[test]
fn what_is_wrong_is_said() {
    let label = format!("{}.example", "a".repeat(64));
    let long = format!("{}.example", vec!["a".repeat(49); 5].join("."));
    let cases: [(&str, &str); 27] = [
        ("", "empty"),
        (&label, "63 bytes"),
        (&long, "253 bytes"),
        ("*.example.org", "write .example.org"),
        (".example.org.", "ends with a dot"),
        ("example.org.", "ends with a dot"),
        ("example..org", "empty label"),
        ("..example.org", "empty label"),
        (".", "empty"),
        (
            "someone@example.org",
            "rows are for the domain, \"example.org\"",
        ),
        ("192.0.2.1", "in brackets: [192.0.2.1]"),
        ("2001:db8::1", "in brackets: [2001:db8::1]"),
        ("example\t.org", "character"),
        ("example.org\n", "character"),
        ("exa\0mple.org", "character"),
        ("example.org\u{2028}", "character"),
        ("example.org encrypt", "character"),
        ("[mx.example.org]:0", "no port"),
        ("[mx.example.org]:70000", "no port"),
        ("mx.example.org:", "no port"),
        ("[mx.example.org", "brackets"),
        ("[]:25", "brackets"),
        ("[mx.example.org]25", "brackets"),
        ("pаypal.example", "several scripts"),
        ("אa.example", "RFC 5891"),
        ("-example.org", "no host name"),
        ("1.2.3", "no host name"),
    ];
    for (text, words) in cases {
        match Destination::parse(text) {
            // A service's name may be empty nowhere.
            Ok((read, _)) => panic!("{text:?} was read as {read}"),
            Err(error) => assert!(error.to_string().contains(words), "{text:?}: {error}"),
        }
    }
}

proptest::proptest! {
    /// Whatever is typed, there is an answer, and what is taken is taken again from its own key.
    #[test]
    fn any_text_has_an_answer(text in "\\PC{0,80}") {
        if let Ok((destination, scope)) = Destination::parse(&text) {
            let keys = destination.keys(scope).unwrap();
            let again = Destination::parse(&keys[0]).unwrap();
            proptest::prop_assert_eq!(again.0, destination);
        }
    }
}
