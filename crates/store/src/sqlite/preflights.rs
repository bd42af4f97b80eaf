//! What was seen at the servers of next hops.
//!
//! Owns: the table `preflights`, the newest look at each. Never: judges how old one may be.

use super::connection::Doing;
use super::rule_news;
use crate::{StoreError, document};
use postseal_planner::Preflight;
use sqlx::sqlite::SqliteConnection;

const WHAT: &str = "look at servers";
/// Next hops asked for in one statement.
const CHUNK: usize = 5_000;

pub(super) async fn put(
    db: &mut SqliteConnection,
    instance: &str,
    seen: &[Preflight],
) -> Result<(), StoreError> {
    if seen.is_empty() {
        return Ok(());
    }
    let nexthops: Vec<[&str; 1]> = seen.iter().map(|one| [one.nexthop.as_str()]).collect();
    let nexthops = serde_json::json!(nexthops).to_string();
    rule_news::rise(&mut *db, instance).await?;
    rule_news::note(&mut *db, instance, rule_news::OF_ROWS, &nexthops).await?;
    for one in seen {
        sqlx::query(
            "INSERT OR REPLACE INTO preflights (instance, nexthop, document) VALUES ($1, $2, $3)",
        )
        .bind(instance)
        .bind(&one.nexthop)
        .bind(document::write(WHAT, one)?)
        .execute(&mut *db)
        .await
        .doing("store a look at servers")?;
    }
    Ok(())
}

pub(super) async fn of(
    db: &mut SqliteConnection,
    instance: &str,
    nexthops: &[String],
) -> Result<Vec<Preflight>, StoreError> {
    let sql = "SELECT p.document FROM json_each($2) AS j
               JOIN preflights AS p ON p.instance = $1 AND p.nexthop = j.value";
    let mut all = Vec::new();
    for chunk in nexthops.chunks(CHUNK) {
        let documents: Vec<String> = sqlx::query_scalar(sql)
            .bind(instance)
            .bind(serde_json::json!(chunk).to_string())
            .fetch_all(&mut *db)
            .await
            .doing("read looks at servers")?;
        for text in &documents {
            all.push(document::read(WHAT, text)?);
        }
    }
    Ok(all)
}

/// Those of an instance that is released.
pub(super) async fn delete_of_instance(
    db: &mut SqliteConnection,
    instance: &str,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM preflights WHERE instance = $1")
        .bind(instance)
        .execute(db)
        .await
        .doing("delete looks at servers")?;
    Ok(())
}
