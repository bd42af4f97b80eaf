//! Certificates from a real CA for tests (Pebble), through a real name server (Knot DNS), and
//! from scripted servers that do what no real one would.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "acme/certificates.rs"]
mod certificates;
#[path = "acme/failures.rs"]
mod failures;
#[path = "acme/scene.rs"]
mod scene;
#[path = "acme/scripted.rs"]
mod scripted;
#[path = "acme/updates.rs"]
mod updates;
