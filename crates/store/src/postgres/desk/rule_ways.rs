//! Rules for destinations: the ways to those that are asked for.
//!
//! Owns: the conditions of a page and its order. Never: knows what a page is (`rule_pages`).
//!
//! Two ways lead to a page. Few that fit are all found, by whichever index the server thinks best, and sorted. Where there are
//! many, the rules are walked in the order that is asked for, and a page of those that fit is soon together.

use super::sql::number;
use super::sql::rules::{column, marked, of_set, read};
use super::{Db, Doing};
use crate::StoreError;
use crate::desk::{RuleCount, RuleCounts, RuleKind, RulePlace, RuleQuery, RuleRow};

/// So many rules are found and sorted for a page; of more than that nobody is told how many they are.
const ENOUGH: u64 = 10_000;
/// So many words are looked for.
const WORDS: usize = 8;

/// Where a page begins: the key of its order, where it has one, and the rule.
pub(super) enum Anchor {
    After(String, String, String),
    Before(String, String, String),
}

/// Which rules.
pub(super) struct Asked {
    pub(super) conditions: Vec<String>,
    /// What stands in the place of `$1` and so on.
    texts: Vec<String>,
    /// How many there are, where that is known already.
    counted: Option<RuleCount>,
}

impl Asked {
    pub(super) fn of_overdue(today: &str) -> Self {
        Self {
            conditions: vec!["until < $1".to_owned()],
            texts: vec![today.to_owned()],
            counted: None,
        }
    }

    pub(super) async fn of(
        db: &mut Db,
        (set, counts): (u64, &RuleCounts),
        query: &RuleQuery,
        overdue: RuleCount,
    ) -> Result<Self, StoreError> {
        let of_kind = |n| RuleCount {
            n,
            more: n > ENOUGH,
        };
        let (mut asked, counted) = match query.kind {
            Some(RuleKind::Overdue) => (Self::of_overdue(&query.today), overdue),
            Some(RuleKind::Marked(mark)) => {
                let asked = Self::all_with(vec![marked(mark)]);
                (asked, of_kind(counts.of(mark)))
            }
            None => (Self::all_with(Vec::new()), of_kind(counts.all)),
        };
        for word in query.words.iter().take(WORDS) {
            asked.texts.push(pattern(word));
            let place = asked.texts.len();
            asked.conditions.push(format!("words LIKE ${place}"));
        }
        asked.counted = Some(match query.words.is_empty() {
            true => counted,
            false => asked.count(db, set).await?,
        });
        Ok(asked)
    }

    fn all_with(conditions: Vec<String>) -> Self {
        Self {
            conditions,
            texts: Vec::new(),
            counted: None,
        }
    }

    pub(super) async fn count(&self, db: &mut Db, set: u64) -> Result<RuleCount, StoreError> {
        if let Some(counted) = self.counted {
            return Ok(counted);
        }
        let conditions = all_of(&self.conditions);
        let most = ENOUGH + 1;
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM rules_N{conditions} LIMIT {most}) AS found"
        );
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
        db: &mut Db,
        set: u64,
        query: &RuleQuery,
        place: Option<&Anchor>,
    ) -> Result<Vec<RuleRow>, StoreError> {
        let (sign, way) = match place {
            Some(Anchor::Before(..)) => ("<", " DESC"),
            _ => (">", ""),
        };
        let mut texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let keys: Vec<&str> = column(query.sort)
            .into_iter()
            .chain(["destination", "manager"])
            .collect();
        let order: Vec<String> = keys.iter().map(|key| format!("{key}{way}")).collect();
        let mut from = Vec::new();
        if let Some(
            Anchor::After(at, destination, manager) | Anchor::Before(at, destination, manager),
        ) = place
        {
            let values = [at, destination, manager];
            let values = &values[values.len() - keys.len()..];
            let first = texts.len() + 1;
            texts.extend(values.iter().map(|value| value.as_str()));
            let values: Vec<String> = keys
                .iter()
                .zip(first..)
                .map(|(key, n)| match *key {
                    "looked" => format!("${n}::bigint"),
                    _ => format!("${n}"),
                })
                .collect();
            from.push(format!(
                "({}) {sign} ({})",
                keys.join(", "),
                values.join(", ")
            ));
        }
        let is_dense = self.counted.is_none_or(|counted| counted.more);
        let found = match is_dense {
            true => {
                let both: Vec<String> = self.conditions.iter().chain(&from).cloned().collect();
                format!("rules_N{}", all_of(&both))
            }
            // OFFSET 0: what is inside is done first, whatever the order outside suggests.
            false => format!(
                "(SELECT * FROM rules_N{} OFFSET 0) AS found{}",
                all_of(&self.conditions),
                all_of(&from)
            ),
        };
        let sql = format!(
            "SELECT document FROM {found} ORDER BY {} LIMIT {}",
            order.join(", "),
            number(query.limit as u64 + 1)
        );
        let mut asked = sqlx::query_scalar(of_set(&sql, set));
        for text in texts {
            asked = asked.bind(text);
        }
        let documents: Vec<String> = asked.fetch_all(db).await.doing("read copied rules")?;
        documents.iter().map(|document| read(document)).collect()
    }
}

/// A WHERE of all of them; nothing where there is none.
fn all_of(conditions: &[String]) -> String {
    match conditions.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", conditions.join(" AND ")),
    }
}

/// What LIKE is asked for to find a word anywhere (PostgreSQL 15, §9.7.1).
fn pattern(word: &str) -> String {
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

/// Where the page begins. Of a rule that is gone it is not known where it stood in an order other than that of the destinations.
pub(super) async fn anchor(
    db: &mut Db,
    set: u64,
    query: &RuleQuery,
) -> Result<Option<Anchor>, StoreError> {
    let (destination, manager, is_after) = match &query.place {
        None => return Ok(None),
        Some(RulePlace::After(destination, manager)) => (destination, manager, true),
        Some(RulePlace::Before(destination, manager)) => (destination, manager, false),
    };
    let at = match column(query.sort) {
        None => Some(String::new()),
        Some(key) => {
            let sql =
                format!("SELECT {key}::text FROM rules_N WHERE destination = $1 AND manager = $2");
            sqlx::query_scalar(of_set(&sql, set))
                .bind(destination)
                .bind(manager)
                .fetch_optional(db)
                .await
                .doing("look for the place in the rules")?
        }
    };
    let (destination, manager) = (destination.clone(), manager.clone());
    Ok(at.map(|at: String| match is_after {
        true => Anchor::After(at, destination, manager),
        false => Anchor::Before(at, destination, manager),
    }))
}
