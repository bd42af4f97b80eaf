//! `--force`, `--reason`, `--no-preflight`, `--timeout`: what is done about checks before a rule is stored.
//!
//! Owns: these words, wherever rules are wished. Never: checks.

use super::rule::bad;
use crate::failure::Failure;
use clap::Args;
use postseal_engine::{Forced, Look, PreflightOptions};
use postseal_planner::policy::About;
use std::time::Duration;

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
    #[command(flatten)]
    patience: Patience,
}

/// How long a look at servers may take.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Patience {
    /// Seconds for a look, DNS included; some servers let a new client wait for their greeting [default: 20 for one server, 30 for DNS]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=300))]
    timeout: Option<u64>,
}

impl Patience {
    /// As much as a look may do.
    pub(crate) fn options(self) -> PreflightOptions {
        let usual = PreflightOptions::default();
        let said = self.timeout.map(Duration::from_secs);
        said.map_or(usual, |patience| usual.within(patience))
    }
}

impl Checks {
    /// What becomes of a rule that something speaks against, and whether its servers are looked at.
    pub(crate) fn asked(&self) -> Result<(Forced, Look), Failure> {
        let look = match self.no_preflight {
            true => Look::Never,
            false => Look::Servers(self.patience.options()),
        };
        let Some(reason) = self.reason.clone() else {
            return Ok((Forced::No, look));
        };
        let reason = About::checked_reason(reason).map_err(bad)?;
        Ok((reason.map_or(Forced::No, Forced::Because), look))
    }
}
