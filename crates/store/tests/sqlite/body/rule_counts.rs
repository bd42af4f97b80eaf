//! Figures about rules, at every backend.

use crate::fixture::{MX, kept, operation, state};
use mailtls::destination::Scope;
use mailtls::policy::Dialect;
use postseal_planner::Preflight;
use postseal_planner::policy::{About, Rule, RuleId};
use postseal_planner::preflight::Strongest;
use postseal_planner::report::Outcome;
use postseal_store::{Known, RuleFilter, RuleTake, RuleView, RuleWish, Store};

fn rule(destination: &str, policy: &str) -> Rule {
    let dialect = Dialect { major: 3, minor: 7 };
    Rule::new(destination, None, policy, dialect).unwrap()
}

fn managed(destination: &str, policy: &str) -> Rule {
    let mut rule = rule(destination, policy);
    rule.id.manager = "domain m.example".to_owned();
    rule
}

fn both(destination: &str) -> Rule {
    let dialect = Dialect { major: 3, minor: 7 };
    Rule::new(destination, Some(Scope::Both), "may", dialect).unwrap()
}

fn until(destination: &str, day: &str) -> Rule {
    let about = About {
        until: Some(day.to_owned()),
        ..About::default()
    };
    rule(destination, "may").with(about).unwrap()
}

fn seen(nexthop: &str) -> Preflight {
    Preflight {
        nexthop: nexthop.to_owned(),
        clients: Vec::new(),
        policy: "may".to_owned(),
        at: 1,
        outcome: Outcome::Pass,
        sentence: String::new(),
        hosts: Vec::new(),
        findings: Vec::new(),
        strongest: Strongest::default(),
    }
}

fn wish(store: &mut dyn Store, rules: Vec<Rule>) {
    let wishes: Vec<RuleWish> = rules.into_iter().map(RuleWish::Put).collect();
    store.wish_rules(MX, &wishes).unwrap();
}

fn remove(store: &mut dyn Store, rules: &[Rule]) {
    let wishes: Vec<RuleWish> = rules
        .iter()
        .map(|rule| RuleWish::Remove(rule.id.clone()))
        .collect();
    store.wish_rules(MX, &wishes).unwrap();
}

fn wishes(store: &dyn Store) -> RuleTake {
    RuleTake::Wishes {
        revision: store.rules_revision(MX).unwrap(),
    }
}

fn in_force(store: &mut dyn Store, word: &str) -> u64 {
    let mut new = operation(MX, word);
    new.rules = wishes(store);
    let id = store.open_operation(&new).unwrap();
    store.close_operation(id, &kept(word)).unwrap();
    id
}

fn levels(store: &dyn Store, take: RuleTake) -> Vec<String> {
    let found = store.rule_levels(MX, take).unwrap();
    let word = |level: Option<String>| level.unwrap_or_else(|| "-".to_owned());
    let lines = found.into_iter().map(|one| {
        let mut line = format!("{} {} {}", word(one.before), word(one.after), one.count);
        if one.same_rows {
            line.push_str(" same");
        }
        if one.another {
            line.push_str(" another");
        }
        line
    });
    lines.collect()
}

pub(crate) fn rule_counts(store: &mut dyn Store) {
    store.adopt(MX, &state("a")).unwrap();
    assert_eq!(store.known_destinations(MX).unwrap(), Known::default());
    assert_eq!(levels(store, wishes(store)), [] as [&str; 0]);
    known(store);
    by_level(store);
    due(store);
    policies(store);
    pages(store);
    unstaged(store);
}

fn known(store: &mut dyn Store) {
    assert!(!store.has_worded_rules(MX).unwrap());
    wish(
        store,
        vec![rule("a.example", "may"), rule(".b.example", "may")],
    );
    assert!(!store.has_worded_rules(MX).unwrap());
    wish(
        store,
        vec![both("c.example"), managed("a.example", "encrypt")],
    );
    assert!(store.has_worded_rules(MX).unwrap());
    let looks = [
        "a.example",
        // Below a domain alone, below one whose names below it have a rule, itself among them.
        "x.a.example",
        "b.example",
        "x.y.b.example",
        "x.c.example",
        "xc.example",
        "[b.example]",
        "x.b.example:25",
    ];
    let before = store.rules_news(MX).unwrap();
    store.put_preflights(MX, &[]).unwrap();
    assert_eq!(store.rules_news(MX).unwrap(), before);
    store.put_preflights(MX, &looks.map(seen)).unwrap();
    assert_eq!(store.rules_news(MX).unwrap(), before + 1);
    // x.a.example, b.example, xc.example, [b.example] and x.b.example:25 have none.
    let all = Known { own: 3, others: 5 };
    assert_eq!(store.known_destinations(MX).unwrap(), all);
    in_force(store, "b");
    assert_eq!(store.known_destinations(MX).unwrap(), all);
    remove(
        store,
        &[rule(".b.example", "may"), rule("a.example", "may")],
    );
    // One of the two for a.example stays.
    let fewer = Known { own: 2, others: 6 };
    assert_eq!(store.known_destinations(MX).unwrap(), fewer);
    store.discard_rules(MX).unwrap();
    assert_eq!(store.known_destinations(MX).unwrap(), all);
}

fn by_level(store: &mut dyn Store) {
    let mut noted = rule(".b.example", "may");
    noted.about.note = Some("seen".to_owned());
    wish(
        store,
        vec![
            rule("d.example", "secure match=nexthop"),
            rule("c.example", "encrypt"),
            noted,
        ],
    );
    remove(store, &[rule("a.example", "may")]);
    let there = [
        "- secure 1",
        "may - 1 another",
        "may encrypt 1",
        "may may 1 same",
    ];
    assert_eq!(levels(store, wishes(store)), there);
    // Where the other one goes, too, nothing stays.
    remove(store, &[managed("a.example", "encrypt")]);
    let without = levels(store, wishes(store));
    assert!(without.contains(&"may - 1".to_owned()), "{without:?}");
    wish(store, vec![managed("a.example", "encrypt")]);
    let of = in_force(store, "c");
    assert_eq!(levels(store, wishes(store)), [] as [&str; 0]);
    let back = ["- may 1", "encrypt may 1", "may may 1 same", "secure - 1"];
    assert_eq!(levels(store, RuleTake::Reverse { of }), back);
}

fn due(store: &mut dyn Store) {
    let rules = vec![
        until("old.example", "2020-01-31"),
        until("today.example", "2026-11-21"),
        until("later.example", "2026-11-22"),
    ];
    wish(store, rules);
    let due = |store: &dyn Store| store.due_rules(MX, "2026-11-21").unwrap();
    assert_eq!(due(store), 0);
    in_force(store, "d");
    assert_eq!(due(store), 2);
    wish(
        store,
        vec![
            until("old.example", "2030-01-31"),
            until("new.example", "2026-01-01"),
        ],
    );
    assert_eq!(due(store), 2);
    // A list is of what is wished.
    let listed = |store: &dyn Store, day: &str| {
        let filter = RuleFilter {
            due: Some(day.to_owned()),
            ..RuleFilter::default()
        };
        let found = store.list_rules(MX, &filter, 0, 9).unwrap().into_iter();
        found.map(|one| one.id.destination).collect::<Vec<_>>()
    };
    assert_eq!(
        listed(store, "2026-11-21"),
        ["new.example", "today.example"]
    );
    let all = [
        "later.example",
        "new.example",
        "old.example",
        "today.example",
    ];
    assert_eq!(listed(store, "2099-01-01"), all);
    assert_eq!(listed(store, "2000-01-01"), [] as [&str; 0]);
    store.discard_rules(MX).unwrap();
}

/// The different policies of a view, and the rules that have some of them.
fn policies(store: &mut dyn Store) {
    let all = |store: &dyn Store, view: RuleView| {
        let mut found = store.policies(MX, view, 99).unwrap();
        found.sort();
        found
    };
    let with = |store: &dyn Store, view: RuleView, policy: &str, limit: usize| {
        let wanted = ["no policy".to_owned(), policy.to_owned()];
        let found = store.rules_with(MX, view, &wanted, limit).unwrap();
        let mut found: Vec<String> = found.into_iter().map(|one| one.id.destination).collect();
        found.sort();
        found
    };
    let before = all(store, RuleView::InForce);
    let forced = About {
        reason: Some("agreed".to_owned()),
        ..About::default()
    };
    let rules = vec![
        rule("p.example", "dane"),
        rule("q.example", "dane"),
        rule("r.example", "verify").with(forced).unwrap(),
    ];
    wish(store, rules);
    assert_eq!(all(store, RuleView::InForce), before);
    let mut wanted = before.clone();
    wanted.push("dane".to_owned());
    wanted.sort();
    assert_eq!(all(store, RuleView::Wanted), wanted);
    assert_eq!(with(store, RuleView::InForce, "dane", 9), [] as [&str; 0]);
    let of = in_force(store, "p");
    assert_eq!(all(store, RuleView::InForce), wanted);
    assert_eq!(all(store, RuleView::Before(of)), before);
    let both = ["p.example", "q.example"];
    assert_eq!(with(store, RuleView::InForce, "dane", 9), both);
    assert_eq!(with(store, RuleView::InForce, "dane", 1).len(), 1);
    assert_eq!(with(store, RuleView::InForce, "verify", 9), [] as [&str; 0]);
    assert_eq!(
        with(store, RuleView::Before(of), "dane", 9),
        [] as [&str; 0]
    );
    // Taken back, what was there is there.
    remove(store, &[rule("p.example", "dane")]);
    wish(store, vec![rule("q.example", "none")]);
    let gone = in_force(store, "q");
    assert_eq!(with(store, RuleView::Wanted, "dane", 9), [] as [&str; 0]);
    assert_eq!(with(store, RuleView::Before(gone), "dane", 9), both);
}

/// A page of all rules is in their order, those that are wished only among them.
fn pages(store: &mut dyn Store) {
    wish(
        store,
        vec![
            rule("0.example", "may"),
            rule("zz.example", "may"),
            rule("q0.example", "may"),
        ],
    );
    let page = |skip: usize, limit: usize| {
        let any = RuleFilter::default();
        let found = store.list_rules(MX, &any, skip, limit).unwrap();
        found
            .into_iter()
            .map(|one| (one.id.clone(), one.is_pending()))
            .collect::<Vec<_>>()
    };
    let all = page(0, 99);
    let mut sorted = all.clone();
    sorted.sort();
    assert_eq!(all, sorted);
    assert!(
        all.iter().filter(|(_, pending)| *pending).count() == 3,
        "{all:?}"
    );
    for at in 0..all.len() {
        assert_eq!(page(at, 1), all[at..=at]);
    }
    assert_eq!(page(all.len(), 9), []);
    store.discard_rules(MX).unwrap();
}

fn unstaged(store: &mut dyn Store) {
    let put = |name: &str| RuleWish::Put(rule(name, "may"));
    store
        .stage_rules(&["s.example", "t.example", "u.example"].map(put))
        .unwrap();
    let ids = ["s.example", "u.example", "v.example"].map(|id| RuleId::parse(id).unwrap());
    store.unstage_rules(&ids).unwrap();
    let left = store.rules(MX, RuleView::Staged, None, 9).unwrap();
    let left: Vec<&str> = left.iter().map(|one| one.id.destination.as_str()).collect();
    assert_eq!(left, ["t.example"]);
    store.drop_staged().unwrap();
}
