//! Certificates and their sealed keys.
//!
//! Owns: the tables `certificates`, `chains`, `identity`. Never: a key in clear; what comes in
//! here is sealed already.

use super::connection::{Doing, rows};
use crate::{Certificate, NewCertificate, StoreError, Succession};
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
    let known = versions(db, &new.name).await?;
    for version in &known {
        let chain = chain(db, &new.name, *version).await?;
        if chain == new.chain {
            return fill(db, new, *version, sealed_key).await;
        }
        // A file in the configuration is named after the leaf: there is one chain of each.
        if chain.first() == new.chain.first() && chain.len() < new.chain.len() {
            drop_chain(db, &new.name, *version).await?;
            put_chain(db, new, *version).await?;
            return fill(db, new, *version, sealed_key).await;
        }
    }
    let version = match (new.succession, known.first()) {
        (_, None) => 1,
        (Succession::Renewal, Some(newest)) => newest.saturating_add(1),
        (Succession::First, Some(_)) => return Err(StoreError::Exists(new.name.clone())),
    };
    put_row(db, new, version, sealed_key).await?;
    put_chain(db, new, version).await?;
    if let Some(leaf) = new.chain.first() {
        super::leaves::note(db, &new.name, version, leaf).await?;
    }
    Ok(())
}

/// A page of the newest versions.
pub(super) async fn newest(
    db: &mut SqliteConnection,
    after: &str,
    limit: usize,
) -> Result<Vec<Certificate>, StoreError> {
    let rows: Vec<CertificateRow> = sqlx::query_as(
        "SELECT name, version, sealed_key IS NOT NULL AS has_key, private_ca, source, added_ms,
             file_digest
         FROM certificates
         WHERE name > $1 AND version =
             (SELECT max(version) FROM certificates AS other WHERE other.name = certificates.name)
         ORDER BY name LIMIT $2",
    )
    .bind(after)
    .bind(rows(limit))
    .fetch_all(&mut *db)
    .await
    .doing("list certificates")?;
    let Some(last) = rows.last() else {
        return Ok(Vec::new());
    };
    let links = sqlx::query_as(
        "SELECT certificate, version, der FROM chains
         WHERE certificate > $1 AND certificate <= $2 AND version =
             (SELECT max(version) FROM certificates WHERE name = chains.certificate)
         ORDER BY certificate, position",
    )
    .bind(after)
    .bind(&last.name);
    let links = links.fetch_all(db).await.doing("list chains")?;
    joined(rows, links)
}

/// All versions under a name, the newest first.
pub(super) async fn of_name(
    db: &mut SqliteConnection,
    name: &str,
) -> Result<Vec<Certificate>, StoreError> {
    let rows = sqlx::query_as(
        "SELECT name, version, sealed_key IS NOT NULL AS has_key, private_ca, source, added_ms,
             file_digest
         FROM certificates WHERE name = $1 ORDER BY version DESC",
    )
    .bind(name);
    let rows = rows.fetch_all(&mut *db).await.doing("read a certificate")?;
    let links = sqlx::query_as(
        "SELECT certificate, version, der FROM chains WHERE certificate = $1
         ORDER BY version, position",
    )
    .bind(name);
    let links = links.fetch_all(db).await.doing("read a chain")?;
    joined(rows, links)
}

/// Certificates with their chains.
fn joined(rows: Vec<CertificateRow>, links: Vec<Link>) -> Result<Vec<Certificate>, StoreError> {
    let mut chains: BTreeMap<(String, u32), Vec<Vec<u8>>> = BTreeMap::new();
    for link in links {
        let chain = chains.entry((link.certificate, link.version)).or_default();
        chain.push(link.der);
    }
    rows.into_iter()
        .map(|row| {
            let chain = chains.remove(&(row.name.clone(), row.version));
            row.certificate(chain.unwrap_or_default())
        })
        .collect()
}

pub(super) async fn sealed_key(
    db: &mut SqliteConnection,
    name: &str,
    version: u32,
) -> Result<Option<Vec<u8>>, StoreError> {
    let found: Option<Option<Vec<u8>>> =
        sqlx::query_scalar("SELECT sealed_key FROM certificates WHERE name = $1 AND version = $2")
            .bind(name)
            .bind(version)
            .fetch_optional(db)
            .await
            .doing("read a sealed key")?;
    Ok(found.flatten())
}

pub(super) async fn delete(db: &mut SqliteConnection, name: &str) -> Result<bool, StoreError> {
    super::acme::delete(db, name).await?;
    let deleted = sqlx::query("DELETE FROM certificates WHERE name = $1")
        .bind(name)
        .execute(&mut *db)
        .await
        .doing("delete a certificate")?;
    super::watches::delete_everywhere(db, name).await?;
    Ok(deleted.rows_affected() > 0)
}

/// Chain, key and fingerprint go with the row.
pub(super) async fn delete_version(
    db: &mut SqliteConnection,
    name: &str,
    version: u32,
) -> Result<bool, StoreError> {
    let deleted = sqlx::query("DELETE FROM certificates WHERE name = $1 AND version = $2")
        .bind(name)
        .bind(version)
        .execute(db)
        .await
        .doing("delete a version")?;
    Ok(deleted.rows_affected() > 0)
}

/// The versions under a name, the newest first.
async fn versions(db: &mut SqliteConnection, name: &str) -> Result<Vec<u32>, StoreError> {
    sqlx::query_scalar("SELECT version FROM certificates WHERE name = $1 ORDER BY version DESC")
        .bind(name)
        .fetch_all(db)
        .await
        .doing("look for a certificate")
}

async fn chain(
    db: &mut SqliteConnection,
    name: &str,
    version: u32,
) -> Result<Vec<Vec<u8>>, StoreError> {
    sqlx::query_scalar(
        "SELECT der FROM chains WHERE certificate = $1 AND version = $2 ORDER BY position",
    )
    .bind(name)
    .bind(version)
    .fetch_all(db)
    .await
    .doing("read a chain")
}

/// Fills the row of the same chain: nothing known is lost by saying less.
async fn fill(
    db: &mut SqliteConnection,
    new: &NewCertificate,
    version: u32,
    sealed_key: Option<Vec<u8>>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE certificates SET
             private_ca = COALESCE($3, private_ca),
             sealed_key = COALESCE($4, sealed_key),
             source = $5,
             file_digest = COALESCE($6, file_digest)
         WHERE name = $1 AND version = $2",
    )
    .bind(&new.name)
    .bind(version)
    .bind(&new.private_ca)
    .bind(sealed_key)
    .bind(&new.source)
    .bind(new.file_digest.map(String::from))
    .execute(db)
    .await
    .doing("store a certificate")?;
    Ok(())
}

async fn put_row(
    db: &mut SqliteConnection,
    new: &NewCertificate,
    version: u32,
    sealed_key: Option<Vec<u8>>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO certificates
             (name, version, private_ca, sealed_key, source, added_ms, file_digest)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&new.name)
    .bind(version)
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

async fn drop_chain(db: &mut SqliteConnection, name: &str, version: u32) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM chains WHERE certificate = $1 AND version = $2")
        .bind(name)
        .bind(version)
        .execute(db)
        .await
        .doing("drop a chain")?;
    Ok(())
}

async fn put_chain(
    db: &mut SqliteConnection,
    new: &NewCertificate,
    version: u32,
) -> Result<(), StoreError> {
    for (position, der) in (0_i64..).zip(&new.chain) {
        sqlx::query(
            "INSERT INTO chains (certificate, version, position, der) VALUES ($1, $2, $3, $4)",
        )
        .bind(&new.name)
        .bind(version)
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
    version: u32,
    der: Vec<u8>,
}

impl FromRow<'_, SqliteRow> for Link {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            certificate: row.try_get("certificate")?,
            version: row.try_get("version")?,
            der: row.try_get("der")?,
        })
    }
}

struct CertificateRow {
    name: String,
    version: u32,
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
            version: self.version,
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
            version: row.try_get("version")?,
            has_key: row.try_get("has_key")?,
            private_ca: row.try_get("private_ca")?,
            source: row.try_get("source")?,
            added_ms: row.try_get("added_ms")?,
            file_digest: row.try_get("file_digest")?,
        })
    }
}
