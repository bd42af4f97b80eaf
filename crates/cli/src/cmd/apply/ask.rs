//! Asking on a terminal whether to go on.
//!
//! Owns: the questions. Never: asks a program; what it must say stands in `--yes` and `--accept`.

use super::ChangeArgs;
use crate::cmd::plan;
use crate::config::{Global, Output};
use crate::failure::{Exit, Failure};
use postseal_engine::{Acceptance, Proposal};
use std::io::{IsTerminal, Write};

/// Whether there is somebody to ask, who wants to be asked.
pub(super) fn may_ask(args: &ChangeArgs, global: &Global) -> bool {
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    terminal && !args.yes && global.output == Output::Text
}

/// Shows the plan and asks: a plain yes, or the host's name where the risk wants it typed.
pub(super) fn ask(proposal: &Proposal, accepted: &mut Vec<Acceptance>) -> Result<(), Failure> {
    if !proposal.has_news() {
        return Ok(());
    }
    eprint!("{}", plan::text(proposal));
    let open = proposal
        .plan
        .confirmations
        .iter()
        .filter(|wanted| !accepted.iter().any(|a| a.code == wanted.code));
    let mut typed = Vec::new();
    for wanted in open {
        let answer = prompt(&format!("Type {} to accept this: ", wanted.answer))?;
        typed.push(Acceptance {
            code: wanted.code.clone(),
            answer,
        });
    }
    if typed.is_empty()
        && !["y", "yes"].contains(&prompt("Apply this plan? [y/N] ")?.to_lowercase().as_str())
    {
        return Err(Failure::new(
            Exit::Failed,
            "apply.declined",
            "nothing was changed".to_owned(),
        ));
    }
    accepted.extend(typed);
    Ok(())
}

fn prompt(question: &str) -> Result<String, Failure> {
    eprint!("{question}");
    let failed =
        |error: std::io::Error| Failure::new(Exit::Failed, "apply.no-answer", error.to_string());
    std::io::stderr().flush().map_err(failed)?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(failed)?;
    Ok(line.trim().to_owned())
}
