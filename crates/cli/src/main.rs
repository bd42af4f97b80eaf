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
mod sandbox;
mod session;
mod table;
mod users;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return failure::usage(&error),
    };
    let global = match config::Global::resolve(&args.global) {
        Ok(global) => global,
        Err(failure) => return failure.print(&config::Global::unresolved(&args.global)),
    };
    match cmd::run(&args.command, &global) {
        Ok(answer) => answer.print(&global),
        Err(failure) => failure.print(&global),
    }
}
