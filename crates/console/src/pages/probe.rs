//! The page for looking at somebody's servers.
//!
//! Owns: the form and its task; what was seen stands on the job's page. Never: connects to anything.

use super::frame::{Frame, View};
use super::{filters, led_to_job, page};
use crate::app::App;
use crate::caller::Caller;
use crate::filing;
use crate::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::Response;
use postseal_planner::task::Task;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "probe.html")]
struct Page {
    frame: Frame,
}

#[derive(Deserialize)]
pub(crate) struct Said {
    targets: String,
    // A box that is not ticked is not sent.
    smtps: Option<String>,
    full: Option<String>,
}

pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let frame = View::of(&app, &caller, "probe", &[]).await?.frame;
    Ok(page(StatusCode::OK, &Page { frame }))
}

pub(crate) async fn look(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(said): Form<Said>,
) -> Result<Response, Problem> {
    let targets = said.targets.split_whitespace();
    let task = Task::Probe {
        targets: targets.map(str::to_owned).collect(),
        smtps: said.smtps.is_some(),
        full: said.full.is_some(),
    };
    let job = filing::file(&app, &caller, &task, None).await?;
    Ok(led_to_job(job))
}
