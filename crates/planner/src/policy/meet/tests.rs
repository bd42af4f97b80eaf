//! Rules that meet at one key: what is written, and what is said.

use super::super::{Both, Lookup, Rule};
use super::{Outcome, changed_lookups, meetings};
use crate::policy::tests::{both, rendered, rule};

fn managed(manager: &str, destination: &str, policy: &str) -> Rule {
    let mut rule = rule(destination, policy);
    rule.id.manager = manager.to_owned();
    rule
}

fn by_domain(destination: &str, policy: &str) -> Rule {
    managed("domain a.example", destination, policy)
}

#[test]
fn whole_policies_are_compared() {
    let rows = [
        ("secure", "encrypt", "secure"),
        ("may", "encrypt", "encrypt"),
        (
            "encrypt protocols=>=TLSv1.3",
            "encrypt",
            "encrypt protocols=>=TLSv1.3",
        ),
        (
            "secure",
            "secure match=mx.example",
            "secure match=mx.example",
        ),
        (
            "encrypt protocols=>=TLSv1.3",
            "encrypt ciphers=high",
            "encrypt protocols=>=TLSv1.3 ciphers=high",
        ),
        // Equals: as who manages it wrote it.
        (
            "encrypt ciphers=high exclude=a:b",
            "encrypt exclude=b:a ciphers=HIGH",
            "encrypt exclude=b:a ciphers=HIGH",
        ),
    ];
    for (by_hand, other, expected) in rows {
        let (text, told) = rendered(&[
            rule("[r.example]", by_hand),
            by_domain("[r.example]", other),
        ]);
        assert_eq!(text, format!("[r.example] {expected}\n"));
        assert_eq!((told.met.len(), told.clashes.len()), (1, 0));
        assert_eq!(told.met[0].policy(), Some(expected));
    }
}

#[test]
fn what_is_in_force_is_said_beside_each_rule() {
    let rules = [
        rule("[r.example]", "encrypt protocols=>=TLSv1.3"),
        by_domain("[r.example]", "encrypt ciphers=high"),
    ];
    let met = meetings(&rules).remove(0);
    assert_eq!(
        met.instead_of(&rules[0]).as_deref(),
        Some("merged with domain a.example: encrypt protocols=>=TLSv1.3 ciphers=high")
    );
    assert_eq!(
        met.sentence().as_deref(),
        Some(
            "[r.example]: encrypt protocols=>=TLSv1.3 ciphers=high keeps what encrypt \
             protocols=>=TLSv1.3 (by hand) and encrypt ciphers=high (managed by domain a.example) \
             demand"
        )
    );
    let rules = [
        rule("[r.example]", "may"),
        by_domain("[r.example]", "secure"),
    ];
    let met = meetings(&rules).remove(0);
    assert_eq!(
        met.instead_of(&rules[0]).as_deref(),
        Some("overruled by domain a.example: secure")
    );
    assert_eq!(met.instead_of(&rules[1]), None);
    assert_eq!(
        met.sentence().as_deref(),
        Some(
            "[r.example]: secure (managed by domain a.example) is stricter than may (by hand), \
             and wins"
        )
    );
    // The same twice is nothing to tell.
    let same = [rule("[r.example]", "may"), by_domain("[r.example]", "may")];
    let met = meetings(&same).remove(0);
    assert_eq!((met.sentence(), met.instead_of(&same[0])), (None, None));
    assert!(meetings(&same[..1]).is_empty());
}

#[test]
fn what_cannot_both_be_kept_is_refused_with_both_and_who_manages_them() {
    let rules = [
        rule("[r.example]", "secure match=a.example"),
        by_domain("[r.example]", "secure match=b.example"),
    ];
    let (text, told) = rendered(&rules);
    assert_eq!((text.as_str(), told.met.len()), ("", 0));
    let met = &told.clashes[0];
    assert!(matches!(met.outcome, Outcome::Incomparable(_)));
    assert_eq!(met.policy(), None);
    let finding = met.finding().unwrap();
    assert_eq!(finding.code, "policy.incomparable");
    for part in [
        "secure match=a.example (by hand)",
        "secure match=b.example (managed by domain a.example)",
        "Match cannot be both a.example and b.example",
    ] {
        assert!(finding.message.contains(part), "{}", finding.message);
    }
    for command in ["policy edit '[r.example]'", "domain edit a.example"] {
        assert!(finding.remedy.contains(command), "{}", finding.remedy);
    }
    assert_eq!(
        met.instead_of(&rules[0]).as_deref(),
        Some("incomparable with domain a.example")
    );
}

#[test]
fn what_a_rule_for_the_domain_alone_does_not_touch_stays() {
    let (text, _) = rendered(&[both("r.example", "may"), by_domain("r.example", "encrypt")]);
    assert_eq!(text, ".r.example may\nr.example encrypt\n");
    let (text, told) = rendered(&[
        both("r.example", "secure"),
        by_domain("r.example", "encrypt"),
    ]);
    assert_eq!(text, ".r.example secure\nr.example secure\n");
    assert_eq!(told.met.len(), 1);
    let (text, _) = rendered(&[
        both("r.example", "encrypt ciphers=high"),
        by_domain("r.example", "secure"),
    ]);
    assert_eq!(
        text,
        ".r.example encrypt ciphers=high\nr.example secure ciphers=high\n"
    );
    // Three managers, whatever their order.
    let passwords = managed("smtp_sasl_password_maps", "r.example", "dane-only");
    let (text, told) = rendered(&[
        both("r.example", "dane"),
        by_domain("r.example", "encrypt"),
        passwords,
    ]);
    assert_eq!(text, ".r.example dane\nr.example dane-only\n");
    assert_eq!(told.met[0].rules.len(), 3);
}

#[test]
fn a_map_is_asked_for_what_holds_after_a_change() {
    let lookup = |key: &str, value: Option<&str>| Lookup {
        key: key.to_owned(),
        value: value.map(str::to_owned),
    };
    // The rule by hand goes; what manages another one still has its row.
    let before = [both("r.example", "encrypt ciphers=high")];
    let wanted = [by_domain("r.example", "encrypt")];
    assert_eq!(
        changed_lookups(&before, &wanted),
        [
            lookup(".r.example", None),
            lookup("r.example", Some("encrypt"))
        ]
    );
    let wanted = [
        rule("r.example", "encrypt ciphers=high"),
        by_domain("r.example", "secure"),
    ];
    assert_eq!(
        changed_lookups(&[], &wanted),
        [lookup("r.example", Some("secure ciphers=high"))]
    );
    // What moved to the names below is not gone.
    let wanted = [rule(".r.example", "may")];
    assert_eq!(
        changed_lookups(&before, &wanted),
        [lookup("r.example", None), lookup(".r.example", Some("may"))]
    );
    assert_eq!(wanted[0].both, Both::No);
}
