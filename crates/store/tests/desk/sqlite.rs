//! The desk in a folder.

use crate::body::MX;
use crate::body::rules::{found, query, rule};
use postseal_store::SqliteDesk;
use postseal_store::desk::{Clerk as _, Desk as _};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, Executor as _, SqliteConnection};
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_desk_is_for_its_owner_alone() {
    let place = tempfile::tempdir().unwrap();
    drop(SqliteDesk::open(place.path()).unwrap());
    let file = place.path().join("console.db").metadata().unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_desk_of_the_first_version_gets_rules() {
    let place = tempfile::tempdir().unwrap();
    let mut desk = SqliteDesk::open(place.path()).unwrap();
    desk.note("alice", 1, "signed in").unwrap();
    drop(desk);
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(async {
            let options = SqliteConnectOptions::new().filename(place.path().join("console.db"));
            let mut db = SqliteConnection::connect_with(&options).await.unwrap();
            let older = "DROP TABLE rule_sets; DROP INDEX jobs_ended; DELETE FROM _sqlx_migrations WHERE version > 1";
            db.execute(older).await.unwrap();
            db.close().await.unwrap();
        });
    // Console and agent may be the first to open it, both.
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| SqliteDesk::open(place.path()).unwrap());
        }
    });
    let mut desk = SqliteDesk::open(place.path()).unwrap();
    assert_eq!(desk.notes(0, 9).unwrap().len(), 1);
    let set = desk.begin_rules(MX, 1).unwrap();
    desk.add_rules(set, &[rule("a.example", "may")]).unwrap();
    desk.show_rules(MX, set, "m", 2).unwrap();
    assert_eq!(found(&desk, &query()), ["a.example"]);
}
