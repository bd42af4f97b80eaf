//! Ten thousand of everything.

use crate::fixture::{MX, certificate, kept, operation, state};
use postseal_store::{NewCertificate, Phase, SqliteStore, Store};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Executor};
use std::path::Path;

const MANY: usize = 10_000;

/// Copies the first operation and certificate until there are [`MANY`] of each.
fn multiply(folder: &Path) {
    let statement = "
        CREATE TEMP TABLE n AS
            WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
            SELECT i FROM n;
        BEGIN;
        INSERT INTO operations SELECT i, instance, kind, actor, started_ms, confirm_by_ms, plan,
            outcome, sentences, ended_ms, found_before, written FROM operations, n WHERE id = 1;
        INSERT INTO journal SELECT i, position, phase FROM journal, n WHERE operation = 1;
        INSERT INTO snapshots SELECT i, position, file, digest, attributes
            FROM snapshots, n WHERE operation = 1;
        INSERT INTO certificates SELECT printf('mx%05d', i), version, private_ca, sealed_key, source,
            added_ms, file_digest FROM certificates, n;
        INSERT INTO chains SELECT printf('mx%05d', i), version, position, der FROM chains, n;
        COMMIT";
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(folder.join("agent.db"));
        let mut db = SqliteConnection::connect_with(&options).await.unwrap();
        db.execute(statement).await.unwrap();
        db.close().await.unwrap();
    });
}

fn filled(folder: &Path) -> SqliteStore {
    let mut store = SqliteStore::open(folder).unwrap();
    store.adopt(MX, &state("a")).unwrap();
    let id = store.open_operation(&operation(MX, "b")).unwrap();
    for n in 0..4 {
        store.journal(id, &Phase::Step { n }).unwrap();
    }
    store.close_operation(id, &kept("b")).unwrap();
    let chain = vec![vec![1; 1200], vec![2; 1300]];
    store
        .put_certificate(&NewCertificate {
            chain,
            ..certificate("mx00001")
        })
        .unwrap();
    multiply(folder);
    store
}

#[test]
fn ten_thousand_operations_and_certificates() {
    let place = tempfile::tempdir().unwrap();
    let mut store = filled(&place.path().join("store"));
    let all = store.history(MX, usize::MAX).unwrap();
    assert_eq!(all.len(), MANY);
    assert!(
        all.windows(2).all(|pair| pair[0].id == pair[1].id + 1),
        "newest first, none missing"
    );
    assert!(
        all.iter()
            .all(|each| each.journal.len() == 5 && each.new.snapshots.len() == 2)
    );
    let newest = store.history(MX, 20).unwrap();
    assert_eq!(newest.first().map(|each| each.id), Some(MANY as u64));
    assert_eq!(newest.len(), 20);

    let certificates = crate::fixture::all(&store);
    assert_eq!(certificates.len(), MANY);
    assert!(certificates.is_sorted_by(|a, b| a.name < b.name));
    assert!(
        certificates
            .iter()
            .all(|each| each.chain.len() == 2 && each.has_key)
    );
    let id = store.open_operation(&operation(MX, "next")).unwrap();
    assert_eq!(id, MANY as u64 + 1);
}
