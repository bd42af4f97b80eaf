//! Certificates and their sealed keys.
//!
//! Owns: the tables `certificates`, `chains`, `identity`. Never: a key in clear; what comes in
//! here is sealed already.

use super::connection::Doing;
use crate::{Certificate, NewCertificate, StoreError};
use postseal_planner::Digest;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{FromRow, Row};
use std::collections::BTreeMap;

/// The recipient that keys of this store are sealed to.
pub(super) async fn recipient(db: &mut SqliteConnection) -> Result<String, StoreError> {
    let sql = "SELECT recipient FROM identity";
    sqlx::query_scalar(sql)
        .fetch_one(db)
        .await
        .doing("read the recipient")
}

pub(super) async fn put(
    db: &mut SqliteConnection,
    new: &NewCertificate,
    sealed_key: Option<Vec<u8>>,
) -> Result<(), StoreError> {
    if !is_known(db, &new.name).await? {
        put_row(db, new, sealed_key).await?;
        return put_chain(db, new).await;
    }
    if chain(db, &new.name).await? != new.chain {
        return Err(StoreError::Exists(new.name.clone()));
    }
    put_row(db, new, sealed_key).await
}

pub(super) async fn all(db: &mut SqliteConnection) -> Result<Vec<Certificate>, StoreError> {
    let rows: Vec<CertificateRow> = sqlx::query_as(
        "SELECT name, sealed_key IS NOT NULL AS has_key, private_ca, source, added_ms, file_digest
         FROM certificates ORDER BY name",
    )
    .fetch_all(&mut *db)
    .await
    .doing("list certificates")?;
    let links: Vec<Link> =
        sqlx::query_as("SELECT certificate, der FROM chains ORDER BY certificate, position")
            .fetch_all(db)
            .await
            .doing("list chains")?;
    let mut chains: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for link in links {
        chains.entry(link.certificate).or_default().push(link.der);
    }
    rows.into_iter()
        .map(|row| {
            let chain = chains.remove(&row.name).unwrap_or_default();
            row.certificate(chain)
        })
        .collect()
}

pub(super) async fn sealed_key(
    db: &mut SqliteConnection,
    name: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let found: Option<Option<Vec<u8>>> =
        sqlx::query_scalar("SELECT sealed_key FROM certificates WHERE name = $1")
            .bind(name)
            .fetch_optional(db)
            .await
            .doing("read a sealed key")?;
    Ok(found.flatten())
}

pub(super) async fn delete(db: &mut SqliteConnection, name: &str) -> Result<bool, StoreError> {
    let deleted = sqlx::query("DELETE FROM certificates WHERE name = $1")
        .bind(name)
        .execute(db)
        .await
        .doing("delete a certificate")?;
    Ok(deleted.rows_affected() > 0)
}

async fn is_known(db: &mut SqliteConnection, name: &str) -> Result<bool, StoreError> {
    let found: i64 = sqlx::query_scalar("SELECT count(*) FROM certificates WHERE name = $1")
        .bind(name)
        .fetch_one(db)
        .await
        .doing("look for a certificate")?;
    Ok(found > 0)
}

async fn chain(db: &mut SqliteConnection, name: &str) -> Result<Vec<Vec<u8>>, StoreError> {
    sqlx::query_scalar("SELECT der FROM chains WHERE certificate = $1 ORDER BY position")
        .bind(name)
        .fetch_all(db)
        .await
        .doing("read a chain")
}

/// Adds the row, or fills the one of the same chain: nothing known is lost by saying less.
async fn put_row(
    db: &mut SqliteConnection,
    new: &NewCertificate,
    sealed_key: Option<Vec<u8>>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO certificates (name, private_ca, sealed_key, source, added_ms, file_digest)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (name) DO UPDATE SET
             private_ca = COALESCE(excluded.private_ca, certificates.private_ca),
             sealed_key = COALESCE(excluded.sealed_key, certificates.sealed_key),
             source = excluded.source,
             file_digest = COALESCE(excluded.file_digest, certificates.file_digest)",
    )
    .bind(&new.name)
    .bind(&new.private_ca)
    .bind(sealed_key)
    .bind(&new.source)
    .bind(new.added_ms)
    .bind(new.file_digest.map(String::from))
    .execute(db)
    .await
    .doing("store a certificate")?;
    Ok(())
}

async fn put_chain(db: &mut SqliteConnection, new: &NewCertificate) -> Result<(), StoreError> {
    for (position, der) in (0_i64..).zip(&new.chain) {
        sqlx::query("INSERT INTO chains (certificate, position, der) VALUES ($1, $2, $3)")
            .bind(&new.name)
            .bind(position)
            .bind(der)
            .execute(&mut *db)
            .await
            .doing("store a chain")?;
    }
    Ok(())
}

struct Link {
    certificate: String,
    der: Vec<u8>,
}

impl FromRow<'_, SqliteRow> for Link {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            certificate: row.try_get("certificate")?,
            der: row.try_get("der")?,
        })
    }
}

struct CertificateRow {
    name: String,
    has_key: bool,
    private_ca: Option<Vec<u8>>,
    source: String,
    added_ms: i64,
    file_digest: Option<String>,
}

impl CertificateRow {
    fn certificate(self, chain: Vec<Vec<u8>>) -> Result<Certificate, StoreError> {
        let damaged = |why: String| StoreError::Format {
            what: "file digest",
            source: why.into(),
        };
        Ok(Certificate {
            name: self.name,
            chain,
            has_key: self.has_key,
            private_ca: self.private_ca,
            source: self.source,
            added_ms: self.added_ms,
            file_digest: self
                .file_digest
                .map(Digest::try_from)
                .transpose()
                .map_err(damaged)?,
        })
    }
}

impl FromRow<'_, SqliteRow> for CertificateRow {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            name: row.try_get("name")?,
            has_key: row.try_get("has_key")?,
            private_ca: row.try_get("private_ca")?,
            source: row.try_get("source")?,
            added_ms: row.try_get("added_ms")?,
            file_digest: row.try_get("file_digest")?,
        })
    }
}
