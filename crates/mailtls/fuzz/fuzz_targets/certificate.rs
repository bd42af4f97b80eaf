//! Whatever reads certificates and keys, on any bytes. In this folder's parent, with the files of
//! the tests as seeds and new finds in `fuzz/corpus`:
//!
//! `cargo +nightly fuzz run certificate fuzz/corpus/certificate tests/bad-certs -- -max_len=20000`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/exercise/mod.rs"]
mod exercise;

fuzz_target!(|bytes: &[u8]| exercise::exercise(bytes));
