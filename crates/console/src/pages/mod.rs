//! Pages, as people read them.
//!
//! Owns: what is on each. Never: a way around the door (`routes`) or the filing of tasks (`filing`); markup in Rust,
//! which is in `templates/`.

mod entry;
mod filters;

pub(crate) use entry::{of_problem, sign_in, sign_in_first, welcome};

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};

/// A page, written.
fn page(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
