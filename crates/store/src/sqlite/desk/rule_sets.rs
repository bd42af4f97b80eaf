//! Rules for destinations: the sets that the agent hands over.
//!
//! Owns: the table `rule_sets`, the tables of each set, and that pages find one whole set or the one before it. Never:
//! reads a page (`rule_pages`).
//!
//! A set is written in many short transactions, so that whoever signs in meanwhile does not wait for a million rules. It
//! becomes the one that is shown by one update; tables of its own make it cheap to forget. A small change is made in its
//! tables, in one transaction, and makes another set of it (`rule_changes`).

use super::super::connection::Doing;
use super::number;
use super::rule_ways::broken;
use crate::StoreError;
use crate::desk::{RuleCounts, RuleMark, RuleRow};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Executor};

/// What sorts after every text that people type: those without one come last.
pub(super) const LAST: &str = "\u{10ffff}";

/// The tables and indexes of a set. Words are in lower case. An index of three letters each finds them without their places, which keeps it small; what it
/// finds is looked at again.
const TABLES: [&str; 7] = [
    "CREATE TABLE rules_N (
         id          INTEGER PRIMARY KEY,
         destination TEXT NOT NULL,
         manager     TEXT NOT NULL,
         level       TEXT NOT NULL,
         owner       TEXT NOT NULL,
         until       TEXT NOT NULL,
         looked      INTEGER NOT NULL,
         marks       INTEGER NOT NULL,
         words       TEXT NOT NULL,
         document    TEXT NOT NULL
     ) STRICT",
    "CREATE VIRTUAL TABLE rules_N_words USING fts5
         (words, content = '', detail = none, columnsize = 0, tokenize = 'trigram')",
    "CREATE UNIQUE INDEX rules_N_destination ON rules_N (destination, manager)",
    "CREATE INDEX rules_N_level ON rules_N (level, destination, manager)",
    "CREATE INDEX rules_N_owner ON rules_N (owner, destination, manager)",
    "CREATE INDEX rules_N_until ON rules_N (until, destination, manager)",
    "CREATE INDEX rules_N_looked ON rules_N (looked, destination, manager)",
];

/// A statement about the tables of a set; nothing but their number enters one.
pub(super) fn of_set(sql: &str, set: u64) -> AssertSqlSafe<String> {
    AssertSqlSafe(sql.replace("_N", &format!("_{set}")))
}

/// The bit of a mark.
pub(super) fn bit(mark: RuleMark) -> i64 {
    let place = RuleMark::ALL.iter().position(|one| *one == mark);
    place.map_or(0, |place| 1 << place)
}

/// The bits of all that is true of a rule.
pub(super) fn marks(rule: &RuleRow) -> i64 {
    rule.marks.iter().fold(0, |all, mark| all | bit(*mark))
}

/// The condition of a mark, as its index has it.
pub(super) fn marked(mark: RuleMark) -> String {
    format!("marks & {} <> 0", bit(mark))
}

pub(super) async fn mark(
    db: &mut SqliteConnection,
    instance: &str,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT mark FROM rule_sets WHERE instance = $1 AND mark IS NOT NULL \
               ORDER BY id DESC LIMIT 1";
    sqlx::query_scalar(sql)
        .bind(instance)
        .fetch_optional(db)
        .await
        .doing("look for the rules that were copied")
}

/// The sets of an instance but one; those alone that an earlier run left half-written where none is said.
pub(super) async fn others(
    db: &mut SqliteConnection,
    instance: &str,
    but: Option<u64>,
) -> Result<Vec<u64>, StoreError> {
    let sql = "SELECT id FROM rule_sets WHERE instance = $1 \
               AND iif($2 IS NULL, mark IS NULL, id <> $2)";
    let found: Vec<i64> = sqlx::query_scalar(sql)
        .bind(instance)
        .bind(but.map(number))
        .fetch_all(db)
        .await
        .doing("look for copied rules")?;
    Ok(found.into_iter().map(i64::unsigned_abs).collect())
}

pub(super) async fn begin(
    db: &mut SqliteConnection,
    instance: &str,
    now_ms: i64,
) -> Result<u64, StoreError> {
    let doing = "begin to copy the rules";
    let set = sqlx::query("INSERT INTO rule_sets (instance, made_ms) VALUES ($1, $2)")
        .bind(instance)
        .bind(now_ms)
        .execute(&mut *db)
        .await
        .doing(doing)?
        .last_insert_rowid()
        .unsigned_abs();
    for sql in TABLES {
        db.execute(of_set(sql, set)).await.doing(doing)?;
    }
    for mark in RuleMark::ALL {
        let (bit, condition) = (bit(mark), marked(mark));
        let sql = format!("CREATE INDEX rules_N_marked_{bit} ON rules_N (id) WHERE {condition}");
        db.execute(of_set(&sql, set)).await.doing(doing)?;
    }
    Ok(set)
}

pub(super) async fn add(
    db: &mut SqliteConnection,
    set: u64,
    rows: &[RuleRow],
) -> Result<(), StoreError> {
    let doing = "copy rules";
    let rows: Vec<Value> = rows
        .iter()
        .map(row)
        .collect::<Result<_, _>>()
        .map_err(broken)?;
    let last: i64 = sqlx::query_scalar(of_set("SELECT coalesce(max(id), 0) FROM rules_N", set))
        .fetch_one(&mut *db)
        .await
        .doing(doing)?;
    // A statement for all: one a row takes five times as long.
    let sql = "INSERT INTO rules_N
               SELECT $2 + 1 + key, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4,
                      value ->> 5, value ->> 6, value ->> 7, value ->> 8 FROM json_each($1)";
    sqlx::query(of_set(sql, set))
        .bind(Value::Array(rows).to_string())
        .bind(last)
        .execute(&mut *db)
        .await
        .doing(doing)?;
    let sql =
        "INSERT INTO rules_N_words (rowid, words) SELECT id, words FROM rules_N WHERE id > $1";
    sqlx::query(of_set(sql, set))
        .bind(last)
        .execute(db)
        .await
        .doing(doing)?;
    Ok(())
}

/// A rule as the columns of its table.
fn row(rule: &RuleRow) -> Result<Value, serde_json::Error> {
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

/// Shows a set in the place of the one before it.
pub(super) async fn take(
    db: &mut SqliteConnection,
    set: u64,
    mark: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    let doing = "show the copied rules";
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
pub(super) async fn forget(db: &mut SqliteConnection, set: u64) -> Result<(), StoreError> {
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
    for sql in [
        "DROP TABLE IF EXISTS rules_N_words",
        "DROP TABLE IF EXISTS rules_N",
    ] {
        db.execute(of_set(sql, tables)).await.doing(doing)?;
    }
    sqlx::query("DELETE FROM rule_sets WHERE id = $1")
        .bind(number(set))
        .execute(db)
        .await
        .doing(doing)?;
    Ok(())
}
