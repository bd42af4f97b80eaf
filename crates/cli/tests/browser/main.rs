//! The console in a real browser: what an administrator does by clicking, and what the wire shows then.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../scene/mod.rs"]
mod scene;
#[allow(dead_code, reason = "each test binary uses a part of it")]
#[path = "../agent/site.rs"]
mod site;

mod acme;
mod browser;
mod failures;
mod hour;
mod kept;
mod look;
mod many;
mod person;
mod picker;
mod requests;
mod straits;
