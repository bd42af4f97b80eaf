//! `cargo xtask`: words to calls. Never: logic.

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(about = "The workshop of Postseal", disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// All that CI runs, each step with its command; the tests come last.
    Check,
    /// The laws of the house: sizes, directions, purity, licences. Prints all offences at once.
    Tidy,
    /// Writes what is made of the code: docs/reference.
    Codegen,
    /// Compares Postseal with the bare commands (`cargo xtask bench --help`).
    #[command(disable_help_flag = true)]
    Bench {
        /// Handed on to the scenarios.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let root = xtask::workspace_root();
    match Arguments::parse().verb {
        Verb::Check => xtask::check::run(&root),
        Verb::Tidy => xtask::tidy::main(&root),
        Verb::Codegen => xtask::codegen::run(&root),
        Verb::Bench { arguments } => xtask::bench::launch(&root, &arguments),
    }
}
