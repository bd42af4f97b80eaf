//! What `explain` says of outbound mail, held against what a real Postfix does with it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../scene/mod.rs"]
mod scene;

mod anchors;
mod checks;
mod ciphers;
mod exchangers;
mod grid;
mod letters;
mod levels;
mod peers;
mod postfixes;
mod preflight;
mod relay;
mod table;
