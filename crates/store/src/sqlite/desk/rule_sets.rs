//! Rules for destinations: the tables of a set.
//!
//! Owns: their shape and their indexes, and how rules come and go. Never: knows which set is shown (`sql/rules`).

use super::Doing;
use super::sql::rules::{broken, of_set, row};
use crate::StoreError;
use crate::desk::RuleRow;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnection;

/// The tables and indexes of a set. Words are in lower case. An index of three letters each finds them without their places, which keeps it small; what it
/// finds is looked at again.
pub(super) const TABLES: [&str; 7] = [
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

/// What is made for each mark.
pub(super) const MARKED: [&str; 1] =
    ["CREATE INDEX rules_N_marked_BIT ON rules_N (id) WHERE marks & BIT <> 0"];

/// What is done once all rules of a set are there.
pub(super) const FILLED: [&str; 0] = [];

/// How it is forgotten.
pub(super) const DROPPED: [&str; 2] = [
    "DROP TABLE IF EXISTS rules_N_words",
    "DROP TABLE IF EXISTS rules_N",
];

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

/// The rules of the destinations of the JSON array $1.
const CHANGED: &str = "FROM rules_N WHERE destination IN (SELECT value FROM json_each($1))";

/// Removes all rules for these destinations; the marks of each that went.
pub(super) async fn take_out(
    db: &mut SqliteConnection,
    tables: u64,
    destinations: &[String],
) -> Result<Vec<i64>, StoreError> {
    let doing = "take changed rules out";
    let destinations = json!(destinations).to_string();
    // An index without its own copy of the words is told what it had.
    let unfound = format!(
        "INSERT INTO rules_N_words (rules_N_words, rowid, words) SELECT 'delete', id, words {CHANGED}"
    );
    sqlx::query(of_set(&unfound, tables))
        .bind(&destinations)
        .execute(&mut *db)
        .await
        .doing(doing)?;
    let gone = format!("DELETE {CHANGED} RETURNING marks");
    sqlx::query_scalar(of_set(&gone, tables))
        .bind(&destinations)
        .fetch_all(db)
        .await
        .doing(doing)
}
