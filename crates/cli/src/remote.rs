//! A command that another host's agent carries out (`--server`).
//!
//! Owns: turning words into a task, filing it, waiting for its answer. Never: carries anything out here. What
//! comes back is what the command would have printed there, so each verb answers the same over every way.

mod http;
mod job;
mod task;
mod upload;

use crate::args::Args;
use crate::config::{Global, Output};
use crate::failure::Failure;
use clap::ArgMatches;
use std::process::ExitCode;

/// Where the agent is reached, and by which right.
#[derive(Clone)]
pub(crate) struct Server {
    /// The console's address (`https://mx.example:8443`).
    pub(crate) url: String,
    /// A token of its API.
    pub(crate) token: String,
}

/// No token reaches a log.
impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({})", self.url)
    }
}

/// Has it carried out there, and prints what it answered.
pub(crate) fn run(
    words: &ArgMatches,
    server: &Server,
    global: &Global,
) -> Result<ExitCode, Failure> {
    let command = <Args as clap::CommandFactory>::command();
    let task = match upload::task(words, server)? {
        Some(task) => task,
        None => task::of(words, &command)?,
    };
    let end = job::carry_out(&task, server)?;
    Ok(match global.output {
        Output::Json => end.print_document(),
        Output::Text => end.print_text(),
    })
}
