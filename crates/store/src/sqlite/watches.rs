//! Folders that are watched for renewals.
//!
//! Owns: the table `watches`. Never: opens a folder.

use super::connection::Doing;
use crate::{StoreError, Watch, document};
use sqlx::sqlite::SqliteConnection;

pub(super) async fn put(
    db: &mut SqliteConnection,
    instance: &str,
    watch: &Watch,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT OR REPLACE INTO watches (instance, certificate, document) VALUES ($1, $2, $3)",
    )
    .bind(instance)
    .bind(&watch.name)
    .bind(document::write("watch", watch)?)
    .execute(db)
    .await
    .doing("store a watch")?;
    Ok(())
}

pub(super) async fn all(
    db: &mut SqliteConnection,
    instance: &str,
) -> Result<Vec<Watch>, StoreError> {
    let sql = "SELECT document FROM watches WHERE instance = $1 ORDER BY certificate";
    let documents: Vec<String> = sqlx::query_scalar(sql)
        .bind(instance)
        .fetch_all(db)
        .await
        .doing("list watches")?;
    documents
        .iter()
        .map(|text| document::read("watch", text))
        .collect()
}

pub(super) async fn delete(
    db: &mut SqliteConnection,
    instance: &str,
    name: &str,
) -> Result<bool, StoreError> {
    let deleted = sqlx::query("DELETE FROM watches WHERE instance = $1 AND certificate = $2")
        .bind(instance)
        .bind(name)
        .execute(db)
        .await
        .doing("delete a watch")?;
    Ok(deleted.rows_affected() > 0)
}

/// Those of an instance that is released.
pub(super) async fn delete_of_instance(
    db: &mut SqliteConnection,
    instance: &str,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM watches WHERE instance = $1")
        .bind(instance)
        .execute(db)
        .await
        .doing("delete watches")?;
    Ok(())
}

/// Those of a certificate that is deleted.
pub(super) async fn delete_everywhere(
    db: &mut SqliteConnection,
    name: &str,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM watches WHERE certificate = $1")
        .bind(name)
        .execute(db)
        .await
        .doing("delete watches")?;
    Ok(())
}
