//! Snapshots: what the files held, stored once for each content.
//!
//! Owns: the tables `snapshots` and `blobs`. Never: gives bytes back that are not those of
//! their digest; a rollback would write them.

use super::connection::Doing;
use crate::{StoreError, StoredSnapshot, document};
use postseal_planner::Digest;
use postseal_planner::plan::Cf;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{FromRow, Row};
use std::ops::RangeInclusive;

const SNAPSHOT: &str = "snapshot";

/// Whether snapshots are read with their bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bytes {
    Read,
    LeftOut,
}

/// A snapshot and its operation.
pub(super) struct Taken {
    pub(super) operation: i64,
    pub(super) snapshot: StoredSnapshot,
}

pub(super) async fn put(
    db: &mut SqliteConnection,
    operation: i64,
    snapshots: &[StoredSnapshot],
) -> Result<(), StoreError> {
    for (position, snapshot) in (0_i64..).zip(snapshots) {
        put_blob(db, snapshot).await?;
        sqlx::query(
            "INSERT INTO snapshots (operation, position, file, digest, attributes)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(operation)
        .bind(position)
        .bind(document::write(SNAPSHOT, &snapshot.file)?)
        .bind(snapshot.digest.to_string())
        .bind(&snapshot.attributes)
        .execute(&mut *db)
        .await
        .doing("store a snapshot")?;
    }
    Ok(())
}

/// The snapshots of an instance's operations in `range`, in order.
pub(super) async fn of(
    db: &mut SqliteConnection,
    instance: &str,
    range: &RangeInclusive<i64>,
    bytes: Bytes,
) -> Result<Vec<Taken>, StoreError> {
    let rows: Vec<SnapshotRow> = sqlx::query_as(
        "SELECT s.operation, s.file, s.digest, s.attributes, CASE WHEN $4 = 1 THEN b.bytes END AS bytes
         FROM snapshots s
         JOIN operations o ON o.id = s.operation
         JOIN blobs b ON b.digest = s.digest
         WHERE o.instance = $1 AND o.id BETWEEN $2 AND $3
         ORDER BY s.operation, s.position",
    )
    .bind(instance)
    .bind(range.start())
    .bind(range.end())
    .bind(i64::from(bytes == Bytes::Read))
    .fetch_all(db)
    .await
    .doing("read snapshots")?;
    rows.into_iter().map(SnapshotRow::taken).collect()
}

async fn put_blob(db: &mut SqliteConnection, snapshot: &StoredSnapshot) -> Result<(), StoreError> {
    if Digest::of(&snapshot.bytes) != snapshot.digest {
        let source = "its digest is not that of its bytes".into();
        return Err(StoreError::Unfit {
            what: SNAPSHOT,
            source,
        });
    }
    sqlx::query("INSERT INTO blobs (digest, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(snapshot.digest.to_string())
        .bind(&snapshot.bytes)
        .execute(db)
        .await
        .doing("store a snapshot")?;
    Ok(())
}

struct SnapshotRow {
    operation: i64,
    file: String,
    digest: String,
    attributes: String,
    bytes: Option<Vec<u8>>,
}

impl SnapshotRow {
    fn taken(self) -> Result<Taken, StoreError> {
        let damaged = |why: String| StoreError::Format {
            what: SNAPSHOT,
            source: why.into(),
        };
        let file: Cf = document::read(SNAPSHOT, &self.file)?;
        let digest = Digest::try_from(self.digest).map_err(damaged)?;
        if self
            .bytes
            .as_ref()
            .is_some_and(|bytes| Digest::of(bytes) != digest)
        {
            return Err(damaged(
                "its bytes are damaged: they have another digest".to_owned(),
            ));
        }
        let bytes = self.bytes.unwrap_or_default();
        let snapshot = StoredSnapshot {
            file,
            digest,
            bytes,
            attributes: self.attributes,
        };
        Ok(Taken {
            operation: self.operation,
            snapshot,
        })
    }
}

impl FromRow<'_, SqliteRow> for SnapshotRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            operation: row.try_get("operation")?,
            file: row.try_get("file")?,
            digest: row.try_get("digest")?,
            attributes: row.try_get("attributes")?,
            bytes: row.try_get("bytes")?,
        })
    }
}
