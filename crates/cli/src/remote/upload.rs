//! `cert import` from afar: its files are read here, and sealed before they leave.
//!
//! Owns: asking to whom. Never: sends a key that anybody but the store there can read.

use super::http::Client;
use super::{Server, job};
use crate::cmd::cert::import::ImportArgs;
use crate::failure::{Exit, Failure};
use clap::{ArgMatches, FromArgMatches};
use postseal_planner::task::Task;
use serde_json::Value;

/// The task of `cert import`; none where something else was said, or what can be said on the host alone.
pub(super) fn task(words: &ArgMatches, server: &Server) -> Result<Option<Task>, Failure> {
    let Some(said) = said(words) else {
        return Ok(None);
    };
    let reply = Client::new(server)?.get("/api/v1/copies/certificates")?;
    if reply.status != 200 {
        return Err(job::refused(&reply));
    }
    let recipient = reply.body.pointer("/document/recipient");
    let recipient = recipient.and_then(Value::as_str).ok_or_else(|| {
        let text = "the agent there has not told yet to whom uploads are sealed".to_owned();
        Failure::new(Exit::Temporary, "server.no-recipient", text)
            .hint("See whether it runs, and whether the instance is adopted; then try again.")
    })?;
    said.sealed_to(recipient)
}

fn said(words: &ArgMatches) -> Option<ImportArgs> {
    let (_, below) = words.subcommand().filter(|(verb, _)| *verb == "cert")?;
    let (_, own) = below.subcommand().filter(|(verb, _)| *verb == "import")?;
    ImportArgs::from_arg_matches(own).ok()
}
