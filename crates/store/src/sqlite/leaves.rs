//! Which certificate has which fingerprint.
//!
//! Owns: the table `leaves`, an index that is made of the chains. Never: decides by it what may
//! be stored.

use super::certificates;
use super::connection::Doing;
use crate::{Certificate, StoreError};
use mailtls::Fingerprint;
use sqlx::sqlite::SqliteConnection;

/// Notes the leaf of a new version.
pub(super) async fn note(
    db: &mut SqliteConnection,
    name: &str,
    version: u32,
    leaf: &[u8],
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO leaves (fingerprint, certificate, version) VALUES ($1, $2, $3)")
        .bind(text(&Fingerprint::of(leaf)))
        .bind(name)
        .bind(version)
        .execute(db)
        .await
        .doing("note a fingerprint")?;
    Ok(())
}

/// Notes the leaves of a store that was made before this table.
pub(super) async fn note_missing(db: &mut SqliteConnection) -> Result<(), StoreError> {
    let missing: Vec<(String, u32, Vec<u8>)> = sqlx::query_as(
        "SELECT certificate, version, der FROM chains WHERE position = 0 AND NOT EXISTS
             (SELECT 1 FROM leaves WHERE leaves.certificate = chains.certificate
                 AND leaves.version = chains.version)",
    )
    .fetch_all(&mut *db)
    .await
    .doing("look for fingerprints")?;
    for (name, version, leaf) in missing {
        note(db, &name, version, &leaf).await?;
    }
    Ok(())
}

/// The certificates with this leaf, by name.
pub(super) async fn find(
    db: &mut SqliteConnection,
    fingerprint: &Fingerprint,
) -> Result<Vec<Certificate>, StoreError> {
    let places: Vec<(String, u32)> = sqlx::query_as(
        "SELECT certificate, version FROM leaves WHERE fingerprint = $1
         ORDER BY certificate, version DESC",
    )
    .bind(text(fingerprint))
    .fetch_all(&mut *db)
    .await
    .doing("look for a fingerprint")?;
    let mut found = Vec::new();
    for (name, version) in places {
        let versions = certificates::of_name(db, &name).await?;
        found.extend(versions.into_iter().filter(|each| each.version == version));
    }
    Ok(found)
}

fn text(fingerprint: &Fingerprint) -> String {
    fingerprint.prefix(32)
}
