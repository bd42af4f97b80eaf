//! `postseal`: the TLS of a Postfix mail server, from certificate to wire.
//!
//! Owns: nothing but the way in and the way out. Never: logic; words become intents in `cmd`,
//! answers become text or JSON in `answer`.

mod answer;
mod answerer;
mod args;
mod change;
mod cmd;
mod config;
mod desk;
mod failure;
mod guardian;
mod progress;
mod remote;
mod sandbox;
mod session;
mod table;
mod users;

use clap::{CommandFactory, FromArgMatches};
use std::process::ExitCode;

fn main() -> ExitCode {
    let read = args::Args::command()
        .try_get_matches()
        .and_then(|words| Ok((args::Args::from_arg_matches(&words)?, words)));
    let (args, words) = match read {
        Ok(read) => read,
        Err(error) => return failure::usage(&error),
    };
    let global = match config::Global::resolve(&args.global) {
        Ok(global) => global,
        Err(failure) => return failure.print(&config::Global::unresolved(&args.global)),
    };
    let ended = match &global.server {
        Some(server) => remote::run(&words, server, &global),
        None => cmd::run(&args.command, &global).map(|answer| answer.print(&global)),
    };
    ended.unwrap_or_else(|failure| failure.print(&global))
}
