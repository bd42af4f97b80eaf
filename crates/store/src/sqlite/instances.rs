//! Adopted instances: what is in force and what is wished.
//!
//! Owns: the table `instances`. Never: an operation's row.

use super::connection::Doing;
use super::{operations, preflights, rule_news, rule_wishes, watches};
use crate::{InstanceState, StoreError, document};
use postseal_planner::Intent;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{FromRow, Row};

const DESIRED: &str = "desired intent";
const DRAFT: &str = "draft";
const WRITTEN: &str = "record of what was written";
const BASE: &str = "record of the files' digests";

pub(super) async fn get(
    db: &mut SqliteConnection,
    instance: &str,
) -> Result<Option<InstanceState>, StoreError> {
    let sql = "SELECT desired, draft, written, base, head FROM instances WHERE path = $1";
    let row: Option<StateRow> = sqlx::query_as(sql)
        .bind(instance)
        .fetch_optional(db)
        .await
        .doing("read an instance")?;
    row.map(StateRow::state).transpose()
}

pub(super) async fn adopt(
    db: &mut SqliteConnection,
    instance: &str,
    state: &InstanceState,
) -> Result<(), StoreError> {
    let row = StateRow::of(state)?;
    // News of rules are numbered by the clock from here on: a number of an instance that was released and is adopted anew
    // is none of its earlier life.
    sqlx::query(
        "INSERT INTO instances
             (path, desired, draft, written, base, head, rules_news, rules_news_from)
         VALUES ($1, $2, $3, $4, $5, $6, 1000 * unixepoch(), 1000 * unixepoch())
         ON CONFLICT (path) DO UPDATE SET
             desired = excluded.desired,
             draft = COALESCE(excluded.draft, instances.draft),
             written = excluded.written,
             base = excluded.base,
             head = excluded.head",
    )
    .bind(instance)
    .bind(row.desired)
    .bind(row.draft)
    .bind(row.written)
    .bind(row.base)
    .bind(row.head)
    .execute(db)
    .await
    .doing("adopt an instance")?;
    Ok(())
}

pub(super) async fn release(db: &mut SqliteConnection, instance: &str) -> Result<(), StoreError> {
    operations::refuse_while_open(db, instance).await?;
    let released = sqlx::query("DELETE FROM instances WHERE path = $1")
        .bind(instance)
        .execute(&mut *db)
        .await
        .doing("release an instance")?;
    watches::delete_of_instance(db, instance).await?;
    rule_wishes::delete_of_instance(db, instance).await?;
    preflights::delete_of_instance(db, instance).await?;
    rule_news::delete_of_instance(db, instance).await?;
    adopted(instance, released.rows_affected())
}

pub(super) async fn set_draft(
    db: &mut SqliteConnection,
    instance: &str,
    draft: Option<&Intent>,
) -> Result<(), StoreError> {
    let draft = draft
        .map(|draft| document::write(DRAFT, draft))
        .transpose()?;
    let set = sqlx::query("UPDATE instances SET draft = $2 WHERE path = $1")
        .bind(instance)
        .bind(draft)
        .execute(db)
        .await
        .doing("store a draft")?;
    adopted(instance, set.rows_affected())
}

/// Puts `state` in force as the result of `operation`. `pending` says what stays of the draft.
pub(super) async fn put_in_force(
    db: &mut SqliteConnection,
    instance: &str,
    operation: i64,
    state: &InstanceState,
    pending: impl FnOnce(Intent) -> Option<Intent>,
) -> Result<(), StoreError> {
    let current = get(db, instance).await?;
    let current = current.ok_or_else(|| StoreError::NotAdopted(instance.to_owned()))?;
    let draft = current.draft.and_then(pending);
    let row = StateRow::of(&InstanceState {
        draft,
        ..state.clone()
    })?;
    sqlx::query(
        "UPDATE instances SET desired = $2, draft = $3, written = $4, base = $5, head = $6
         WHERE path = $1",
    )
    .bind(instance)
    .bind(row.desired)
    .bind(row.draft)
    .bind(row.written)
    .bind(row.base)
    .bind(operation)
    .execute(db)
    .await
    .doing("put an operation in force")?;
    Ok(())
}

pub(super) async fn must_be_adopted(
    db: &mut SqliteConnection,
    instance: &str,
) -> Result<(), StoreError> {
    let found: i64 = sqlx::query_scalar("SELECT count(*) FROM instances WHERE path = $1")
        .bind(instance)
        .fetch_one(db)
        .await
        .doing("look for an instance")?;
    adopted(instance, found.unsigned_abs())
}

fn adopted(instance: &str, rows: u64) -> Result<(), StoreError> {
    match rows {
        0 => Err(StoreError::NotAdopted(instance.to_owned())),
        _ => Ok(()),
    }
}

struct StateRow {
    desired: String,
    draft: Option<String>,
    written: String,
    base: String,
    head: Option<i64>,
}

impl StateRow {
    fn of(state: &InstanceState) -> Result<Self, StoreError> {
        Ok(Self {
            desired: document::write(DESIRED, &state.desired)?,
            draft: state
                .draft
                .as_ref()
                .map(|draft| document::write(DRAFT, draft))
                .transpose()?,
            written: document::write(WRITTEN, &state.written)?,
            base: document::write(BASE, &state.base)?,
            head: state.head.map(operations::key),
        })
    }

    fn state(self) -> Result<InstanceState, StoreError> {
        Ok(InstanceState {
            desired: document::read(DESIRED, &self.desired)?,
            draft: self
                .draft
                .map(|draft| document::read(DRAFT, &draft))
                .transpose()?,
            written: document::read(WRITTEN, &self.written)?,
            base: document::read(BASE, &self.base)?,
            head: self.head.map(i64::unsigned_abs),
        })
    }
}

impl FromRow<'_, SqliteRow> for StateRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            desired: row.try_get("desired")?,
            draft: row.try_get("draft")?,
            written: row.try_get("written")?,
            base: row.try_get("base")?,
            head: row.try_get("head")?,
        })
    }
}
