//! Certificates by ACME, end to end: a real CA (Pebble), a real name server (Knot DNS), a real
//! private Postfix, and the real program between them. Each renewal is proved by handshakes of the
//! test's own. A CA by script does what a real one does only on bad days. Needs root, Postfix,
//! pebble and knotd.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../kill/cut.rs"]
#[allow(dead_code, reason = "its lists of cuts are of another story")]
mod cut;
#[path = "../scene/mod.rs"]
mod scene;
#[path = "../certificates/site.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "its other stories are another test's"
)]
mod site;

mod world;

mod faults;
mod issued;
mod jumps;
mod refused;
mod rooted;
mod scripted;
mod secrets;
mod ways;
