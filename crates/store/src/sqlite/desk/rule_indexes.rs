//! Rules for destinations: the indexes that find them.
//!
//! Owns: which of them, said to SQLite by name: it keeps no statistics of a set. Never: knows what is asked for, or in which order
//! (`sql/rule_ways`).

use super::sql::number;
use super::sql::rule_ways::{Asked, ENOUGH};
use super::sql::rules::of_set;
use super::{Db, Doing};
use crate::StoreError;

/// So many places of three letters are asked of the index.
const TRIPLES: usize = 24;
/// A text of fewer letters has no place in the index.
const TRIPLE: usize = 3;

/// All rules, in no order.
pub(super) const NONE: &str = "rules_N NOT INDEXED";

/// Those that are overdue.
pub(super) const OVERDUE: Option<&str> = Some("rules_N INDEXED BY rules_N_until");

/// Those with a mark of few.
pub(super) fn of_mark(bit: i64) -> Option<String> {
    Some(format!("rules_N INDEXED BY rules_N_marked_{bit}"))
}

/// All rules, in the order of a column, else in that of their destinations.
pub(super) fn in_order(column: Option<&str>) -> String {
    let column = column.unwrap_or("destination");
    format!("rules_N INDEXED BY rules_N_{column}")
}

/// Few to which no index leads: all rules are read once more, and in no order.
pub(super) fn few(_: &str) -> String {
    NONE.to_owned()
}

/// The condition of a word, where it stands in the place of `$n`.
pub(super) fn has_word(n: usize) -> String {
    format!("instr(words, ${n}) > 0")
}

/// What that condition is asked for.
pub(super) fn searched(word: &str) -> String {
    word.to_owned()
}

/// Where few rules have the letters of the words, they are found by these.
pub(super) async fn search(
    asked: &mut Asked,
    db: &mut Db,
    set: u64,
    words: &[&str],
) -> Result<(), StoreError> {
    let Some(triples) = triples(words) else {
        return Ok(());
    };
    if !has_many(db, set, &triples).await? {
        asked.texts.push(triples);
        asked.from = Some(format!(
            "(SELECT rowid AS found FROM rules_N_words WHERE rules_N_words MATCH ${})
             CROSS JOIN rules_N ON id = found",
            asked.texts.len()
        ));
    }
    Ok(())
}

/// What the index is asked for: every three letters of each word that has so many; none where no word has.
fn triples(words: &[&str]) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    for word in words {
        let letters: Vec<char> = word.chars().collect();
        for triple in letters.windows(TRIPLE) {
            let text: String = triple.iter().collect();
            all.push(format!("\"{}\"", text.replace('"', "\"\"")));
        }
    }
    all.sort();
    all.dedup();
    all.truncate(TRIPLES);
    (!all.is_empty()).then(|| all.join(" AND "))
}

/// Whether more rules have these letters than are read and sorted.
async fn has_many(db: &mut Db, set: u64, triples: &str) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM (
                   SELECT 1 FROM rules_N_words WHERE rules_N_words MATCH $1 LIMIT $2)";
    let found: i64 = sqlx::query_scalar(of_set(sql, set))
        .bind(triples)
        .bind(number(ENOUGH + 1))
        .fetch_one(db)
        .await
        .doing("search the copied rules")?;
    Ok(found.unsigned_abs() > ENOUGH)
}
