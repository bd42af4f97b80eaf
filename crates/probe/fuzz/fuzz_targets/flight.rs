//! Whatever reads a server's bytes of TLS, on any bytes. In this folder's parent, with flights of
//! OpenSSL as seeds:
//!
//! `mkdir -p fuzz/corpus/flight && FLIGHT_SEEDS=$PWD/fuzz/corpus/flight cargo test --test flights`
//! `cargo +nightly fuzz run flight fuzz/corpus/flight -- -max_len=20000`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/exercise/mod.rs"]
mod exercise;

fuzz_target!(|bytes: &[u8]| exercise::exercise(bytes));
