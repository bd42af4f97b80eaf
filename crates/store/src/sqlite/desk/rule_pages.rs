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
struct Set {
    id: u64,
    made_ms: i64,
    mark: String,
    counts: RuleCounts,
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
    let overdue = overdue.count(db, set.id).await?;
    let asked = Asked::of(db, (set.id, &set.counts), query, overdue).await?;
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
        _ => asked.count(db, set.id).await?,
    };
    let place = anchor(db, set.id, query).await?;
    let mut rules = asked.read(db, set.id, query, place.as_ref()).await?;
    let cut = rules.len() > query.limit;
    rules.truncate(query.limit);
    let backwards = matches!(place, Some(Anchor::Before(..)));
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
    let overdue = Asked::of_overdue(&query.today).count(db, id).await?;
    let mut asked = Asked::of(db, (set.id, &set.counts), query, overdue).await?;
    asked.conditions.push("manager = ''".to_owned());
    let whole = RuleQuery {
        sort: RuleSort::Destination,
        limit: most,
        ..query.clone()
    };
    let rules = asked.read(db, id, &whole, None).await?;
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
    let found: Option<String> = sqlx::query_scalar(of_set(sql, set.id))
        .bind(destination)
        .bind(manager)
        .fetch_optional(db)
        .await
        .doing(doing)?;
    found.as_deref().map(read).transpose()
}

async fn shown(db: &mut SqliteConnection, instance: &str) -> Result<Option<Set>, StoreError> {
    let doing = "look for the copied rules";
    let sql = "SELECT id, made_ms, mark, counts FROM rule_sets WHERE instance = $1 AND mark IS NOT NULL \
               ORDER BY id DESC LIMIT 1";
    let found = sqlx::query(sql)
        .bind(instance)
        .fetch_optional(db)
        .await
        .doing(doing)?;
    let Some(found) = found else { return Ok(None) };
    let id: i64 = found.try_get("id").doing(doing)?;
    let counts: String = found.try_get("counts").doing(doing)?;
    Ok(Some(Set {
        id: id.unsigned_abs(),
        made_ms: found.try_get("made_ms").doing(doing)?,
        mark: found.try_get("mark").doing(doing)?,
        counts: serde_json::from_str(&counts).map_err(broken)?,
    }))
}

async fn anchor(
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
    let key = query.sort.column().unwrap_or("''");
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
