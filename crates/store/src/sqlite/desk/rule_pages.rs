//! Rules for destinations: a page of the set that is shown.
//!
//! Owns: how a page of a million is found without reading them. Never: changes a set (`rule_sets`).

use super::super::connection::Doing;
use super::rule_sets::of_set;
use super::rule_ways::{Anchor, Asked, broken, read};
use crate::StoreError;
use crate::desk::{
    Matching, RuleCount, RuleCounts, RuleKind, RulePage, RulePlace, RuleQuery, RuleRow, RuleSort,
};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

/// The set that is shown.
pub(super) struct Set {
    pub(super) id: u64,
    /// The number in the names of its tables.
    pub(super) tables: u64,
    made_ms: i64,
    pub(super) mark: String,
    pub(super) counts: RuleCounts,
}

pub(super) async fn page(
    db: &mut SqliteConnection,
    instance: &str,
    query: &RuleQuery,
) -> Result<Option<RulePage>, StoreError> {
    let Some(set) = shown(db, instance).await? else {
        return Ok(None);
    };
    let overdue = Asked::of_overdue(&query.today);
    let overdue = overdue.count(db, set.tables).await?;
    let mut asked = Asked::of(db, (set.tables, &set.counts), query, overdue).await?;
    let matching = match (&query.kind, query.words.is_empty()) {
        (None, true) => RuleCount {
            n: set.counts.all,
            more: false,
        },
        (Some(RuleKind::Overdue), true) => overdue,
        (Some(RuleKind::Marked(mark)), true) => RuleCount {
            n: set.counts.of(*mark),
            more: false,
        },
        _ => asked.count(db, set.tables).await?,
    };
    asked.are(matching);
    let place = anchor(db, set.tables, query).await?;
    let mut rules = asked.read(db, set.tables, query, place.as_ref()).await?;
    let cut = rules.len() > query.limit;
    rules.truncate(query.limit);
    let backwards = matches!(place, Some(Anchor { after: false, .. }));
    if backwards {
        rules.reverse();
    }
    Ok(Some(RulePage {
        set: set.id,
        made_ms: set.made_ms,
        mark: set.mark,
        rules,
        before: if backwards { cut } else { place.is_some() },
        after: backwards || cut,
        matching,
        counts: set.counts,
        overdue,
    }))
}

pub(super) async fn matching(
    db: &mut SqliteConnection,
    instance: &str,
    id: u64,
    query: &RuleQuery,
    most: usize,
) -> Result<Matching, StoreError> {
    let set = shown(db, instance).await?;
    let Some(set) = set.filter(|set| set.id == id) else {
        return Ok(Matching::Changed);
    };
    let overdue = Asked::of_overdue(&query.today);
    let overdue = overdue.count(db, set.tables).await?;
    let mut asked = Asked::of(db, (set.tables, &set.counts), query, overdue).await?;
    asked.conditions.push("manager = ''".to_owned());
    let whole = RuleQuery {
        sort: RuleSort::Destination,
        limit: most,
        ..query.clone()
    };
    let rules = asked.read(db, set.tables, &whole, None).await?;
    Ok(match rules.len() > most {
        true => Matching::TooMany,
        false => Matching::Rules(rules),
    })
}

pub(super) async fn one(
    db: &mut SqliteConnection,
    instance: &str,
    destination: &str,
    manager: &str,
) -> Result<Option<RuleRow>, StoreError> {
    let doing = "read a copied rule";
    let Some(set) = shown(db, instance).await? else {
        return Ok(None);
    };
    let sql = "SELECT document FROM rules_N WHERE destination = $1 AND manager = $2";
    let found: Option<String> = sqlx::query_scalar(of_set(sql, set.tables))
        .bind(destination)
        .bind(manager)
        .fetch_optional(db)
        .await
        .doing(doing)?;
    found.as_deref().map(read).transpose()
}

pub(super) async fn shown(
    db: &mut SqliteConnection,
    instance: &str,
) -> Result<Option<Set>, StoreError> {
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

/// Where the page begins. In the order of destinations it is known though that rule is gone; in another it is not known where
/// it stood.
async fn anchor(
    db: &mut SqliteConnection,
    tables: u64,
    query: &RuleQuery,
) -> Result<Option<Anchor>, StoreError> {
    let (destination, manager, after) = match &query.place {
        None => return Ok(None),
        Some(RulePlace::After(destination, manager)) => (destination, manager, true),
        Some(RulePlace::Before(destination, manager)) => (destination, manager, false),
    };
    let key: Option<String> = match query.sort.column() {
        None => None,
        Some(column) => {
            let sql = format!(
                "SELECT CAST({column} AS TEXT) FROM rules_N WHERE destination = $1 AND manager = $2"
            );
            let found = sqlx::query_scalar(of_set(&sql, tables))
                .bind(destination)
                .bind(manager)
                .fetch_optional(db)
                .await
                .doing("look for the place in the rules")?;
            let Some(key) = found else { return Ok(None) };
            Some(key)
        }
    };
    Ok(Some(Anchor {
        after,
        key: key.unwrap_or_default(),
        destination: destination.clone(),
        manager: manager.clone(),
    }))
}
