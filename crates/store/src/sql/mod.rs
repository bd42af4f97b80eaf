//! The desk, in SQL that SQLite and PostgreSQL read alike.
//!
//! Owns: what each verb of the desk does to which table. Never: SQL of one of the two alone; that is in
//! `sqlite/desk` and `postgres/desk`.
//!
//! Each of them has these files as modules of its own (`#[path]`): sqlx's connections and rows differ, the words do not.
//! What does differ is asked of the module above: `rule_sets` and `rule_indexes`, and how a verb is kept apart from others at
//! the same time (`only_agent`, `in_turn`).

mod copies;
mod door;
mod events;
mod jobs;
mod notes;
mod rule_changes;
mod rule_pages;
pub(super) mod rule_ways;
pub(super) mod rules;
mod sessions;
mod tokens;
mod uploads;
mod users;

use super::{Db, DbRow, Doing, Door, in_turn, only_agent, rule_indexes, rule_sets};

/// A number as the database takes it.
pub(super) fn number(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

/// A limit as the database takes it.
fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
