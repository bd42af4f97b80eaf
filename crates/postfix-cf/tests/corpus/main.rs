//! Every main.cf and master.cf of the corpus, held against the real `postconf`.
//!
//! Owns: the proof that what this crate reads and writes is what Postfix reads. The corpus is not
//! part of the project; where it or `postconf` is missing these tests fail and say so.

mod corpus;
mod main_cf;
mod master_cf;
mod postconf;
