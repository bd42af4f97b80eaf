//! The schema and its versions.
//!
//! Owns: the migrations, embedded from `migrations/sqlite`. Never: queries.

use super::connection::{Doing, opening};
use crate::StoreError;
use crate::sqlite::folder::cannot;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, SqlSafeStr};
use std::path::Path;

/// The newest version of `agent.db`.
const NEWEST: i64 = 14;

/// The newest version of `console.db`.
const NEWEST_DESK: i64 = 3;

/// The migrations of `agent.db`.
pub(super) fn agent() -> Migrator {
    let first = include_str!("../../migrations/sqlite/agent/0001_agent.sql");
    let before = include_str!("../../migrations/sqlite/agent/0002_before.sql");
    let versions = include_str!("../../migrations/sqlite/agent/0003_versions.sql");
    let acme = include_str!("../../migrations/sqlite/agent/0004_acme.sql");
    let next_keys = include_str!("../../migrations/sqlite/agent/0005_next_keys.sql");
    let watches = include_str!("../../migrations/sqlite/agent/0006_watches.sql");
    let rules = include_str!("../../migrations/sqlite/agent/0007_rules.sql");
    let managed = include_str!("../../migrations/sqlite/agent/0008_managed.sql");
    let preflights = include_str!("../../migrations/sqlite/agent/0009_preflights.sql");
    let due_rules = include_str!("../../migrations/sqlite/agent/0010_due_rules.sql");
    let audit_chain = include_str!("../../migrations/sqlite/agent/0011_audit_chain.sql");
    let looks = include_str!("../../migrations/sqlite/agent/0012_looks.sql");
    let rule_news = include_str!("../../migrations/sqlite/agent/0013_rule_news.sql");
    let notices = include_str!("../../migrations/sqlite/agent/0014_notices.sql");
    Migrator::with_migrations(vec![
        migration(1, "agent", first),
        migration(2, "before", before),
        migration(3, "versions", versions),
        migration(4, "acme", acme),
        migration(5, "next keys", next_keys),
        migration(6, "watches", watches),
        migration(7, "rules", rules),
        migration(8, "managed rules", managed),
        migration(9, "preflights", preflights),
        migration(10, "due rules", due_rules),
        migration(11, "audit chain", audit_chain),
        migration(12, "looks", looks),
        migration(13, "rule news", rule_news),
        migration(NEWEST, "notices", notices),
    ])
}

/// The migrations of `console.db`.
pub(super) fn console() -> Migrator {
    let first = include_str!("../../migrations/sqlite/console/0001_console.sql");
    let rules = include_str!("../../migrations/sqlite/console/0002_rules.sql");
    let changes = include_str!("../../migrations/sqlite/console/0003_rule_changes.sql");
    Migrator::with_migrations(vec![
        migration(1, "console", first),
        migration(2, "rules", rules),
        migration(NEWEST_DESK, "rule changes", changes),
    ])
}

/// Runs what has not been run.
pub(super) async fn run(
    db: &mut SqliteConnection,
    migrator: &Migrator,
    path: &Path,
) -> Result<(), StoreError> {
    let run = migrator.run_direct(None, db, false).await;
    run.map_err(|error| cannot("migrate", path, std::io::Error::other(error)))
}

/// Checks the version of an existing `agent.db` and migrates an older one. Two small queries where there
/// is nothing to do, because every command pays for it.
pub(super) async fn bring_up_to_date(
    db: &mut SqliteConnection,
    path: &Path,
) -> Result<(), StoreError> {
    match version(db, path).await? {
        None => Err(cannot(
            "open",
            path,
            std::io::Error::other("it is not a store of Postseal"),
        )),
        Some(version) if version > NEWEST => Err(unknown(Some(version), NEWEST)),
        Some(NEWEST) => Ok(()),
        Some(_) => {
            // Two commands at once: the second waits, and finds it done.
            let mut db = db
                .begin_with("BEGIN IMMEDIATE")
                .await
                .doing("begin to bring it up to date")?;
            run(&mut db, &agent(), path).await?;
            super::leaves::note_missing(&mut db).await?;
            super::audit::chain_missing(&mut db).await?;
            db.commit().await.doing("bring it up to date")
        }
    }
}

/// Checks the version of a desk and migrates an older one.
pub(super) async fn bring_desk_up_to_date(
    db: &mut SqliteConnection,
    path: &Path,
) -> Result<(), StoreError> {
    match version(db, path).await? {
        Some(NEWEST_DESK) => Ok(()),
        Some(version) if version < NEWEST_DESK => {
            // Console and agent at once: the second waits, and finds it done.
            let mut db = db
                .begin_with("BEGIN IMMEDIATE")
                .await
                .doing("begin to bring it up to date")?;
            run(&mut db, &console(), path).await?;
            db.commit().await.doing("bring it up to date")
        }
        other => Err(unknown(other, NEWEST_DESK)),
    }
}

/// The same for a database that cannot be written to.
pub(super) async fn must_be_up_to_date(
    db: &mut SqliteConnection,
    path: &Path,
) -> Result<(), StoreError> {
    match version(db, path).await? {
        Some(NEWEST) => Ok(()),
        other => Err(unknown(other, NEWEST)),
    }
}

fn unknown(version: Option<i64>, known: i64) -> StoreError {
    let version = version.map_or_else(|| "none".to_owned(), |version| version.to_string());
    StoreError::Format {
        what: "database",
        source: format!("its version is {version}, known is {known}").into(),
    }
}

/// `None`: no migration was ever run here.
async fn version(db: &mut SqliteConnection, path: &Path) -> Result<Option<i64>, StoreError> {
    let table = "SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
    let tables: i64 = sqlx::query_scalar(table)
        .fetch_one(&mut *db)
        .await
        .map_err(|error| opening(path, error))?;
    if tables == 0 {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(db)
        .await
        .doing("read its version")
}

fn migration(version: i64, name: &'static str, sql: &'static str) -> Migration {
    Migration::new(
        version,
        name.into(),
        MigrationType::Simple,
        sql.into_sql_str(),
        false,
    )
}
