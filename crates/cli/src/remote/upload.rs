//! `cert import` from afar: its files are read here, and sealed before they leave.
//!
//! Owns: asking to whom. Never: sends a key that anybody but the store there can read.

use super::{Server, job};
use crate::cmd::cert::import::ImportArgs;
use crate::failure::{Exit, Failure};
use clap::{ArgMatches, FromArgMatches};
use postseal_planner::task::Task;

/// The task of `cert import`; none where something else was said, or what can be said on the host alone.
pub(super) fn task(words: &ArgMatches, server: &Server) -> Result<Option<Task>, Failure> {
    let Some(said) = said(words) else {
        return Ok(None);
    };
    said.sealed_to(|| recipient(server))
}

/// To whom the agent's store has uploads sealed.
fn recipient(server: &Server) -> Result<String, Failure> {
    let listed = job::carry_out(&Task::CertList {}, server)?;
    listed.word("recipient").map(str::to_owned).ok_or_else(|| {
        let text = "the agent there does not tell to whom uploads are sealed".to_owned();
        Failure::new(Exit::Temporary, "server.no-recipient", text)
            .hint("See whether the instance there is adopted (`postseal init`); then try again.")
    })
}

fn said(words: &ArgMatches) -> Option<ImportArgs> {
    let (_, below) = words.subcommand().filter(|(verb, _)| *verb == "cert")?;
    let (_, own) = below.subcommand().filter(|(verb, _)| *verb == "import")?;
    ImportArgs::from_arg_matches(own).ok()
}
