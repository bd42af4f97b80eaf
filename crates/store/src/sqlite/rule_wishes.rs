//! Rules for destinations: wishing, and what an operation makes of wishes.
//!
//! Owns: writing `rules`, `rule_wishes` and `rule_changes`. Never: reads a list of them.
//!
//! Wishes come in as JSON arrays of some thousand rows, which SQLite takes apart itself: a
//! statement a row would take five times as long.

use super::connection::Doing;
use super::operations::key;
use super::rule_news;
use super::rules::{about_text, revision};
use crate::StoreError;
use crate::policy::{RuleTake, RuleWish};
use postseal_planner::policy::Both;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnection;

/// Rows a statement.
const CHUNK: usize = 5_000;

/// A wish that asks for what is in force is none.
const FULFILLED: &str = "
    DELETE FROM rule_wishes AS w
    WHERE w.instance = $1
      AND (w.destination, w.manager) IN (SELECT value ->> 0, value ->> 1 FROM json_each($2))
      AND iif(w.policy IS NULL,
              NOT EXISTS (SELECT 1 FROM rules AS r
                  WHERE r.instance = $1 AND r.destination = w.destination
                    AND r.manager = w.manager),
              EXISTS (SELECT 1 FROM rules AS r
                  WHERE r.instance = $1 AND r.destination = w.destination
                    AND r.manager = w.manager AND r.both = w.both AND r.policy = w.policy
                    AND r.about IS w.about))";

pub(super) async fn wish(
    db: &mut SqliteConnection,
    instance: &str,
    wishes: &[RuleWish],
) -> Result<(), StoreError> {
    // Who wishes for nothing makes no plan stale.
    if wishes.is_empty() {
        return Ok(());
    }
    rise(db, instance).await?;
    for document in rows_document(wishes) {
        let document = document?;
        rule_news::note(&mut *db, instance, rule_news::OF_ROWS, &document).await?;
        sqlx::query(
            "INSERT OR REPLACE INTO rule_wishes
             SELECT $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4
             FROM json_each($2)",
        )
        .bind(instance)
        .bind(&document)
        .execute(&mut *db)
        .await
        .doing("wish for rules")?;
        sqlx::query(FULFILLED)
            .bind(instance)
            .bind(&document)
            .execute(&mut *db)
            .await
            .doing("drop wishes that are fulfilled")?;
    }
    Ok(())
}

/// Wishes as JSON arrays, some thousand in each.
fn rows_document(wishes: &[RuleWish]) -> impl Iterator<Item = Result<String, StoreError>> {
    wishes.chunks(CHUNK).map(|chunk| {
        let rows: Vec<Value> = chunk.iter().map(row).collect::<Result<_, _>>()?;
        Ok(Value::Array(rows).to_string())
    })
}

/// Destination, manager, both, policy, about.
fn row(wish: &RuleWish) -> Result<Value, StoreError> {
    Ok(match wish {
        RuleWish::Put(rule) => json!([
            rule.id.destination,
            rule.id.manager,
            i32::from(rule.both == Both::Yes),
            rule.policy,
            about_text(&rule.about)?,
        ]),
        RuleWish::Remove(id) => json!([id.destination, id.manager, 0, null, null]),
    })
}

/// The destinations of rules whose manager begins with $2.
const OF_MANAGER: &str = "
    SELECT destination FROM rules WHERE instance = $1
      AND iif($2 = '', manager = '', substr(manager, 1, length($2)) = $2)
    UNION ALL
    SELECT destination FROM rule_wishes WHERE instance = $1
      AND iif($2 = '', manager = '', substr(manager, 1, length($2)) = $2)";

/// Wishes that all rules of these managers were gone.
pub(super) async fn wish_none(
    db: &mut SqliteConnection,
    instance: &str,
    manager: &str,
) -> Result<(), StoreError> {
    rise(db, instance).await?;
    rule_news::note(&mut *db, instance, OF_MANAGER, manager).await?;
    for sql in [
        "DELETE FROM rule_wishes WHERE instance = $1
           AND iif($2 = '', manager = '', substr(manager, 1, length($2)) = $2)",
        "INSERT INTO rule_wishes
         SELECT instance, destination, manager, 0, NULL, NULL FROM rules WHERE instance = $1
           AND iif($2 = '', manager = '', substr(manager, 1, length($2)) = $2)",
    ] {
        sqlx::query(sql)
            .bind(instance)
            .bind(manager)
            .execute(&mut *db)
            .await
            .doing("wish that rules were gone")?;
    }
    Ok(())
}

/// Another wish: plans that were made before are stale.
pub(super) async fn rise(db: &mut SqliteConnection, instance: &str) -> Result<(), StoreError> {
    rule_news::rise(&mut *db, instance).await?;
    let sql = "UPDATE instances SET rules_revision = rules_revision + 1 WHERE path = $1";
    let risen = sqlx::query(sql)
        .bind(instance)
        .execute(db)
        .await
        .doing("note a wish for rules")?;
    match risen.rows_affected() {
        0 => Err(StoreError::NotAdopted(instance.to_owned())),
        _ => Ok(()),
    }
}

pub(super) async fn discard(db: &mut SqliteConnection, instance: &str) -> Result<u64, StoreError> {
    rise(db, instance).await?;
    let pending = "SELECT destination FROM rule_wishes WHERE instance = $1";
    rule_news::note(&mut *db, instance, pending, "").await?;
    let dropped = sqlx::query("DELETE FROM rule_wishes WHERE instance = $1")
        .bind(instance)
        .execute(db)
        .await
        .doing("drop wishes for rules")?;
    Ok(dropped.rows_affected())
}

/// Notes what an operation that is being opened changes.
pub(super) async fn take(
    db: &mut SqliteConnection,
    instance: &str,
    operation: i64,
    take: RuleTake,
) -> Result<(), StoreError> {
    let done = match take {
        RuleTake::None => return Ok(()),
        RuleTake::Wishes { revision: expected } => {
            if revision(db, instance).await? != expected {
                return Err(StoreError::RulesChanged);
            }
            sqlx::query(
                "INSERT INTO rule_changes
                 SELECT $1, w.destination, w.manager, r.both, r.policy, r.about,
                        w.both, w.policy, w.about
                 FROM rule_wishes AS w LEFT JOIN rules AS r
                   ON r.instance = w.instance AND r.destination = w.destination
                  AND r.manager = w.manager
                 WHERE w.instance = $2",
            )
            .bind(operation)
            .bind(instance)
        }
        RuleTake::Reverse { of } => sqlx::query(
            "INSERT INTO rule_changes
             SELECT $1, destination, manager, both_after, policy_after, about_after,
                    both_before, policy_before, about_before
             FROM rule_changes WHERE operation = $2",
        )
        .bind(operation)
        .bind(key(of)),
    };
    done.execute(&mut *db)
        .await
        .doing("note what changes of the rules")?;
    Ok(())
}

/// Puts what an operation changes in force. Wishes that are fulfilled by it go.
pub(super) async fn put_in_force(
    db: &mut SqliteConnection,
    instance: &str,
    operation: i64,
) -> Result<(), StoreError> {
    for sql in [
        "INSERT OR REPLACE INTO rules
         SELECT $1, destination, manager, both_after, policy_after, about_after
         FROM rule_changes WHERE operation = $2 AND policy_after IS NOT NULL",
        "DELETE FROM rules WHERE instance = $1 AND (destination, manager) IN (
             SELECT destination, manager FROM rule_changes
             WHERE operation = $2 AND policy_after IS NULL)",
        "DELETE FROM rule_wishes AS w WHERE w.instance = $1 AND EXISTS (
             SELECT 1 FROM rule_changes AS c
             WHERE c.operation = $2 AND c.destination = w.destination AND c.manager = w.manager
               AND c.policy_after IS w.policy AND c.about_after IS w.about
               AND (w.policy IS NULL OR c.both_after IS w.both))",
    ] {
        sqlx::query(sql)
            .bind(instance)
            .bind(operation)
            .execute(&mut *db)
            .await
            .doing("put rules in force")?;
    }
    rise(db, instance).await?;
    let changed = "SELECT destination FROM rule_changes WHERE operation = CAST($2 AS INTEGER)";
    rule_news::note(db, instance, changed, &operation.to_string()).await
}

/// Those of an instance that is released.
pub(super) async fn delete_of_instance(
    db: &mut SqliteConnection,
    instance: &str,
) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM rules WHERE instance = $1",
        "DELETE FROM rule_wishes WHERE instance = $1",
    ] {
        sqlx::query(sql)
            .bind(instance)
            .execute(&mut *db)
            .await
            .doing("delete rules")?;
    }
    Ok(())
}
