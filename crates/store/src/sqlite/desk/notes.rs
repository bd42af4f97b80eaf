//! Notes for the audit log.
//!
//! Owns: the table `notes`, which holds them until they are in the audit log. Never: changes one.

use super::super::connection::{Doing, rows};
use super::number;
use crate::StoreError;
use crate::desk::Note;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{FromRow, Row};

pub(super) async fn add(
    db: &mut SqliteConnection,
    actor: &str,
    at_ms: i64,
    what: &str,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO notes (at_ms, actor, what) VALUES ($1, $2, $3)")
        .bind(at_ms)
        .bind(actor)
        .bind(what)
        .execute(db)
        .await
        .doing("note what was done")?;
    Ok(())
}

pub(super) async fn after(
    db: &mut SqliteConnection,
    after: u64,
    limit: usize,
) -> Result<Vec<Note>, StoreError> {
    sqlx::query("DELETE FROM notes WHERE id <= $1")
        .bind(number(after))
        .execute(&mut *db)
        .await
        .doing("forget notes")?;
    sqlx::query_as("SELECT id, at_ms, actor, what FROM notes ORDER BY id LIMIT $1")
        .bind(rows(limit))
        .fetch_all(db)
        .await
        .doing("read notes")
}

impl FromRow<'_, SqliteRow> for Note {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get::<i64, _>("id")?.unsigned_abs(),
            at_ms: row.try_get("at_ms")?,
            actor: row.try_get("actor")?,
            what: row.try_get("what")?,
        })
    }
}
