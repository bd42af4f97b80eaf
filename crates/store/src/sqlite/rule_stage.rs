//! Many wishes at once: staged row by row, taken together or not at all.
//!
//! Owns: the temporary table `rule_stage`, which dies with the connection. Never: holds the rows
//! in this process's memory.

use super::connection::Doing;
use super::rule_news;
use super::rule_wishes::rise;
use super::rules::about_text;
use crate::StoreError;
use crate::policy::{RuleWish, Staged};
use postseal_planner::policy::{Both, RuleId};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, QueryBuilder, Row, Sqlite};

/// Rules taken off by one statement.
const CHUNK: usize = 5_000;
/// Rules put on by one: five values each, of the 32,766 that a statement of SQLite may have.
const ROWS: usize = 2_000;

const STAGE: &str = "
    CREATE TEMP TABLE IF NOT EXISTS rule_stage (
        destination TEXT NOT NULL,
        manager     TEXT NOT NULL,
        both        INTEGER NOT NULL,
        policy      TEXT,
        about       TEXT,
        PRIMARY KEY (destination, manager)
    ) WITHOUT ROWID";

/// What a staged row meets: the rule as it is wanted now.
const WANTED: &str = "
    FROM rule_stage AS s
    LEFT JOIN rules AS r ON r.instance = $1
      AND r.destination = s.destination AND r.manager = s.manager
    LEFT JOIN rule_wishes AS w ON w.instance = $1
      AND w.destination = s.destination AND w.manager = s.manager";

pub(super) async fn stage(
    db: &mut SqliteConnection,
    wishes: &[RuleWish],
) -> Result<u64, StoreError> {
    sqlx::query(STAGE)
        .execute(&mut *db)
        .await
        .doing("stage rules")?;
    let mut staged = 0;
    for rows in wishes.chunks(ROWS) {
        staged += stage_some(&mut *db, rows).await?;
    }
    Ok(staged)
}

/// Bound value by value: as a JSON array that SQLite takes apart it takes twice as long.
async fn stage_some(db: &mut SqliteConnection, wishes: &[RuleWish]) -> Result<u64, StoreError> {
    let mut rows = Vec::with_capacity(wishes.len());
    for wish in wishes {
        rows.push(match wish {
            RuleWish::Put(rule) => (&rule.id, Some(rule), about_text(&rule.about)?),
            RuleWish::Remove(id) => (id, None, None),
        });
    }
    let mut insert = QueryBuilder::<Sqlite>::new("INSERT OR IGNORE INTO rule_stage ");
    insert.push_values(rows, |mut row, (id, rule, about)| {
        row.push_bind(&id.destination).push_bind(&id.manager);
        row.push_bind(rule.is_some_and(|rule| rule.both == Both::Yes));
        row.push_bind(rule.map(|rule| rule.policy.as_str()));
        row.push_bind(about);
    });
    let insert = insert.build().persistent(wishes.len() == ROWS);
    let done = insert.execute(db).await.doing("stage rules")?;
    Ok(done.rows_affected())
}

/// Takes rules off the stage.
pub(super) async fn unstage(db: &mut SqliteConnection, ids: &[RuleId]) -> Result<(), StoreError> {
    for chunk in ids.chunks(CHUNK) {
        let asked: Vec<[&str; 2]> = chunk
            .iter()
            .map(|id| [id.destination.as_str(), id.manager.as_str()])
            .collect();
        sqlx::query(
            "DELETE FROM rule_stage WHERE (destination, manager) IN (
                 SELECT value ->> 0, value ->> 1 FROM json_each($1))",
        )
        .bind(serde_json::json!(asked).to_string())
        .execute(&mut *db)
        .await
        .doing("take rules off the stage")?;
    }
    Ok(())
}

/// Domains for both themselves and what is below, of which the rows below are written by a rule of
/// their own, too; where one of the two is staged.
pub(super) async fn covered(
    db: &mut SqliteConnection,
    instance: &str,
    limit: usize,
) -> Result<Vec<RuleId>, StoreError> {
    let sql = "
        WITH wanted AS (
            SELECT destination, manager, both, 1 AS staged FROM rule_stage WHERE policy IS NOT NULL
            UNION ALL
            SELECT destination, manager, both, 0 FROM rule_wishes AS w
            WHERE w.instance = $1 AND w.policy IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM rule_stage AS s
                WHERE s.destination = w.destination AND s.manager = w.manager)
            UNION ALL
            SELECT destination, manager, both, 0 FROM rules AS r
            WHERE r.instance = $1 AND NOT EXISTS (
                SELECT 1 FROM rule_stage AS s
                WHERE s.destination = r.destination AND s.manager = r.manager)
              AND NOT EXISTS (
                SELECT 1 FROM rule_wishes AS w WHERE w.instance = $1
                  AND w.destination = r.destination AND w.manager = r.manager)
        )
        SELECT a.destination, a.manager FROM wanted AS a
        WHERE a.both AND EXISTS (
            SELECT 1 FROM wanted AS b
            WHERE b.destination = '.' || a.destination AND b.manager = a.manager
              AND (a.staged OR b.staged))
        LIMIT $2";
    let any: i64 = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM rule_stage WHERE both)")
        .fetch_one(&mut *db)
        .await
        .doing("hold staged rules against others")?;
    let below = "SELECT EXISTS (SELECT 1 FROM rule_stage WHERE destination >= '.'
                   AND destination < '/')";
    let below: i64 = sqlx::query_scalar(below)
        .fetch_one(&mut *db)
        .await
        .doing("hold staged rules against others")?;
    if any + below == 0 {
        return Ok(Vec::new());
    }
    let found = sqlx::query(sql)
        .bind(instance)
        .bind(super::connection::rows(limit))
        .fetch_all(db)
        .await
        .doing("hold staged rules against others")?;
    let id = |row: &sqlx::sqlite::SqliteRow| {
        Ok(RuleId {
            destination: row.try_get("destination").doing("read a rule")?,
            manager: row.try_get("manager").doing("read a rule")?,
        })
    };
    found.iter().map(id).collect()
}

/// Makes wishes of what is staged.
pub(super) async fn take(db: &mut SqliteConnection, instance: &str) -> Result<Staged, StoreError> {
    rise(db, instance).await?;
    rule_news::note(&mut *db, instance, "SELECT destination FROM rule_stage", "").await?;
    let counts = format!(
        "SELECT count(*) AS every,
                coalesce(sum(iif(w.instance IS NULL, r.policy, w.policy) IS NULL), 0) AS added,
                coalesce(sum(iif(w.instance IS NULL, r.policy, w.policy) IS s.policy
                    AND iif(w.instance IS NULL, r.both, w.both) IS s.both
                    AND iif(w.instance IS NULL, r.about, w.about) IS s.about), 0) AS same
         {WANTED}"
    );
    let row = sqlx::query(AssertSqlSafe(counts))
        .bind(instance)
        .fetch_one(&mut *db)
        .await
        .doing("count staged rules")?;
    let number = |name| -> Result<u64, StoreError> {
        let number: i64 = row.try_get(name).doing("count staged rules")?;
        Ok(number.unsigned_abs())
    };
    let (every, added, same) = (number("every")?, number("added")?, number("same")?);
    let sure = "
        INSERT OR REPLACE INTO rule_wishes
        SELECT $1, s.destination, s.manager, s.both, s.policy, s.about
        FROM rule_stage AS s LEFT JOIN rules AS r ON r.instance = $1
          AND r.destination = s.destination AND r.manager = s.manager
        WHERE r.policy IS NOT s.policy OR r.both IS NOT s.both OR r.about IS NOT s.about";
    let fulfilled = "
        DELETE FROM rule_wishes AS w WHERE w.instance = $1 AND EXISTS (
            SELECT 1 FROM rule_stage AS s, rules AS r
            WHERE s.destination = w.destination AND s.manager = w.manager
              AND r.instance = $1 AND r.destination = w.destination AND r.manager = w.manager
              AND r.policy IS s.policy AND r.both IS s.both AND r.about IS s.about)";
    // Wishes that were there first: none of those that are made now is fulfilled.
    for sql in [fulfilled, sure] {
        sqlx::query(sql)
            .bind(instance)
            .execute(&mut *db)
            .await
            .doing("wish for staged rules")?;
    }
    drop_all(db).await?;
    Ok(Staged {
        added,
        same,
        changed: every - added - same,
    })
}

/// Puts what is staged in force in the place of all rules made by hand.
pub(super) async fn adopt(db: &mut SqliteConnection, instance: &str) -> Result<(), StoreError> {
    // There is a stage, if an empty one.
    stage(db, &[]).await?;
    for sql in [
        "DELETE FROM rules AS r WHERE r.instance = $1 AND r.manager = '' AND NOT EXISTS (
             SELECT 1 FROM rule_stage AS s
             WHERE s.destination = r.destination AND s.manager = r.manager)",
        "INSERT OR REPLACE INTO rules
         SELECT $1, s.destination, s.manager, s.both, s.policy,
                CASE WHEN r.about IS NULL THEN s.about WHEN s.about IS NULL THEN r.about
                     ELSE json_set(r.about, '$.body.note', s.about ->> '$.body.note') END
         FROM rule_stage AS s LEFT JOIN rules AS r ON r.instance = $1
           AND r.destination = s.destination AND r.manager = s.manager
         WHERE s.policy IS NOT NULL",
        "DELETE FROM rule_wishes AS w WHERE w.instance = $1 AND iif(w.policy IS NULL,
             NOT EXISTS (SELECT 1 FROM rules AS r
                 WHERE r.instance = $1 AND r.destination = w.destination
                   AND r.manager = w.manager),
             EXISTS (SELECT 1 FROM rules AS r
                 WHERE r.instance = $1 AND r.destination = w.destination
                   AND r.manager = w.manager AND r.both = w.both AND r.policy = w.policy
                   AND r.about IS w.about))",
    ] {
        sqlx::query(sql)
            .bind(instance)
            .execute(&mut *db)
            .await
            .doing("adopt rules")?;
    }
    drop_all(&mut *db).await?;
    rise(&mut *db, instance).await?;
    rule_news::note_all(db, instance).await
}

pub(super) async fn drop_all(db: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query("DROP TABLE IF EXISTS rule_stage")
        .execute(db)
        .await
        .doing("drop staged rules")?;
    Ok(())
}
