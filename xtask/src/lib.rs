//! The workshop: what CI runs, the laws of the house as a test, and the benchmark harness.
//!
//! Owns: `check`, `tidy`, `codegen`, `bench`. Never: ships, or is a dependency of what ships. A library as
//! well as a program, so that the tidy rules run among the tests and the benchmark scenarios
//! (in `benches/`, where they may use the test kit) share one harness.

pub mod bench;
pub mod check;
pub mod codegen;
pub mod tidy;

use std::path::PathBuf;

/// The workspace's folder: the one above this crate. Cargo says where that is: a program that was
/// built in another checkout, with the same target folder, must not look at that one.
#[must_use]
pub fn workspace_root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = here.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    here.parent().unwrap_or(&here).to_path_buf()
}

/// The cargo that runs us, so that a pinned toolchain stays pinned.
#[must_use]
pub fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}
