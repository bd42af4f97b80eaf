//! Which relays are found, and which rules are told of.

use super::*;
use crate::policy::dialect;
use crate::view::tests::facts;

const MASTER: &str = "smtp unix - - n - - smtp\nown unix - - n - - smtp -o smtp_fallback_relay=\n";

fn rule(destination: &str, policy: &str) -> Rule {
    let version = crate::PostfixVersion::new(3, 7, 11);
    Rule::new(destination, None, policy, dialect(version)).unwrap()
}

fn ways(main: &str) -> Vec<String> {
    let facts = facts(main, MASTER);
    let Asked::Answered(ways) = fallbacks(&facts, &Answers::default()) else {
        panic!("no table is named");
    };
    let way = |one: &Fallback| format!("{} {} {}", one.transport, one.nexthop, one.level);
    ways.iter().map(way).collect()
}

fn way() -> Fallback {
    Fallback {
        transport: "smtp".to_owned(),
        nexthop: "[Last.Example]:26".to_owned(),
        parameter: "smtp_fallback_relay",
        level: Level::May,
    }
}

#[test]
fn relays_at_which_mail_may_go_in_clear_are_found_by_client() {
    let relays = "smtp_fallback_relay = [a.example], b.example:26\n";
    let may = format!("{relays}smtp_tls_security_level = may\n");
    assert_eq!(
        ways(&may),
        ["smtp [a.example] may", "smtp b.example:26 may"]
    );
    let encrypt = format!("{relays}smtp_tls_security_level = encrypt\n");
    assert!(ways(&encrypt).is_empty());
    assert!(ways("smtp_tls_security_level = may\n").is_empty());
}

#[test]
fn only_rules_that_demand_tls_are_told_of() {
    for (policy, client, told) in [
        ("encrypt", "smtp", 1),
        ("secure match=nexthop", "smtp", 1),
        ("may", "smtp", 0),
        ("dane", "smtp", 0),
        ("encrypt", "own", 0),
    ] {
        let rule = rule("[one.example]:25", policy);
        let mut judged = Judged {
            clients: vec![client.to_owned()],
            ..Judged::default()
        };
        by_fallbacks(&rule, &mut judged, &[way()]);
        assert_eq!(
            super::told(&[(&rule, &judged)]).len(),
            told,
            "{policy} {client}"
        );
    }
}

#[test]
fn a_rule_for_the_relay_closes_it_where_it_demands_tls() {
    for (destination, policy, left) in [
        ("[last.example]:26", "encrypt", 0),
        ("[last.example]:26", "may", 1),
        ("[last.example]", "encrypt", 1),
    ] {
        let mut ways = vec![way()];
        without_closed(&mut ways, &[&rule(destination, policy)]);
        assert_eq!(ways.len(), left, "{destination} {policy}");
    }
}

#[test]
fn several_rules_are_one_finding() {
    let rules: Vec<Rule> = (1..=12)
        .map(|n| rule(&format!("[r{n}.example]"), "secure match=nexthop"))
        .collect();
    let judged = Judged {
        fallbacks: vec![way()],
        ..Judged::default()
    };
    let pairs: Vec<(&Rule, &Judged)> = rules.iter().map(|rule| (rule, &judged)).collect();
    let told = super::told(&pairs);
    assert_eq!((told.len(), &*told[0].code), (1, FALLBACK));
    assert!(told[0].message.contains("12 rules"), "{told:?}");
    assert!(
        told[0].remedy.contains("'[Last.Example]:26' secure`"),
        "{told:?}"
    );
}
