//! Operations as they happen: opened, noted, closed.
//!
//! Owns: writing the tables `operations` and `journal`. Never: reads a whole operation back;
//! that is `history`.

use super::connection::Doing;
use super::plans::PLAN;
use super::{instances, rule_wishes, snapshots};
use crate::{Close, NewOperation, OperationKind, OperationOutcome, Phase, StoreError, document};
use postseal_planner::Plan;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{FromRow, Row};

pub(super) const KIND: &str = "kind of operation";
pub(super) const OUTCOME: &str = "outcome of an operation";
pub(super) const SENTENCES: &str = "proof of an operation";
pub(super) const PHASE: &str = "phase of an operation";
pub(super) const BEFORE: &str = "state before an operation";
pub(super) const WRITTEN: &str = "writing of an operation";

pub(super) async fn open(db: &mut SqliteConnection, new: &NewOperation) -> Result<u64, StoreError> {
    instances::must_be_adopted(db, &new.instance).await?;
    refuse_while_open(db, &new.instance).await?;
    let written = new.written.as_ref();
    let written = written.map(|written| document::write(WRITTEN, written));
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO operations
             (instance, kind, actor, started_ms, confirm_by_ms, plan, found_before, written)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
    )
    .bind(&new.instance)
    .bind(document::write(KIND, &new.kind)?)
    .bind(&new.actor)
    .bind(new.started_ms)
    .bind(new.confirm_by_ms)
    .bind(document::write(PLAN, &new.plan)?)
    .bind(document::write(BEFORE, &new.before)?)
    .bind(written.transpose()?)
    .fetch_one(&mut *db)
    .await
    .doing("open an operation")?;
    rule_wishes::take(db, &new.instance, id, new.rules).await?;
    snapshots::put(db, id, &new.snapshots).await?;
    journal(db, id.unsigned_abs(), &Phase::Opened).await?;
    Ok(id.unsigned_abs())
}

pub(super) async fn journal(
    db: &mut SqliteConnection,
    operation: u64,
    phase: &Phase,
) -> Result<(), StoreError> {
    let noted = sqlx::query(
        "INSERT INTO journal (operation, position, phase)
         SELECT id, (SELECT COALESCE(MAX(position) + 1, 0) FROM journal WHERE operation = $1), $2
         FROM operations WHERE id = $1 AND ended_ms IS NULL",
    )
    .bind(key(operation))
    .bind(document::write(PHASE, phase)?)
    .execute(db)
    .await
    .doing("note a phase")?;
    match noted.rows_affected() {
        0 => Err(StoreError::NotOpen(operation)),
        _ => Ok(()),
    }
}

pub(super) async fn close(
    db: &mut SqliteConnection,
    operation: u64,
    close: &Close,
) -> Result<(), StoreError> {
    let closed: Option<Closed> = sqlx::query_as(
        "UPDATE operations SET outcome = $2, sentences = $3, ended_ms = $4
         WHERE id = $1 AND ended_ms IS NULL RETURNING instance, kind, plan",
    )
    .bind(key(operation))
    .bind(document::write(OUTCOME, &close.outcome)?)
    .bind(document::write(SENTENCES, &close.sentences)?)
    .bind(close.ended_ms)
    .fetch_optional(&mut *db)
    .await
    .doing("close an operation")?;
    let closed = closed.ok_or(StoreError::NotOpen(operation))?;
    if close.outcome != OperationOutcome::Kept {
        return Ok(());
    }
    let Some(state) = &close.state else {
        let source = "a kept operation comes with the state in force".into();
        return Err(StoreError::Unfit {
            what: "outcome",
            source,
        });
    };
    let kind: OperationKind = document::read(KIND, &closed.kind)?;
    let plan: Plan = document::read(PLAN, &closed.plan)?;
    rule_wishes::put_in_force(db, &closed.instance, key(operation)).await?;
    let pending = |draft| kind.draft_after(&plan.intent, draft);
    instances::put_in_force(db, &closed.instance, key(operation), state, pending).await
}

pub(super) async fn refuse_while_open(
    db: &mut SqliteConnection,
    instance: &str,
) -> Result<(), StoreError> {
    let sql = "SELECT id FROM operations WHERE instance = $1 AND ended_ms IS NULL";
    let open: Option<i64> = sqlx::query_scalar(sql)
        .bind(instance)
        .fetch_optional(db)
        .await
        .doing("look for an open operation")?;
    match open {
        Some(id) => Err(StoreError::Busy(id.unsigned_abs())),
        None => Ok(()),
    }
}

/// An operation's number as the database has it. What is beyond names no operation.
pub(super) fn key(operation: u64) -> i64 {
    i64::try_from(operation).unwrap_or(-1)
}

struct Closed {
    instance: String,
    kind: String,
    plan: String,
}

impl FromRow<'_, SqliteRow> for Closed {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            instance: row.try_get("instance")?,
            kind: row.try_get("kind")?,
            plan: row.try_get("plan")?,
        })
    }
}
