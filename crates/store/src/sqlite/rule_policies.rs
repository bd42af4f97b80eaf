//! The different policies of rules.
//!
//! Owns: reading them; of a million rules there are few. Never: judges one.

use super::connection::{Doing, rows};
use crate::StoreError;
use crate::policy::RuleView;
use sqlx::sqlite::SqliteConnection;

const IN_FORCE: &str = "
    SELECT DISTINCT policy FROM rules
    WHERE instance = $1 AND instr(coalesce(about, ''), '\"reason\":') = 0
    LIMIT $2";

const WANTED: &str = "
    SELECT DISTINCT policy FROM (
        SELECT policy, about FROM rules
        WHERE instance = $1 AND NOT EXISTS (
            SELECT 1 FROM rule_wishes AS w
            WHERE w.instance = $1 AND w.destination = rules.destination
              AND w.manager = rules.manager)
        UNION ALL
        SELECT policy, about FROM rule_wishes WHERE instance = $1 AND policy IS NOT NULL)
    WHERE instr(coalesce(about, ''), '\"reason\":') = 0
    LIMIT $2";

pub(super) async fn policies(
    db: &mut SqliteConnection,
    instance: &str,
    view: RuleView,
    limit: usize,
) -> Result<Vec<String>, StoreError> {
    let sql = match view {
        RuleView::InForce => IN_FORCE,
        _ => WANTED,
    };
    sqlx::query_scalar(sql)
        .bind(instance)
        .bind(rows(limit))
        .fetch_all(db)
        .await
        .doing("read the policies of rules")
}
