//! What has changed of rules, of wishes about them, and of what was seen at their servers.
//!
//! Owns: the table `rule_news`, bounded: who asks for what is not known any more reads all rules. Never: tells what a
//! change was.

use super::connection::{Doing, rows};
use crate::StoreError;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;

/// So many are kept of an instance. A change of more than that makes all rules news.
const MOST: i64 = 20_000;

/// Destinations of the JSON array $2 of arrays that begin with them.
pub(super) const OF_ROWS: &str = "SELECT value ->> 0 AS destination FROM json_each($2)";

/// A number for what changes now.
pub(super) async fn rise(db: &mut SqliteConnection, instance: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE instances SET rules_news = rules_news + 1 WHERE path = $1")
        .bind(instance)
        .execute(db)
        .await
        .doing("note news of rules")?;
    Ok(())
}

/// Notes destinations under the newest number: those that `of` selects, where $1 is the instance and $2 is `by`.
pub(super) async fn note(
    db: &mut SqliteConnection,
    instance: &str,
    of: &'static str,
    by: &str,
) -> Result<(), StoreError> {
    let doing = "note news of rules";
    let sql = format!(
        "INSERT OR IGNORE INTO rule_news
         SELECT $1, (SELECT rules_news FROM instances WHERE path = $1), destination
         FROM ({of}) WHERE $2 IS $2 LIMIT $3"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(instance)
        .bind(by)
        .bind(MOST + 1)
        .execute(&mut *db)
        .await
        .doing(doing)?;
    let oldest = "SELECT news FROM rule_news WHERE instance = $1 \
                  ORDER BY news DESC LIMIT 1 OFFSET $2";
    let too_old: Option<i64> = sqlx::query_scalar(oldest)
        .bind(instance)
        .bind(MOST)
        .fetch_optional(&mut *db)
        .await
        .doing(doing)?;
    match too_old {
        Some(news) => forget(db, instance, news).await,
        None => Ok(()),
    }
}

/// All rules may be others.
pub(super) async fn note_all(db: &mut SqliteConnection, instance: &str) -> Result<(), StoreError> {
    let newest = newest(db, instance).await?;
    forget(db, instance, newest).await
}

async fn forget(db: &mut SqliteConnection, instance: &str, until: i64) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM rule_news WHERE instance = $1 AND news <= $2",
        "UPDATE instances SET rules_news_from = $2 WHERE path = $1",
    ] {
        sqlx::query(sql)
            .bind(instance)
            .bind(until)
            .execute(&mut *db)
            .await
            .doing("forget old news of rules")?;
    }
    Ok(())
}

pub(super) async fn newest(db: &mut SqliteConnection, instance: &str) -> Result<i64, StoreError> {
    let sql = "SELECT rules_news FROM instances WHERE path = $1";
    let found: Option<i64> = sqlx::query_scalar(sql)
        .bind(instance)
        .fetch_optional(db)
        .await
        .doing("read the number of the news of rules")?;
    found.ok_or_else(|| StoreError::NotAdopted(instance.to_owned()))
}

pub(super) async fn since(
    db: &mut SqliteConnection,
    instance: &str,
    since: i64,
    limit: usize,
) -> Result<Option<Vec<String>>, StoreError> {
    let doing = "read the news of rules";
    let known =
        "SELECT 1 FROM instances WHERE path = $1 AND $2 BETWEEN rules_news_from AND rules_news";
    let known: Option<i64> = sqlx::query_scalar(known)
        .bind(instance)
        .bind(since)
        .fetch_optional(&mut *db)
        .await
        .doing(doing)?;
    if known.is_none() {
        return Ok(None);
    }
    let sql =
        "SELECT DISTINCT destination FROM rule_news WHERE instance = $1 AND news > $2 LIMIT $3";
    let found: Vec<String> = sqlx::query_scalar(sql)
        .bind(instance)
        .bind(since)
        .bind(rows(limit.saturating_add(1)))
        .fetch_all(db)
        .await
        .doing(doing)?;
    Ok((found.len() <= limit).then_some(found))
}

/// Those of an instance that is released.
pub(super) async fn delete_of_instance(
    db: &mut SqliteConnection,
    instance: &str,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM rule_news WHERE instance = $1")
        .bind(instance)
        .execute(db)
        .await
        .doing("delete news of rules")?;
    Ok(())
}
