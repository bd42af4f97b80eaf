//! What templates ask of a value.
//!
//! Owns: the filters. Never: marks a text as safe.

#![allow(unreachable_pub, reason = "askama makes an item of it that says so")]

use crate::assets;

/// Where an asset is.
#[askama::filter_fn]
pub(crate) fn asset(name: &str, _: &dyn askama::Values) -> askama::Result<&'static str> {
    Ok(assets::path(name))
}
