//! Damage: a clear error, and nothing lost.

use crate::fixture::{MX, all, certificate, kept, operation, state};
use postseal_store::{AuditStore, Before, SqliteStore, Store, StoreError, audit_digest};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Executor, SqlSafeStr};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A store with something of everything, closed.
fn filled() -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("store");
    let mut store = SqliteStore::open(&folder).unwrap();
    store.adopt(MX, &state("a")).unwrap();
    let id = store.open_operation(&operation(MX, "b")).unwrap();
    store.close_operation(id, &kept("b")).unwrap();
    store.put_certificate(&certificate("mx")).unwrap();
    drop(store);
    (place, folder)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

/// Somebody else at the database. Moves the log into `agent.db` first, so that it is one file.
fn sql(folder: &Path, statement: &'static str) {
    runtime().block_on(async {
        let mut db = raw(folder).await;
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
        db.execute(statement.into_sql_str()).await.unwrap();
        db.close().await.unwrap();
    });
}

async fn raw(folder: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.join("agent.db"));
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// The error with all its causes.
fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

fn opening_fails(folder: &Path, why: &str) {
    for result in [
        SqliteStore::open(folder).map(Some),
        SqliteStore::open_existing(folder),
    ] {
        let error = result.err().unwrap();
        assert!(told(&error).contains(why), "{}", told(&error));
    }
}

#[test]
fn what_is_not_our_database_is_left_alone() {
    let cases: [(&[u8], &str); 3] = [
        (b"", "it is not a store of Postseal"),
        (b"key: value\n", "file is not a database"),
        (&[0x42; 20_000], "file is not a database"),
    ];
    for (bytes, why) in cases {
        let (_place, folder) = filled();
        sql(&folder, "SELECT 1");
        let agent = folder.join("agent.db");
        fs::write(&agent, bytes).unwrap();
        opening_fails(&folder, why);
        assert!(fs::read(&agent).unwrap() == bytes, "it was written to");
    }
}

#[test]
fn a_torn_database_is_told() {
    let (_place, folder) = filled();
    sql(&folder, "SELECT 1");
    let agent = folder.join("agent.db");
    let whole = fs::read(&agent).unwrap();
    let mut torn = whole.clone();
    torn[4096..].fill(0x5a);
    fs::write(&agent, &torn).unwrap();
    opening_fails(&folder, "database disk image is malformed");
    assert!(fs::read(&agent).unwrap() == torn, "it was written to");
    fs::write(&agent, &whole).unwrap();
    let store = SqliteStore::open(&folder).unwrap();
    assert_eq!(store.history(MX, 9).unwrap().len(), 1);
}

#[test]
fn a_newer_database_is_not_touched() {
    let (_place, folder) = filled();
    sql(
        &folder,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (99, 'later', TRUE, x'00', 0)",
    );
    opening_fails(&folder, "its version is 99, known is 14");
}

#[test]
fn a_store_of_the_first_version_is_read_and_written_on() {
    let (_place, folder) = filled();
    SqliteStore::open(&folder)
        .unwrap()
        .audit("root", 1, "cert export --key mx")
        .unwrap();
    sql(
        &folder,
        "DROP TABLE audit_chain;
         ALTER TABLE audit DROP COLUMN kind;
         ALTER TABLE operations DROP COLUMN found_before;
         ALTER TABLE operations DROP COLUMN written;
         DROP TABLE requests; DROP TABLE leaves; DROP TABLE watches;
         DROP TABLE rules; DROP TABLE rule_wishes; DROP TABLE rule_changes; DROP TABLE preflights;
         ALTER TABLE instances DROP COLUMN rules_revision;
         DROP TABLE rule_news;
         ALTER TABLE instances DROP COLUMN rules_news;
         ALTER TABLE instances DROP COLUMN rules_news_from;
         ALTER TABLE instances DROP COLUMN notices;
         DROP TABLE next_keys;
         DROP TABLE acme_accounts;
         DROP TABLE renewals;
         ALTER TABLE chains RENAME TO later_chains;
         ALTER TABLE certificates RENAME TO later_certificates;
         CREATE TABLE certificates (name TEXT PRIMARY KEY, private_ca BLOB, sealed_key BLOB,
             source TEXT NOT NULL, added_ms INTEGER NOT NULL, file_digest TEXT);
         CREATE TABLE chains (
             certificate TEXT NOT NULL REFERENCES certificates (name) ON DELETE CASCADE,
             position INTEGER NOT NULL, der BLOB NOT NULL, PRIMARY KEY (certificate, position));
         INSERT INTO certificates SELECT name, private_ca, sealed_key, source, added_ms,
             file_digest FROM later_certificates;
         INSERT INTO chains SELECT certificate, position, der FROM later_chains;
         DROP TABLE later_chains;
         DROP TABLE later_certificates;
         DELETE FROM _sqlx_migrations WHERE version > 1",
    );
    // Several commands may be the first to open it.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| SqliteStore::open_existing(&folder).unwrap().unwrap());
        }
    });
    let mut store = SqliteStore::open(&folder).unwrap();
    let [mx] = all(&store).try_into().unwrap();
    assert_eq!((mx.name.as_str(), mx.version), ("mx", 1));
    assert_eq!(mx.chain, certificate("mx").chain);
    assert!(store.private_key("mx", 1).unwrap().is_some());
    let leaf = mailtls::Fingerprint::of(&mx.chain[0]);
    let found = store.certificates_of_leaf(&leaf).unwrap();
    assert_eq!(found, [mx], "its fingerprint was noted");
    store.audit("root", 2, "cert export --key mx").unwrap();
    let mut before = String::new();
    for link in store.audit_chain(0, 9).unwrap() {
        let digest = audit_digest(&before, link.id, &link.kind, &link.entry);
        assert_eq!(link.digest, digest, "the old entry was chained, too");
        before = digest;
    }
    assert_eq!(store.audit_log(9).unwrap().len(), 2);
    let old = store.history(MX, 9).unwrap().remove(0).new;
    assert_eq!(old.actor, operation(MX, "b").actor);
    assert_eq!((old.before, old.written), (Before::default(), None));
    let id = store.open_operation(&operation(MX, "c")).unwrap();
    let new = store.operation(id).unwrap().unwrap().new;
    assert_eq!(new.before, operation(MX, "c").before);
    assert_eq!(new.written, operation(MX, "c").written);
}

#[test]
fn a_newer_or_broken_document_is_told() {
    let cases = [
        (
            r#"UPDATE instances SET desired = '{"format":2,"body":{"new":1}}'"#,
            "the store holds a desired intent that this version cannot read: \
             its format is 2, known is 1",
        ),
        (
            "UPDATE instances SET written = '{'",
            "the store holds a record of what was written",
        ),
        (
            "UPDATE instances SET base = '{\"format\":1,\"body\":{}}'",
            "missing field",
        ),
    ];
    for (statement, why) in cases {
        let (_place, folder) = filled();
        sql(&folder, statement);
        let error = SqliteStore::open(&folder)
            .unwrap()
            .instance(MX)
            .unwrap_err();
        assert!(matches!(error, StoreError::Format { .. }));
        assert!(
            told(&error).starts_with(why) || told(&error).contains(why),
            "{}",
            told(&error)
        );
    }
}

#[test]
fn damaged_snapshots_are_never_given_back() {
    let (_place, folder) = filled();
    sql(&folder, "UPDATE blobs SET bytes = x'23'");
    let store = SqliteStore::open(&folder).unwrap();
    let error = store.operation(1).unwrap_err();
    assert!(
        told(&error).contains("its bytes are damaged"),
        "{}",
        told(&error)
    );
    assert_eq!(
        store.history(MX, 9).unwrap().len(),
        1,
        "the log without bytes still reads"
    );
}

#[test]
fn an_unusable_identity_costs_only_the_keys() {
    let (_place, folder) = filled();
    let path = folder.join("identity");
    let whole = fs::read(&path).unwrap();
    let stranger = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(&stranger.path().join("store")).unwrap());
    let other = fs::read(stranger.path().join("store/identity")).unwrap();
    let cases: [(&[u8], &str); 5] = [
        (b"", "holds no age identity"),
        (&whole[..whole.len() - 20], "damaged"),
        (b"\xff\xfe", "UTF-8"),
        (&[b'#'; 100_000], "holds no age identity"),
        (&other, "is not the one of this store"),
    ];
    for (bytes, why) in cases {
        fs::write(&path, bytes).unwrap();
        keys_fail(&folder, why);
    }
    fs::remove_file(&path).unwrap();
    keys_fail(&folder, "No such file");
    assert!(
        !path.exists(),
        "no new identity takes the place of a lost one"
    );
    fs::write(&path, &whole).unwrap();
    keys_fail(&folder, "others may open it");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let store = SqliteStore::open(&folder).unwrap();
    assert!(store.private_key("mx", 1).unwrap().is_some());
}

fn keys_fail(folder: &Path, why: &str) {
    let mut store = SqliteStore::open(folder).unwrap();
    let read = store.private_key("mx", 1).unwrap_err();
    let written = store.put_certificate(&certificate("new")).unwrap_err();
    for error in [read, written] {
        assert!(
            matches!(&error, StoreError::Identity(said) if said.contains(why)),
            "{error}"
        );
    }
    assert_eq!(all(&store).len(), 1);
    assert!(store.instance(MX).unwrap().is_some());
}

#[test]
fn the_audit_log_is_only_added_to() {
    let (_place, folder) = filled();
    SqliteStore::open(&folder)
        .unwrap()
        .audit("root", 1, "cert export --key mx")
        .unwrap();
    for statement in ["UPDATE audit SET what = ''", "DELETE FROM audit"] {
        let refused = runtime().block_on(async { raw(&folder).await.execute(statement).await });
        assert!(refused.unwrap_err().to_string().contains("only added to"));
    }
    assert_eq!(
        SqliteStore::open(&folder)
            .unwrap()
            .audit_log(9)
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_database_in_use_is_waited_for_and_then_told() {
    let (_place, folder) = filled();
    let mut store = SqliteStore::open(&folder).unwrap();
    let runtime = runtime();
    let mut other = runtime.block_on(raw(&folder));
    runtime.block_on(other.execute("BEGIN IMMEDIATE")).unwrap();
    assert!(matches!(
        store.audit("root", 1, "x"),
        Err(StoreError::Locked)
    ));
    assert!(
        store.instance(MX).unwrap().is_some(),
        "readers do not wait for a writer"
    );
    runtime.block_on(other.execute("COMMIT")).unwrap();
    store.audit("root", 1, "x").unwrap();
}
