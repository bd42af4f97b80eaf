//! Agent, console and API as they run: the real processes on a private Postfix.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../scene/mod.rs"]
mod scene;

mod attacker;
mod chores;
mod killed;
mod parity;
mod postgres;
mod presented;
mod proxied;
mod rules;
mod site;
mod two_persons;
mod upload;
