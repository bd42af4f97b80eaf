//! Rules for destinations: the sets that the agent hands over, and a rule as a row of its set's table.
//!
//! Owns: the table `rule_sets`, that pages find one whole set or the one before it, and what stands in which column of a set's own
//! table. Never: knows that table's indexes (`rule_sets`), or finds a page in it (`rule_ways`).
//!
//! A set is written in many short transactions, so that whoever signs in meanwhile does not wait for a million rules. It
//! becomes the one that is shown by one update; tables of its own make it cheap to forget. A small change is made in its
//! tables, in one transaction, and makes another set of it (`rule_changes`).

use super::rule_sets;
use super::{Db, Doing, number};
use crate::StoreError;
use crate::desk::{RuleCounts, RuleMark, RuleRow, RuleSort};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor, Row};

/// What sorts after every text that people type: those without one come last.
pub(in super::super) const LAST: &str = "\u{10ffff}";

/// The set that is shown.
pub(super) struct Set {
    pub(super) id: u64,
    /// The number in the names of its tables.
    pub(super) tables: u64,
    pub(super) made_ms: i64,
    pub(super) mark: String,
    pub(super) counts: RuleCounts,
}

/// A statement about the tables of a set; nothing but their number enters one.
pub(in super::super) fn of_set(sql: &str, set: u64) -> AssertSqlSafe<String> {
    AssertSqlSafe(sql.replace("_N", &format!("_{set}")))
}

/// The bit of a mark.
pub(in super::super) fn bit(mark: RuleMark) -> i64 {
    let place = RuleMark::ALL.iter().position(|one| *one == mark);
    place.map_or(0, |place| 1 << place)
}

/// The bits of all that is true of a rule.
pub(super) fn marks(rule: &RuleRow) -> i64 {
    rule.marks.iter().fold(0, |all, mark| all | bit(*mark))
}

/// The condition of a mark, as its index has it.
pub(in super::super) fn marked(mark: RuleMark) -> String {
    format!("marks & {} <> 0", bit(mark))
}

/// The column of an order; without one it is that of the destinations.
pub(in super::super) fn column(sort: RuleSort) -> Option<&'static str> {
    match sort {
        RuleSort::Destination => None,
        RuleSort::Level => Some("level"),
        RuleSort::Owner => Some("owner"),
        RuleSort::Until => Some("until"),
        RuleSort::Looked => Some("looked"),
    }
}

pub(super) async fn mark(db: &mut Db, instance: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT mark FROM rule_sets WHERE instance = $1 AND mark IS NOT NULL \
               ORDER BY id DESC LIMIT 1";
    sqlx::query_scalar(sql)
        .bind(instance)
        .fetch_optional(db)
        .await
        .doing("look for the rules that were copied")
}

/// The sets of an instance but one.
pub(super) async fn others(db: &mut Db, instance: &str, but: u64) -> Result<Vec<u64>, StoreError> {
    let sql = "SELECT id FROM rule_sets WHERE instance = $1 AND id <> $2";
    let found: Vec<i64> = sqlx::query_scalar(sql)
        .bind(instance)
        .bind(number(but))
        .fetch_all(db)
        .await
        .doing("look for copied rules")?;
    Ok(found.into_iter().map(i64::unsigned_abs).collect())
}

/// The sets that an earlier run left half-written.
pub(super) async fn unfinished(db: &mut Db, instance: &str) -> Result<Vec<u64>, StoreError> {
    let sql = "SELECT id FROM rule_sets WHERE instance = $1 AND mark IS NULL";
    let found: Vec<i64> = sqlx::query_scalar(sql)
        .bind(instance)
        .fetch_all(db)
        .await
        .doing("look for rules half copied")?;
    Ok(found.into_iter().map(i64::unsigned_abs).collect())
}

/// Makes a set that nobody sees yet.
pub(super) async fn begin(db: &mut Db, instance: &str, now_ms: i64) -> Result<u64, StoreError> {
    let doing = "begin to copy the rules";
    let sql = "INSERT INTO rule_sets (instance, made_ms) VALUES ($1, $2) RETURNING id";
    let set: i64 = sqlx::query_scalar(sql)
        .bind(instance)
        .bind(now_ms)
        .fetch_one(&mut *db)
        .await
        .doing(doing)?;
    let set = set.unsigned_abs();
    for sql in rule_sets::TABLES {
        db.execute(of_set(sql, set)).await.doing(doing)?;
    }
    for mark in RuleMark::ALL {
        for sql in rule_sets::MARKED {
            let sql = sql.replace("BIT", &bit(mark).to_string());
            db.execute(of_set(&sql, set)).await.doing(doing)?;
        }
    }
    Ok(set)
}

/// Shows a set in the place of the one before it.
pub(super) async fn take(db: &mut Db, set: u64, mark: &str, now_ms: i64) -> Result<(), StoreError> {
    let doing = "show the copied rules";
    for sql in rule_sets::FILLED {
        db.execute(of_set(sql, set)).await.doing(doing)?;
    }
    let count =
        |condition: String| of_set(&format!("SELECT count(*) FROM rules_N{condition}"), set);
    let all: i64 = sqlx::query_scalar(count(String::new()))
        .fetch_one(&mut *db)
        .await
        .doing(doing)?;
    let mut counts = RuleCounts {
        all: all.unsigned_abs(),
        marked: Vec::new(),
    };
    for one in RuleMark::ALL {
        let n: i64 = sqlx::query_scalar(count(format!(" WHERE {}", marked(one))))
            .fetch_one(&mut *db)
            .await
            .doing(doing)?;
        counts.marked.push(n.unsigned_abs());
    }
    let counts = json!(counts).to_string();
    sqlx::query("UPDATE rule_sets SET mark = $2, made_ms = $3, counts = $4 WHERE id = $1")
        .bind(number(set))
        .bind(mark)
        .bind(now_ms)
        .bind(counts)
        .execute(db)
        .await
        .doing(doing)?;
    Ok(())
}

/// Forgets a set.
pub(super) async fn forget(db: &mut Db, set: u64) -> Result<(), StoreError> {
    let doing = "forget copied rules";
    let tables: Option<i64> =
        sqlx::query_scalar("SELECT coalesce(tables, id) FROM rule_sets WHERE id = $1")
            .bind(number(set))
            .fetch_optional(&mut *db)
            .await
            .doing(doing)?;
    let Some(tables) = tables.map(i64::unsigned_abs) else {
        return Ok(());
    };
    for sql in rule_sets::DROPPED {
        db.execute(of_set(sql, tables)).await.doing(doing)?;
    }
    sqlx::query("DELETE FROM rule_sets WHERE id = $1")
        .bind(number(set))
        .execute(db)
        .await
        .doing(doing)?;
    Ok(())
}

pub(super) async fn shown(db: &mut Db, instance: &str) -> Result<Option<Set>, StoreError> {
    let doing = "look for the copied rules";
    let sql = "SELECT id, coalesce(tables, id) AS tables, made_ms, mark, counts FROM rule_sets \
               WHERE instance = $1 AND mark IS NOT NULL \
               ORDER BY id DESC LIMIT 1";
    let found = sqlx::query(sql)
        .bind(instance)
        .fetch_optional(db)
        .await
        .doing(doing)?;
    let Some(found) = found else { return Ok(None) };
    let id: i64 = found.try_get("id").doing(doing)?;
    let tables: i64 = found.try_get("tables").doing(doing)?;
    let counts: String = found.try_get("counts").doing(doing)?;
    Ok(Some(Set {
        id: id.unsigned_abs(),
        tables: tables.unsigned_abs(),
        made_ms: found.try_get("made_ms").doing(doing)?,
        mark: found.try_get("mark").doing(doing)?,
        counts: serde_json::from_str(&counts).map_err(broken)?,
    }))
}

/// A rule as the columns of its table.
pub(in super::super) fn row(rule: &RuleRow) -> Result<Value, serde_json::Error> {
    let or_last = |text: String| match text.is_empty() {
        true => LAST.to_owned(),
        false => text,
    };
    let tags = rule.tags.join(" ");
    let words = [
        &rule.shown,
        &rule.destination,
        &rule.policy,
        &rule.owner,
        &rule.note,
        &tags,
        &rule.manager,
    ];
    let mut words: Vec<&str> = words.into_iter().map(String::as_str).collect();
    words.dedup();
    Ok(json!([
        rule.destination,
        rule.manager,
        rule.level(),
        or_last(rule.owner.to_lowercase()),
        or_last(rule.until.clone()),
        if rule.looked == 0 {
            i64::MAX
        } else {
            rule.looked
        },
        marks(rule),
        words.join("\n").to_lowercase(),
        serde_json::to_string(rule)?,
    ]))
}

/// A rule as its table keeps it.
pub(in super::super) fn read(document: &str) -> Result<RuleRow, StoreError> {
    serde_json::from_str(document).map_err(broken)
}

pub(in super::super) fn broken(error: serde_json::Error) -> StoreError {
    StoreError::Format {
        what: "rule",
        source: error.into(),
    }
}
