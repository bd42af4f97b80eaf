//! The history: what was done, by whom, and the way back.
//!
//! Owns: operations as rows, and rolling one back. Never: undoes anything itself; that is a task.

use super::doc::Doc;
use super::frame::{Frame, View};
use super::glance::mark;
use super::when::When;
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
#[template(path = "history.html")]
struct History {
    frame: Frame,
    copied: When,
    is_there: bool,
    operations: Vec<Done>,
}

/// An operation as it is shown.
pub(crate) struct Done {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) actor: String,
    pub(crate) started: When,
    pub(crate) outcome: String,
    /// Why it ended so, where it was not kept.
    pub(crate) reason: String,
    pub(crate) sentences: Vec<String>,
    pub(crate) diff: String,
}

impl Done {
    pub(crate) fn of(doc: &Doc, now_ms: i64) -> Self {
        Self {
            id: doc.text("operation"),
            subject: doc.text("subject"),
            actor: doc.text("actor"),
            started: When::read(&doc.text("started"), now_ms),
            outcome: outcome(doc),
            reason: doc.at("outcome").text("reason"),
            sentences: doc.words("sentences"),
            diff: doc.long("diff"),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Back {
    operation: u64,
    /// Whether it is only to be seen what it would change.
    check: Option<String>,
}

pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let mut view = View::of(&app, &caller, "history", &["history"]).await?;
    let history = view.take("history");
    let operations = history.doc.list("operations");
    let now = view.now_ms;
    let shown = History {
        is_there: history.doc.is_there(),
        operations: operations.iter().map(|one| Done::of(one, now)).collect(),
        copied: history.copied,
        frame: view.frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

pub(crate) async fn roll_back(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(back): Form<Back>,
) -> Result<Response, Problem> {
    let task = Task::Rollback {
        operation: Some(back.operation),
        check: back.check.is_some(),
        accept: Vec::new(),
        confirm_within: None,
    };
    let job = filing::file(&app, &caller, &task, None).await?;
    Ok(led_to_job(job))
}

impl Done {
    /// How it ended, and why where it was not kept.
    pub(super) fn ended(&self) -> String {
        match self.reason.is_empty() {
            true => self.outcome.clone(),
            false => format!("{}: {}", self.outcome, self.reason),
        }
    }

    /// How its end is painted. One that was kept is not: kept is also what nobody could see.
    pub(super) fn state(&self) -> &'static str {
        match self.outcome.as_str() {
            "kept" => "",
            "not ended" => "undetermined",
            _ => "warning",
        }
    }

    fn mark(&self) -> &'static str {
        match self.state() {
            "" => "",
            state => mark(state),
        }
    }
}

/// How it ended: a word, or an object with one.
fn outcome(doc: &Doc) -> String {
    let word = doc.text("outcome");
    let inner = doc.at("outcome");
    match word.is_empty() {
        false => word,
        true => match (inner.text("outcome"), inner.text("kind")) {
            (word, _) if !word.is_empty() => word,
            (_, word) if !word.is_empty() => word,
            _ if inner.is_there() => "ended".to_owned(),
            _ => "not ended".to_owned(),
        },
    }
}
