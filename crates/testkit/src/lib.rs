//! Real and false parts for tests.
//!
//! Owns: what stands in for the world in tests. Never: ships.

pub mod beside;
pub mod broken;
pub mod dice;
pub mod dns_script;
pub mod dns_server;
pub mod edited;
pub mod fake_host;
pub mod https_script;
pub mod pebble;
pub mod postfix_box;
pub mod postgres;
pub mod resolver;
#[expect(
    clippy::unwrap_used,
    reason = "what it cannot make or read fails the test that uses it"
)]
pub mod scripted_ca;
pub mod smtp_script;
pub mod trivial_rewrite;
