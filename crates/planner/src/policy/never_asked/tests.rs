//! Which next hops no route names, and what is near them.

use super::*;
use crate::policy::dialect;

fn rule(destination: &str) -> Rule {
    let version = crate::PostfixVersion::new(3, 7, 11);
    Rule::new(destination, None, "encrypt", dialect(version)).unwrap()
}

fn instead(destination: &str, listed: Listed) -> Option<Vec<String>> {
    let names = [
        "[relay.example]:587",
        "Other.example:26",
        "[IPv6:2001:db8::1]:25",
    ];
    let hops: Hops = names.map(|name| (name.to_owned(), BTreeSet::new())).into();
    let others = BTreeSet::from(["[last.example]".to_owned()]);
    let mut found = Judged::default();
    by_names(
        &rule(destination),
        &mut found,
        &Named::of(&hops, &others, listed),
    );
    found.instead
}

#[test]
fn a_next_hop_is_named_as_it_stands() {
    for hop in [
        "[relay.example]:587",
        "[Relay.example]:587",
        "other.example:26",
        "[IPv6:2001:db8::1]:25",
        "[last.example]",
        // Not only by routes.
        "relay.example",
        ".relay.example",
        "[192.0.2.1]",
        "[2001:db8::2]",
    ] {
        assert_eq!(instead(hop, Listed::Whole), None, "{hop}");
    }
    for (hop, near) in [
        ("[relay.example]:578", "[relay.example]:587"),
        ("[relay.example]", "[relay.example]:587"),
        ("relay.example:587", "[relay.example]:587"),
        ("[other.example]:26", "other.example:26"),
        ("[last.example]:25", "[last.example]"),
        ("[2001:db8::1]:25", "[ipv6:2001:db8::1]:25"),
        ("[nobody.example]:587", ""),
        ("[192.0.2.1]:25", ""),
    ] {
        let found = instead(hop, Listed::Whole).unwrap();
        assert_eq!(found.join(" "), near, "{hop}");
        assert_eq!(instead(hop, Listed::Partly), None, "{hop}");
    }
}

#[test]
fn a_rule_that_somebody_manages_is_told_there() {
    let mut managed = rule("[nobody.example]:587");
    managed.id.manager = "domain".to_owned();
    assert!(!needs_route(&managed));
}

#[test]
fn what_is_offered_is_the_next_hop_of_a_route() {
    let rules = [
        rule("[a.example]:1"),
        rule("[b.example]:2"),
        rule("[relay.example]:578"),
    ];
    let judged = rules.each_ref().map(|rule| Judged {
        instead: instead(&rule.id.destination, Listed::Whole),
        ..Judged::default()
    });
    let pairs: Vec<(&Rule, &Judged)> = rules.iter().zip(&judged).collect();
    let told = never_asked(&pairs);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].message.starts_with("2 rules do nothing"),
        "{told:?}"
    );
    let offered = "`postseal policy add '[relay.example]:587' encrypt`";
    assert!(told[1].remedy.contains(offered), "{told:?}");
}

#[test]
fn what_is_near_is_told_although_a_table_cannot_be_listed() {
    let rule = rule("[relay.example]:578");
    let hops = Hops::from([("[relay.example]:587".to_owned(), BTreeSet::new())]);
    let named = Named::of(&hops, &BTreeSet::new(), Listed::Partly);
    let mut judged = Judged::default();
    by_names(
        &rule,
        &mut judged,
        &named.beside(vec!["regexp:/t".to_owned()]),
    );
    let told = never_asked(&[(&rule, &judged)]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].message.contains("[relay.example]:587"), "{told:?}");
    assert!(told[0].message.contains("regexp:/t"), "{told:?}");
}
