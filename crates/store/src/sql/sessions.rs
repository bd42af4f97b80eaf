//! Sessions of browsers.
//!
//! Owns: the table `sessions`. Never: what a cookie holds; here is its digest.

use super::{Db, DbRow, Doing};
use crate::StoreError;
use crate::desk::{Secret, SignIn, User};
use sqlx::{FromRow, Row};

/// A session that holds, and when it was seen.
pub(super) struct Found {
    pub(super) user: User,
    pub(super) seen_ms: i64,
    pub(super) ends_ms: i64,
}

pub(super) async fn add(db: &mut Db, session: &SignIn) -> Result<(), StoreError> {
    // Those that have ended are of no use to anybody.
    sqlx::query("DELETE FROM sessions WHERE ends_ms <= $1")
        .bind(session.made_ms)
        .execute(&mut *db)
        .await
        .doing("forget old sessions")?;
    let sql = "INSERT INTO sessions (digest, \"user\", made_ms, seen_ms, ends_ms, address, browser) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    sqlx::query(sql)
        .bind(session.digest.as_slice())
        .bind(&session.user)
        .bind(session.made_ms)
        .bind(session.seen_ms)
        .bind(session.ends_ms)
        .bind(&session.address)
        .bind(&session.browser)
        .execute(db)
        .await
        .doing("begin a session")?;
    Ok(())
}

pub(super) async fn find(
    db: &mut Db,
    digest: &Secret,
    now_ms: i64,
    idle_since_ms: i64,
) -> Result<Option<Found>, StoreError> {
    let sql = "SELECT name, role, password, totp, added_ms, seen_ms, ends_ms FROM sessions \
               JOIN users ON name = \"user\" \
               WHERE digest = $1 AND ends_ms > $2 AND seen_ms >= $3";
    sqlx::query_as(sql)
        .bind(digest.as_slice())
        .bind(now_ms)
        .bind(idle_since_ms)
        .fetch_optional(db)
        .await
        .doing("find a session")
}

pub(super) async fn seen(db: &mut Db, digest: &Secret, now_ms: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE sessions SET seen_ms = $2 WHERE digest = $1 AND seen_ms < $2")
        .bind(digest.as_slice())
        .bind(now_ms)
        .execute(db)
        .await
        .doing("note a session")?;
    Ok(())
}

pub(super) async fn of_user(db: &mut Db, user: &str) -> Result<Vec<SignIn>, StoreError> {
    let sql = "SELECT digest, \"user\", made_ms, seen_ms, ends_ms, address, browser FROM sessions \
               WHERE \"user\" = $1 ORDER BY made_ms DESC";
    sqlx::query_as(sql)
        .bind(user)
        .fetch_all(db)
        .await
        .doing("list sessions")
}

pub(super) async fn remove(db: &mut Db, digest: &Secret) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sessions WHERE digest = $1")
        .bind(digest.as_slice())
        .execute(db)
        .await
        .doing("end a session")?;
    Ok(())
}

pub(super) async fn remove_of_user(db: &mut Db, user: &str) -> Result<u64, StoreError> {
    let removed = sqlx::query("DELETE FROM sessions WHERE \"user\" = $1")
        .bind(user)
        .execute(db)
        .await
        .doing("end sessions")?;
    Ok(removed.rows_affected())
}

impl FromRow<'_, DbRow> for Found {
    fn from_row(row: &DbRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            user: User::from_row(row)?,
            seen_ms: row.try_get("seen_ms")?,
            ends_ms: row.try_get("ends_ms")?,
        })
    }
}

impl FromRow<'_, DbRow> for SignIn {
    fn from_row(row: &DbRow) -> Result<Self, sqlx::Error> {
        let digest: Vec<u8> = row.try_get("digest")?;
        let wrong = |_| sqlx::Error::Decode("a digest of another length".into());
        Ok(Self {
            digest: digest.try_into().map_err(wrong)?,
            user: row.try_get("user")?,
            made_ms: row.try_get("made_ms")?,
            seen_ms: row.try_get("seen_ms")?,
            ends_ms: row.try_get("ends_ms")?,
            address: row.try_get("address")?,
            browser: row.try_get("browser")?,
        })
    }
}
