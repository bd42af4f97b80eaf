//! `probe` against real servers, a real DNS, and servers that are as wrong as servers can be.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../scene/mod.rs"]
mod scene;

mod bad;
mod beside;
mod domains;
mod held;
mod lists;
mod servers;
mod starttls;
mod world;
