//! `--force`, `--reason`, `--no-preflight`: what is done about checks before a rule is stored.
//!
//! Owns: these words, wherever rules are wished. Never: checks.

use super::rule::bad;
use crate::failure::Failure;
use clap::Args;
use postseal_engine::{Forced, Look, PreflightOptions};
use postseal_planner::policy::About;

/// What is done about checks.
#[derive(Debug, Args)]
pub(crate) struct Checks {
    /// Store it although a check speaks against it
    #[arg(long, requires = "reason")]
    force: bool,
    /// Why; it is kept with the rule
    #[arg(long, value_name = "TEXT", requires = "force")]
    reason: Option<String>,
    /// Do not look at the servers now; `apply` does
    #[arg(long)]
    no_preflight: bool,
}

impl Checks {
    /// What becomes of a rule that something speaks against, and whether its servers are looked at.
    pub(crate) fn asked(&self) -> Result<(Forced, Look), Failure> {
        let look = match self.no_preflight {
            true => Look::Never,
            false => Look::Servers(PreflightOptions::default()),
        };
        let Some(reason) = self.reason.clone() else {
            return Ok((Forced::No, look));
        };
        let reason = About::checked_reason(reason).map_err(bad)?;
        Ok((reason.map_or(Forced::No, Forced::Because), look))
    }
}
