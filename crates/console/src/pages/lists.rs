//! The page that is a list of what the agent saw: findings.
//!
//! Owns: it. Never: changes anything.

use super::finding::Found;
use super::frame::{Frame, View};
use super::when::When;
use super::{filters, page};
use crate::app::App;
use crate::caller::Caller;
use crate::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

#[derive(Template)]
#[template(path = "findings.html")]
struct Findings {
    frame: Frame,
    copied: When,
    is_there: bool,
    /// Why nobody could look; empty where somebody could.
    hindered: String,
    findings: Vec<Found>,
}

pub(crate) async fn findings(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let mut view = View::of(&app, &caller, "findings", &["findings"]).await?;
    let seen = view.take("findings");
    let shown = Findings {
        is_there: seen.doc.is_there(),
        hindered: seen.doc.at("error").text("message"),
        findings: Found::all(&seen.doc, "findings"),
        copied: seen.copied,
        frame: view.frame,
    };
    Ok(page(StatusCode::OK, &shown))
}
