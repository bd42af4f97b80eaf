//! Rules as they were.
//!
//! Owns: reading `rule_changes` back against what is in force. Never: writes one; `rule_wishes` does.

use super::connection::{Doing, rows};
use super::operations::key;
use super::rules::{id, rule};
use crate::StoreError;
use postseal_planner::policy::{Rule, RuleId};
use sqlx::sqlite::SqliteConnection;

/// What operation $2 changed and is otherwise now.
const CHANGED_SINCE: &str = "
    SELECT c.destination, c.manager FROM rule_changes AS c
    LEFT JOIN rules AS r ON r.instance = $1
      AND r.destination = c.destination AND r.manager = c.manager
    WHERE c.operation = $2
      AND (r.policy IS NOT c.policy_after
           OR (r.policy IS NOT NULL
               AND (r.both IS NOT c.both_after OR r.about IS NOT c.about_after)))
    ORDER BY c.destination, c.manager LIMIT $3";

/// Those with the ids of the JSON array $2, before operation $3: as the first one since then found
/// them, else as they are.
const BEFORE: &str = "
    SELECT a.destination, a.manager,
           iif(c.operation IS NULL, r.both, c.both_before) AS both,
           iif(c.operation IS NULL, r.policy, c.policy_before) AS policy,
           iif(c.operation IS NULL, r.about, c.about_before) AS about
    FROM (SELECT key AS place, value ->> 0 AS destination, value ->> 1 AS manager
          FROM json_each($2)) AS a
    LEFT JOIN rule_changes AS c ON c.destination = a.destination AND c.manager = a.manager
      AND c.operation = (
        SELECT o.id FROM operations AS o JOIN rule_changes AS x
          ON x.operation = o.id AND x.destination = a.destination AND x.manager = a.manager
        WHERE o.instance = $1 AND o.id >= $3 ORDER BY o.id LIMIT 1)
    LEFT JOIN rules AS r ON r.instance = $1
      AND r.destination = a.destination AND r.manager = a.manager
    ORDER BY a.place";

pub(super) async fn changed_since(
    db: &mut SqliteConnection,
    instance: &str,
    operation: u64,
    limit: usize,
) -> Result<Vec<RuleId>, StoreError> {
    let found = sqlx::query(CHANGED_SINCE)
        .bind(instance)
        .bind(key(operation))
        .bind(rows(limit))
        .fetch_all(db)
        .await
        .doing("compare the rules with what an operation left")?;
    found.iter().map(id).collect()
}

pub(super) async fn before(
    db: &mut SqliteConnection,
    instance: &str,
    operation: u64,
    ids: &[RuleId],
) -> Result<Vec<Option<Rule>>, StoreError> {
    let asked: Vec<[&str; 2]> = ids
        .iter()
        .map(|id| [id.destination.as_str(), id.manager.as_str()])
        .collect();
    let found = sqlx::query(BEFORE)
        .bind(instance)
        .bind(serde_json::json!(asked).to_string())
        .bind(key(operation))
        .fetch_all(db)
        .await
        .doing("read rules as they were")?;
    let columns = ["both", "policy", "about"];
    found.iter().map(|row| rule(row, columns)).collect()
}
