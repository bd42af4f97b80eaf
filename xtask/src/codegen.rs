//! `cargo xtask codegen`: writes what is made of the code, and checked against it by tests.
//!
//! Owns: the list of tests that write when they are told to (`BLESS=1`). Never: makes anything
//! itself: what is written and what is checked is one piece of code.

use std::path::Path;
use std::process::{Command, ExitCode};

/// Test binary, test.
const WRITERS: &[[&str; 2]] = &[
    ["lint", "reference::the_reference_says_what_the_rules_say"],
    ["console", "openapi::the_description_is_as_the_code_says"],
    // Put together of sections, which the tests beside it write on a real Postfix.
    ["fix", "sources::the_sources_stand_side_by_side"],
];

/// Writes all of it; fails when something could not be written.
#[must_use]
pub fn run(root: &Path) -> ExitCode {
    let mut ended = ExitCode::SUCCESS;
    for [binary, test] in WRITERS {
        let mut command = Command::new(crate::cargo());
        command
            // Of the whole workspace, so that nothing is built anew with other features.
            .args(["test", "--quiet", "--workspace", "--test", binary])
            .args(["--", "--exact", test])
            .env("BLESS", "1")
            .current_dir(root);
        match command.status() {
            Ok(status) if status.success() => {}
            Ok(_) => ended = ExitCode::FAILURE,
            Err(error) => {
                eprintln!("codegen: cannot run cargo: {error}");
                ended = ExitCode::FAILURE;
            }
        }
    }
    ended
}
