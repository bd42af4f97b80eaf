//! Settings → Notifications: who is told by mail, of what, and whether Postfix took it.
//!
//! Owns: the page, and the one thing that can be done there: a test. Never: changes who is told. That stands in
//! `postseal.toml`, which is root's: whoever owned the console could silence what would tell of it.

use super::doc::Doc;
use super::frame::{Frame, View};
use super::glance::mark;
use super::when::When;
use super::{filters, led_to_job, page};
use crate::app::App;
use crate::caller::Caller;
use crate::filing;
use crate::matrix::Right;
use crate::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use postseal_planner::task::Task;

#[derive(Template)]
#[template(path = "notifications.html")]
struct Page {
    frame: Frame,
    manages: bool,
    /// Whether the agent has told who is told.
    is_there: bool,
    /// What is wrong in `postseal.toml`, with what to do.
    error: [String; 2],
    /// Each address, and whether it is told of what is critical alone.
    told: Vec<(String, bool)>,
    every: String,
    base: Option<Base>,
    waiting: Option<Waiting>,
    mails: Vec<Mail>,
    copied: When,
}

/// What was told last.
struct Base {
    state: Painted,
    at: When,
    causes: Vec<(Painted, String)>,
}

/// A state as it is painted: its class, its mark, its word.
type Painted = (&'static str, &'static str, String);

/// A change that is not told yet.
struct Waiting {
    since: When,
    tries: String,
    error: String,
}

/// A mail that Postfix took.
struct Mail {
    at: When,
    subject: String,
    to: Vec<String>,
    queue_id: String,
    /// To whom, the state, what the server said.
    delivered: Vec<(String, Painted, String)>,
}

pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let mut view = View::of(&app, &caller, "settings", &["notify"]).await?;
    let seen = view.take("notify");
    let (doc, now_ms) = (seen.doc, view.now_ms);
    let error = doc.at("error");
    let list = |key: &str, alone: bool| doc.words(key).into_iter().map(move |one| (one, alone));
    let shown = Page {
        manages: caller.may(Right::Manage),
        is_there: doc.is_there(),
        error: [error.text("message"), error.text("hint")],
        told: list("to", false).chain(list("critical", true)).collect(),
        every: every(&doc.text("every_seconds")),
        base: Some(doc.at("told")).filter(Doc::is_there).map(|told| Base {
            state: painted(&told.text("state")),
            at: When::read(&told.text("at"), now_ms),
            causes: told
                .list("causes")
                .iter()
                .map(|one| (painted(&one.text("state")), one.text("said")))
                .collect(),
        }),
        waiting: Some(doc.at("hand_in"))
            .filter(Doc::is_there)
            .map(|one| Waiting {
                since: When::read(&one.text("since"), now_ms),
                tries: one.text("tries"),
                error: one.text("error"),
            }),
        mails: doc
            .list("mails")
            .iter()
            .map(|one| mail(one, now_ms))
            .collect(),
        copied: seen.copied,
        frame: view.frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

/// Sends a test; its job tells what came of it.
pub(crate) async fn test(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let job = filing::file(&app, &caller, &Task::NotifyTest {}, None).await?;
    Ok(led_to_job(job))
}

fn mail(mail: &Doc, now_ms: i64) -> Mail {
    let delivered = mail.list("delivered").into_iter().map(|one| {
        let status = one.text("status");
        let class = match status.as_str() {
            "sent" => "pass",
            "deferred" => "warning",
            _ => "fail",
        };
        (
            one.text("to"),
            (class, mark(class), status),
            one.text("words"),
        )
    });
    Mail {
        at: When::read(&mail.text("at"), now_ms),
        subject: mail.text("subject"),
        to: mail.words("to"),
        queue_id: mail.text("queue_id"),
        delivered: delivered.collect(),
    }
}

fn painted(state: &str) -> Painted {
    let class = match state {
        "OK" => "pass",
        "WARNING" => "warning",
        "CRITICAL" => "fail",
        _ => "undetermined",
    };
    (class, mark(class), state.to_owned())
}

/// Seconds in words.
fn every(seconds: &str) -> String {
    match seconds.parse::<u64>() {
        Ok(seconds) if seconds % 60 == 0 && seconds > 60 => format!("{} minutes", seconds / 60),
        Ok(60) => "minute".to_owned(),
        Ok(seconds) => format!("{seconds} seconds"),
        Err(_) => String::new(),
    }
}
