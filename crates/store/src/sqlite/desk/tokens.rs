//! Tokens of programs.
//!
//! Owns: the table `tokens`. Never: what its holder sends; here is its digest.

use super::super::connection::Doing;
use super::number;
use crate::StoreError;
use crate::desk::{Secret, Token};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{FromRow, Row};

pub(super) async fn add(
    db: &mut SqliteConnection,
    token: &Token,
    digest: &Secret,
) -> Result<u64, StoreError> {
    let sql = "INSERT INTO tokens (digest, user, name, role, made_ms, ends_ms) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    let added = sqlx::query(sql)
        .bind(digest.as_slice())
        .bind(&token.user)
        .bind(&token.name)
        .bind(token.role.name())
        .bind(token.made_ms)
        .bind(token.ends_ms)
        .execute(db)
        .await
        .doing("add a token")?;
    Ok(added.last_insert_rowid().unsigned_abs())
}

pub(super) async fn all(db: &mut SqliteConnection) -> Result<Vec<Token>, StoreError> {
    sqlx::query_as("SELECT id, user, name, role, made_ms, ends_ms, used_ms FROM tokens ORDER BY id")
        .fetch_all(db)
        .await
        .doing("list tokens")
}

pub(super) async fn find(
    db: &mut SqliteConnection,
    digest: &Secret,
    now_ms: i64,
) -> Result<Option<Token>, StoreError> {
    let sql = "SELECT id, user, name, role, made_ms, ends_ms, used_ms FROM tokens \
               WHERE digest = $1 AND ends_ms > $2";
    sqlx::query_as(sql)
        .bind(digest.as_slice())
        .bind(now_ms)
        .fetch_optional(db)
        .await
        .doing("find a token")
}

pub(super) async fn used(
    db: &mut SqliteConnection,
    id: u64,
    now_ms: i64,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE tokens SET used_ms = $2 WHERE id = $1")
        .bind(number(id))
        .bind(now_ms)
        .execute(db)
        .await
        .doing("note a token")?;
    Ok(())
}

pub(super) async fn remove(db: &mut SqliteConnection, id: u64) -> Result<bool, StoreError> {
    let removed = sqlx::query("DELETE FROM tokens WHERE id = $1")
        .bind(number(id))
        .execute(db)
        .await
        .doing("end a token")?;
    Ok(removed.rows_affected() > 0)
}

impl FromRow<'_, SqliteRow> for Token {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let role: String = row.try_get("role")?;
        Ok(Self {
            id: row.try_get::<i64, _>("id")?.unsigned_abs(),
            user: row.try_get("user")?,
            name: row.try_get("name")?,
            role: role
                .parse()
                .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
            made_ms: row.try_get("made_ms")?,
            ends_ms: row.try_get("ends_ms")?,
            used_ms: row.try_get("used_ms")?,
        })
    }
}
