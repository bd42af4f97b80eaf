//! Agent, console and API as they run: the real processes on a private Postfix.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../scene/mod.rs"]
mod scene;

mod attacker;
mod chores;
mod killed;
mod notify;
mod parity;
mod postgres;
mod presented;
mod proxied;
mod rule_changes;
mod rules;
mod site;
mod two_persons;
mod unadopted;
mod upload;
