//! `try`: the whole main job on two private Postfix instances.
//!
//! Owns: the options. Never: touches the host's own Postfix; `sandbox` does the work.

use crate::answer::Answer;
use crate::config::Global;
use crate::failure::Failure;
use crate::sandbox;
use crate::session::require_root;
use std::path::PathBuf;

/// Arguments of `try`.
#[derive(Debug, clap::Args)]
pub(crate) struct TryArgs {
    /// Where to put the instances [default: a new folder in the system's temporary folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Leave both instances running afterwards, with the console on one of them
    #[arg(long)]
    pub(crate) keep: bool,
    /// Wait for Enter after each step, for a look around
    #[arg(long)]
    pub(crate) pause: bool,
}

pub(crate) fn run(args: &TryArgs, global: &Global) -> Result<Answer, Failure> {
    require_root("postseal try")?;
    sandbox::run(args, global)
}
