//! Rules for destinations: a page of the set that is shown.
//!
//! Owns: how a page of a million is found without reading them. Never: changes a set (`rule_sets`).

use super::rule_ways::{Anchor, Asked, anchor};
use super::rules::{of_set, read, shown};
use super::{Db, Doing};
use crate::StoreError;
use crate::desk::{Matching, RuleCount, RuleKind, RulePage, RuleQuery, RuleRow, RuleSort};

pub(super) async fn page(
    db: &mut Db,
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
    let mut rules = match matching.n {
        0 => Vec::new(),
        _ => asked.read(db, set.tables, query, place.as_ref()).await?,
    };
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
    db: &mut Db,
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
    db: &mut Db,
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
