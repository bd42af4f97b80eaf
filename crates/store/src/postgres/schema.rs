//! The schema and its versions.
//!
//! Owns: the migrations, embedded from `migrations/postgres`. Never: queries.

use super::connection::Doing;
use super::trouble::{Newer, NoUtf8};
use crate::StoreError;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{PgConnection, SqlSafeStr};

/// The newest version of the desk.
const NEWEST: i64 = 1;

/// Checks the version of a desk, and makes it or migrates an older one. Console and agent at once: one of them does it, under a
/// lock of the server's.
pub(super) async fn bring_up_to_date(db: &mut PgConnection) -> Result<(), StoreError> {
    match version(db).await? {
        Some(NEWEST) => Ok(()),
        Some(version) if version > NEWEST => Err(StoreError::Database {
            action: "read its version",
            source: Newer {
                version,
                known: NEWEST,
            }
            .into(),
        }),
        found => {
            if found.is_none() {
                need_utf8(db).await?;
            }
            let run = migrations().run_direct(None, db, false).await;
            run.map_err(|error| match error {
                MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error,
                other => sqlx::Error::Migrate(Box::new(other)),
            })
            .doing("bring it up to date")
        }
    }
}

fn migrations() -> Migrator {
    let console = include_str!("../../migrations/postgres/console/0001_console.sql");
    Migrator::with_migrations(vec![Migration::new(
        NEWEST,
        "console".into(),
        MigrationType::Simple,
        console.into_sql_str(),
        false,
    )])
}

async fn need_utf8(db: &mut PgConnection) -> Result<(), StoreError> {
    let doing = "read its encoding";
    let encoding: String = sqlx::query_scalar("SHOW server_encoding")
        .fetch_one(db)
        .await
        .doing(doing)?;
    match encoding == "UTF8" {
        true => Ok(()),
        false => Err(StoreError::Database {
            action: doing,
            source: NoUtf8(encoding).into(),
        }),
    }
}

/// `None`: no migration was ever run here.
async fn version(db: &mut PgConnection) -> Result<Option<i64>, StoreError> {
    let doing = "read its version";
    let is_there: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *db)
        .await
        .doing(doing)?;
    if !is_there {
        return Ok(None);
    }
    sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(db)
        .await
        .doing(doing)
}
