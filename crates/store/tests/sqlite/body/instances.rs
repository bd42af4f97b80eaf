//! Instances, drafts and shown plans.

use crate::fixture::{MX, intent, operation, plan, rolled_back, state};
use postseal_planner::{Digest, Plan};
use postseal_store::{InstanceState, Store, StoreError};

pub(crate) fn instances(store: &mut dyn Store) {
    assert_eq!(store.instance(MX).unwrap(), None);
    store.adopt(MX, &state("a")).unwrap();
    store.adopt("/etc/postfix-two", &state("two")).unwrap();
    assert_eq!(store.instance(MX).unwrap(), Some(state("a")));
    drafts(store);
    adopted_again(store);
    released(store);
    assert_eq!(
        store.instance("/etc/postfix-two").unwrap(),
        Some(state("two"))
    );
}

fn drafts(store: &mut dyn Store) {
    store.set_draft(MX, Some(&intent("wished"))).unwrap();
    let pending = InstanceState {
        draft: Some(intent("wished")),
        ..state("a")
    };
    assert_eq!(store.instance(MX).unwrap(), Some(pending));
    store.set_draft(MX, None).unwrap();
    assert_eq!(store.instance(MX).unwrap(), Some(state("a")));
}

fn adopted_again(store: &mut dyn Store) {
    store.set_draft(MX, Some(&intent("wished"))).unwrap();
    store.adopt(MX, &state("b")).unwrap();
    let kept = store.instance(MX).unwrap().unwrap();
    assert_eq!(
        kept,
        InstanceState {
            draft: Some(intent("wished")),
            ..state("b")
        }
    );
    let given = InstanceState {
        draft: Some(intent("given")),
        ..state("b")
    };
    store.adopt(MX, &given).unwrap();
    assert_eq!(store.instance(MX).unwrap(), Some(given));
}

fn released(store: &mut dyn Store) {
    store.put_plan(MX, &plan("x")).unwrap();
    let id = store.open_operation(&operation(MX, "x")).unwrap();
    assert!(matches!(store.release(MX), Err(StoreError::Busy(open)) if open == id));
    store.close_operation(id, &rolled_back()).unwrap();
    store.release(MX).unwrap();
    assert_eq!(store.instance(MX).unwrap(), None);
    assert_eq!(store.plan(MX, &plan("x").id.to_string()).unwrap(), None);
    assert_eq!(
        store.history(MX, 9).unwrap().len(),
        1,
        "operations stay as history"
    );
    assert_eq!(store.operation(id).unwrap().unwrap().new.snapshots.len(), 2);
    assert!(matches!(store.release(MX), Err(StoreError::NotAdopted(name)) if name == MX));
    store.adopt(MX, &state("again")).unwrap();
    assert_eq!(
        store.instance(MX).unwrap(),
        Some(state("again")),
        "without the old draft"
    );
}

pub(crate) fn plans(store: &mut dyn Store) {
    store.adopt(MX, &state("a")).unwrap();
    let (one, other) = (plan("one"), plan("other"));
    store.put_plan(MX, &one).unwrap();
    store.put_plan(MX, &other).unwrap();
    for known in [&one, &other] {
        let id = known.id.to_string();
        for name in [id.as_str(), &id[..63], &id[..8], &id[..12].to_uppercase()] {
            assert_eq!(
                store.plan(MX, name).unwrap().as_ref(),
                Some(known),
                "{name}"
            );
        }
        for name in [
            &id[..7],
            "",
            "%%%%%%%%",
            "________",
            &format!("{id}0"),
            &format!("{id}'"),
        ] {
            assert_eq!(store.plan(MX, name).unwrap(), None, "{name}");
        }
        assert_eq!(store.plan("/etc/postfix-two", &id).unwrap(), None);
    }
    shown_again(store, &one);
    ambiguous(store);
    let stranger = store.put_plan("/nowhere", &one);
    assert!(matches!(stranger, Err(StoreError::NotAdopted(_))));
}

fn shown_again(store: &mut dyn Store, one: &Plan) {
    let later = Plan {
        findings: Vec::new(),
        ..one.clone()
    };
    store.put_plan(MX, &later).unwrap();
    assert_eq!(store.plan(MX, &one.id.to_string()).unwrap(), Some(later));
}

fn ambiguous(store: &mut dyn Store) {
    for last in ['0', '1'] {
        let id = Digest::try_from(format!(
            "{}{last}",
            "0123456789abcdef".repeat(4).split_at(63).0
        ));
        store
            .put_plan(
                MX,
                &Plan {
                    id: id.unwrap(),
                    ..plan("twin")
                },
            )
            .unwrap();
    }
    assert_eq!(
        store.plan(MX, "0123456789").unwrap(),
        None,
        "two plans begin so"
    );
}
