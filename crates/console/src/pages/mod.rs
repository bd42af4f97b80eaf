//! Pages, as people read them.
//!
//! Owns: what is on each. Never: a way around the door (`routes`) or the filing of tasks (`filing`); markup in Rust,
//! which is in `templates/`.

mod advanced;
mod certificate;
pub(crate) mod certificates;
mod doc;
pub(crate) mod domains;
pub(crate) mod edits;
mod entry;
mod filters;
mod finding;
mod frame;
mod glance;
pub(crate) mod history;
pub(crate) mod job;
pub(crate) mod lists;
pub(crate) mod notifications;
pub(crate) mod overview;
mod picker;
pub(crate) mod plan;
mod planned;
pub(crate) mod policies;
pub(crate) mod probe;
mod saved;
pub(crate) mod search;
pub(crate) mod settings;
pub(crate) mod smtp_tls;
mod told;
pub(crate) mod totp;
mod typed;
mod waits;
mod when;

pub(crate) use entry::{of_problem, sign_in, sign_in_first, welcome};

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};

/// A page, written.
fn page(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// To the page of a job that was filed.
fn led_to_job(id: u64) -> Response {
    Redirect::to(&format!("/jobs/{id}")).into_response()
}
