//! `policy`: TLS by destination.
//!
//! Owns: which file answers which of its verbs. Never: logic.

pub(crate) mod check;

use crate::answer::Answer;
use crate::config::Global;
use crate::failure::Failure;

/// The verbs of `policy`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PolicyCommand {
    /// Look at the servers of destinations: would a policy work there today? Needs no store
    Check(check::CheckArgs),
}

pub(crate) fn run(command: &PolicyCommand, global: &Global) -> Result<Answer, Failure> {
    match command {
        PolicyCommand::Check(args) => check::run(args, global),
    }
}
