//! Every TLS directive that the guides name, and every word of `postseal set`, on a real Postfix
//! through the real program: wished for, planned, rehearsed, shown by `postconf`, undone byte for
//! byte; obsolete ones are refused with their replacement, bad values with their code.
//!
//! The directives stand in `directives.tsv`, a line each.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../scene/mod.rs"]
mod scene;

mod list;
mod profiles;
mod rounds;
mod services;
mod walk;
mod words;
