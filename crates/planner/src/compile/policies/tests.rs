//! Names of our maps, and values with one in them.

use super::{NamedMap, PARAMETER, is_policy_map, take_over};
use crate::Digest;
use crate::intent::{Intent, Named, Policies};
use crate::view::tests::facts;

#[test]
fn a_map_of_ours_is_known_by_its_place_and_name() {
    for name in [
        "hash:/etc/postfix/postseal.d/policy-0a1b",
        "texthash:/x/postseal.d/policy-0a1b",
    ] {
        assert!(is_policy_map(name), "{name}");
    }
    for name in [
        "hash:/etc/postfix/policy-0a1b",
        "hash:/etc/postfix/postseal.d/sni-0a1b",
        "hash:/etc/postseal.d/policy-x/other",
        "",
    ] {
        assert!(!is_policy_map(name), "{name}");
    }
    let map = NamedMap::of("hash:/x/postseal.d/policy-0a1b").unwrap();
    assert_eq!(map.digest, "0a1b");
    assert_eq!(map.files.len(), 2);
    assert_eq!(NamedMap::of("hash:/x/other"), None);
}

fn intent(value: &str) -> Intent {
    let mut intent = Intent {
        policies: Some(Policies {
            digest: Digest::of(b"rows"),
            rows: 1,
        }),
        ..Intent::default()
    };
    intent
        .adopted
        .main
        .insert(PARAMETER.to_owned(), value.to_owned());
    intent
}

#[test]
fn what_stands_before_our_map_stays_there_and_our_map_is_never_adopted() {
    let facts = facts("", "");
    let ours = super::map(&intent(""), &facts).unwrap().name();
    // The value, what stands before, the adopted value.
    let cases = [
        (
            format!("pcre:/a, {ours}, hash:/z"),
            vec!["pcre:/a"],
            Some("pcre:/a, hash:/z"),
        ),
        (format!("{ours}, hash:/z"), vec![], Some("hash:/z")),
        (format!("{ours} {ours}"), vec![], None),
        ("hash:/z".to_owned(), vec![], Some("hash:/z")),
    ];
    for (value, before, adopted) in cases {
        let mut intent = intent(&value);
        take_over(&mut intent, &facts);
        let tables = intent.tables.as_ref();
        let stays = tables.map_or(&[][..], |tables| tables.before.as_slice());
        assert_eq!(stays, before, "{value}");
        let now = intent.adopted.main.get(PARAMETER).map(String::as_str);
        assert_eq!(now, adopted, "{value}");
        assert!(tables.is_none_or(|tables| tables.named == Named::NoMore));
    }
}
