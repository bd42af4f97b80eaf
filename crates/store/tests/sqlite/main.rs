//! The store on SQLite.
//!
//! `body` is what every backend must do and knows no backend; a second one runs the same. The
//! rest is about files, processes and disks, and so about SQLite.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "all of this is tests; a panic is how they fail"
)]

mod body;
mod child;
mod crash;
mod damage;
mod disk;
mod fixture;
mod folder;
mod scale;
mod secrets;

use postseal_store::{SqliteStore, Store};

fn on_sqlite(body: impl FnOnce(&mut dyn Store)) {
    let place = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(&place.path().join("store")).unwrap();
    body(&mut store);
}

#[test]
fn instances() {
    on_sqlite(body::instances);
}

#[test]
fn plans() {
    on_sqlite(body::plans);
}

#[test]
fn operations() {
    on_sqlite(body::operations);
}

#[test]
fn trials() {
    on_sqlite(body::trials);
}

#[test]
fn what_is_tried_is_seen_by_nobody_else_and_dies_with_its_store() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("store");
    let mut store = SqliteStore::open(&path).unwrap();
    store.adopt(fixture::MX, &fixture::state("a")).unwrap();
    store.begin_trial().unwrap();
    store.adopt(fixture::MX, &fixture::state("b")).unwrap();
    let other = SqliteStore::open(&path).unwrap();
    let seen = |store: &SqliteStore| store.instance(fixture::MX).unwrap().unwrap();
    assert_ne!(seen(&store), seen(&other));
    drop(store);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(seen(&store), seen(&other));
}

#[test]
fn closing() {
    on_sqlite(body::closing);
}

#[test]
fn refusals() {
    on_sqlite(body::refusals);
}

#[test]
fn versions() {
    on_sqlite(body::versions);
}

#[test]
fn watches() {
    on_sqlite(body::watches);
}

#[test]
fn requests() {
    on_sqlite(body::requests);
}

#[test]
fn next_keys() {
    on_sqlite(body::next_keys);
}

#[test]
fn certificates() {
    on_sqlite(body::certificates);
}

#[test]
fn keys() {
    on_sqlite(body::keys);
}

#[test]
fn accounts() {
    on_sqlite(body::accounts);
}

#[test]
fn renewals() {
    on_sqlite(body::renewals);
}

#[test]
fn rule_counts() {
    on_sqlite(body::rule_counts);
}

#[test]
fn rules() {
    on_sqlite(body::rules);
}

#[test]
fn audit() {
    on_sqlite(body::audit);
}
