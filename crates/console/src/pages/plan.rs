//! The plan: what is about to change, and putting it in force.
//!
//! Owns: the page, and what is said with `apply`. Never: makes a plan.

use super::doc::Doc;
use super::edits::Edits;
use super::frame::{Frame, View};
use super::planned::Planned;
use super::typed::Typed;
use super::waits::Waits;
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
    planned: Planned,
    waits: Option<Waits>,
    edits: Edits,
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
        let is_plan = matches!(
            Task::read(&job.task),
            Ok(Task::Plan { .. } | Task::Set { .. })
        );
        if let Some(end) = job.end.filter(|_| is_plan) {
            seen.doc = Doc::read(&end.answer);
            seen.copied = When::at(job.ended_ms.unwrap_or(job.filed_ms), view.now_ms);
        }
    }
    let status = view.take("status").doc;
    let shown = Page {
        edits: Edits::of(&status),
        copied: seen.copied,
        is_there: seen.doc.is_there(),
        planned: Planned::of(&seen.doc),
        waits: Waits::seen(&status),
        frame: view.frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

pub(crate) async fn apply(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let typed = Typed::new(fields);
    let accept = typed.each("accept.").filter(|(_, host)| !host.is_empty());
    let accept = accept.map(|(code, host)| Acceptance {
        code: code.to_owned(),
        host: host.to_owned(),
    });
    let within = typed.given("confirm_within");
    let within = within.map(|within| within.parse::<u32>());
    let within = within.transpose().map_err(Problem::malformed)?;
    let task = Task::Apply {
        plan: typed.given("plan"),
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
