//! `lint --fix` as a user calls it: the configurations of four documents that administrators find when
//! they search, mended on a real Postfix; and what it does to files that are not adopted.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../scene/mod.rs"]
mod scene;

mod sources;
mod words;
