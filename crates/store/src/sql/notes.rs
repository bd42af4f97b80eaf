//! Notes for the audit log.
//!
//! Owns: the table `notes`, which holds them until they are in the audit log. Never: changes one.

use super::{Db, DbRow, Doing, in_turn, number, rows};
use crate::StoreError;
use crate::desk::Note;
use sqlx::{FromRow, Row};

pub(super) async fn add(
    db: &mut Db,
    actor: &str,
    at_ms: i64,
    what: &str,
) -> Result<(), StoreError> {
    // Else a note could get its number first and be there last: behind those that are taken already.
    in_turn(&mut *db, "notes").await?;
    sqlx::query("INSERT INTO notes (at_ms, actor, what) VALUES ($1, $2, $3)")
        .bind(at_ms)
        .bind(actor)
        .bind(what)
        .execute(db)
        .await
        .doing("note what was done")?;
    Ok(())
}

pub(super) async fn after(db: &mut Db, after: u64, limit: usize) -> Result<Vec<Note>, StoreError> {
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

impl FromRow<'_, DbRow> for Note {
    fn from_row(row: &DbRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get::<i64, _>("id")?.unsigned_abs(),
            at_ms: row.try_get("at_ms")?,
            actor: row.try_get("actor")?,
            what: row.try_get("what")?,
        })
    }
}
