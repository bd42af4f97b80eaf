//! DANE from the side of a mail server: its TLSA records, the guard before a change that senders
//! would not survive, and the rollover of keys. A real signed zone on Knot DNS, a real validating
//! resolver (Unbound), a real Postfix. Needs root.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../scene/mod.rs"]
mod scene;
#[path = "../certificates/site.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "its looks at the wire are of another story"
)]
mod site;

mod guard;
mod oracles;
mod own_map;
mod records;
mod resolvers;
mod rollover;
mod world;
