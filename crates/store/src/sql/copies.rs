//! The copies that pages show.
//!
//! Owns: the table `copies`. Never: makes one of something that it has seen itself.

use super::{Db, DbRow, Doing};
use crate::StoreError;
use crate::desk::Copy;
use sqlx::{FromRow, Row};

pub(super) async fn put(
    db: &mut Db,
    instance: &str,
    what: &str,
    document: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO copies (instance, what, document, copied_ms) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (instance, what) DO UPDATE SET \
               document = excluded.document, copied_ms = excluded.copied_ms";
    sqlx::query(sql)
        .bind(instance)
        .bind(what)
        .bind(document)
        .bind(now_ms)
        .execute(db)
        .await
        .doing("make a copy")?;
    Ok(())
}

pub(super) async fn find(
    db: &mut Db,
    instance: &str,
    what: &str,
) -> Result<Option<Copy>, StoreError> {
    sqlx::query_as("SELECT document, copied_ms FROM copies WHERE instance = $1 AND what = $2")
        .bind(instance)
        .bind(what)
        .fetch_optional(db)
        .await
        .doing("read a copy")
}

impl FromRow<'_, DbRow> for Copy {
    fn from_row(row: &DbRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            document: row.try_get("document")?,
            copied_ms: row.try_get("copied_ms")?,
        })
    }
}
