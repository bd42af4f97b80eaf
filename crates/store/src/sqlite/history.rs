//! Operations as they are read back.
//!
//! Owns: putting an operation together from its tables, in three queries however many there
//! are. Never: writes.

use super::connection::{Doing, rows};
use super::operations::{BEFORE, KIND, OUTCOME, PHASE, SENTENCES, WRITTEN, key};
use super::plans::PLAN;
use super::snapshots::{self, Bytes};
use crate::policy::RuleTake;
use crate::{NewOperation, Operation, Phase, StoreError, document};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{FromRow, Row};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

pub(super) async fn find(
    db: &mut SqliteConnection,
    id: u64,
) -> Result<Option<Operation>, StoreError> {
    let found = sqlx::query_as("SELECT * FROM operations WHERE id = $1")
        .bind(key(id))
        .fetch_all(&mut *db)
        .await
        .doing("read an operation")?;
    Ok(whole(db, found, Bytes::Read).await?.pop())
}

pub(super) async fn find_open(
    db: &mut SqliteConnection,
    instance: &str,
) -> Result<Option<Operation>, StoreError> {
    let found = sqlx::query_as("SELECT * FROM operations WHERE instance = $1 AND ended_ms IS NULL")
        .bind(instance)
        .fetch_all(&mut *db)
        .await
        .doing("read the open operation")?;
    Ok(whole(db, found, Bytes::Read).await?.pop())
}

pub(super) async fn newest(
    db: &mut SqliteConnection,
    instance: &str,
    limit: usize,
) -> Result<Vec<Operation>, StoreError> {
    let found =
        sqlx::query_as("SELECT * FROM operations WHERE instance = $1 ORDER BY id DESC LIMIT $2")
            .bind(instance)
            .bind(rows(limit))
            .fetch_all(&mut *db)
            .await
            .doing("read the history")?;
    whole(db, found, Bytes::LeftOut).await
}

/// Completes rows of one instance, among which no operation is left out; newest first.
async fn whole(
    db: &mut SqliteConnection,
    found: Vec<OperationRow>,
    bytes: Bytes,
) -> Result<Vec<Operation>, StoreError> {
    let (Some(last), Some(first)) = (found.first(), found.last()) else {
        return Ok(Vec::new());
    };
    let (instance, range) = (last.instance.clone(), first.id..=last.id);
    let notes = journals(db, &instance, &range).await?;
    let taken = snapshots::of(db, &instance, &range, bytes).await?;
    let mut operations = BTreeMap::new();
    for row in found {
        operations.insert(row.id, row.operation()?);
    }
    for note in notes {
        if let Some(operation) = operations.get_mut(&note.operation) {
            operation.journal.push(document::read(PHASE, &note.phase)?);
        }
    }
    for taken in taken {
        if let Some(operation) = operations.get_mut(&taken.operation) {
            operation.new.snapshots.push(taken.snapshot);
        }
    }
    Ok(operations.into_values().rev().collect())
}

async fn journals(
    db: &mut SqliteConnection,
    instance: &str,
    range: &RangeInclusive<i64>,
) -> Result<Vec<Note>, StoreError> {
    sqlx::query_as(
        "SELECT j.operation, j.phase
         FROM journal j
         JOIN operations o ON o.id = j.operation
         WHERE o.instance = $1 AND o.id BETWEEN $2 AND $3
         ORDER BY j.operation, j.position",
    )
    .bind(instance)
    .bind(range.start())
    .bind(range.end())
    .fetch_all(db)
    .await
    .doing("read journals")
}

struct Note {
    operation: i64,
    phase: String,
}

impl FromRow<'_, SqliteRow> for Note {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            operation: row.try_get("operation")?,
            phase: row.try_get("phase")?,
        })
    }
}

struct OperationRow {
    id: i64,
    instance: String,
    kind: String,
    actor: String,
    started_ms: i64,
    confirm_by_ms: Option<i64>,
    plan: String,
    outcome: Option<String>,
    sentences: Option<String>,
    ended_ms: Option<i64>,
    before: Option<String>,
    written: Option<String>,
}

impl OperationRow {
    /// The operation, without snapshots and journal yet.
    fn operation(self) -> Result<Operation, StoreError> {
        let outcome = self
            .outcome
            .map(|text| document::read(OUTCOME, &text))
            .transpose()?;
        let sentences = self
            .sentences
            .map(|text| document::read(SENTENCES, &text))
            .transpose()?;
        let before = self
            .before
            .map(|text| document::read(BEFORE, &text))
            .transpose()?;
        let written = self
            .written
            .map(|text| document::read(WRITTEN, &text))
            .transpose()?;
        Ok(Operation {
            id: self.id.unsigned_abs(),
            new: NewOperation {
                rules: RuleTake::None,
                kind: document::read(KIND, &self.kind)?,
                plan: document::read(PLAN, &self.plan)?,
                instance: self.instance,
                actor: self.actor,
                started_ms: self.started_ms,
                snapshots: Vec::new(),
                confirm_by_ms: self.confirm_by_ms,
                before: before.unwrap_or_default(),
                written,
            },
            journal: Vec::<Phase>::new(),
            outcome,
            ended_ms: self.ended_ms,
            sentences: sentences.unwrap_or_default(),
        })
    }
}

impl FromRow<'_, SqliteRow> for OperationRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            instance: row.try_get("instance")?,
            kind: row.try_get("kind")?,
            actor: row.try_get("actor")?,
            started_ms: row.try_get("started_ms")?,
            confirm_by_ms: row.try_get("confirm_by_ms")?,
            plan: row.try_get("plan")?,
            outcome: row.try_get("outcome")?,
            sentences: row.try_get("sentences")?,
            ended_ms: row.try_get("ended_ms")?,
            before: row.try_get("found_before")?,
            written: row.try_get("written")?,
        })
    }
}
