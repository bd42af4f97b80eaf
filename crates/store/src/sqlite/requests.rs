//! Requests that wait for their certificate, with their sealed keys.
//!
//! Owns: the table `requests`. Never: a key in clear; what comes in here is sealed already.

use super::connection::Doing;
use crate::{PendingRequest, StoreError, document};
use sqlx::sqlite::SqliteConnection;

/// Whether it is stored: one that waits under the name stays.
pub(super) async fn put(
    db: &mut SqliteConnection,
    request: &PendingRequest,
    sealed_key: Vec<u8>,
) -> Result<bool, StoreError> {
    let statement = "INSERT INTO requests (name, document, sealed_key) VALUES ($1, $2, $3) \
                     ON CONFLICT (name) DO NOTHING";
    let stored = sqlx::query(statement)
        .bind(&request.name)
        .bind(document::write("request", request)?)
        .bind(sealed_key)
        .execute(db)
        .await
        .doing("store a request")?;
    Ok(stored.rows_affected() > 0)
}

pub(super) async fn all(db: &mut SqliteConnection) -> Result<Vec<PendingRequest>, StoreError> {
    let documents: Vec<String> = sqlx::query_scalar("SELECT document FROM requests ORDER BY name")
        .fetch_all(db)
        .await
        .doing("list requests")?;
    documents
        .iter()
        .map(|text| document::read("request", text))
        .collect()
}

pub(super) async fn sealed_key(
    db: &mut SqliteConnection,
    name: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    sqlx::query_scalar("SELECT sealed_key FROM requests WHERE name = $1")
        .bind(name)
        .fetch_optional(db)
        .await
        .doing("read a request's key")
}

pub(super) async fn delete(db: &mut SqliteConnection, name: &str) -> Result<bool, StoreError> {
    let deleted = sqlx::query("DELETE FROM requests WHERE name = $1")
        .bind(name)
        .execute(db)
        .await
        .doing("delete a request")?;
    Ok(deleted.rows_affected() > 0)
}
