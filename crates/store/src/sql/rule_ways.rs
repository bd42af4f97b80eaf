//! Rules for destinations: the ways to those that are asked for.
//!
//! Owns: their conditions, and their order. Never: knows what a page is (`rule_pages`), or which index finds them
//! (`rule_indexes`).
//!
//! Few are found by an index of their own and sorted. Everything else is dense: the rules are walked in the order that is
//! asked for, and a page of those that fit is soon together.

use super::rules::{bit, column, marked, of_set, read};
use super::{Db, Doing, number, rule_indexes};
use crate::StoreError;
use crate::desk::{RuleCount, RuleCounts, RuleKind, RulePlace, RuleQuery, RuleRow};

/// So many rules are read and sorted for a page; of more than that nobody is told how many they are.
pub(in super::super) const ENOUGH: u64 = 10_000;
/// So many words are looked for.
const WORDS: usize = 8;

/// The rule at which a page begins.
pub(super) struct Anchor {
    /// Whether the page is of those after it; else of those before.
    pub(super) after: bool,
    /// What it is ordered by, where that is not the destination.
    key: String,
    destination: String,
    manager: String,
}

/// Which rules, and by which way they are found.
#[derive(Default)]
pub(in super::super) struct Asked {
    /// What stands behind FROM; none: the rules are walked in the order that is asked for.
    pub(in super::super) from: Option<String>,
    pub(in super::super) conditions: Vec<String>,
    /// What stands in the place of `$1` and so on.
    pub(in super::super) texts: Vec<String>,
}

impl Asked {
    pub(super) fn of_overdue(today: &str) -> Self {
        Self {
            from: rule_indexes::OVERDUE.map(str::to_owned),
            conditions: vec!["until < $1".to_owned()],
            texts: vec![today.to_owned()],
        }
    }

    pub(super) async fn of(
        db: &mut Db,
        (set, counts): (u64, &RuleCounts),
        query: &RuleQuery,
        overdue: RuleCount,
    ) -> Result<Self, StoreError> {
        let words: Vec<&str> = query.words.iter().take(WORDS).map(String::as_str).collect();
        let mut asked = match query.kind {
            Some(RuleKind::Overdue) => Self::of_overdue(&query.today),
            Some(RuleKind::Marked(mark)) => Self {
                from: rule_indexes::of_mark(bit(mark)),
                conditions: vec![marked(mark)],
                ..Self::default()
            },
            None => Self::default(),
        };
        let are_many = match query.kind {
            Some(RuleKind::Overdue) => overdue.more,
            Some(RuleKind::Marked(mark)) => counts.of(mark) > ENOUGH,
            None => true,
        };
        if are_many {
            asked.from = None;
            rule_indexes::search(&mut asked, db, set, &words).await?;
        }
        for word in words {
            asked.texts.push(rule_indexes::searched(word));
            asked
                .conditions
                .push(rule_indexes::has_word(asked.texts.len()));
        }
        Ok(asked)
    }

    /// They are so many.
    pub(super) fn are(&mut self, many: RuleCount) {
        let are_few = !many.more && many.n <= ENOUGH;
        if self.from.is_none() && !self.conditions.is_empty() && are_few {
            self.from = Some(rule_indexes::few(&self.conditions(&[])));
        }
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

    pub(super) async fn count(&self, db: &mut Db, set: u64) -> Result<RuleCount, StoreError> {
        let from = self.from.as_deref().unwrap_or(rule_indexes::NONE);
        let conditions = self.conditions(&[]);
        let most = ENOUGH + 1;
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM {from}{conditions} LIMIT {most}) AS counted"
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
        let column = column(query.sort);
        let walked = rule_indexes::in_order(column);
        let from = self.from.as_ref().unwrap_or(&walked);
        let way = match place {
            Some(Anchor { after: false, .. }) => " DESC",
            _ => "",
        };
        let keys = column.into_iter().chain(["destination", "manager"]);
        let order: Vec<String> = keys.map(|key| format!("{key}{way}")).collect();
        let order = order.join(", ");
        let mut found = Vec::new();
        for part in parts(column, place, self.texts.len()) {
            let left = number((query.limit + 1).saturating_sub(found.len()) as u64);
            let conditions = self.conditions(&part);
            let sql =
                format!("SELECT document FROM {from}{conditions} ORDER BY {order} LIMIT {left}");
            let mut asked = sqlx::query_scalar(of_set(&sql, set));
            for text in &self.texts {
                asked = asked.bind(text);
            }
            if let Some(place) = place {
                let place = [&place.key, &place.destination, &place.manager];
                asked = place
                    .into_iter()
                    .fold(asked, |asked, text| asked.bind(text));
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

/// The conditions of what lies beyond a place, whose key, destination and manager stand behind so many texts. What is equal to
/// its key stands behind it by destination; then comes what has another key. Each is one range of an index.
fn parts(column: Option<&'static str>, place: Option<&Anchor>, texts: usize) -> Vec<Vec<String>> {
    let Some(place) = place else {
        return vec![Vec::new()];
    };
    let sign = if place.after { ">" } else { "<" };
    let [key, destination, manager] = [1, 2, 3].map(|n| format!("${}", texts + n));
    let beyond = format!("(destination, manager) {sign} ({destination}, {manager})");
    let Some(column) = column else {
        return vec![vec![beyond]];
    };
    let key = match column {
        "looked" => format!("CAST({key} AS BIGINT)"),
        _ => key,
    };
    vec![
        vec![format!("{column} = {key}"), beyond],
        vec![format!("{column} {sign} {key}")],
    ]
}

/// Where the page begins. In the order of destinations it is known though that rule is gone; in another it is not known where
/// it stood.
pub(super) async fn anchor(
    db: &mut Db,
    set: u64,
    query: &RuleQuery,
) -> Result<Option<Anchor>, StoreError> {
    let (destination, manager, after) = match &query.place {
        None => return Ok(None),
        Some(RulePlace::After(destination, manager)) => (destination, manager, true),
        Some(RulePlace::Before(destination, manager)) => (destination, manager, false),
    };
    let key = match column(query.sort) {
        None => Some(String::new()),
        Some(column) => {
            let sql = format!(
                "SELECT CAST({column} AS TEXT) FROM rules_N WHERE destination = $1 AND manager = $2"
            );
            sqlx::query_scalar(of_set(&sql, set))
                .bind(destination)
                .bind(manager)
                .fetch_optional(db)
                .await
                .doing("look for the place in the rules")?
        }
    };
    Ok(key.map(|key| Anchor {
        after,
        key,
        destination: destination.clone(),
        manager: manager.clone(),
    }))
}
