//! Copies of what the agent saw, and the agent itself.
//!
//! Owns: their documents. Never: makes a copy.

use super::json;
use crate::app::App;
use crate::clock;
use crate::problem::Problem;
use crate::secret;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use postseal_store::desk::Desk as _;
use serde::Serialize;
use serde_json::value::RawValue;
use std::time::{Duration, UNIX_EPOCH};

/// What is copied.
pub(crate) const COPIES: [&str; 9] = [
    "status",
    "certificates",
    "plan",
    "history",
    "findings",
    "keys",
    "profiles",
    "domains",
    "drift",
];

#[derive(Serialize)]
struct Document {
    what: String,
    /// When the agent made the copy.
    copied_at: String,
    document: Box<RawValue>,
}

#[derive(Serialize)]
struct Agent {
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
    if !COPIES.contains(&what.as_str()) {
        return Err(Problem::not_found("such copy"));
    }
    let (instance, name) = (app.instance.clone(), what.clone());
    let copy = app
        .desks
        .at(move |desk| desk.copy(&instance, &name))
        .await?;
    let copy = copy.ok_or_else(none_yet)?;
    // Weak: the document is the same, the time of the copy beside it is not.
    let tag = secret::derived("copy", &copy.document, "");
    let tag = format!("W/\"{}\"", tag.get(..22).unwrap_or(&tag));
    let millis = u64::try_from(copy.copied_ms).unwrap_or(0);
    let made = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(millis));
    let marks = [(header::ETAG, tag.clone()), (header::LAST_MODIFIED, made)];
    if same(&headers, &tag) {
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

/// Whether the one who asks has this already (RFC 9110 §13.1.2, by weak comparison).
fn same(headers: &HeaderMap, tag: &str) -> bool {
    let bare = tag.trim_start_matches("W/");
    let known = headers.get(header::IF_NONE_MATCH);
    let known = known.and_then(|tags| tags.to_str().ok()).unwrap_or("");
    known
        .split(',')
        .map(|one| one.trim())
        .any(|one| one == "*" || one.trim_start_matches("W/") == bare)
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
