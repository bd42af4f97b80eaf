//! The plan: what is about to change, and putting it in force.
//!
//! Owns: the page, and what is said with `apply`. Never: makes a plan.

use super::doc::Doc;
use super::finding::Found;
use super::frame::{Frame, View};
use super::when::When;
use super::{filters, led_to_job, page};
use crate::app::App;
use crate::caller::Caller;
use crate::filing;
use crate::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use postseal_planner::task::{Acceptance, Task};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "plan.html")]
struct Page {
    frame: Frame,
    copied: When,
    is_there: bool,
    pending: bool,
    id: String,
    sentences: Vec<String>,
    findings: Vec<Found>,
    /// Code, what must be typed, why.
    confirmations: Vec<(String, String, String)>,
    diff: Vec<Line>,
    /// What the agent answered where there is no plan.
    refusal: String,
}

/// A line of a diff.
struct Line {
    /// `added`, `removed`, or nothing.
    kind: &'static str,
    text: String,
}

#[derive(Deserialize)]
pub(crate) struct Which {
    /// The job that made the plan; without one the last copy is shown.
    job: Option<u64>,
}

pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let mut view = View::of(&app, &caller, "plan", &["plan"]).await?;
    let mut seen = view.take("plan");
    if let Some(id) = which.job {
        let job = crate::api::jobs::find(&app, id).await?;
        let is_plan = matches!(Task::read(&job.task), Ok(Task::Plan { .. }));
        if let Some(end) = job.end.filter(|_| is_plan) {
            seen.doc = Doc::read(&end.answer);
            seen.copied = When::at(job.ended_ms.unwrap_or(job.filed_ms), view.now_ms);
        }
    }
    let doc = seen.doc;
    let confirmations = doc.list("confirmations");
    let shown = Page {
        copied: seen.copied,
        is_there: doc.is_there(),
        pending: doc.is_true("pending"),
        id: doc.text("plan"),
        sentences: doc.words("sentences"),
        findings: Found::all(&doc, "findings"),
        confirmations: confirmations
            .iter()
            .map(|one| (one.text("code"), one.text("answer"), one.text("message")))
            .collect(),
        diff: doc.long("diff").lines().map(line).collect(),
        refusal: doc.inner("error").text("message"),
        frame: view.frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

pub(crate) async fn apply(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let said = |name: &str| {
        let found = fields.iter().find(|(field, _)| field == name);
        found
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    };
    let accept = fields
        .iter()
        .filter(|(_, host)| !host.trim().is_empty())
        .filter_map(|(field, host)| {
            Some(Acceptance {
                code: field.strip_prefix("accept.")?.to_owned(),
                host: host.trim().to_owned(),
            })
        });
    let within = said("confirm_within").map(str::parse);
    let within = within.transpose().map_err(Problem::malformed)?;
    let task = Task::Apply {
        plan: said("plan").map(str::to_owned),
        check: false,
        accept: accept.collect(),
        confirm_within: within.filter(|within| *within > 0),
    };
    let job = filing::file(&app, &caller, &task, None).await?;
    Ok(led_to_job(job))
}

pub(crate) async fn discard(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let job = filing::file(&app, &caller, &Task::Discard {}, None).await?;
    Ok(led_to_job(job))
}

pub(crate) async fn confirm(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let job = filing::file(&app, &caller, &Task::Confirm {}, None).await?;
    Ok(led_to_job(job))
}

fn line(text: &str) -> Line {
    Line {
        kind: match text.as_bytes().first() {
            Some(b'+') => "added",
            Some(b'-') => "removed",
            _ => "",
        },
        text: text.to_owned(),
    }
}
