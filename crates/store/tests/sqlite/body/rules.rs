//! Rules for destinations, at every backend.

use crate::fixture::{MX, kept, operation, state};
use mailtls::destination::Scope;
use mailtls::policy::Dialect;
use postseal_planner::policy::{About, Rule, RuleId};
use postseal_store::{
    Pending, RuleFilter, RuleOrder, RuleTake, RuleView, RuleWish, Staged, Store, StoreError,
};

fn rule(destination: &str, policy: &str) -> Rule {
    let dialect = Dialect { major: 3, minor: 7 };
    Rule::new(destination, None, policy, dialect).unwrap()
}

fn put(destination: &str, policy: &str) -> RuleWish {
    RuleWish::Put(rule(destination, policy))
}

fn remove(destination: &str) -> RuleWish {
    RuleWish::Remove(RuleId::parse(destination).unwrap())
}

fn texts(store: &dyn Store, view: RuleView) -> Vec<String> {
    let rules = store.rules(MX, view, None, 100).unwrap();
    let text = |rule: &Rule| format!("{} {}", rule.id.destination, rule.policy);
    rules.iter().map(text).collect()
}

/// Carries the wishes out.
fn keep(store: &mut dyn Store, word: &str, take: RuleTake) -> u64 {
    let mut new = operation(MX, word);
    new.rules = take;
    let id = store.open_operation(&new).unwrap();
    store.close_operation(id, &kept(word)).unwrap();
    id
}

fn wishes(store: &dyn Store) -> RuleTake {
    RuleTake::Wishes {
        revision: store.rules_revision(MX).unwrap(),
    }
}

pub(crate) fn rules(store: &mut dyn Store) {
    assert!(matches!(
        store.wish_rules(MX, &[put("a.example", "may")]),
        Err(StoreError::NotAdopted(_))
    ));
    store.adopt(MX, &state("a")).unwrap();
    wishes_lie_on_top(store);
    let first = an_operation_puts_them_in_force(store);
    a_rollback_takes_them_back(store, first);
    a_late_wish_is_not_swept_along(store);
    lists_are_filtered(store);
    many_are_taken_together(store);
    a_table_is_adopted(store);
    those_of_managers_are_found_among_all(store);
    store.release(MX).unwrap();
    store.adopt(MX, &state("a")).unwrap();
    assert_eq!(texts(store, RuleView::Wanted), [] as [&str; 0]);
}

fn wishes_lie_on_top(store: &mut dyn Store) {
    let all = [
        put("b.example", "encrypt"),
        put("a.example", "may"),
        put("[mx.example]:587", "secure"),
    ];
    store.wish_rules(MX, &all).unwrap();
    assert_eq!(store.pending_rules(MX).unwrap(), 3);
    assert_eq!(texts(store, RuleView::InForce), [] as [&str; 0]);
    let wanted = [
        "[mx.example]:587 secure",
        "a.example may",
        "b.example encrypt",
    ];
    assert_eq!(texts(store, RuleView::Wanted), wanted);
    // Taken back before it ever was.
    store.wish_rules(MX, &[remove("a.example")]).unwrap();
    assert_eq!(store.pending_rules(MX).unwrap(), 2);
    assert_eq!(store.discard_rules(MX).unwrap(), 2);
    store.wish_rules(MX, &all).unwrap();
}

fn an_operation_puts_them_in_force(store: &mut dyn Store) -> u64 {
    let stale = wishes(store);
    store
        .wish_rules(MX, &[put("a.example", "encrypt")])
        .unwrap();
    let mut new = operation(MX, "stale");
    new.rules = stale;
    assert!(matches!(
        store.open_operation(&new),
        Err(StoreError::RulesChanged)
    ));
    let take = wishes(store);
    let first = keep(store, "first", take);
    assert_eq!(store.pending_rules(MX).unwrap(), 0);
    assert_eq!(texts(store, RuleView::InForce).len(), 3);
    // What is in force needs no wish.
    store
        .wish_rules(MX, &[put("a.example", "encrypt")])
        .unwrap();
    assert_eq!(store.pending_rules(MX).unwrap(), 0);
    store
        .wish_rules(
            MX,
            &[
                put("a.example", "secure"),
                remove("b.example"),
                put("c.example", "may"),
            ],
        )
        .unwrap();
    let ids = ["b.example", "nowhere.example"].map(|id| RuleId::parse(id).unwrap());
    let [gone, none] = store.rule_states(MX, &ids).unwrap().try_into().unwrap();
    assert!(gone.in_force.is_some() && gone.wanted.is_none());
    assert!(none.in_force.is_none() && none.wanted.is_none() && none.id == ids[1]);
    let take = wishes(store);
    let second = keep(store, "second", take);
    let now = [
        "[mx.example]:587 secure",
        "a.example secure",
        "c.example may",
    ];
    assert_eq!(texts(store, RuleView::InForce), now);
    assert_eq!(store.rule_changes(second, 10).unwrap().len(), 3);
    let before = [
        "[mx.example]:587 secure",
        "a.example encrypt",
        "b.example encrypt",
    ];
    assert_eq!(texts(store, RuleView::Before(second)), before);
    assert_eq!(store.count_rule_changes(first).unwrap(), 3);
    they_are_known_as_they_were(store, first, second);
    second
}

fn they_are_known_as_they_were(store: &mut dyn Store, first: u64, second: u64) {
    let since = |operation, limit| -> Vec<String> {
        let found = store.changed_since(MX, operation, limit).unwrap();
        found.into_iter().map(|id| id.destination).collect()
    };
    assert_eq!(since(first, 10), ["a.example", "b.example"]);
    assert_eq!(since(first, 1), ["a.example"]);
    assert_eq!(since(second, 10), [] as [&str; 0]);
    let ids = ["c.example", "b.example", "a.example", "[mx.example]:587"];
    let ids = ids.map(|id| RuleId::parse(id).unwrap());
    let before = |operation| -> Vec<String> {
        let found = store.rules_before(MX, operation, &ids).unwrap();
        let policy = |rule: Option<Rule>| rule.map_or_else(|| "-".to_owned(), |rule| rule.policy);
        found.into_iter().map(policy).collect()
    };
    assert_eq!(before(first), ["-", "-", "-", "-"]);
    assert_eq!(before(second), ["-", "encrypt", "encrypt", "secure"]);
    assert_eq!(before(second + 1), ["may", "-", "secure", "secure"]);
}

fn a_rollback_takes_them_back(store: &mut dyn Store, of: u64) {
    store.wish_rules(MX, &[put("d.example", "may")]).unwrap();
    let back = keep(store, "back", RuleTake::Reverse { of });
    let then = [
        "[mx.example]:587 secure",
        "a.example encrypt",
        "b.example encrypt",
    ];
    assert_eq!(texts(store, RuleView::InForce), then);
    assert_eq!(store.rule_changes(back, 10).unwrap().len(), 3);
    // The wish waits on.
    assert_eq!(store.pending_rules(MX).unwrap(), 1);
    store.discard_rules(MX).unwrap();
}

fn a_late_wish_is_not_swept_along(store: &mut dyn Store) {
    store.wish_rules(MX, &[put("a.example", "may")]).unwrap();
    let mut new = operation(MX, "third");
    new.rules = wishes(store);
    let id = store.open_operation(&new).unwrap();
    store
        .wish_rules(MX, &[put("a.example", "none"), put("z.example", "may")])
        .unwrap();
    store.close_operation(id, &kept("third")).unwrap();
    let now = [
        "[mx.example]:587 secure",
        "a.example may",
        "b.example encrypt",
    ];
    assert_eq!(texts(store, RuleView::InForce), now);
    assert_eq!(store.pending_rules(MX).unwrap(), 2);
    let take = wishes(store);
    keep(store, "late", take);
    assert_eq!(store.pending_rules(MX).unwrap(), 0);
    assert_eq!(texts(store, RuleView::InForce).len(), 4);
}

fn lists_are_filtered(store: &mut dyn Store) {
    let about = About {
        note: Some("Contract 12".to_owned()),
        owner: Some("alice".to_owned()),
        tags: vec!["bank".to_owned()],
        until: Some("2027-01-31".to_owned()),
        reason: None,
        entry: None,
        follow: None,
    };
    let told = rule("told.example", "verify match=nexthop")
        .with(about)
        .unwrap();
    store
        .wish_rules(MX, &[RuleWish::Put(told.clone()), remove("b.example")])
        .unwrap();
    let found = |filter: RuleFilter| -> Vec<String> {
        let found = store.list_rules(MX, &filter, 0, 100).unwrap();
        found
            .into_iter()
            .map(|state| state.id.destination)
            .collect()
    };
    let any = RuleFilter::default;
    let all = [
        "[mx.example]:587",
        "a.example",
        "b.example",
        "told.example",
        "z.example",
    ];
    assert_eq!(found(any()), all);
    let text = |text: &str| Some(text.to_owned());
    let told_only = [
        RuleFilter {
            level: text("verify"),
            ..any()
        },
        RuleFilter {
            owner: text("alice"),
            ..any()
        },
        RuleFilter {
            tag: text("bank"),
            ..any()
        },
        RuleFilter {
            search: text("contract"),
            ..any()
        },
        RuleFilter {
            due: text("2027-01-31"),
            ..any()
        },
    ];
    for filter in told_only {
        assert_eq!(found(filter.clone()), ["told.example"], "{filter:?}");
    }
    assert_eq!(
        found(RuleFilter {
            due: text("2027-01-30"),
            ..any()
        }),
        [] as [&str; 0]
    );
    assert_eq!(
        found(RuleFilter {
            tag: text("ban"),
            ..any()
        }),
        [] as [&str; 0]
    );
    let pending = RuleFilter {
        pending: Pending::Only,
        ..any()
    };
    assert_eq!(found(pending), ["b.example", "told.example"]);
    let by_day = RuleFilter {
        order: RuleOrder::Until,
        ..any()
    };
    assert_eq!(found(by_day)[0], "told.example");
    let page = store.list_rules(MX, &any(), 3, 1).unwrap();
    assert_eq!(page[0].wanted.as_ref(), Some(&told));
}

fn those_of_managers_are_found_among_all(store: &mut dyn Store) {
    let managed = |destination: &str, manager: &str| {
        let mut rule = rule(destination, "encrypt");
        rule.id.manager = manager.to_owned();
        rule
    };
    let [one, two] = [("[m.example]:587", "domain x"), ("[m.example]:587", "keys")]
        .map(|(destination, manager)| managed(destination, manager));
    let all = [one.clone(), two.clone(), rule("[m.example]:587", "may")];
    store.wish_rules(MX, &all.map(RuleWish::Put)).unwrap();
    let found = |store: &dyn Store, limit| -> Vec<(String, bool, bool)> {
        let states = store.managed_rules(MX, limit).unwrap().into_iter();
        let told = states.map(|one| (one.id.manager, one.in_force.is_some(), one.wanted.is_some()));
        told.collect()
    };
    let told = |manager: &str, in_force, wanted| (manager.to_owned(), in_force, wanted);
    assert_eq!(
        found(store, 9),
        [told("domain x", false, true), told("keys", false, true)]
    );
    assert_eq!(found(store, 1).len(), 1);
    let take = wishes(store);
    keep(store, "managed", take);
    store
        .wish_rules(MX, &[RuleWish::Remove(one.id.clone())])
        .unwrap();
    assert_eq!(
        found(store, 9),
        [told("domain x", true, false), told("keys", true, true)]
    );
    store.discard_rules(MX).unwrap();
    assert_eq!(found(store, 9)[0], told("domain x", true, true));
}

fn many_are_taken_together(store: &mut dyn Store) {
    store.discard_rules(MX).unwrap();
    let many: Vec<RuleWish> = (0..12_000)
        .map(|n| put(&format!("many{n:05}.example"), "may"))
        .collect();
    assert_eq!(store.stage_rules(&many).unwrap(), 12_000);
    assert_eq!(store.stage_rules(&many[..3]).unwrap(), 0, "they are staged");
    assert_eq!(store.pending_rules(MX).unwrap(), 0);
    store.drop_staged().unwrap();
    let known = store.rules(MX, RuleView::InForce, None, 2).unwrap();
    let mut wishes = vec![RuleWish::Put(known[0].clone()), put("a.example", "dane")];
    wishes.extend(many);
    store.stage_rules(&wishes).unwrap();
    assert_eq!(store.covered_rules(MX, 9).unwrap(), []);
    let staged = Staged {
        added: 12_000,
        changed: 1,
        same: 1,
    };
    assert_eq!(store.take_staged(MX).unwrap(), staged);
    assert_eq!(store.pending_rules(MX).unwrap(), 12_001);
    let page = store.rules(MX, RuleView::Wanted, None, usize::MAX).unwrap();
    assert_eq!(page.len(), 12_004);

    let dialect = Dialect { major: 3, minor: 7 };
    let both = Rule::new("a.example", Some(Scope::Both), "may", dialect).unwrap();
    store
        .stage_rules(&[RuleWish::Put(both), put(".a.example", "may")])
        .unwrap();
    let id = RuleId::parse("a.example").unwrap();
    assert_eq!(store.covered_rules(MX, 9).unwrap(), [id]);
    store.drop_staged().unwrap();
    store.discard_rules(MX).unwrap();
}

/// What is in a table comes in the place of what was in force; what it does not know of a rule stays.
fn a_table_is_adopted(store: &mut dyn Store) {
    let owned = |mut rule: Rule| {
        rule.about.owner = Some("mail team".to_owned());
        rule.about.note = Some("of the store".to_owned());
        rule
    };
    let commented = |mut rule: Rule, note: &str| {
        rule.about.note = Some(note.to_owned());
        RuleWish::Put(rule)
    };
    let kept = [
        owned(rule("kept.example", "may")),
        owned(rule("told.example", "may")),
    ];
    store
        .wish_rules(MX, &kept.clone().map(RuleWish::Put))
        .unwrap();
    let take = wishes(store);
    keep(store, "kept", take);
    let wishes = [
        put("new.example", "encrypt"),
        put("b.example", "secure"),
        remove("gone.example"),
    ];
    store.wish_rules(MX, &wishes).unwrap();
    let staged = [
        put("kept.example", "encrypt"),
        commented(rule("told.example", "may"), "of the file"),
        put("new.example", "encrypt"),
    ];
    assert_eq!(store.stage_rules(&staged).unwrap(), 3);
    let second = [put("new.example", "may"), put("last.example", "may")];
    assert_eq!(
        store.stage_rules(&second).unwrap(),
        1,
        "the first table decides"
    );
    let texts_staged = texts(store, RuleView::Staged);
    let before = store.rules_revision(MX).unwrap();
    store.wish_rules(MX, &[]).unwrap();
    assert_eq!(store.rules_revision(MX).unwrap(), before);
    store.adopt_rules(MX, &state("adopted")).unwrap();
    assert!(store.rules_revision(MX).unwrap() > before);
    let wanted = [
        "kept.example encrypt",
        "last.example may",
        "new.example encrypt",
        "told.example may",
    ];
    assert_eq!(texts_staged, wanted);
    assert_eq!(texts(store, RuleView::InForce), wanted);
    assert_eq!(
        store.instance(MX).unwrap().unwrap().desired,
        state("adopted").desired
    );
    assert_eq!(
        store.pending_rules(MX).unwrap(),
        1,
        "what differs is a wish still"
    );
    let rules = store.rules(MX, RuleView::InForce, None, 100).unwrap();
    let abouts: Vec<_> = rules
        .iter()
        .map(|rule| (rule.about.owner.as_deref(), rule.about.note.as_deref()))
        .collect();
    let team = Some("mail team");
    assert_eq!(
        abouts,
        [
            (team, Some("of the store")),
            (None, None),
            (None, None),
            (team, Some("of the file"))
        ]
    );
    // Nothing staged: nothing is in force.
    store.adopt_rules(MX, &state("a")).unwrap();
    assert_eq!(texts(store, RuleView::InForce), [] as [&str; 0]);
    store.discard_rules(MX).unwrap();
}
