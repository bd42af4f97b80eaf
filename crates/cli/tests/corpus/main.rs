//! Real servers' files: what is set and rolled back leaves bytes, owner, mode, extended attributes
//! and the symbolic link as they were.
//!
//! Covered, for every main.cf and master.cf of the corpus: the host alone (`host.rs`), then the
//! whole program with a real rehearsal (`mains.rs`, `masters.rs`). That a plan and its reverse give
//! the same bytes for each file, with many more wishes, is shown beside the planner
//! (`crates/planner/tests/corpus.rs`); that an edit changes only its lines, and that Postfix reads
//! what we read, beside `postfix-cf` (`crates/postfix-cf/tests/corpus`).
//!
//! The corpus stands outside the repository; where it is missing, that is said aloud.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod host;
mod mains;
mod masters;
mod place;
#[path = "../scene/mod.rs"]
mod scene;
mod shown;
mod walk;
