//! Which tables are asked after the rules, and what a rule before a row takes from it.

use super::{Stands, asked_for, places, weakens};
use crate::intent::AdoptedTables;
use crate::version::PostfixVersion;
use crate::view::tests::facts;

const OURS: &str = "hash:/etc/postfix/postseal.d/policy-0a1b";

fn told(main: &str, master: &str, tables: Option<&AdoptedTables>) -> Vec<String> {
    let facts = facts(main, master);
    let places = places(&facts, tables).into_iter().map(|place| {
        let tables = place.tables.iter().map(|one| match one.stands {
            Stands::First => format!("<{}", one.table),
            Stands::Behind => format!(">{}", one.table),
        });
        format!("{} {}", place.name, tables.collect::<Vec<_>>().join(" "))
    });
    places.collect()
}

#[test]
fn tables_of_main_cf_and_of_each_service_stand_behind_the_rules() {
    let master = format!(
        "smtp unix - - n - - smtp\nown unix - - n - - smtp -o smtp_tls_policy_maps=hash:/own\n\
         none unix - - n - - smtp -o smtp_tls_policy_maps=\n\
         ours unix - - n - - smtp -o smtp_tls_policy_maps={OURS},hash:/z\n"
    );
    assert_eq!(
        told("smtp_tls_policy_maps = regexp:/a\n", &master, None),
        [
            "main.cf >regexp:/a".to_owned(),
            "own/unix >hash:/own".to_owned(),
            format!("ours/unix <{OURS} >hash:/z"),
        ]
    );
    let main = format!("smtp_tls_policy_maps = {OURS}\n");
    assert_eq!(told(&main, "smtp unix - - n - - smtp\n", None), [""; 0]);
}

#[test]
fn a_key_is_asked_for_with_those_above_it() {
    assert_eq!(
        asked_for("a.b.example"),
        ["a.b.example", ".b.example", ".example"]
    );
    assert_eq!(asked_for(".b.example"), [".b.example", ".example"]);
    assert_eq!(asked_for("[a.example]:25"), ["[a.example]:25"]);
}

#[test]
fn a_rule_weakens_a_row_that_demands_more() {
    let version = PostfixVersion {
        major: 3,
        minor: 7,
        patch: 11,
    };
    for (rule, row, weaker) in [
        ("encrypt", "secure", true),
        ("encrypt", "encrypt", false),
        ("secure", "encrypt", false),
        ("may", "none", false),
        ("encrypt", "encrypt ciphers=high", true),
        ("secure match=a.example", "encrypt ciphers=high", false),
        ("dane", "encrypt", true),
        ("none", "no level", false),
    ] {
        assert_eq!(weakens(rule, row, version), weaker, "{rule}, {row}");
    }
}
