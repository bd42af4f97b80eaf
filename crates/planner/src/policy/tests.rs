//! Rules: their keys, their words, their rows.

use super::{About, Both, Lookup, Renderer, Rule, RuleError, RuleId, covered_by};
use mailtls::destination::Scope;
use mailtls::policy::Dialect;

pub(super) const DIALECT: Dialect = Dialect { major: 3, minor: 7 };

pub(super) fn rule(destination: &str, policy: &str) -> Rule {
    Rule::new(destination, None, policy, DIALECT).unwrap()
}

pub(super) fn both(destination: &str, policy: &str) -> Rule {
    Rule::new(destination, Some(Scope::Both), policy, DIALECT).unwrap()
}

pub(super) fn rendered(rules: &[Rule]) -> (String, super::Rendered) {
    let mut renderer = Renderer::new(rules.len() as u64);
    let mut rows = Vec::new();
    for rule in rules {
        renderer.push(rule.clone(), &mut rows);
    }
    let rendered = renderer.finish(&mut rows).unwrap();
    (String::from_utf8(rows).unwrap(), rendered)
}

#[test]
fn scopes_are_told_by_the_id() {
    let cases = [
        (rule("example.org", "may"), Scope::Domain, "example.org"),
        (
            rule(".example.org", "may"),
            Scope::Subdomains,
            ".example.org",
        ),
        (both("example.org", "may"), Scope::Both, "example.org"),
        (
            rule("[mx.example.org]:587", "may"),
            Scope::Domain,
            "[mx.example.org]:587",
        ),
    ];
    for (rule, scope, id) in cases {
        assert_eq!((rule.scope(), rule.id.destination.as_str()), (scope, id));
        // What the store keeps is read back the same.
        let text = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<Rule>(&text).unwrap(), rule);
    }
    assert_eq!(rule("bücher.example", "may").id.shown(), "bücher.example");
    assert_eq!(rule(".bücher.example", "may").id.shown(), ".bücher.example");
    assert_eq!(
        RuleId::parse(".Example.org").unwrap().destination,
        ".example.org"
    );
}

#[test]
fn rows_hold_every_key_and_the_digest_tells_them_apart() {
    let rules = [
        both("a.example", "may"),
        rule("bücher.example", "secure match=nexthop"),
    ];
    let (rows, first) = rendered(&rules);
    assert_eq!(
        rows,
        ".a.example may\na.example may\nxn--bcher-kva.example secure match=nexthop\n\
         bücher.example secure match=nexthop\n"
    );
    assert_eq!(first.policies.rows, 4);
    let keys: Vec<&str> = first.lookups.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            ".a.example",
            "a.example",
            "xn--bcher-kva.example",
            "bücher.example"
        ]
    );
    let (_, again) = rendered(&rules);
    assert_eq!(again.policies, first.policies);
    let (_, other) = rendered(&rules[..1]);
    assert_ne!(other.policies.digest, first.policies.digest);
    assert!(Renderer::new(0).finish(&mut Vec::new()).is_none());
}

#[test]
fn many_rows_are_sampled_evenly_with_first_and_last() {
    let rules: Vec<Rule> = (0..5000)
        .map(|n| rule(&format!("d{n:05}.example"), "may"))
        .collect();
    let (_, rendered) = rendered(&rules);
    assert!(
        (100..=102).contains(&rendered.lookups.len()),
        "{}",
        rendered.lookups.len()
    );
    let lookup = |n: usize| Lookup {
        key: format!("d{n:05}.example"),
        value: Some("may".to_owned()),
    };
    assert_eq!(rendered.lookups[0], lookup(0));
    assert_eq!(rendered.lookups.last(), Some(&lookup(4999)));
}

#[test]
fn rules_that_write_one_key_are_told() {
    let id = |text: &str| Some(RuleId::parse(text).unwrap());
    assert_eq!(covered_by(&both("a.example", "may")), id(".a.example"));
    assert_eq!(covered_by(&rule(".a.example", "may")), id("a.example"));
    assert_eq!(covered_by(&rule("a.example", "may")), None);
    assert_eq!(covered_by(&rule("[a.example]", "may")), None);
}

#[test]
fn words_about_a_rule_are_checked() {
    let with = |about: About| rule("a.example", "may").with(about);
    let good = About {
        note: Some("Vertrag 12, läuft aus".to_owned()),
        owner: Some("alice".to_owned()),
        tags: vec!["b".to_owned(), "a".to_owned(), "b".to_owned()],
        until: Some("2028-02-29".to_owned()),
        reason: None,
        entry: None,
        follow: None,
    };
    assert_eq!(with(good).unwrap().about.tags, ["a", "b"]);
    let text = |text: &str| Some(text.to_owned());
    let bad = [
        About {
            note: text("two\nlines"),
            ..About::default()
        },
        About {
            note: text("\u{2028}"),
            ..About::default()
        },
        About {
            note: Some("x".repeat(1001)),
            ..About::default()
        },
        About {
            owner: Some("x".repeat(101)),
            ..About::default()
        },
        About {
            tags: vec!["a b".to_owned()],
            ..About::default()
        },
        About {
            until: text("2027-02-29"),
            ..About::default()
        },
        About {
            until: text("31.1.2027"),
            ..About::default()
        },
        About {
            until: text("2027-1-31"),
            ..About::default()
        },
    ];
    for about in bad {
        let said = format!("{about:?}");
        let error = with(about).unwrap_err();
        assert_eq!(error.code(), "policy.bad-word", "{said}");
    }
}

#[test]
fn what_is_no_rule_has_a_code() {
    let new = |destination, scope, policy| Rule::new(destination, scope, policy, DIALECT);
    let cases: [(Result<Rule, RuleError>, &str); 4] = [
        (new("*.a.example", None, "may"), "policy.bad-destination"),
        (
            new("[a.example]", Some(Scope::Both), "may"),
            "policy.bad-destination",
        ),
        (new("a.example", None, "sometimes"), "policy.bad-policy"),
        (
            new("a.example", None, "encrypt enable_rpk=yes"),
            "policy.bad-policy",
        ),
    ];
    for (made, code) in cases {
        assert_eq!(made.unwrap_err().code(), code);
    }
    // Written one way, whatever the case.
    assert_eq!(rule("a.example", "ENCRYPT").policy, "encrypt");
    assert_eq!(rule("a.example", "may").both, Both::No);
}
