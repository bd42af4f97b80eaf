//! Rules for destinations, a page at a time.
//!
//! Owns: their document. Never: reads more of a million than a page.

use super::json;
use crate::app::App;
use crate::clock;
use crate::pages::policies::Asked;
use crate::problem::Problem;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use postseal_store::desk::RuleRow;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No page has more rules.
const MOST: usize = 500;

#[derive(Deserialize)]
pub(crate) struct Limit {
    limit: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Policies")]
pub(super) struct Document {
    /// When the agent had seen them.
    seen_at: String,
    /// How many rules there are.
    all: u64,
    /// How many are as it was asked for; more than that where `matching_more` says so.
    matching: u64,
    matching_more: bool,
    #[schemars(with = "Vec<serde_json::Value>")]
    rules: Vec<RuleRow>,
    /// What `after` and `by` are for those that follow; none at the end.
    next: Option<Next>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NextPolicies")]
struct Next {
    after: String,
    by: String,
}

pub(crate) async fn list(
    State(app): State<App>,
    Query(asked): Query<Asked>,
    Query(limit): Query<Limit>,
) -> Result<Response, Problem> {
    let mut query = asked.query();
    query.limit = limit.limit.unwrap_or(query.limit).clamp(1, MOST);
    let instance = app.instance.clone();
    let found = app.desks.at(move |desk| desk.rule_page(&instance, &query));
    let found = found.await?.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "console.no-copy-yet",
            "the agent has handed over no rules yet: see whether it runs (GET /api/v1/agent)",
        )
    })?;
    let next = found.rules.last().filter(|_| found.after).map(|rule| Next {
        after: rule.destination.clone(),
        by: rule.manager.clone(),
    });
    Ok(json(&Document {
        seen_at: clock::written(found.made_ms),
        all: found.counts.all,
        matching: found.matching.n,
        matching_more: found.matching.more,
        rules: found.rules,
        next,
    }))
}
