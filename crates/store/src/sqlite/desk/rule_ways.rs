//! Rules for destinations: the ways to those that are asked for.
//!
//! Owns: which index finds them, and their order. Never: knows what a page is (`rule_pages`).
//!
//! Three ways lead to a page. A kind of which there are few, or words that few rules have, are read by their own index and
//! sorted. Everything else is dense: the rules are walked in the order that is asked for, and a page of those that fit is
//! soon together.

use super::Doing;
use super::sql::number;
use super::sql::rules::{bit, column, marked, of_set, read};
use crate::StoreError;
use crate::desk::{RuleCount, RuleCounts, RuleKind, RulePlace, RuleQuery, RuleRow, RuleSort};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

/// So many rules are read and sorted for a page; of more than that nobody is told how many they are.
const ENOUGH: u64 = 10_000;
/// So many words are looked for.
const WORDS: usize = 8;
/// So many places of three letters are asked of the index.
const TRIPLES: usize = 24;
/// A text of fewer letters has no place in the index.
const TRIPLE: usize = 3;

/// Where a page begins: the key of its order, where it has one, and the id.
pub(super) enum Anchor {
    After(String, i64),
    Before(String, i64),
}

/// Which rules, and by which way they are found.
pub(super) struct Asked {
    /// What stands behind FROM; none: the rules are walked in the order that is asked for.
    from: Option<String>,
    pub(super) conditions: Vec<String>,
    /// What stands in the place of `$1` and so on.
    texts: Vec<String>,
}

impl Asked {
    pub(super) fn of_overdue(today: &str) -> Self {
        Self {
            from: Some("rules_N INDEXED BY rules_N_until".to_owned()),
            conditions: vec!["until < $1".to_owned()],
            texts: vec![today.to_owned()],
        }
    }

    pub(super) async fn of(
        db: &mut SqliteConnection,
        (set, counts): (u64, &RuleCounts),
        query: &RuleQuery,
        overdue: RuleCount,
    ) -> Result<Self, StoreError> {
        let words: Vec<String> = query.words.iter().take(WORDS).cloned().collect();
        let mut asked = match query.kind {
            Some(RuleKind::Overdue) => Self {
                from: None,
                ..Self::of_overdue(&query.today)
            },
            Some(RuleKind::Marked(mark)) => Self {
                from: None,
                conditions: vec![marked(mark)],
                texts: Vec::new(),
            },
            None => Self {
                from: None,
                conditions: Vec::new(),
                texts: Vec::new(),
            },
        };
        asked.from = match query.kind {
            Some(RuleKind::Overdue) if !overdue.more => Self::of_overdue(&query.today).from,
            Some(RuleKind::Marked(mark)) if counts.of(mark) <= ENOUGH => {
                let bit = bit(mark);
                Some(format!("rules_N INDEXED BY rules_N_marked_{bit}"))
            }
            _ => None,
        };
        if asked.from.is_none()
            && let Some(triples) = triples(&words)
            && !has_many(db, set, &triples).await?
        {
            asked.texts.push(triples);
            asked.from = Some(format!(
                "(SELECT rowid AS found FROM rules_N_words WHERE rules_N_words MATCH ${})
                 CROSS JOIN rules_N ON id = found",
                asked.texts.len()
            ));
        }
        for word in words {
            asked.texts.push(word);
            let place = asked.texts.len();
            asked.conditions.push(format!("instr(words, ${place}) > 0"));
        }
        Ok(asked)
    }

    /// The conditions, and some more.
    fn conditions(&self, more: &[String]) -> String {
        let all: Vec<&str> = self
            .conditions
            .iter()
            .chain(more)
            .map(String::as_str)
            .collect();
        match all.is_empty() {
            true => String::new(),
            false => format!(" WHERE {}", all.join(" AND ")),
        }
    }

    pub(super) async fn count(
        &self,
        db: &mut SqliteConnection,
        set: u64,
    ) -> Result<RuleCount, StoreError> {
        let from = self.from.as_deref().unwrap_or("rules_N NOT INDEXED");
        let conditions = self.conditions(&[]);
        let most = ENOUGH + 1;
        let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {from}{conditions} LIMIT {most})");
        let mut counted = sqlx::query_scalar(of_set(&sql, set));
        for text in &self.texts {
            counted = counted.bind(text);
        }
        let n: i64 = counted.fetch_one(db).await.doing("count copied rules")?;
        Ok(RuleCount {
            n: n.unsigned_abs().min(ENOUGH),
            more: n.unsigned_abs() > ENOUGH,
        })
    }

    /// One more than the page has, from its place on; backwards where it ends at a place.
    pub(super) async fn read(
        &self,
        db: &mut SqliteConnection,
        set: u64,
        query: &RuleQuery,
        place: Option<&Anchor>,
    ) -> Result<Vec<RuleRow>, StoreError> {
        let (sign, order) = match place {
            Some(Anchor::Before(..)) => ("<", " DESC"),
            _ => (">", ""),
        };
        // What is equal to the place's key stands behind it by id; then comes what has another key. Each is one range of
        // an index.
        let column = column(query.sort);
        let parts: Vec<Vec<String>> = match (place, column) {
            (None, _) => vec![Vec::new()],
            (Some(_), None) => vec![vec![format!("id {sign} {{id}}")]],
            (Some(_), Some(column)) => vec![
                vec![format!("{column} = {{key}}"), format!("id {sign} {{id}}")],
                vec![format!("{column} {sign} {{key}}")],
            ],
        };
        let walked = column.map_or_else(
            || "rules_N NOT INDEXED".to_owned(),
            |column| format!("rules_N INDEXED BY rules_N_{column}"),
        );
        let from = self.from.as_ref().unwrap_or(&walked);
        let order = column.map_or_else(
            || format!("id{order}"),
            |column| format!("{column}{order}, id{order}"),
        );
        let mut found = Vec::new();
        for part in parts {
            let left = (query.limit + 1).saturating_sub(found.len());
            let (key, id) = (self.texts.len() + 1, self.texts.len() + 2);
            let part: Vec<String> = part
                .iter()
                .map(|one| {
                    one.replace("{key}", &format!("${key}"))
                        .replace("{id}", &format!("${id}"))
                })
                .collect();
            let conditions = self.conditions(&part);
            let sql =
                format!("SELECT document FROM {from}{conditions} ORDER BY {order} LIMIT {left}");
            let mut asked = sqlx::query_scalar(of_set(&sql, set));
            for text in &self.texts {
                asked = asked.bind(text);
            }
            if let Some(Anchor::After(at, place) | Anchor::Before(at, place)) = place {
                asked = asked.bind(at).bind(*place);
            }
            let documents: Vec<String> =
                asked.fetch_all(&mut *db).await.doing("read copied rules")?;
            for document in &documents {
                found.push(read(document)?);
            }
        }
        Ok(found)
    }
}

/// What the index is asked for: every three letters of each word that has so many; none where no word has.
fn triples(words: &[String]) -> Option<String> {
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
async fn has_many(db: &mut SqliteConnection, set: u64, triples: &str) -> Result<bool, StoreError> {
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

pub(super) async fn anchor(
    db: &mut SqliteConnection,
    set: u64,
    query: &RuleQuery,
) -> Result<Option<Anchor>, StoreError> {
    let doing = "look for the place in the rules";
    let (destination, manager, is_after) = match &query.place {
        None => return Ok(None),
        Some(RulePlace::After(destination, manager)) => (destination, manager, true),
        Some(RulePlace::Before(destination, manager)) => (destination, manager, false),
    };
    let key = column(query.sort).unwrap_or("''");
    let sql = format!(
        "SELECT id, CAST({key} AS TEXT) AS at, destination = $1 AND manager = $2 AS same
         FROM rules_N WHERE (destination, manager) >= ($1, $2)
         ORDER BY destination, manager LIMIT 1"
    );
    let found = sqlx::query(of_set(&sql, set))
        .bind(destination)
        .bind(manager)
        .fetch_optional(db)
        .await
        .doing(doing)?;
    let Some(found) = found else {
        // All that is there stands before it; in another order it is not known where it stood.
        return Ok((query.sort == RuleSort::Destination)
            .then(|| anchored(is_after, String::new(), i64::MAX)));
    };
    let id: i64 = found.try_get("id").doing(doing)?;
    let same: bool = found.try_get("same").doing(doing)?;
    let at: String = found.try_get("at").doing(doing)?;
    Ok(match (same, query.sort) {
        (true, _) => Some(anchored(is_after, at, id)),
        // It is gone; what comes next is not left out.
        (false, RuleSort::Destination) if is_after => Some(anchored(true, at, id - 1)),
        (false, RuleSort::Destination) => Some(anchored(false, at, id)),
        (false, _) => None,
    })
}

fn anchored(is_after: bool, at: String, id: i64) -> Anchor {
    match is_after {
        true => Anchor::After(at, id),
        false => Anchor::Before(at, id),
    }
}
