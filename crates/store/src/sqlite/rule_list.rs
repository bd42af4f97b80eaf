//! Lists of rules for destinations.
//!
//! Owns: filters, orders and pages. Never: reads a million rules for a page of all, for those that
//! are to be looked at again, or for those that are pending.

use super::connection::{Doing, rows};
use super::rules::state;
use crate::StoreError;
use crate::policy::{Pending, RuleFilter, RuleOrder, RuleState};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;

/// As it is and as it is wished, side by side.
const BOTH: &str = "
    SELECT r.destination, r.manager,
           r.both AS both_before, r.policy AS policy_before, r.about AS about_before,
           iif(w.instance IS NULL, r.both, w.both) AS both_after,
           iif(w.instance IS NULL, r.policy, w.policy) AS policy_after,
           iif(w.instance IS NULL, r.about, w.about) AS about_after,
           w.instance IS NOT NULL AS pending
    FROM rules AS r LEFT JOIN rule_wishes AS w
      ON w.instance = r.instance AND w.destination = r.destination AND w.manager = r.manager
    WHERE r.instance = $1
    UNION ALL
    SELECT w.destination, w.manager, NULL, NULL, NULL, w.both, w.policy, w.about, 1
    FROM rule_wishes AS w
    WHERE w.instance = $1 AND NOT EXISTS (
        SELECT 1 FROM rules AS r
        WHERE r.instance = $1 AND r.destination = w.destination AND r.manager = w.manager)";

/// Of some rules, by their ids, as they are and as they are wished, side by side.
macro_rules! states_of {
    ($ids:literal) => {
        concat!(
            "SELECT d.destination, d.manager,
                    r.both AS both_before, r.policy AS policy_before, r.about AS about_before,
                    iif(w.instance IS NULL, r.both, w.both) AS both_after,
                    iif(w.instance IS NULL, r.policy, w.policy) AS policy_after,
                    iif(w.instance IS NULL, r.about, w.about) AS about_after,
                    w.instance IS NOT NULL AS pending
             FROM (",
            $ids,
            ") AS d
             LEFT JOIN rules AS r
               ON r.instance = $1 AND r.destination = d.destination AND r.manager = d.manager
             LEFT JOIN rule_wishes AS w
               ON w.instance = $1 AND w.destination = d.destination AND w.manager = d.manager"
        )
    };
}

/// Rules that are to be looked at again until day $6: by the indexes of those.
const DUE: &str = states_of!(
    "SELECT destination, manager FROM rules
     WHERE instance = $1 AND about ->> '$.body.until' IS NOT NULL
       AND about ->> '$.body.until' <= $6
     UNION
     SELECT destination, manager FROM rule_wishes
     WHERE instance = $1 AND about ->> '$.body.until' IS NOT NULL
       AND about ->> '$.body.until' <= $6"
);

/// Rules that are wished otherwise than they are, without a look at the others.
const PENDING: &str =
    states_of!("SELECT destination, manager FROM rule_wishes WHERE instance = $1");

/// A page of all rules: both halves are in the order of the key, and SQLite merges them. Filters and
/// other orders read all rules.
const PAGE: &str = concat!(
    states_of!(
        "SELECT destination, manager FROM rules WHERE instance = $1
         UNION ALL
         SELECT destination, manager FROM rule_wishes AS w
         WHERE instance = $1 AND NOT EXISTS (
             SELECT 1 FROM rules AS r
             WHERE r.instance = $1 AND r.destination = w.destination AND r.manager = w.manager)
         ORDER BY destination, manager LIMIT $2 OFFSET $3"
    ),
    " ORDER BY d.destination, d.manager"
);

pub(super) async fn list(
    db: &mut SqliteConnection,
    instance: &str,
    filter: &RuleFilter,
    skip: usize,
    limit: usize,
) -> Result<Vec<RuleState>, StoreError> {
    if *filter == RuleFilter::default() {
        let found = sqlx::query(PAGE)
            .bind(instance)
            .bind(rows(limit))
            .bind(rows(skip));
        let found = found.fetch_all(db).await.doing("list rules")?;
        return found.iter().map(state).collect();
    }
    filtered(db, instance, filter, skip, limit).await
}

async fn filtered(
    db: &mut SqliteConnection,
    instance: &str,
    filter: &RuleFilter,
    skip: usize,
    limit: usize,
) -> Result<Vec<RuleState>, StoreError> {
    let order = match filter.order {
        RuleOrder::Destination => "destination, manager",
        RuleOrder::Level => "coalesce(policy_after, policy_before), destination, manager",
        RuleOrder::Until => {
            "coalesce(about_after, about_before) ->> '$.body.until' NULLS LAST, destination, manager"
        }
    };
    let rules = match (&filter.due, filter.pending) {
        (Some(_), _) => DUE,
        (None, Pending::Only) => PENDING,
        (None, _) => BOTH,
    };
    let sql = format!(
        "SELECT * FROM (
             SELECT *, coalesce(policy_after, policy_before) AS policy,
                    coalesce(about_after, about_before) AS about FROM ({rules}))
         WHERE ($2 IS NULL OR policy = $2 OR policy LIKE $2 || ' %')
           AND ($3 IS NULL OR about ->> '$.body.owner' = $3)
           AND ($4 IS NULL OR EXISTS (
                   SELECT 1 FROM json_each(about, '$.body.tags') WHERE value = $4))
           AND ($5 IS NULL OR instr(destination, $5) > 0 OR instr(manager, $5) > 0
                OR instr(lower(about ->> '$.body.note'), $5) > 0
                OR destination IN (SELECT value FROM json_each($10)))
           AND ($6 IS NULL OR about ->> '$.body.until' <= $6)
           AND (NOT $7 OR pending)
         ORDER BY {order} LIMIT $8 OFFSET $9"
    );
    let found = sqlx::query(AssertSqlSafe(sql))
        .bind(instance)
        .bind(&filter.level)
        .bind(&filter.owner)
        .bind(&filter.tag)
        .bind(filter.search.as_ref().map(|text| text.to_lowercase()))
        .bind(&filter.due)
        .bind(filter.pending == Pending::Only)
        .bind(rows(limit))
        .bind(rows(skip))
        .bind(serde_json::to_string(&filter.meant).unwrap_or_else(|_| "[]".to_owned()))
        .fetch_all(db)
        .await
        .doing("list rules")?;
    found.iter().map(state).collect()
}
