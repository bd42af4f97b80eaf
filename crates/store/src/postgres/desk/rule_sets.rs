//! Rules for destinations: the table of a set.
//!
//! Owns: its shape and its indexes, and how rules come and go. Never: knows which set is shown (`sql/rules`).

use super::sql::rules::{broken, of_set, row};
use super::{Db, Doing};
use crate::StoreError;
use crate::desk::RuleRow;
use serde_json::Value;

/// The table and the indexes of a set. Texts are ordered by their bytes, as on SQLite. Words are in lower case; what the index of
/// three letters each finds is looked at again.
pub(super) const TABLES: [&str; 7] = [
    "CREATE TABLE rules_N (
         destination TEXT COLLATE \"C\" NOT NULL,
         manager     TEXT COLLATE \"C\" NOT NULL,
         level       TEXT COLLATE \"C\" NOT NULL,
         owner       TEXT COLLATE \"C\" NOT NULL,
         until       TEXT COLLATE \"C\" NOT NULL,
         looked      BIGINT NOT NULL,
         marks       BIGINT NOT NULL,
         words       TEXT NOT NULL,
         document    TEXT NOT NULL
     )",
    "CREATE UNIQUE INDEX rules_N_destination ON rules_N (destination, manager)",
    "CREATE INDEX rules_N_level ON rules_N (level, destination, manager)",
    "CREATE INDEX rules_N_owner ON rules_N (owner, destination, manager)",
    "CREATE INDEX rules_N_until ON rules_N (until, destination, manager)",
    "CREATE INDEX rules_N_looked ON rules_N (looked, destination, manager)",
    "CREATE INDEX rules_N_words ON rules_N USING gin (words gin_trgm_ops)",
];

/// What is made for each mark. Without statistics of it the server takes it for one that nearly all rules have.
pub(super) const MARKED: [&str; 2] = [
    "CREATE INDEX rules_N_marked_BIT ON rules_N (destination, manager) WHERE marks & BIT <> 0",
    "CREATE STATISTICS rules_N_marks_BIT ON (marks & BIT) FROM rules_N",
];

/// What is done once all rules of a set are there: nothing waits to be put into the index of words, and the server knows which
/// way to a page is the short one.
pub(super) const FILLED: [&str; 2] = [
    "SELECT gin_clean_pending_list('rules_N_words')",
    "ANALYZE rules_N",
];

/// How it is forgotten.
pub(super) const DROPPED: [&str; 1] = ["DROP TABLE IF EXISTS rules_N"];

pub(super) async fn add(db: &mut Db, set: u64, rows: &[RuleRow]) -> Result<(), StoreError> {
    let rows: Vec<Value> = rows
        .iter()
        .map(row)
        .collect::<Result<_, _>>()
        .map_err(broken)?;
    let sql = "INSERT INTO rules_N
               SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4,
                      (value ->> 5)::bigint, (value ->> 6)::bigint, value ->> 7, value ->> 8
               FROM json_array_elements($1::json)";
    sqlx::query(of_set(sql, set))
        .bind(Value::Array(rows).to_string())
        .execute(db)
        .await
        .doing("copy rules")?;
    Ok(())
}

/// Removes all rules for these destinations; the marks of each that went.
pub(super) async fn take_out(
    db: &mut Db,
    tables: u64,
    destinations: &[String],
) -> Result<Vec<i64>, StoreError> {
    let sql = "DELETE FROM rules_N WHERE destination = ANY($1) RETURNING marks";
    sqlx::query_scalar(of_set(sql, tables))
        .bind(destinations)
        .fetch_all(db)
        .await
        .doing("take changed rules out")
}
