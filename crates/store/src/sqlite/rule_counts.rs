//! Rules for destinations, counted.
//!
//! Owns: figures that a plan and a status tell of a million rules: each is one statement. Never:
//! reads a rule.

use super::connection::Doing;
use super::operations::key;
use crate::StoreError;
use crate::policy::{Known, LevelChange, RuleTake};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

/// Whether any rule has more to it than a destination and a policy.
pub(super) async fn has_worded(
    db: &mut SqliteConnection,
    instance: &str,
) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM rules
                   WHERE instance = $1 AND (both OR about IS NOT NULL))
                OR EXISTS (SELECT 1 FROM rule_wishes
                   WHERE instance = $1 AND (both OR about IS NOT NULL))";
    let found: i64 = sqlx::query_scalar(sql)
        .bind(instance)
        .fetch_one(db)
        .await
        .doing("look for words about rules")?;
    Ok(found != 0)
}

/// Changes by level. `$1` is the instance; `changes` has both sides of each, `stays` says when a
/// rule of another manager (`o`) stays.
macro_rules! levels_of {
    ($changes:literal, $stays:literal) => {
        concat!(
            "SELECT substr(policy_before, 1, instr(policy_before || ' ', ' ') - 1) AS level_before,
                    substr(policy_after, 1, instr(policy_after || ' ', ' ') - 1) AS level_after,
                    policy_before IS policy_after AND both_before IS both_after AS same_rows,
                    policy_after IS NULL AND EXISTS (
                        SELECT 1 FROM rules AS o
                        WHERE o.instance = $1 AND o.destination = c.destination
                          AND o.manager <> c.manager AND ",
            $stays,
            ") AS another,
                    count(*) AS n
             FROM (",
            $changes,
            ") AS c
             GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
        )
    };
}

const OF_WISHES: &str = levels_of!(
    "SELECT w.destination, w.manager, r.both AS both_before, r.policy AS policy_before,
            w.both AS both_after, w.policy AS policy_after
     FROM rule_wishes AS w LEFT JOIN rules AS r
       ON r.instance = w.instance AND r.destination = w.destination AND r.manager = w.manager
     WHERE w.instance = $1",
    "NOT EXISTS (SELECT 1 FROM rule_wishes AS gone
         WHERE gone.instance = $1 AND gone.destination = o.destination
           AND gone.manager = o.manager AND gone.policy IS NULL)"
);

const OF_OPERATION_BACK: &str = levels_of!(
    "SELECT destination, manager, both_after AS both_before, policy_after AS policy_before,
            both_before AS both_after, policy_before AS policy_after
     FROM rule_changes WHERE operation = $2",
    "1"
);

/// How many rules go from which level to which.
pub(super) async fn levels(
    db: &mut SqliteConnection,
    instance: &str,
    take: RuleTake,
) -> Result<Vec<LevelChange>, StoreError> {
    let asked = match take {
        RuleTake::None => return Ok(Vec::new()),
        RuleTake::Wishes { .. } => sqlx::query(OF_WISHES).bind(instance),
        RuleTake::Reverse { of } => sqlx::query(OF_OPERATION_BACK).bind(instance).bind(key(of)),
    };
    let found = asked
        .fetch_all(db)
        .await
        .doing("count rules by their levels")?;
    found.iter().map(level_change).collect()
}

fn level_change(row: &SqliteRow) -> Result<LevelChange, StoreError> {
    let doing = "count rules by their levels";
    let flag = |name| -> Result<bool, StoreError> {
        let flag: i64 = row.try_get(name).doing(doing)?;
        Ok(flag != 0)
    };
    let count: i64 = row.try_get("n").doing(doing)?;
    Ok(LevelChange {
        before: row.try_get("level_before").doing(doing)?,
        after: row.try_get("level_after").doing(doing)?,
        same_rows: flag("same_rows")?,
        another: flag("another")?,
        count: count.unsigned_abs(),
    })
}

/// Destinations with a rule as it is wanted. Of several for one destination the first counts.
const WITH_RULES: &str = "
    SELECT count(*) FROM (
        SELECT destination, manager FROM rules AS r
        WHERE r.instance = $1 AND NOT EXISTS (
            SELECT 1 FROM rule_wishes AS w WHERE w.instance = $1
              AND w.destination = r.destination AND w.manager = r.manager)
        UNION ALL
        SELECT destination, manager FROM rule_wishes WHERE instance = $1 AND policy IS NOT NULL
    ) AS x
    WHERE x.manager = '' OR NOT (
        EXISTS (SELECT 1 FROM rules AS o
            WHERE o.instance = $1 AND o.destination = x.destination AND o.manager < x.manager
              AND NOT EXISTS (SELECT 1 FROM rule_wishes AS w WHERE w.instance = $1
                  AND w.destination = o.destination AND w.manager = o.manager))
        OR EXISTS (SELECT 1 FROM rule_wishes AS o
            WHERE o.instance = $1 AND o.destination = x.destination AND o.manager < x.manager
              AND o.policy IS NOT NULL))";

/// Next hops whose servers were looked at, and that no rule is for: neither their own nor one of a
/// domain above them.
const WITHOUT_RULES: &str = "
    WITH RECURSIVE names (nexthop, name) AS (
        SELECT nexthop, nexthop FROM preflights WHERE instance = $1
        UNION ALL
        SELECT nexthop, substr(name, instr(name, '.') + 1) FROM names
        WHERE instr(name, '.') > 0 AND nexthop NOT LIKE '[%' AND instr(nexthop, ':') = 0
    ),
    keys (nexthop, destination, below) AS (
        SELECT nexthop, name, name <> nexthop FROM names
        UNION ALL
        SELECT nexthop, '.' || name, 0 FROM names WHERE name <> nexthop
    )
    SELECT count(*) FROM preflights AS p WHERE p.instance = $1 AND p.nexthop NOT IN (
        SELECT k.nexthop FROM keys AS k
        WHERE EXISTS (SELECT 1 FROM rules AS r
                WHERE r.instance = $1 AND r.destination = k.destination
                  AND (r.both OR NOT k.below) AND NOT EXISTS (
                    SELECT 1 FROM rule_wishes AS w WHERE w.instance = $1
                      AND w.destination = r.destination AND w.manager = r.manager))
           OR EXISTS (SELECT 1 FROM rule_wishes AS w
                WHERE w.instance = $1 AND w.destination = k.destination
                  AND (w.both OR NOT k.below) AND w.policy IS NOT NULL))";

/// How many destinations are known, as the rules are wanted.
pub(super) async fn known(db: &mut SqliteConnection, instance: &str) -> Result<Known, StoreError> {
    let mut counts = [0_u64; 2];
    for (count, sql) in counts.iter_mut().zip([WITH_RULES, WITHOUT_RULES]) {
        let found: i64 = sqlx::query_scalar(sql)
            .bind(instance)
            .fetch_one(&mut *db)
            .await
            .doing("count the known destinations")?;
        *count = found.unsigned_abs();
    }
    let [own, others] = counts;
    Ok(Known { own, others })
}

/// How many rules in force are to be looked at again until a day: counted in their own index, most
/// rules have no day.
pub(super) async fn due(
    db: &mut SqliteConnection,
    instance: &str,
    day: &str,
) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM rules WHERE instance = $1
                 AND about ->> '$.body.until' IS NOT NULL AND about ->> '$.body.until' <= $2";
    let found: i64 = sqlx::query_scalar(sql)
        .bind(instance)
        .bind(day)
        .fetch_one(db)
        .await
        .doing("count the rules to be looked at again")?;
    Ok(found.unsigned_abs())
}
