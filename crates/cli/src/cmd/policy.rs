//! `policy`: TLS by destination.
//!
//! Owns: which file answers which of its verbs. Never: logic.

pub(crate) mod check;
pub(crate) mod checks;
pub(crate) mod export;
mod follow;
pub(crate) mod import;
pub(crate) mod input;
pub(crate) mod line;
pub(crate) mod list;
pub(crate) mod records;
pub(crate) mod remove;
pub(crate) mod rule;
pub(crate) mod toml;
pub(crate) mod was;

use crate::answer::Answer;
use crate::config::Global;
use crate::failure::Failure;

/// The verbs of `policy`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PolicyCommand {
    /// The rules, as they are and as they are wished
    List(list::ListArgs),
    /// Wish for a rule; it is held against where the mail really goes
    Add(Box<rule::AddArgs>),
    /// Wish for a rule to be another one; what is not said stays
    Edit(Box<rule::EditArgs>),
    /// Wish for rules to be gone
    Remove(remove::RemoveArgs),
    /// Wish that rules which follow their mail are made for the next hops it takes now
    Sync,
    /// Wish for the rules of a file: a Postfix map, CSV, JSON or TOML; all of them or
    /// none
    Import(import::ImportArgs),
    /// Write all rules: as a Postfix map, CSV, JSON or TOML
    Export(export::ExportArgs),
    /// All rules for the console's pages, in pieces on standard error (started by `agent`)
    #[command(hide = true)]
    Rows(list::rows::RowsArgs),
    /// Look at the servers of destinations: would a policy work there today? Needs no store
    Check(check::CheckArgs),
}

pub(crate) fn run(command: &PolicyCommand, global: &Global) -> Result<Answer, Failure> {
    match command {
        PolicyCommand::List(args) => list::run(args, global),
        PolicyCommand::Add(args) => rule::add(args, global),
        PolicyCommand::Edit(args) => rule::edit(args, global),
        PolicyCommand::Remove(args) => remove::run(args, global),
        PolicyCommand::Sync => follow::sync(global),
        PolicyCommand::Import(args) => import::run(args, global),
        PolicyCommand::Export(args) => export::run(args, global),
        PolicyCommand::Rows(args) => list::rows::run(args, global),
        PolicyCommand::Check(args) => check::run(args, global),
    }
}
