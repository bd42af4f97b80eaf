//! Sealed uploads in the table `jobs`: how long they lie there.
//!
//! Owns: that one goes when its job has ended, and a job that nobody claims ends. Never: opens one.

use super::{Db, Doing, number};
use crate::StoreError;
use crate::desk::Upload;
use sqlx::AssertSqlSafe;

/// What came of a job whose upload nobody has fetched.
const EXPIRED: &str = r#"{"error":{"code":"job.upload-expired","message":"no agent has fetched the upload in time, and it was removed: nothing was imported","hint":"See that the agent runs, and send the files again."}}"#;

/// A task carries one. No text in a task has this: a quotation mark within one is escaped (RFC 8259 §7).
const HAS_UPLOAD: &str = r#"task LIKE '%"sealed":"%'"#;

/// Takes the upload out of a job that has ended.
pub(super) async fn spend(db: &mut Db, job: u64) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT task FROM jobs WHERE id = $1 AND {HAS_UPLOAD} \
         AND state NOT IN ('proposed', 'waiting', 'running')"
    );
    let task: Option<String> = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(number(job))
        .fetch_optional(&mut *db)
        .await
        .doing("look for an upload")?;
    let Some(spent) = task.and_then(|task| Upload::spent(&task)) else {
        return Ok(());
    };
    sqlx::query("UPDATE jobs SET task = $2 WHERE id = $1")
        .bind(number(job))
        .bind(spent)
        .execute(db)
        .await
        .doing("remove an upload")?;
    Ok(())
}

/// Ends those jobs with an upload that were filed before `before_ms` and that nobody has claimed; how many.
pub(super) async fn expire(db: &mut Db, before_ms: i64, now_ms: i64) -> Result<usize, StoreError> {
    let sql = format!(
        "UPDATE jobs SET state = 'cancelled', cancel = TRUE, ended_ms = $2, exit = 1, answer = $3 \
         WHERE state IN ('proposed', 'waiting') AND filed_ms < $1 AND {HAS_UPLOAD} RETURNING id"
    );
    let ended: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(before_ms)
        .bind(now_ms)
        .bind(EXPIRED)
        .fetch_all(&mut *db)
        .await
        .doing("look for uploads that nobody fetched")?;
    for job in &ended {
        spend(db, job.unsigned_abs()).await?;
    }
    Ok(ended.len())
}
