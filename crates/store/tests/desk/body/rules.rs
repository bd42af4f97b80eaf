//! The desk: rules for destinations.

use super::{MX, Open};
use postseal_store::desk::{Desk, RuleKind, RuleMark, RulePlace, RuleQuery, RuleRow, RuleSort};

pub(crate) fn rule(destination: &str, policy: &str) -> RuleRow {
    RuleRow {
        destination: destination.to_owned(),
        shown: destination.to_owned(),
        policy: policy.to_owned(),
        ..RuleRow::default()
    }
}

pub(crate) fn query() -> RuleQuery {
    RuleQuery {
        limit: 10,
        today: "2026-11-22".to_owned(),
        ..RuleQuery::default()
    }
}

pub(crate) fn found(desk: &dyn Desk, query: &RuleQuery) -> Vec<String> {
    let page = desk.rule_page(MX, query).unwrap().unwrap();
    page.rules
        .into_iter()
        .map(|rule| rule.destination)
        .collect()
}

pub(crate) fn a_set_is_seen_once_it_is_whole_and_takes_the_place_of_the_one_before(open: Open<'_>) {
    let mut desk = open();
    assert_eq!(desk.rule_page(MX, &query()).unwrap(), None);
    let first = desk.begin_rules(MX, 1).unwrap();
    desk.add_rules(first, &[rule("a.example", "encrypt")])
        .unwrap();
    assert_eq!(desk.rule_page(MX, &query()).unwrap(), None, "half a set");
    assert_eq!(desk.rules_mark(MX).unwrap(), None);
    desk.show_rules(MX, first, "m1", 2).unwrap();
    assert_eq!(found(&*desk, &query()), ["a.example"]);
    let second = desk.begin_rules(MX, 3).unwrap();
    desk.add_rules(second, &[rule("b.example", "encrypt")])
        .unwrap();
    assert_eq!(found(&*desk, &query()), ["a.example"]);
    // An agent that died half-way begins anew, and another instance is none of its business.
    let other = desk.begin_rules("/etc/other", 3).unwrap();
    let third = desk.begin_rules(MX, 4).unwrap();
    assert!(desk.add_rules(second, &[rule("c.example", "may")]).is_err());
    desk.add_rules(third, &[rule("d.example", "may")]).unwrap();
    desk.show_rules(MX, third, "m3", 5).unwrap();
    assert_eq!(found(&*desk, &query()), ["d.example"]);
    assert_eq!(desk.rules_mark(MX).unwrap().as_deref(), Some("m3"));
    assert!(desk.add_rules(first, &[rule("c.example", "may")]).is_err());
    desk.add_rules(other, &[rule("e.example", "may")]).unwrap();
}

pub(crate) fn words_are_found_wherever_they_stand_and_short_ones_too(open: Open<'_>) {
    let mut desk = open();
    let set = desk.begin_rules(MX, 1).unwrap();
    let rows = [
        RuleRow {
            note: "Vertrag mit MÜLLER \"GmbH\"".to_owned(),
            ..rule("a.example", "secure match=.a.example")
        },
        RuleRow {
            shown: "bücher.example".to_owned(),
            owner: "Ingrid".to_owned(),
            tags: vec!["k9".to_owned()],
            ..rule("xn--bcher-kva.example", "encrypt")
        },
        RuleRow {
            manager: "domain z.example".to_owned(),
            marks: vec![RuleMark::Managed],
            until: "2026-11-21".to_owned(),
            ..rule("z.example", "may")
        },
    ];
    desk.add_rules(set, &rows).unwrap();
    desk.show_rules(MX, set, "m", 2).unwrap();
    let words = |text: &str| {
        let words = text.split(' ').map(str::to_owned).collect();
        found(&*desk, &RuleQuery { words, ..query() })
    };
    assert_eq!(words("müller"), ["a.example"]);
    assert_eq!(words("\"gmbh\""), ["a.example"]);
    assert_eq!(words("bücher"), ["xn--bcher-kva.example"]);
    assert_eq!(words("kva ingrid"), ["xn--bcher-kva.example"]);
    assert_eq!(words("k9"), ["xn--bcher-kva.example"]);
    assert_eq!(words("domain"), ["z.example"]);
    assert_eq!(words("match=.a"), ["a.example"]);
    assert_eq!(words("example").len(), 3);
    // Every three letters of it are there, but not in this order.
    assert!(words("xampleexamp").is_empty());
    assert!(words("' OR 1=1 --").is_empty());
    assert!(words("a* NEAR(b").is_empty());
    let kind = |kind| {
        let kind = Some(kind);
        found(&*desk, &RuleQuery { kind, ..query() })
    };
    assert_eq!(kind(RuleKind::Overdue), ["z.example"]);
    assert_eq!(kind(RuleKind::Marked(RuleMark::Managed)), ["z.example"]);
    assert!(kind(RuleKind::Marked(RuleMark::Pending)).is_empty());
    let one = desk.rule_row(MX, "z.example", "domain z.example").unwrap();
    assert_eq!(one.as_ref(), Some(&rows[2]));
    assert_eq!(desk.rule_row(MX, "z.example", "").unwrap(), None);
}

/// More than are ever sorted for a page: they are walked, and what is asked for is found all the same.
pub(crate) fn what_is_found_of_many_is_the_same_by_every_way(open: Open<'_>) {
    let mut desk = open();
    let set = desk.begin_rules(MX, 1).unwrap();
    let all: Vec<RuleRow> = (0..12_000)
        .map(|n| RuleRow {
            looked: if n % 2 == 0 { 0 } else { 1_000_000 - n },
            marks: Vec::from_iter((n % 4_000 == 1).then_some(RuleMark::Failing)),
            ..rule(
                &format!("d{n:05}.example"),
                if n % 3 == 0 { "secure" } else { "encrypt" },
            )
        })
        .collect();
    for piece in all.chunks(500) {
        desk.add_rules(set, piece).unwrap();
    }
    desk.show_rules(MX, set, "m", 2).unwrap();
    let page = |query: RuleQuery| desk.rule_page(MX, &query).unwrap().unwrap();
    let dense = page(RuleQuery {
        words: vec!["example".to_owned()],
        sort: RuleSort::Level,
        ..query()
    });
    assert_eq!((dense.matching.n, dense.matching.more), (10_000, true));
    assert_eq!(dense.counts.all, 12_000);
    assert_eq!(dense.rules[0].destination, "d00001.example");
    let after = |sort, destination: &str| RuleQuery {
        sort,
        place: Some(RulePlace::After(destination.to_owned(), String::new())),
        ..query()
    };
    // Where one level ends the next begins.
    let turn = page(after(RuleSort::Level, "d11999.example"));
    assert_eq!(turn.rules[0].destination, "d00000.example");
    let looked = page(RuleQuery {
        sort: RuleSort::Looked,
        ..query()
    });
    assert_eq!(looked.rules[0].destination, "d11999.example");
    let rare = page(RuleQuery {
        words: vec!["d0123".to_owned()],
        sort: RuleSort::Looked,
        ..query()
    });
    let names: Vec<&str> = rare
        .rules
        .iter()
        .map(|one| one.destination.as_str())
        .collect();
    assert_eq!(names[..2], ["d01239.example", "d01237.example"]);
    assert_eq!(names[5..7], ["d01230.example", "d01232.example"]);
    assert_eq!((rare.matching.n, rare.after), (10, false));
    let failing = page(RuleQuery {
        kind: Some(RuleKind::Marked(RuleMark::Failing)),
        words: vec!["example".to_owned(), "d0".to_owned()],
        ..query()
    });
    assert_eq!((failing.rules.len(), failing.matching.n), (3, 3));
    assert_eq!(failing.counts.of(RuleMark::Failing), 3);
}
