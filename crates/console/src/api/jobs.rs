//! Jobs: filing, following and giving them up.
//!
//! Owns: their documents. Never: carries one out.

use super::{json, tags};
use crate::app::App;
use crate::approval;
use crate::caller::Caller;
use crate::clock;
use crate::filing::{self, Said};
use crate::matrix::{self, Right};
use crate::problem::Problem;
use crate::title;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use postseal_planner::task::Task;
use postseal_store::desk::{Job, JobState, LONGEST_PAGE};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// How many a page has where nothing is said, and at most.
const PAGE: (usize, usize) = (50, 500);

/// What the agent is asked to do, and what came of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Job")]
pub(super) struct Document {
    id: u64,
    /// Who wants it.
    actor: String,
    #[schemars(with = "Task")]
    task: Box<RawValue>,
    /// The task in the words of people.
    title: String,
    #[schemars(schema_with = "states")]
    state: &'static str,
    /// Whether somebody wants it to end.
    cancelled: bool,
    filed_at: String,
    started_at: Option<String>,
    /// Since when no agent is known to be at it, though it runs.
    abandoned_since: Option<String>,
    ended_at: Option<String>,
    /// The exit code that the command would have had (CLI.md).
    exit: Option<u8>,
    /// The document that the command would have printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    answer: Option<Box<RawValue>>,
}

/// A job that was filed, now or before with the same key.
#[derive(Serialize, JsonSchema)]
pub(super) struct Filed {
    job: u64,
}

/// A page of jobs, the newest first, without their answers.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Jobs")]
pub(super) struct List {
    jobs: Vec<Document>,
    /// What `before` is for those that follow; none at the end.
    next: Option<u64>,
}

#[derive(Deserialize)]
pub(crate) struct Part {
    before: Option<u64>,
    limit: Option<usize>,
}

pub(crate) async fn file(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, Problem> {
    let task = Task::read(&body)?;
    let said = Said {
        request: idempotency_key(&headers)?,
        made_from: tags::made_from(&headers)?,
    };
    let id = filing::file_said(&app, &caller, &task, said).await?;
    let place = [(header::LOCATION, format!("/api/v1/jobs/{id}"))];
    let answer = json(&Filed { job: id });
    Ok((StatusCode::ACCEPTED, place, answer).into_response())
}

pub(crate) async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let limit = part.limit.unwrap_or(PAGE.0).clamp(1, PAGE.1);
    let instance = app.instance.clone();
    let jobs = app
        .desks
        .at(move |desk| desk.jobs(&instance, part.before, limit));
    let jobs = jobs.await?;
    let long: usize = jobs.iter().map(|job| job.task.len()).sum();
    let next = jobs
        .last()
        .filter(|_| jobs.len() == limit || long >= LONGEST_PAGE)
        .map(|job| job.id);
    let jobs = jobs.into_iter().map(document).collect();
    Ok(tags::tagged(&headers, &List { jobs, next }))
}

pub(crate) async fn one(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    let job = find(&app, id).await?;
    Ok(tags::tagged(&headers, &document(job)))
}

pub(crate) async fn cancel(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    give_up(&app, &caller, id).await?;
    let job = find(&app, id).await?;
    Ok((StatusCode::ACCEPTED, json(&document(job))).into_response())
}

pub(crate) async fn approve(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    approval::approve(&app, &caller, id).await?;
    let job = find(&app, id).await?;
    Ok((StatusCode::ACCEPTED, json(&document(job))).into_response())
}

/// Wants a job to end. Whoever may not file such a task may not end another's.
pub(crate) async fn give_up(app: &App, caller: &Caller, id: u64) -> Result<(), Problem> {
    let job = find(app, id).await?;
    let task = Task::read(&job.task)?;
    // Whoever may say yes to it may say no.
    let may_refuse = job.state == JobState::Proposed && caller.may(Right::Approve);
    if !may_refuse && !caller.may(matrix::needed(&task)) {
        return Err(Problem::forbidden("giving up this job"));
    }
    let now = clock::now_ms();
    let actor = caller.actor();
    let ending = app.desks.at(move |desk| {
        let ending = desk.cancel(id, now)?;
        if ending {
            desk.note(&actor, now, &format!("wants job {id} to end"))?;
        }
        Ok(ending)
    });
    match ending.await? {
        true => Ok(()),
        false => Err(Problem::new(
            StatusCode::CONFLICT,
            "console.job-ended",
            format!("job {id} has ended"),
        )),
    }
}

/// A job of this instance.
pub(crate) async fn find(app: &App, id: u64) -> Result<Job, Problem> {
    let job = app.desks.at(move |desk| desk.job(id)).await?;
    job.filter(|job| job.instance == app.instance)
        .ok_or_else(|| Problem::not_found("such job"))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match key.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= 255 => Ok(Some(key.to_owned())),
        _ => Err(Problem::malformed(
            "an Idempotency-Key is up to 255 letters, digits and signs",
        )),
    }
}

/// How far a job may be.
fn states(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": JobState::ALL.map(JobState::name) })
}

fn document(job: Job) -> Document {
    let abandoned = job.abandoned_ms(clock::now_ms());
    let (exit, answer) = match job.end {
        Some(end) => (Some(end.exit), raw(end.answer)),
        None => (None, None),
    };
    Document {
        id: job.id,
        actor: job.actor,
        title: title::of_text(&job.task),
        task: raw(job.task).unwrap_or_default(),
        state: job.state.name(),
        cancelled: job.cancelled,
        filed_at: clock::written(job.filed_ms),
        started_at: job.started_ms.map(clock::written),
        abandoned_since: abandoned.map(clock::written),
        ended_at: job.ended_ms.map(clock::written),
        exit,
        answer,
    }
}

/// Text as the JSON that it is; none where it is none.
fn raw(text: String) -> Option<Box<RawValue>> {
    RawValue::from_string(text).ok()
}
