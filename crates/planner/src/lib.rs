//! From what is wanted and what is, to a plan.
//!
//! Owns: [`Intent`] (what an operator wants), [`Facts`] (what a host is at one moment), the
//! catalogue of Postfix's TLS parameters, [`plan()`], lints, verdicts and explanations.
//! Never: I/O, async, a clock, randomness, printing. The same input gives the same plan, so a
//! plan can be read, stored, and made again to see whether the world has moved.

pub mod delivery;
pub mod catalog;
pub mod digest;
pub mod facts;
pub mod finding;
pub mod intent;
pub mod plan;
pub mod report;
pub mod version;

pub use digest::Digest;
pub use facts::Facts;
pub use finding::{Finding, Refusal, Severity};
pub use intent::{Intent, Wish};
pub use plan::Plan;
pub use report::{Report, Verdict};
pub use version::PostfixVersion;
