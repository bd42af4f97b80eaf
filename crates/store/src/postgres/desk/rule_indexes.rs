//! Rules for destinations: how the server comes to the index that finds them.
//!
//! Owns: what it is told for that; it has statistics of a set, and chooses. Never: knows what is asked for, or in which order
//! (`sql/rule_ways`).

use super::Db;
use super::sql::rule_ways::Asked;
use crate::StoreError;

/// All rules, in no order.
pub(super) const NONE: &str = "rules_N";

/// Those that are overdue.
pub(super) const OVERDUE: Option<&str> = None;

/// Those with a mark of few.
pub(super) fn of_mark(_: i64) -> Option<String> {
    None
}

/// All rules, in the order of a column, else in that of their destinations.
pub(super) fn in_order(_: Option<&str>) -> String {
    NONE.to_owned()
}

/// Few that are all found before they are sorted. OFFSET 0: what is inside is done first, whatever the order outside suggests.
pub(super) fn few(conditions: &str) -> String {
    format!("(SELECT * FROM rules_N{conditions} OFFSET 0) AS few")
}

/// The condition of a word, where it stands in the place of `$n`.
pub(super) fn has_word(n: usize) -> String {
    format!("words LIKE ${n}")
}

/// What that condition is asked for, to find a word anywhere (PostgreSQL 15, §9.7.1).
pub(super) fn searched(word: &str) -> String {
    let mut pattern = String::from("%");
    for letter in word.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// Nothing is to be done for it: the condition finds its index.
pub(super) async fn search(
    _: &mut Asked,
    _: &mut Db,
    _: u64,
    _: &[&str],
) -> Result<(), StoreError> {
    Ok(())
}
