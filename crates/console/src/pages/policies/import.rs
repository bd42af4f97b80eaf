//! Rules as text, in and out.
//!
//! Owns: the forms, and which tasks they are: first what would come of it, then the taking of the same text. Never: reads
//! a line of it.

use super::super::doc::Doc;
use super::super::frame::{Frame, View};
use super::super::{filters, led_to_job, page};
use crate::api::jobs;
use crate::app::App;
use crate::caller::Caller;
use crate::filing;
use crate::parts::Parts;
use crate::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use postseal_planner::task::{Format, Import, Task};
use serde::Deserialize;
use serde_json::Value;

#[derive(Template)]
#[template(path = "import.html")]
struct Page {
    frame: Frame,
}

#[derive(Deserialize)]
pub(crate) struct Numbered {
    job: u64,
    // A box that is not ticked is not sent.
    partial: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    format: Format,
    in_force: Option<String>,
}

pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let frame = View::of(&app, &caller, "policies", &[]).await?.frame;
    Ok(page(StatusCode::OK, &Page { frame }))
}

/// Has it said what would come of the lines of a file, or else of the field; nothing is stored. What the file is called is
/// not looked at.
pub(crate) async fn check(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.ok_or_else(|| Problem::malformed("it is no form"))?;
    let parts = Parts::read(kind, &body)?;
    let lines = parts.bytes("file").or_else(|| parts.bytes("text"));
    let lines = lines.ok_or_else(|| {
        Problem::malformed("there are no lines: choose a file that holds some, or paste them")
    })?;
    let lines = std::str::from_utf8(&lines)
        .map_err(|_| Problem::malformed("the lines are no text in UTF-8: save the file so"))?;
    let format = parts.text("format").unwrap_or_default();
    let format =
        serde_json::from_value(Value::from(format.as_str())).map_err(Problem::malformed)?;
    let task = Task::PolicyImport(Import {
        // A form ends its lines as the network does (HTML §4.10.21.8).
        text: lines.replace("\r\n", "\n"),
        format,
        check: true,
        ..Import::default()
    });
    let job = filing::file(&app, &caller, &task, None).await?;
    Ok(led_to_job(job))
}

/// Takes the lines of a check.
pub(crate) async fn take(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(which): Form<Numbered>,
) -> Result<Response, Problem> {
    let job = jobs::find(&app, which.job).await?;
    let Ok(Task::PolicyImport(tried @ Import { check: true, .. })) = Task::read(&job.task) else {
        return Err(Problem::not_found("such list of rules"));
    };
    let task = Task::PolicyImport(Import {
        partial: which.partial.is_some(),
        check: false,
        ..tried
    });
    // A list is taken once, however often the button is pressed.
    let request = Some(format!("import of job {}", which.job));
    let job = filing::file(&app, &caller, &task, request).await?;
    Ok(led_to_job(job))
}

pub(crate) async fn export(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(wanted): Form<Wanted>,
) -> Result<Response, Problem> {
    let task = Task::PolicyExport {
        format: Some(wanted.format),
        in_force: wanted.in_force.is_some(),
    };
    let job = filing::file(&app, &caller, &task, None).await?;
    Ok(led_to_job(job))
}

/// What an export came to, as a file.
pub(crate) async fn download(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    let job = jobs::find(&app, id).await?;
    let Ok(Task::PolicyExport {
        format: Some(format),
        ..
    }) = Task::read(&job.task)
    else {
        return Err(Problem::not_found("such export"));
    };
    let answer = job.end.filter(|end| end.exit == 0);
    let answer = answer.and_then(|end| serde_json::from_str::<Value>(&end.answer).ok());
    let text = answer
        .as_ref()
        .and_then(|answer| answer.get("text")?.as_str());
    let text = text.ok_or_else(|| Problem::not_found("export yet"))?;
    let name = format!("attachment; filename=\"policies.{}\"", format.name());
    let heads = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((heads, text.to_owned()).into_response())
}

/// What comes after a job of these, once it went as it should: `take` or `download`.
pub(crate) fn next(task: &str, answer: &Doc) -> &'static str {
    match Task::read(task) {
        Ok(Task::PolicyImport(Import { check: true, .. }))
            if answer.at("refused_count").is_there() =>
        {
            "take"
        }
        Ok(Task::PolicyExport {
            format: Some(_), ..
        }) if answer.at("text").is_there() => "download",
        _ => "",
    }
}
