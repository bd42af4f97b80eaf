//! Every main.cf and master.cf of the corpus, held against the real `postconf`.
//!
//! Owns: the proof that what this crate reads and writes is what Postfix reads. The corpus is not
//! part of the project; where it or `postconf` is missing these tests fail and say so.

#![expect(
    clippy::expect_used,
    reason = "a test ends where its ground is missing"
)]

mod corpus;
mod main_cf;
mod master_cf;
mod postconf;
