//! The API, version 1.
//!
//! Owns: its routes and documents, and the description of both (OpenAPI). Never: a way around the door (`routes`) or
//! the filing of tasks (`filing`).

pub(crate) mod copies;
pub(crate) mod events;
pub(crate) mod jobs;
mod openapi;
mod people;
mod routes;
pub(crate) mod tags;

pub(crate) use openapi::Spec;
pub(crate) use routes::ROUTES;
pub(crate) mod policies;

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

/// A document as JSON.
fn json(document: &impl Serialize) -> Response {
    let text = serde_json::to_string(document).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
