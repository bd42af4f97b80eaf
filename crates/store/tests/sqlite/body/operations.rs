//! The operation log.

use crate::fixture::{MX, intent, kept, operation, plan, rolled_back, snapshot, state};
use postseal_planner::plan::Cf;
use postseal_planner::{Digest, Plan};
use postseal_store::{
    Close, InstanceState, NewOperation, Operation, OperationKind, OperationOutcome, Phase, Store,
    StoreError, StoredSnapshot,
};

pub(crate) fn operations(store: &mut dyn Store) {
    store.adopt(MX, &state("a")).unwrap();
    assert!(store.open(MX).unwrap().is_none());
    let first = store.open_operation(&operation(MX, "one")).unwrap();
    assert_eq!(first, 1, "numbers start at 1");
    same(&store.open(MX).unwrap().unwrap(), &opened(first, "one"));
    let phases = noted(store, first);
    let found = store.operation(first).unwrap().unwrap();
    assert_eq!(found.journal, phases);
    store.close_operation(first, &rolled_back()).unwrap();
    assert!(store.open(MX).unwrap().is_none());
    let second = store.open_operation(&operation(MX, "two")).unwrap();
    assert!(second > first, "numbers rise");
    newest_first(store, &[second, first]);
    assert!(store.operation(99).unwrap().is_none());
    assert!(store.operation(u64::MAX).unwrap().is_none());
}

fn opened(id: u64, word: &str) -> Operation {
    Operation {
        id,
        new: operation(MX, word),
        journal: vec![Phase::Opened],
        outcome: None,
        ended_ms: None,
        sentences: Vec::new(),
    }
}

fn noted(store: &mut dyn Store, id: u64) -> Vec<Phase> {
    let phases = vec![
        Phase::Step { n: 0 },
        Phase::Step { n: 11 },
        Phase::Verified,
        Phase::AwaitingConfirmation,
        Phase::RollingBack {
            reason: "the deadline has passed".to_owned(),
            running: true,
        },
        Phase::RolledBack,
    ];
    for phase in &phases {
        store.journal(id, phase).unwrap();
    }
    [vec![Phase::Opened], phases].concat()
}

fn newest_first(store: &dyn Store, ids: &[u64]) {
    let history = store.history(MX, 10).unwrap();
    assert_eq!(history.iter().map(|each| each.id).collect::<Vec<_>>(), ids);
    for each in &history {
        let whole = store.operation(each.id).unwrap().unwrap();
        same(each, &without_bytes(whole));
    }
    let newest = store.history(MX, 1).unwrap();
    assert_eq!(
        newest.iter().map(|each| each.id).collect::<Vec<_>>(),
        ids[..1]
    );
    assert!(store.history(MX, 0).unwrap().is_empty());
    assert_eq!(store.history(MX, usize::MAX).unwrap().len(), ids.len());
    assert!(store.history("/nowhere", 10).unwrap().is_empty());
}

fn without_bytes(mut operation: Operation) -> Operation {
    operation
        .new
        .snapshots
        .iter_mut()
        .for_each(|snapshot| snapshot.bytes.clear());
    operation
}

/// `Operation` has no equality; every field is compared here.
fn same(left: &Operation, right: &Operation) {
    let Operation {
        id,
        new,
        journal,
        outcome,
        ended_ms,
        sentences,
    } = left;
    let NewOperation {
        instance,
        kind,
        actor,
        started_ms,
        plan,
        snapshots,
        confirm_by_ms,
        before,
        written,
        // Not read back; what came of it is.
        rules: _,
    } = new;
    assert_eq!(
        (id, journal, outcome),
        (&right.id, &right.journal, &right.outcome)
    );
    assert_eq!((ended_ms, sentences), (&right.ended_ms, &right.sentences));
    assert_eq!(
        (instance, kind, actor),
        (&right.new.instance, &right.new.kind, &right.new.actor)
    );
    assert_eq!((plan, snapshots), (&right.new.plan, &right.new.snapshots));
    assert_eq!((before, written), (&right.new.before, &right.new.written));
    assert_eq!(
        (started_ms, confirm_by_ms),
        (&right.new.started_ms, &right.new.confirm_by_ms)
    );
}

pub(crate) fn closing(store: &mut dyn Store) {
    store.adopt(MX, &state("a")).unwrap();
    rolled_back_changes_nothing(store);
    kept_becomes_the_head(store);
    changed_draft_stays(store);
    renewal_takes_the_draft_along(store);
    failed_keeps_the_wish(store);
}

fn rolled_back_changes_nothing(store: &mut dyn Store) {
    store.set_draft(MX, Some(&intent("tried"))).unwrap();
    let before = store.instance(MX).unwrap();
    let id = store.open_operation(&operation(MX, "tried")).unwrap();
    // A state that comes with a bad end is none.
    let close = Close {
        state: Some(state("tried")),
        ..rolled_back()
    };
    store.close_operation(id, &close).unwrap();
    assert_eq!(
        store.instance(MX).unwrap(),
        before,
        "a wish that failed stays pending"
    );
    let closed = store.operation(id).unwrap().unwrap();
    assert_eq!(closed.outcome, Some(close.outcome));
    assert_eq!(closed.ended_ms, Some(close.ended_ms));
    assert_eq!(closed.sentences, close.sentences);
    assert_eq!(closed.new.snapshots, operation(MX, "tried").snapshots);
}

fn kept_becomes_the_head(store: &mut dyn Store) {
    store.set_draft(MX, Some(&intent("b"))).unwrap();
    let id = store.open_operation(&operation(MX, "b")).unwrap();
    // The draft in the given state is ignored, and so is the head.
    let given = InstanceState {
        draft: Some(intent("ignored")),
        head: Some(999),
        ..state("b")
    };
    let close = Close {
        state: Some(given),
        ..kept("b")
    };
    store.close_operation(id, &close).unwrap();
    let now = InstanceState {
        head: Some(id),
        ..state("b")
    };
    assert_eq!(
        store.instance(MX).unwrap(),
        Some(now),
        "the fulfilled draft is gone"
    );
}

fn changed_draft_stays(store: &mut dyn Store) {
    store.set_draft(MX, Some(&intent("c"))).unwrap();
    let id = store.open_operation(&operation(MX, "c")).unwrap();
    store
        .set_draft(MX, Some(&intent("changed meanwhile")))
        .unwrap();
    store.close_operation(id, &kept("c")).unwrap();
    let draft = Some(intent("changed meanwhile"));
    let now = InstanceState {
        draft,
        head: Some(id),
        ..state("c")
    };
    assert_eq!(store.instance(MX).unwrap(), Some(now));
}

/// A pending wish about a certificate that is renewed meanwhile is one about its new version.
fn renewal_takes_the_draft_along(store: &mut dyn Store) {
    let wish = |word, leaf: &str| intent(word).renewed("mx", leaf.repeat(32).parse().unwrap());
    store.set_draft(MX, Some(&wish("pending", "0d"))).unwrap();
    let renewed = wish("renewed", "ae");
    let id = store
        .open_operation(&NewOperation {
            kind: OperationKind::Renewal {
                certificate: "mx".to_owned(),
            },
            plan: Plan {
                intent: renewed.clone(),
                ..plan("renewed")
            },
            ..operation(MX, "renewed")
        })
        .unwrap();
    store.close_operation(id, &kept("renewed")).unwrap();
    let draft = store.instance(MX).unwrap().unwrap().draft;
    assert_eq!(draft, Some(wish("pending", "ae")));

    // A draft of nothing but what came in force is fulfilled.
    let kind = OperationKind::Renewal {
        certificate: "mx".to_owned(),
    };
    assert_eq!(kind.draft_after(&renewed, wish("renewed", "0d")), None);
    store
        .set_draft(MX, Some(&intent("changed meanwhile")))
        .unwrap();
}

fn failed_keeps_the_wish(store: &mut dyn Store) {
    let before = store.instance(MX).unwrap();
    let id = store
        .open_operation(&operation(MX, "changed meanwhile"))
        .unwrap();
    let outcome = OperationOutcome::Failed {
        reason: "the disk is full".to_owned(),
    };
    store
        .close_operation(
            id,
            &Close {
                outcome: outcome.clone(),
                ..rolled_back()
            },
        )
        .unwrap();
    assert_eq!(store.instance(MX).unwrap(), before);
    assert_eq!(store.operation(id).unwrap().unwrap().outcome, Some(outcome));
}

pub(crate) fn refusals(store: &mut dyn Store) {
    let stranger = store.open_operation(&operation(MX, "x"));
    assert!(matches!(stranger, Err(StoreError::NotAdopted(name)) if name == MX));
    let stranger = store.set_draft(MX, None);
    assert!(matches!(stranger, Err(StoreError::NotAdopted(name)) if name == MX));
    store.adopt(MX, &state("a")).unwrap();
    busy(store);
    closed(store);
    unfit(store);
    let stranger = store.journal(99, &Phase::Verified);
    assert!(matches!(stranger, Err(StoreError::NotOpen(99))));
}

fn busy(store: &mut dyn Store) {
    let id = store.open_operation(&operation(MX, "x")).unwrap();
    let second = store.open_operation(&operation(MX, "y"));
    assert!(matches!(second, Err(StoreError::Busy(open)) if open == id));
    assert_eq!(
        store.history(MX, 9).unwrap().len(),
        1,
        "a refused one leaves nothing"
    );
    store.adopt("/etc/postfix-two", &state("two")).unwrap();
    let other = store
        .open_operation(&operation("/etc/postfix-two", "x"))
        .unwrap();
    assert_eq!(store.open("/etc/postfix-two").unwrap().unwrap().id, other);
    assert_eq!(store.open(MX).unwrap().unwrap().id, id);
    store.close_operation(id, &rolled_back()).unwrap();
}

fn closed(store: &mut dyn Store) {
    let id = store.history(MX, 1).unwrap()[0].id;
    let noted = store.journal(id, &Phase::RolledBack);
    assert!(matches!(noted, Err(StoreError::NotOpen(closed)) if closed == id));
    let again = store.close_operation(id, &kept("x"));
    assert!(matches!(again, Err(StoreError::NotOpen(closed)) if closed == id));
    assert_eq!(store.instance(MX).unwrap(), Some(state("a")));
}

/// What cannot be stored is refused whole.
fn unfit(store: &mut dyn Store) {
    let before = store.history(MX, 9).unwrap().len();
    let lie = StoredSnapshot {
        digest: Digest::of(b"other"),
        ..snapshot(Cf::Master, b"bytes")
    };
    let snapshots = vec![snapshot(Cf::Main, b"fine"), lie];
    let refused = store.open_operation(&NewOperation {
        snapshots,
        ..operation(MX, "x")
    });
    assert!(matches!(
        refused,
        Err(StoreError::Unfit {
            what: "snapshot",
            ..
        })
    ));
    assert!(store.open(MX).unwrap().is_none());
    assert_eq!(store.history(MX, 9).unwrap().len(), before);

    let id = store.open_operation(&operation(MX, "x")).unwrap();
    let stateless = store.close_operation(
        id,
        &Close {
            state: None,
            ..kept("x")
        },
    );
    assert!(matches!(
        stateless,
        Err(StoreError::Unfit {
            what: "outcome",
            ..
        })
    ));
    assert_eq!(store.open(MX).unwrap().unwrap().id, id, "still open");
    every_kind(store, id);
}

fn every_kind(store: &mut dyn Store, open: u64) {
    store.close_operation(open, &rolled_back()).unwrap();
    for kind in [OperationKind::Apply, OperationKind::RestoreDrift] {
        let plan = Plan {
            edits: Vec::new(),
            ..plan("x")
        };
        let new = NewOperation {
            kind: kind.clone(),
            plan,
            snapshots: Vec::new(),
            confirm_by_ms: None,
            ..operation(MX, "x")
        };
        let id = store.open_operation(&new).unwrap();
        let found = store.operation(id).unwrap().unwrap();
        assert_eq!((found.new.kind, found.new.confirm_by_ms), (kind, None));
        assert!(found.new.plan.edits.is_empty() && found.new.snapshots.is_empty());
        store.close_operation(id, &rolled_back()).unwrap();
    }
}
