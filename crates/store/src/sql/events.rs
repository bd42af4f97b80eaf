//! What is told while a job goes on.
//!
//! Owns: the table `events`. Never: more of a job than anybody would read.

use super::{Db, DbRow, Doing, number, rows};
use crate::StoreError;
use crate::desk::JobEvent;
use sqlx::{FromRow, Row};

pub(super) async fn add(db: &mut Db, job: u64, event: &JobEvent) -> Result<(), StoreError> {
    let sql = "INSERT INTO events (job, n, at_ms, document) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (job, n) DO NOTHING";
    sqlx::query(sql)
        .bind(number(job))
        .bind(number(event.n))
        .bind(event.at_ms)
        .bind(&event.document)
        .execute(db)
        .await
        .doing("tell of a job")?;
    Ok(())
}

pub(super) async fn after(
    db: &mut Db,
    job: u64,
    after: u64,
    limit: usize,
) -> Result<Vec<JobEvent>, StoreError> {
    let sql = "SELECT n, at_ms, document FROM events WHERE job = $1 AND n > $2 ORDER BY n LIMIT $3";
    sqlx::query_as(sql)
        .bind(number(job))
        .bind(number(after))
        .bind(rows(limit))
        .fetch_all(db)
        .await
        .doing("read what was told of a job")
}

impl FromRow<'_, DbRow> for JobEvent {
    fn from_row(row: &DbRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            n: row.try_get::<i64, _>("n")?.unsigned_abs(),
            at_ms: row.try_get("at_ms")?,
            document: row.try_get("document")?,
        })
    }
}
