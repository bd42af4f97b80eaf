//! Trying changes, at every backend.

use crate::fixture::{MX, state};
use mailtls::policy::Dialect;
use postseal_planner::policy::{Manager, Rule, RuleId};
use postseal_store::{RuleView, RuleWish, Store, TrialEnd};

fn put(destination: &str, manager: &str) -> RuleWish {
    let dialect = Dialect { major: 3, minor: 7 };
    let mut rule = Rule::new(destination, None, "may", dialect).unwrap();
    rule.id.manager = manager.to_owned();
    RuleWish::Put(rule)
}

fn wanted(store: &dyn Store) -> Vec<String> {
    let rules = store.rules(MX, RuleView::Wanted, None, 100).unwrap();
    let id = |rule: &Rule| format!("{} {}", rule.id.destination, rule.id.manager);
    rules.iter().map(id).collect()
}

pub(crate) fn trials(store: &mut dyn Store) {
    store.adopt(MX, &state("a")).unwrap();
    store.wish_rules(MX, &[put("a.example", "")]).unwrap();
    // What is tried is seen, and was never there.
    store.begin_trial().unwrap();
    assert!(store.begin_trial().is_err(), "one at a time");
    store.wish_rules(MX, &[put("b.example", "")]).unwrap();
    assert_eq!(wanted(store), ["a.example ", "b.example "]);
    store.stage_rules(&[put("c.example", "")]).unwrap();
    assert_eq!(store.take_staged(MX).unwrap().added, 1);
    assert_eq!(store.pending_rules(MX).unwrap(), 3);
    store.end_trial(TrialEnd::TakenBack).unwrap();
    assert_eq!(wanted(store), ["a.example "]);
    // Or it is kept, all of it.
    store.begin_trial().unwrap();
    store.wish_none(MX, "").unwrap();
    store.wish_rules(MX, &[put("d.example", "")]).unwrap();
    store.end_trial(TrialEnd::Kept).unwrap();
    assert_eq!(wanted(store), ["d.example "]);
    // Without one there is nothing to end.
    store.end_trial(TrialEnd::TakenBack).unwrap();
    store.end_trial(TrialEnd::Kept).unwrap();
    // What failed is not kept in part.
    store.begin_trial().unwrap();
    store.wish_rules(MX, &[put("e.example", "")]).unwrap();
    assert!(store.wish_rules("/other", &[put("f.example", "")]).is_err());
    assert!(store.wish_rules(MX, &[put("g.example", "")]).is_err());
    assert!(store.end_trial(TrialEnd::Kept).is_err());
    assert_eq!(wanted(store), ["d.example "]);
    store.wish_rules(MX, &[put("h.example", "")]).unwrap();
    assert_eq!(wanted(store), ["d.example ", "h.example "]);
    managers(store);
}

/// That all rules of some managers were gone is wished without naming them.
fn managers(store: &mut dyn Store) {
    let passwords = Manager::Passwords.to_string();
    let wishes = [
        put("i.example", &passwords),
        put("j.example", "domain j.example"),
        put("k.example", "recipient k.example"),
    ];
    store.wish_rules(MX, &wishes).unwrap();
    store.wish_none(MX, Manager::OF_DOMAINS).unwrap();
    assert_eq!(wanted(store).len(), 4);
    for manager in Manager::OF_POLICY {
        store.wish_none(MX, manager).unwrap();
    }
    assert_eq!(wanted(store), [format!("i.example {passwords}")]);
    let by_hand = RuleId::parse("d.example").unwrap();
    assert_eq!(store.rule_states(MX, &[by_hand]).unwrap()[0].wanted, None);
    store.wish_none(MX, &passwords).unwrap();
    assert!(wanted(store).is_empty());
    assert!(store.wish_none("/other", "").is_err());
}
