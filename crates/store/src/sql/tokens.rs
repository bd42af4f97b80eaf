//! Tokens of programs.
//!
//! Owns: the table `tokens`. Never: what its holder sends; here is its digest.

use super::{Db, DbRow, Doing, number};
use crate::StoreError;
use crate::desk::{Secret, Token};
use sqlx::{FromRow, Row};

pub(super) async fn add(db: &mut Db, token: &Token, digest: &Secret) -> Result<u64, StoreError> {
    let sql = "INSERT INTO tokens (digest, \"user\", name, role, made_ms, ends_ms) \
               VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
    let id: i64 = sqlx::query_scalar(sql)
        .bind(digest.as_slice())
        .bind(&token.user)
        .bind(&token.name)
        .bind(token.role.name())
        .bind(token.made_ms)
        .bind(token.ends_ms)
        .fetch_one(db)
        .await
        .doing("add a token")?;
    Ok(id.unsigned_abs())
}

pub(super) async fn all(db: &mut Db) -> Result<Vec<Token>, StoreError> {
    sqlx::query_as(
        "SELECT id, \"user\", name, role, made_ms, ends_ms, used_ms FROM tokens ORDER BY id",
    )
    .fetch_all(db)
    .await
    .doing("list tokens")
}

pub(super) async fn find(
    db: &mut Db,
    digest: &Secret,
    now_ms: i64,
) -> Result<Option<Token>, StoreError> {
    let sql = "SELECT id, \"user\", name, role, made_ms, ends_ms, used_ms FROM tokens \
               WHERE digest = $1 AND ends_ms > $2";
    sqlx::query_as(sql)
        .bind(digest.as_slice())
        .bind(now_ms)
        .fetch_optional(db)
        .await
        .doing("find a token")
}

pub(super) async fn used(db: &mut Db, id: u64, now_ms: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE tokens SET used_ms = $2 WHERE id = $1")
        .bind(number(id))
        .bind(now_ms)
        .execute(db)
        .await
        .doing("note a token")?;
    Ok(())
}

pub(super) async fn remove(db: &mut Db, id: u64) -> Result<bool, StoreError> {
    let removed = sqlx::query("DELETE FROM tokens WHERE id = $1")
        .bind(number(id))
        .execute(db)
        .await
        .doing("end a token")?;
    Ok(removed.rows_affected() > 0)
}

impl FromRow<'_, DbRow> for Token {
    fn from_row(row: &DbRow) -> Result<Self, sqlx::Error> {
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
