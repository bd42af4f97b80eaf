//! The one path of a change on a host in memory: every step can fail or be the last one, and the
//! files are the old ones or the new ones.
//!
//! Owns: the engine's own tests (L2). Never: a Postfix, a network, a real clock.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod bench;
mod clock;
mod guard;
mod refused;
mod rollback;
mod steps;
mod store;
mod watched;
mod wire;
mod wishes;
