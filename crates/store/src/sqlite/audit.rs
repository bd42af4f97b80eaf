//! The audit log.
//!
//! Owns: its table. Never: changes or deletes a row; the schema refuses it too.

use super::connection::{Doing, rows};
use crate::{AuditEntry, StoreError};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{FromRow, Row};

pub(super) async fn add(
    db: &mut SqliteConnection,
    actor: &str,
    at_ms: i64,
    what: &str,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO audit (actor, at_ms, what) VALUES ($1, $2, $3)")
        .bind(actor)
        .bind(at_ms)
        .bind(what)
        .execute(db)
        .await
        .doing("add to the audit log")?;
    Ok(())
}

pub(super) async fn newest(
    db: &mut SqliteConnection,
    limit: usize,
) -> Result<Vec<AuditEntry>, StoreError> {
    sqlx::query_as("SELECT actor, at_ms, what FROM audit ORDER BY id DESC LIMIT $1")
        .bind(rows(limit))
        .fetch_all(db)
        .await
        .doing("read the audit log")
}

impl FromRow<'_, SqliteRow> for AuditEntry {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            actor: row.try_get("actor")?,
            at_ms: row.try_get("at_ms")?,
            what: row.try_get("what")?,
        })
    }
}
