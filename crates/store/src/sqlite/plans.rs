//! Plans that were shown.
//!
//! Owns: the table `plans`. Never: an operation's plan, which is kept with the operation.

use super::connection::Doing;
use super::instances;
use crate::{StoreError, document};
use postseal_planner::Plan;
use sqlx::sqlite::SqliteConnection;

/// No shorter prefix names a plan.
const SHORTEST: usize = 8;

pub(super) const PLAN: &str = "plan";

pub(super) async fn put(
    db: &mut SqliteConnection,
    instance: &str,
    plan: &Plan,
) -> Result<(), StoreError> {
    instances::must_be_adopted(db, instance).await?;
    // Equal ids, equal plans; but the findings shown with it may be newer.
    sqlx::query(
        "INSERT INTO plans (instance, id, document) VALUES ($1, $2, $3)
         ON CONFLICT (instance, id) DO UPDATE SET document = excluded.document",
    )
    .bind(instance)
    .bind(plan.id.to_string())
    .bind(document::write(PLAN, plan)?)
    .execute(db)
    .await
    .doing("store a plan")?;
    Ok(())
}

pub(super) async fn get(
    db: &mut SqliteConnection,
    instance: &str,
    id: &str,
) -> Result<Option<Plan>, StoreError> {
    // Digits only, so that LIKE meets no wildcard.
    if id.len() < SHORTEST || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(None);
    }
    let sql = "SELECT document FROM plans WHERE instance = $1 AND id LIKE $2 LIMIT 2";
    let found: Vec<String> = sqlx::query_scalar(sql)
        .bind(instance)
        .bind(format!("{}%", id.to_ascii_lowercase()))
        .fetch_all(db)
        .await
        .doing("read a plan")?;
    match found.as_slice() {
        [one] => document::read(PLAN, one).map(Some),
        _ => Ok(None),
    }
}
