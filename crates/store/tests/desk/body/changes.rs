//! The desk: a small change of the rules that pages show.

use super::rules::{found, query, rule};
use super::{MX, Open};
use postseal_store::desk::{
    Desk, Matching, RuleChange, RuleKind, RuleMark, RulePage, RulePlace, RuleQuery, RuleRow,
    RuleSort,
};
use std::collections::BTreeMap;

const SORTS: [RuleSort; 5] = [
    RuleSort::Destination,
    RuleSort::Level,
    RuleSort::Owner,
    RuleSort::Until,
    RuleSort::Looked,
];

fn shown(desk: &mut dyn Desk, rows: &[RuleRow], mark: &str) {
    let set = desk.begin_rules(MX, 1).unwrap();
    for piece in rows.chunks(500) {
        desk.add_rules(set, piece).unwrap();
    }
    desk.show_rules(MX, set, mark, 2).unwrap();
}

fn change(destinations: &[&str], rules: &[RuleRow]) -> RuleChange {
    RuleChange {
        destinations: destinations.iter().map(|one| (*one).to_owned()).collect(),
        rules: rules.to_vec(),
    }
}

/// Forwards and back again, by pages of seven.
fn walked(desk: &dyn Desk, asked: &RuleQuery) -> Vec<RuleRow> {
    let mut asked = RuleQuery {
        limit: 7,
        ..asked.clone()
    };
    let (mut forth, mut back) = (Vec::new(), Vec::new());
    loop {
        let page = desk.rule_page(MX, &asked).unwrap().unwrap();
        forth.extend(page.rules);
        let Some(last) = forth.last().filter(|_| page.after) else {
            break;
        };
        let place = (last.destination.clone(), last.manager.clone());
        asked.place = Some(RulePlace::After(place.0, place.1));
    }
    if let Some(last) = forth.last() {
        back.push(last.clone());
    }
    while let Some(first) = back.first().cloned() {
        asked.place = Some(RulePlace::Before(first.destination, first.manager));
        let page = desk.rule_page(MX, &asked).unwrap().unwrap();
        let is_first = page.rules.is_empty() || !page.before;
        back.splice(0..0, page.rules);
        if is_first {
            break;
        }
    }
    assert_eq!(forth, back);
    forth
}

pub(crate) fn a_change_is_made_of_the_rules_that_it_is_of_and_is_another_set(open: Open<'_>) {
    let mut desk = open();
    let desk = &mut *desk;
    let none = change(&[], &[]);
    assert!(!desk.change_rules(MX, "m1", &none, "m2", 3).unwrap());
    shown(
        desk,
        &["a.example", "b.example"].map(|one| rule(one, "may")),
        "m1",
    );
    let before = desk.rule_page(MX, &query()).unwrap().unwrap();
    let other = change(&["a.example"], &[]);
    assert!(!desk.change_rules(MX, "m0", &other, "m2", 3).unwrap());
    assert_eq!(found(desk, &query()).len(), 2);
    let edited = change(
        &["b.example", "aa.example"],
        &[rule("aa.example", "encrypt"), rule("b.example", "secure")],
    );
    assert!(desk.change_rules(MX, "m1", &edited, "m2", 9).unwrap());
    let page = desk.rule_page(MX, &query()).unwrap().unwrap();
    let names: Vec<(&str, &str)> = page
        .rules
        .iter()
        .map(|one| (one.destination.as_str(), one.policy.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("a.example", "may"),
            ("aa.example", "encrypt"),
            ("b.example", "secure")
        ]
    );
    assert_eq!(
        (page.mark.as_str(), page.made_ms, page.counts.all),
        ("m2", 9, 3)
    );
    // Whoever saw the rules before it is told.
    let late = desk.matching_rules(MX, before.set, &query(), 9).unwrap();
    assert_eq!(late, Matching::Changed);
    let now = desk.matching_rules(MX, page.set, &query(), 9).unwrap();
    assert_eq!(now, Matching::Rules(page.rules));
    // All of them again, in tables of their own; and a change of another instance is none of these.
    shown(desk, &[rule("c.example", "may")], "m3");
    assert!(
        !desk
            .change_rules("/etc/other", "m3", &other, "m4", 10)
            .unwrap()
    );
    let last = change(&["c.example"], &[rule("d.example", "may")]);
    assert!(desk.change_rules(MX, "m3", &last, "m4", 10).unwrap());
    assert_eq!(found(desk, &query()), ["d.example"]);
}

/// So many that some orders are walked and others sorted; after each of many changes they are what the same rules are that
/// are handed over whole.
pub(crate) fn after_many_changes_every_order_search_and_count_is_that_of_the_same_rules(
    open: Open<'_>,
) {
    let mut desk = open();
    let desk = &mut *desk;
    let mut seed = 11_u64;
    let mut any = move |end: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % end
    };
    let mut made = |n: u64| {
        let marks = RuleMark::ALL.into_iter().filter(|_| any(3) == 0);
        let marks: Vec<RuleMark> = marks.collect();
        let managed = any(9) == 0;
        RuleRow {
            manager: if managed {
                "domain x".to_owned()
            } else {
                String::new()
            },
            owner: ["", "Ingrid", "ole"][any(3) as usize].to_owned(),
            note: format!("word{} übung", any(50)),
            until: ["", "2026-11-01", "2027-01-01"][any(3) as usize].to_owned(),
            looked: [0, 17, 18, 19][any(4) as usize],
            marks,
            ..rule(
                &format!("d{n:04}.example"),
                ["may", "encrypt", "secure match=.x"][any(3) as usize],
            )
        }
    };
    let mut rules: BTreeMap<(String, String), RuleRow> = BTreeMap::new();
    let key = |row: &RuleRow| (row.destination.clone(), row.manager.clone());
    for n in 0..400 {
        let row = made(n * 3);
        rules.insert(key(&row), row);
    }
    let all: Vec<RuleRow> = rules.values().cloned().collect();
    shown(desk, &all, "0");
    for round in 0..12_u64 {
        let numbers: Vec<u64> = (0..25).map(|n| (n * 47 + round * 131) % 1300).collect();
        let names = numbers.iter().map(|n| format!("d{n:04}.example"));
        let names: Vec<String> = names.collect();
        rules.retain(|(destination, _), _| !names.contains(destination));
        let news: Vec<RuleRow> = numbers
            .iter()
            .filter(|n| *n % 4 != 0)
            .map(|n| made(*n))
            .collect();
        rules.extend(news.iter().map(|row| (key(row), row.clone())));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (since, mark) = (round.to_string(), (round + 1).to_string());
        let change = change(&names, &news);
        assert!(desk.change_rules(MX, &since, &change, &mark, 3).unwrap());
    }
    let changed = everything(desk);
    let all: Vec<RuleRow> = rules.values().cloned().collect();
    shown(desk, &all, "12");
    for (changed, whole) in changed.into_iter().zip(everything(desk)) {
        assert_eq!(changed, whole);
    }
    assert_eq!(walked(desk, &query()), all);
}

/// What each order, search and kind finds and counts.
fn everything(desk: &dyn Desk) -> Vec<(String, RulePage, Vec<RuleRow>)> {
    let kinds = RuleMark::ALL.map(RuleKind::Marked).into_iter();
    let kinds = kinds.chain([RuleKind::Overdue]).map(Some).chain([None]);
    let mut asked: Vec<RuleQuery> = SORTS.map(|sort| RuleQuery { sort, ..query() }).into();
    for kind in kinds {
        for words in ["", "word7", "word1 ing", "übung", "00"] {
            let words = words.split_whitespace().map(str::to_owned).collect();
            asked.push(RuleQuery {
                kind,
                words,
                ..query()
            });
        }
    }
    let found = asked.iter().map(|asked| {
        let page = RulePage {
            set: 0,
            made_ms: 0,
            ..desk.rule_page(MX, asked).unwrap().unwrap()
        };
        (format!("{asked:?}"), page, walked(desk, asked))
    });
    found.collect()
}
