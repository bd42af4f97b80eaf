//! `policy`: rules for destinations, from a wish to what a real Postfix looks up, and back.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../scene/mod.rs"]
mod scene;

mod faults;
mod place;
mod rules;
