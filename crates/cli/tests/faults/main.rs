//! Faults around a real private Postfix and the real program: afterwards the old world or the new
//! one is there, Postfix runs as it did, and what was told is what is so.
//!
//! Owns: a story each. Never: a switch inside the program. Needs root and Postfix.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod confirm;
mod container;
mod disk;
mod files;
mod interrupt;
mod permission;
mod postfix;
mod rivals;
mod site;
mod undo;
