//! The different policies of rules, and the rules that have some of them.
//!
//! Owns: reading them; of a million rules there are few. Never: judges one.

use super::connection::{Doing, rows};
use super::operations::key;
use super::rules::rule;
use crate::StoreError;
use crate::policy::RuleView;
use postseal_planner::policy::Rule;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;

const IN_FORCE: &str = "
    SELECT destination, manager, both, policy, about FROM rules WHERE instance = $1";

const WANTED: &str = "
    SELECT destination, manager, both, policy, about FROM rules
    WHERE instance = $1 AND NOT EXISTS (
        SELECT 1 FROM rule_wishes AS w
        WHERE w.instance = $1 AND w.destination = rules.destination
          AND w.manager = rules.manager)
    UNION ALL
    SELECT destination, manager, both, policy, about FROM rule_wishes
    WHERE instance = $1 AND policy IS NOT NULL";

/// What is in force with the changes of operation $2 taken back.
const BEFORE: &str = "
    SELECT destination, manager, both, policy, about FROM rules
    WHERE instance = $1 AND NOT EXISTS (
        SELECT 1 FROM rule_changes AS c
        WHERE c.operation = $2 AND c.destination = rules.destination
          AND c.manager = rules.manager)
    UNION ALL
    SELECT destination, manager, both_before, policy_before, about_before FROM rule_changes
    WHERE operation = $2 AND policy_before IS NOT NULL";

/// Rules that were not put down for a reason.
const WITHOUT_REASON: &str = "instr(coalesce(about, ''), '\"reason\":') = 0";

/// The rows of a view; what is staged is nobody's yet.
const fn of(view: RuleView) -> &'static str {
    match view {
        RuleView::InForce => IN_FORCE,
        RuleView::Wanted | RuleView::Staged => WANTED,
        RuleView::Before(_) => BEFORE,
    }
}

/// The operation whose changes are taken back.
fn taken_back(view: RuleView) -> Option<i64> {
    match view {
        RuleView::Before(operation) => Some(key(operation)),
        _ => None,
    }
}

pub(super) async fn policies(
    db: &mut SqliteConnection,
    instance: &str,
    view: RuleView,
    limit: usize,
) -> Result<Vec<String>, StoreError> {
    let rules = of(view);
    let sql = format!(
        "SELECT DISTINCT policy FROM ({rules}) WHERE $2 IS $2 AND {WITHOUT_REASON} LIMIT $3"
    );
    sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(instance)
        .bind(taken_back(view))
        .bind(rows(limit))
        .fetch_all(db)
        .await
        .doing("read the policies of rules")
}

pub(super) async fn rules_with(
    db: &mut SqliteConnection,
    instance: &str,
    view: RuleView,
    policies: &[String],
    limit: usize,
) -> Result<Vec<Rule>, StoreError> {
    let rules = of(view);
    let sql = format!(
        "SELECT * FROM ({rules})
         WHERE $2 IS $2 AND {WITHOUT_REASON}
           AND policy IN (SELECT value FROM json_each($4))
         LIMIT $3"
    );
    let found = sqlx::query(AssertSqlSafe(sql))
        .bind(instance)
        .bind(taken_back(view))
        .bind(rows(limit))
        .bind(serde_json::json!(policies).to_string())
        .fetch_all(db)
        .await
        .doing("read the rules with some policies")?;
    let rule = |row| rule(row, ["both", "policy", "about"]);
    let found: Vec<Option<Rule>> = found.iter().map(rule).collect::<Result<_, _>>()?;
    Ok(found.into_iter().flatten().collect())
}
