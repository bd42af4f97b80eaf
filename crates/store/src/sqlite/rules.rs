//! Rules for destinations: reading them.
//!
//! Owns: the table `rules` with `rule_wishes` on top. Never: changes one; that is `rule_wishes`.

use super::connection::{Doing, rows};
use super::operations::key;
use crate::policy::{RuleState, RuleView};
use crate::{StoreError, document};
use postseal_planner::policy::{About, Both, Rule, RuleId};
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

const ABOUT: &str = "words about a rule";
/// Rules asked for by id in one statement.
const CHUNK: usize = 5_000;

/// Those with the ids of the JSON array $2, in its order.
const STATES: &str = "
    SELECT j.value ->> 0 AS destination, j.value ->> 1 AS manager,
           r.both AS both_before, r.policy AS policy_before, r.about AS about_before,
           iif(w.instance IS NULL, r.both, w.both) AS both_after,
           iif(w.instance IS NULL, r.policy, w.policy) AS policy_after,
           iif(w.instance IS NULL, r.about, w.about) AS about_after
    FROM json_each($2) AS j
    LEFT JOIN rules AS r ON r.instance = $1
      AND r.destination = j.value ->> 0 AND r.manager = j.value ->> 1
    LEFT JOIN rule_wishes AS w ON w.instance = $1
      AND w.destination = j.value ->> 0 AND w.manager = j.value ->> 1
    ORDER BY j.key";

/// A page as one text, its rules apart by U+001E and their columns by U+001F: no column holds
/// either. A million rows handed over one by one take five times as long.
macro_rules! page_of {
    ($rules:literal) => {
        concat!(
            "SELECT group_concat(line, char(30)) FROM (
                 SELECT destination || char(31) || manager || char(31) || both || char(31) ||
                        policy || char(31) || coalesce(about, '') AS line FROM (",
            $rules,
            ") LIMIT $4)"
        )
    };
}

/// What is in force with the wishes on top. Both halves are in the order of the key, and SQLite
/// merges them.
const WANTED: &str = page_of!(
    "
        SELECT destination, manager, both, policy, about FROM rules
        WHERE instance = $1 AND (destination, manager) > ($2, $3) AND NOT EXISTS (
            SELECT 1 FROM rule_wishes AS w
            WHERE w.instance = $1 AND w.destination = rules.destination
              AND w.manager = rules.manager)
        UNION ALL
        SELECT destination, manager, both, policy, about FROM rule_wishes
        WHERE instance = $1 AND (destination, manager) > ($2, $3) AND policy IS NOT NULL
        ORDER BY destination, manager"
);

const IN_FORCE: &str = page_of!(
    "
        SELECT destination, manager, both, policy, about FROM rules
        WHERE instance = $1 AND (destination, manager) > ($2, $3)
        ORDER BY destination, manager"
);

/// What is in force with the changes of operation $5 taken back.
const BEFORE: &str = page_of!(
    "
        SELECT destination, manager, both, policy, about FROM rules
        WHERE instance = $1 AND (destination, manager) > ($2, $3) AND NOT EXISTS (
            SELECT 1 FROM rule_changes AS c
            WHERE c.operation = $5 AND c.destination = rules.destination
              AND c.manager = rules.manager)
        UNION ALL
        SELECT destination, manager, both_before, policy_before, about_before FROM rule_changes
        WHERE operation = $5 AND (destination, manager) > ($2, $3) AND policy_before IS NOT NULL
        ORDER BY destination, manager"
);

/// What is staged; whose it will be is not known yet.
const STAGED: &str = page_of!(
    "
        SELECT destination, manager, both, policy, about FROM rule_stage
        WHERE $1 IS NOT NULL AND (destination, manager) > ($2, $3) AND policy IS NOT NULL
        ORDER BY destination, manager"
);

pub(super) async fn revision(db: &mut SqliteConnection, instance: &str) -> Result<i64, StoreError> {
    let sql = "SELECT rules_revision FROM instances WHERE path = $1";
    let found: Option<i64> = sqlx::query_scalar(sql)
        .bind(instance)
        .fetch_optional(db)
        .await
        .doing("read the revision of the rules")?;
    found.ok_or_else(|| StoreError::NotAdopted(instance.to_owned()))
}

pub(super) async fn pending(db: &mut SqliteConnection, instance: &str) -> Result<u64, StoreError> {
    count(
        db,
        "SELECT count(*) FROM rule_wishes WHERE instance = $1",
        instance,
    )
    .await
}

async fn count(
    db: &mut SqliteConnection,
    sql: &'static str,
    instance: &str,
) -> Result<u64, StoreError> {
    let found: i64 = sqlx::query_scalar(sql)
        .bind(instance)
        .fetch_one(db)
        .await
        .doing("count rules")?;
    Ok(found.unsigned_abs())
}

pub(super) async fn states(
    db: &mut SqliteConnection,
    instance: &str,
    ids: &[RuleId],
) -> Result<Vec<RuleState>, StoreError> {
    let mut states = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let asked: Vec<[&str; 2]> = chunk
            .iter()
            .map(|id| [id.destination.as_str(), id.manager.as_str()])
            .collect();
        let found = sqlx::query(STATES)
            .bind(instance)
            .bind(serde_json::json!(asked).to_string())
            .fetch_all(&mut *db)
            .await
            .doing("read rules")?;
        for row in &found {
            states.push(state(row)?);
        }
    }
    Ok(states)
}

pub(super) async fn page(
    db: &mut SqliteConnection,
    instance: &str,
    view: RuleView,
    after: Option<&RuleId>,
    limit: usize,
) -> Result<Vec<Rule>, StoreError> {
    let (sql, operation) = match view {
        RuleView::Wanted => (WANTED, None),
        RuleView::InForce => (IN_FORCE, None),
        RuleView::Staged => (STAGED, None),
        RuleView::Before(operation) => (BEFORE, Some(key(operation))),
    };
    let found = sqlx::query(sql)
        .bind(instance)
        .bind(after.map_or("", |id| id.destination.as_str()))
        .bind(after.map_or("", |id| id.manager.as_str()))
        .bind(rows(limit));
    let found = match operation {
        Some(operation) => found.bind(operation),
        None => found,
    };
    let found = found.fetch_one(db).await.doing("read rules")?;
    let text: Option<&str> = found.try_get(0).doing("read rules")?;
    let lines = text.into_iter().flat_map(|text| text.split('\u{1e}'));
    lines.map(line).collect()
}

/// A rule of a page.
fn line(text: &str) -> Result<Rule, StoreError> {
    let broken = || StoreError::Format {
        what: "rule",
        source: format!("{text:?}").into(),
    };
    let mut columns = text.split('\u{1f}');
    let mut next = || columns.next().ok_or_else(broken);
    Ok(Rule {
        id: RuleId {
            destination: next()?.to_owned(),
            manager: next()?.to_owned(),
        },
        both: match next()? {
            "1" => Both::Yes,
            _ => Both::No,
        },
        policy: next()?.to_owned(),
        about: match next()? {
            "" => About::default(),
            about => document::read(ABOUT, about)?,
        },
    })
}

/// Those with a manager: by their own indexes, because they are few among many.
pub(super) async fn managed(
    db: &mut SqliteConnection,
    instance: &str,
    limit: usize,
) -> Result<Vec<RuleState>, StoreError> {
    let sql = "SELECT destination, manager FROM rules WHERE instance = $1 AND manager <> ''
               UNION
               SELECT destination, manager FROM rule_wishes WHERE instance = $1 AND manager <> ''
               ORDER BY destination, manager LIMIT $2";
    let found = sqlx::query(sql)
        .bind(instance)
        .bind(rows(limit))
        .fetch_all(&mut *db)
        .await
        .doing("list the managed rules")?;
    let ids: Vec<RuleId> = found.iter().map(id).collect::<Result<_, _>>()?;
    states(db, instance, &ids).await
}

pub(super) async fn count_changes(
    db: &mut SqliteConnection,
    operation: u64,
) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM rule_changes WHERE operation = $1";
    let found: i64 = sqlx::query_scalar(sql)
        .bind(key(operation))
        .fetch_one(db)
        .await
        .doing("count what an operation changed of the rules")?;
    Ok(found.unsigned_abs())
}

pub(super) async fn changes(
    db: &mut SqliteConnection,
    operation: u64,
    limit: usize,
) -> Result<Vec<RuleState>, StoreError> {
    let sql = "SELECT * FROM rule_changes WHERE operation = $1
               ORDER BY destination, manager LIMIT $2";
    let found = sqlx::query(sql)
        .bind(key(operation))
        .bind(rows(limit))
        .fetch_all(db)
        .await
        .doing("read what an operation changed of the rules")?;
    found.iter().map(state).collect()
}

/// The document of the words about a rule; none where there are none.
pub(super) fn about_text(about: &About) -> Result<Option<String>, StoreError> {
    match *about == About::default() {
        true => Ok(None),
        false => document::write(ABOUT, about).map(Some),
    }
}

pub(super) fn state(row: &SqliteRow) -> Result<RuleState, StoreError> {
    Ok(RuleState {
        id: id(row)?,
        in_force: rule(row, ["both_before", "policy_before", "about_before"])?,
        wanted: rule(row, ["both_after", "policy_after", "about_after"])?,
    })
}

pub(super) fn id(row: &SqliteRow) -> Result<RuleId, StoreError> {
    let get = |name| row.try_get(name).doing("read a rule");
    Ok(RuleId {
        destination: get("destination")?,
        manager: get("manager")?,
    })
}

/// The rule in three columns of a row; none where there is no policy.
pub(super) fn rule(row: &SqliteRow, columns: [&str; 3]) -> Result<Option<Rule>, StoreError> {
    let [both, policy, about] = columns;
    let Some(policy) = row.try_get(policy).doing("read a rule")? else {
        return Ok(None);
    };
    let both: Option<i64> = row.try_get(both).doing("read a rule")?;
    let about: Option<String> = row.try_get(about).doing("read a rule")?;
    Ok(Some(Rule {
        id: id(row)?,
        both: match both {
            Some(1) => Both::Yes,
            _ => Both::No,
        },
        policy,
        about: match about {
            Some(text) => document::read(ABOUT, &text)?,
            None => About::default(),
        },
    }))
}
