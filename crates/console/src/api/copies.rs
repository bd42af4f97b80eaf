//! Copies of what the agent saw, and the agent itself.
//!
//! Owns: their documents. Never: makes a copy.

use super::{json, tags};
use crate::app::App;
use crate::clock;
use crate::problem::Problem;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use postseal_store::desk::CopyOf;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use std::time::{Duration, UNIX_EPOCH};

/// What the agent saw, as the command prints it with `--json`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Copy")]
pub(super) struct Document {
    what: &'static str,
    /// When the agent began to look: what changed later may not be in it.
    copied_at: String,
    #[schemars(with = "serde_json::Value")]
    document: Box<RawValue>,
}

/// The agent, as far as it was seen.
#[derive(Serialize, JsonSchema)]
pub(super) struct Agent {
    /// The instance that is its own.
    instance: String,
    version: Option<String>,
    seen_at: Option<String>,
    /// How long ago that is, in seconds.
    age: Option<i64>,
}

pub(crate) async fn one(
    State(app): State<App>,
    Path(what): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let what = CopyOf::named(&what).ok_or_else(|| Problem::not_found("such copy"))?;
    let (instance, what) = (app.instance.clone(), what.name());
    let copy = app.desks.at(move |desk| desk.copy(&instance, what)).await?;
    let copy = copy.ok_or_else(none_yet)?;
    let tag = tags::of(&copy.document);
    let millis = u64::try_from(copy.copied_ms).unwrap_or(0);
    let made = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(millis));
    // Weak: the document is the same, the time of the copy beside it is not.
    let mark = format!("W/\"{tag}\"");
    let marks = [(header::ETAG, mark), (header::LAST_MODIFIED, made)];
    if tags::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, marks).into_response());
    }
    let copied_at = clock::written(copy.copied_ms);
    let document = RawValue::from_string(copy.document).map_err(|_| unreadable())?;
    let document = Document {
        what,
        copied_at,
        document,
    };
    Ok((marks, json(&document)).into_response())
}

pub(crate) async fn agent(State(app): State<App>) -> Result<Response, Problem> {
    let instance = app.instance.clone();
    let pulse = app.desks.at(move |desk| desk.pulse(&instance)).await?;
    let seen = pulse.as_ref().map(|pulse| pulse.seen_ms);
    Ok(json(&Agent {
        instance: app.instance.clone(),
        seen_at: seen.map(clock::written),
        age: seen.map(|seen| (clock::now_ms() - seen).max(0) / 1000),
        version: pulse.map(|pulse| pulse.version),
    }))
}

fn none_yet() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "console.no-copy-yet",
        "the agent has made no copy of this yet: see whether it runs (GET /api/v1/agent)",
    )
}

fn unreadable() -> Problem {
    Problem::new(
        StatusCode::BAD_GATEWAY,
        "console.copy-unreadable",
        "the copy is no JSON; the agent makes another one within a minute",
    )
}
