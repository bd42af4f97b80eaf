//! Killed at any moment: what was said to be stored is, and every operation is whole.

use crate::child;
use crate::fixture::{MX, kept, operation, rolled_back, state};
use postseal_store::{Operation, OperationOutcome, Phase, SqliteStore, Store};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

const ROUNDS: u64 = 30;

#[test]
fn killed_at_any_moment() {
    let place = tempfile::tempdir().unwrap();
    SqliteStore::open(&place.path().join("store"))
        .unwrap()
        .adopt(MX, &state("0"))
        .unwrap();
    let mut last = Said::default();
    for round in 0..ROUNDS {
        let mut child = child::command("crash::opens_and_closes", place.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = listen_and_kill(&mut child, round);
        last = Said {
            opened: last.opened.max(said.opened),
            closed: last.closed.max(said.closed),
        };
        whole(&place.path().join("store"), &last);
    }
    assert!(
        last.closed >= ROUNDS,
        "only {} operations in {ROUNDS} rounds",
        last.closed
    );
}

/// The child: opens, notes and closes operations, and says so after each, until it is killed.
#[test]
#[ignore = "the child of killed_at_any_moment"]
fn opens_and_closes() {
    let mut store = SqliteStore::open(&child::place().join("store")).unwrap();
    if let Some(interrupted) = store.open(MX).unwrap() {
        store
            .close_operation(interrupted.id, &rolled_back())
            .unwrap();
    }
    loop {
        let next = store
            .history(MX, 1)
            .unwrap()
            .first()
            .map_or(1, |newest| newest.id + 1);
        let id = store
            .open_operation(&operation(MX, &next.to_string()))
            .unwrap();
        assert_eq!(id, next);
        println!("opened {id}");
        for n in 0..3 {
            store.journal(id, &Phase::Step { n }).unwrap();
        }
        store.close_operation(id, &kept(&id.to_string())).unwrap();
        println!("closed {id}");
    }
}

/// The last numbers a child said.
#[derive(Default)]
struct Said {
    opened: u64,
    closed: u64,
}

fn listen_and_kill(child: &mut Child, round: u64) -> Said {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Said::default();
    // A few operations, then another moment each round.
    while said.closed == 0 || said.opened % 3 != round % 3 {
        hear(
            &mut said,
            &lines.next().expect("the child ended by itself").unwrap(),
        );
    }
    std::thread::sleep(Duration::from_micros(round * 211));
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had said before it died.
    lines
        .map_while(Result::ok)
        .for_each(|line| hear(&mut said, &line));
    said
}

fn hear(said: &mut Said, line: &str) {
    let number = |prefix| {
        line.rsplit_once(prefix)
            .and_then(|(_, rest)| rest.parse().ok())
    };
    said.opened = number("opened ").unwrap_or(said.opened);
    said.closed = number("closed ").unwrap_or(said.closed);
}

fn whole(folder: &Path, said: &Said) {
    let store = SqliteStore::open_existing(folder).unwrap().unwrap();
    let history = store.history(MX, usize::MAX).unwrap();
    assert!(
        history.len() as u64 >= said.opened,
        "an opened operation is lost"
    );
    for (newer, operation) in history.iter().enumerate() {
        assert_eq!(operation.id, (history.len() - newer) as u64);
        assert!(
            operation.id > said.closed || operation.outcome.is_some(),
            "a close is lost"
        );
        assert!(
            newer == 0 || operation.outcome.is_some(),
            "an open one below another"
        );
        one(&store.operation(operation.id).unwrap().unwrap());
    }
    let kept = history
        .iter()
        .find(|each| each.outcome == Some(OperationOutcome::Kept));
    let instance = store.instance(MX).unwrap().unwrap();
    assert_eq!(instance.head, kept.map(|operation| operation.id));
    let expected = state(&instance.head.unwrap_or(0).to_string());
    assert_eq!(
        (instance.desired, instance.base),
        (expected.desired, expected.base)
    );
}

fn one(operation: &Operation) {
    let expected = crate::fixture::operation(MX, &operation.id.to_string());
    assert_eq!(operation.new.snapshots, expected.snapshots);
    assert_eq!(operation.new.plan, expected.plan);
    let phases = [Phase::Opened]
        .into_iter()
        .chain((0..3).map(|n| Phase::Step { n }));
    let reached: Vec<_> = phases.take(operation.journal.len()).collect();
    assert_eq!(operation.journal, reached);
    assert!(!reached.is_empty(), "the first phase comes with the row");
    if operation.outcome == Some(OperationOutcome::Kept) {
        assert_eq!(reached.len(), 4);
    }
}
