//! Rules for destinations: a small change of the set that is shown.
//!
//! Owns: what goes and what comes, in the tables and in what is counted. Never: how a rule is kept (`rule_sets`).
//!
//! The set gets another number by it, so that whoever saw the one before is told.

use super::rule_sets::{add, take_out};
use super::rules::{Set, bit, marks, shown};
use super::{Db, Doing, number};
use crate::StoreError;
use crate::desk::{RuleChange, RuleCounts, RuleMark};
use serde_json::json;

pub(super) async fn make(
    db: &mut Db,
    instance: &str,
    since: &str,
    change: &RuleChange,
    (mark, now_ms): (&str, i64),
) -> Result<bool, StoreError> {
    let set = shown(db, instance).await?;
    let Some(set) = set.filter(|set| set.mark == since) else {
        return Ok(false);
    };
    let mut counts = set.counts.clone();
    let gone = take_out(db, set.tables, &change.destinations).await?;
    for marks in &gone {
        count(&mut counts, *marks, |n| n.saturating_sub(1));
    }
    add(db, set.tables, &change.rules).await?;
    for rule in &change.rules {
        count(&mut counts, marks(rule), |n| n + 1);
    }
    renew(db, instance, &set, (mark, now_ms), &counts).await?;
    Ok(true)
}

/// Counts one rule with these marks, or one less.
fn count(counts: &mut RuleCounts, marks: i64, one: impl Fn(u64) -> u64) {
    counts.all = one(counts.all);
    for (mark, n) in RuleMark::ALL.into_iter().zip(&mut counts.marked) {
        if marks & bit(mark) != 0 {
            *n = one(*n);
        }
    }
}

/// Shows the same tables as another set.
async fn renew(
    db: &mut Db,
    instance: &str,
    set: &Set,
    (mark, now_ms): (&str, i64),
    counts: &RuleCounts,
) -> Result<(), StoreError> {
    let doing = "show the changed rules";
    let sql = "INSERT INTO rule_sets (instance, mark, made_ms, counts, tables) \
               VALUES ($1, $2, $3, $4, $5)";
    sqlx::query(sql)
        .bind(instance)
        .bind(mark)
        .bind(now_ms)
        .bind(json!(counts).to_string())
        .bind(number(set.tables))
        .execute(&mut *db)
        .await
        .doing(doing)?;
    sqlx::query("DELETE FROM rule_sets WHERE id = $1")
        .bind(number(set.id))
        .execute(db)
        .await
        .doing(doing)?;
    Ok(())
}
