//! Rules that follow mail: where it goes, what is made of that, and back.

use super::super::{Both, Manager, Rule, RuleId};
use super::{Followed, follow_all, route_changed};
use crate::resolve::{Answer, Answers, Asked, Question};
use crate::view::tests::facts;
use mailtls::destination::Scope;
use mailtls::policy::Dialect;
use proptest::prelude::*;
use std::collections::BTreeSet;

const DIALECT: Dialect = Dialect { major: 3, minor: 7 };
const MASTER: &str = "smtp unix - - n - - smtp
own unix - - n - - smtp -o smtp_tls_policy_maps=hash:/own
lmtp unix - - n - - lmtp
local unix - n n - - local
error unix - - n - - error
";
const MAIN: &str = "default_transport = smtp\ntransport_maps = hash:/t\nlocal_transport = local\n";

fn wish(destination: &str, scope: Scope) -> Rule {
    Rule::new(destination, Some(scope), "encrypt", DIALECT).unwrap()
}

/// Where mail goes, by the rows of one table.
fn followed(main: &str, wish: &Rule, rows: &[(&str, &str)]) -> Followed {
    let facts = facts(main, MASTER);
    let mut answers = Answers::default();
    for _ in 0..100 {
        match follow_all(&[wish], &facts, &answers).remove(0) {
            Asked::Answered(followed) => return followed,
            Asked::Unanswered(question) => {
                let mut rows = rows.iter();
                let found = match &question {
                    Question::Lookup { key, .. } => rows.find(|row| row.0 == key),
                    _ => None,
                };
                let answer = match found {
                    Some((_, "FAIL")) => Answer::Failed("no such file".to_owned()),
                    Some((_, value)) => Answer::Found((*value).to_owned()),
                    None => Answer::NotFound,
                };
                answers.put(question, answer);
            }
        }
    }
    panic!("it asks without end");
}

fn hops(followed: &Followed) -> Vec<&str> {
    followed.hops.keys().map(String::as_str).collect()
}

#[test]
fn next_hops_are_found_by_every_form() {
    let rows = [
        ("a.example", "smtp:[A.relay]:587"),
        (".a.example", "smtp:[below.relay]"),
        ("b.example", "smtp:[one.relay], two.relay:26"),
        ("c.example", "smtp:"),
        ("d.example", ":[only.relay]"),
    ];
    let cases = [
        ("a.example", Scope::Domain, vec!["[a.relay]:587"]),
        ("a.example", Scope::Subdomains, vec!["[below.relay]"]),
        (
            "a.example",
            Scope::Both,
            vec!["[a.relay]:587", "[below.relay]"],
        ),
        (
            "b.example",
            Scope::Domain,
            vec!["[one.relay]", "two.relay:26"],
        ),
        ("c.example", Scope::Domain, vec!["c.example"]),
        ("d.example", Scope::Domain, vec!["[only.relay]"]),
        (
            "none.example",
            Scope::Both,
            vec![".none.example", "none.example"],
        ),
    ];
    for (domain, scope, expected) in cases {
        let found = followed(MAIN, &wish(domain, scope), &rows);
        assert_eq!(hops(&found), expected, "{domain} {scope:?}");
        assert!(found.against.is_empty(), "{found:?}");
    }
    let main = "default_transport = smtp:[out.relay]:26\n";
    let wished = wish("a.example", Scope::Domain);
    let found = followed(main, &wished, &[]);
    assert_eq!(hops(&found), ["[out.relay]:26"]);
    let told = found.told(&wished);
    assert!(told[0].message.contains("default_transport"), "{told:?}");
    // Of mail that goes by its own domain there is nothing else to tell.
    let own = wish("none.example", Scope::Both);
    assert_eq!(followed(MAIN, &own, &rows).told(&own), []);
}

#[test]
fn what_is_not_sent_by_smtp_or_meets_other_maps_is_not_followed() {
    let rows = [
        ("here.example", "local:"),
        ("lmtp.example", "lmtp:[relay]"),
        ("own.example", "own:[relay]"),
        ("broken.example", "FAIL"),
        ("nobody.example", "error:5.1.1 no"),
    ];
    let cases = [
        ("here.example", "policy.never-matches"),
        ("lmtp.example", "policy.never-matches"),
        ("own.example", "policy.never-matches"),
        ("nobody.example", "policy.never-matches"),
        ("broken.example", "policy.table-failed"),
    ];
    for (domain, code) in cases {
        let found = followed(MAIN, &wish(domain, Scope::Domain), &rows);
        let codes: Vec<&str> = found.against.iter().map(|one| &*one.code).collect();
        assert_eq!(codes, [code], "{domain}");
        assert!(found.hops.is_empty());
    }
}

#[test]
fn a_route_that_changed_is_told_with_the_command() {
    let wished = wish("a.example", Scope::Domain);
    let now = followed(MAIN, &wished, &[("a.example", "smtp:[new.relay]")]);
    let set = |hop: &str| BTreeSet::from([hop.to_owned()]);
    assert_eq!(route_changed(&wished, &set("[new.relay]"), &now), None);
    let told = route_changed(&wished, &set("[old.relay]"), &now).unwrap();
    assert_eq!(told.code, "policy.route-changed");
    for part in ["a.example", "[new.relay]", "[old.relay]", "encrypt"] {
        assert!(told.message.contains(part), "{}", told.message);
    }
    assert!(told.remedy.contains("postseal policy sync"));
    let gone = followed(MAIN, &wished, &[("a.example", "local:")]);
    let told = route_changed(&wished, &set("[new.relay]"), &gone).unwrap();
    assert!(
        told.message.contains("not sent by SMTP"),
        "{}",
        told.message
    );
    assert!(told.remedy.contains("policy remove 'a.example'"));
}

#[test]
fn the_manager_is_no_word_that_a_person_could_write() {
    let mut id = RuleId::parse("[a.relay]").unwrap();
    assert_eq!(Manager::of(&id), None);
    id.manager = "recipient .a.example".to_owned();
    let manager = Manager::of(&id).unwrap();
    assert_eq!(manager, Manager::Recipient(".a.example".to_owned()));
    assert_eq!(manager.to_string(), id.manager);
    assert!(manager.place().contains("policy remove .a.example"));
    // By hand, or of another manager: none that follows.
    assert_eq!(wish("a.example", Scope::Both).following().followed(), None);
}

proptest! {
    #[test]
    fn a_wish_comes_back_from_each_of_its_rules(
        scope in prop::sample::select(vec![Scope::Domain, Scope::Subdomains, Scope::Both]),
        hops in prop::collection::btree_set("\\[[a-z]{1,9}\\.example\\](:[1-9][0-9]{1,3})?|\\.?[a-z]{1,9}\\.example", 1..5),
        policy in prop::sample::select(vec!["encrypt", "secure match=a.example", "may ciphers=high"]),
        note in prop::option::of("[a-z ]{1,20}"),
    ) {
        let mut wished = Rule::new("bücher.example", Some(scope), policy, DIALECT).unwrap();
        wished.about.note = note;
        let wished = wished.following();
        let rules = wished.compiled(&hops, DIALECT).unwrap();
        prop_assert_eq!(rules.len(), hops.len());
        for (rule, hop) in rules.iter().zip(&hops) {
            prop_assert_eq!(&rule.id.destination, hop);
            prop_assert_eq!(rule.both, Both::No);
            let kept = serde_json::to_string(rule).unwrap();
            let kept: Rule = serde_json::from_str(&kept).unwrap();
            prop_assert_eq!(kept.followed(), Some(wished.clone()));
        }
    }
}
