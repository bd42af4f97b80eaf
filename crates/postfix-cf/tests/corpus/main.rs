//! Every main.cf and master.cf of the corpus, held against the real `postconf`.
//!
//! Owns: the proof that what this crate reads and writes is what Postfix reads. The corpus is not
//! part of the project; where it is missing these tests say so. Without `postconf` they fail.

#![expect(
    clippy::expect_used,
    reason = "a test ends where its ground is missing"
)]

mod corpus;
mod main_cf;
mod master_cf;
mod postconf;
