//! Keys made ahead of the certificates they are for.
//!
//! Owns: the table `next_keys`. Never: a key in clear; what comes in here is sealed already.

use super::connection::Doing;
use crate::{NextKey, StoreError};
use sqlx::sqlite::SqliteConnection;

/// Whether it is stored: one that waits under the name stays.
pub(super) async fn put(
    db: &mut SqliteConnection,
    next: &NextKey,
    sealed_key: Vec<u8>,
) -> Result<bool, StoreError> {
    let statement = "INSERT INTO next_keys (name, made_ms, sealed_key) VALUES ($1, $2, $3) \
                     ON CONFLICT (name) DO NOTHING";
    let stored = sqlx::query(statement)
        .bind(&next.name)
        .bind(next.made_ms)
        .bind(sealed_key)
        .execute(db)
        .await
        .doing("store a next key")?;
    Ok(stored.rows_affected() > 0)
}

pub(super) async fn all(db: &mut SqliteConnection) -> Result<Vec<NextKey>, StoreError> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT name, made_ms FROM next_keys ORDER BY name")
            .fetch_all(db)
            .await
            .doing("list next keys")?;
    let next = |(name, made_ms)| NextKey { name, made_ms };
    Ok(rows.into_iter().map(next).collect())
}

pub(super) async fn sealed_key(
    db: &mut SqliteConnection,
    name: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    sqlx::query_scalar("SELECT sealed_key FROM next_keys WHERE name = $1")
        .bind(name)
        .fetch_optional(db)
        .await
        .doing("read a next key")
}

pub(super) async fn delete(db: &mut SqliteConnection, name: &str) -> Result<bool, StoreError> {
    let deleted = sqlx::query("DELETE FROM next_keys WHERE name = $1")
        .bind(name)
        .execute(db)
        .await
        .doing("delete a next key")?;
    Ok(deleted.rows_affected() > 0)
}
