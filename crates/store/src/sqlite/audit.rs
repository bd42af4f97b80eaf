//! The audit log.
//!
//! Owns: its tables. Never: changes or deletes a row; the schema refuses it too.

use super::SqliteStore;
use super::connection::{Doing, rows};
use crate::{AuditEntry, AuditKind, AuditLink, AuditStore, StoreError, audit_digest};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{FromRow, Row};

impl AuditStore for SqliteStore {
    fn audit(&mut self, actor: &str, at_ms: i64, what: &str) -> Result<(), StoreError> {
        let entry = AuditEntry {
            actor: actor.to_owned(),
            at_ms,
            what: what.to_owned(),
        };
        self.write(async |db| add(db, AuditKind::Store, &entry).await)
    }

    fn audit_access(&mut self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        self.write(async |db| {
            for entry in entries {
                add(&mut *db, AuditKind::Access, entry).await?;
            }
            Ok(())
        })
    }

    fn audit_log(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.read(async |db| newest(db, limit).await)
    }

    fn audit_chain(&self, after: u64, limit: usize) -> Result<Vec<AuditLink>, StoreError> {
        self.read(async |db| chain(db, after, limit).await)
    }

    fn audit_newest(&self) -> Result<u64, StoreError> {
        self.read(async |db| counted(db).await)
    }
}

async fn add(
    db: &mut SqliteConnection,
    kind: AuditKind,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO audit (kind, actor, at_ms, what) VALUES ($1, $2, $3, $4)";
    let added = sqlx::query(sql)
        .bind(kind.name())
        .bind(&entry.actor)
        .bind(entry.at_ms)
        .bind(&entry.what)
        .execute(&mut *db)
        .await
        .doing("add to the audit log")?;
    let id = added.last_insert_rowid().unsigned_abs();
    let before = head(&mut *db).await?;
    link(db, id, &audit_digest(&before, id, kind.name(), entry)).await
}

/// Chains the entries of a store that was made before there was a chain.
pub(super) async fn chain_missing(db: &mut SqliteConnection) -> Result<(), StoreError> {
    let sql = "SELECT audit.id, kind, actor, at_ms, what, '' AS digest FROM audit \
               WHERE NOT EXISTS (SELECT 1 FROM audit_chain WHERE audit_chain.id = audit.id) \
               ORDER BY audit.id";
    let missing: Vec<AuditLink> = sqlx::query_as(sql)
        .fetch_all(&mut *db)
        .await
        .doing("read the audit log")?;
    let mut before = head(&mut *db).await?;
    for one in missing {
        before = audit_digest(&before, one.id, &one.kind, &one.entry);
        link(&mut *db, one.id, &before).await?;
    }
    Ok(())
}

/// The newest entries about the store, newest first.
async fn newest(db: &mut SqliteConnection, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
    let sql = "SELECT actor, at_ms, what FROM audit WHERE kind = 'store' \
               ORDER BY id DESC LIMIT $1";
    sqlx::query_as(sql)
        .bind(rows(limit))
        .fetch_all(db)
        .await
        .doing("read the audit log")
}

/// The links after `after`, the oldest first. An entry without a digest is there with an empty one.
async fn chain(
    db: &mut SqliteConnection,
    after: u64,
    limit: usize,
) -> Result<Vec<AuditLink>, StoreError> {
    let sql = "SELECT audit.id, kind, actor, at_ms, what, coalesce(digest, '') AS digest \
               FROM audit LEFT JOIN audit_chain ON audit_chain.id = audit.id \
               WHERE audit.id > $1 ORDER BY audit.id LIMIT $2";
    sqlx::query_as(sql)
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .bind(rows(limit))
        .fetch_all(db)
        .await
        .doing("read the audit log")
}

/// As the database itself counts (AUTOINCREMENT), and as far as entries were chained.
async fn counted(db: &mut SqliteConnection) -> Result<u64, StoreError> {
    let sql = "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit'), 0), \
               coalesce((SELECT max(id) FROM audit_chain), 0))";
    let counted: i64 = sqlx::query_scalar(sql)
        .fetch_one(db)
        .await
        .doing("read the audit log")?;
    Ok(counted.unsigned_abs())
}

async fn head(db: &mut SqliteConnection) -> Result<String, StoreError> {
    let head = sqlx::query_scalar("SELECT digest FROM audit_chain ORDER BY id DESC LIMIT 1")
        .fetch_optional(db)
        .await
        .doing("read the audit log")?;
    Ok(head.unwrap_or_default())
}

async fn link(db: &mut SqliteConnection, id: u64, digest: &str) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO audit_chain (id, digest) VALUES ($1, $2)")
        .bind(i64::try_from(id).unwrap_or(i64::MAX))
        .bind(digest)
        .execute(db)
        .await
        .doing("chain the audit log")?;
    Ok(())
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

impl FromRow<'_, SqliteRow> for AuditLink {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get::<i64, _>("id")?.unsigned_abs(),
            kind: row.try_get("kind")?,
            entry: AuditEntry::from_row(row)?,
            digest: row.try_get("digest")?,
        })
    }
}
