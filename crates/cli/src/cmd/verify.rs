//! `verify`: the wire against what is in force.
//!
//! Owns: the words and the exit code. Never: judges.

use super::apply::proved;
use crate::answer::{Answer, findings_text};
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use postseal_planner::Severity;
use postseal_planner::facts::MasterState;
use postseal_planner::report::{Outcome, Verdict};
use serde_json::json;

pub(crate) fn run(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::reading(global)?;
    let verified = session.engine().verify()?;
    let verdict = &verified.verdict;
    let mismatch = verified
        .findings
        .iter()
        .any(|finding| finding.severity >= Severity::Error);
    let stopped = verified.master == MasterState::Stopped;
    let mut text = if stopped {
        "Postfix does not run.\n".to_owned()
    } else {
        String::new()
    };
    text.push_str(&proved(verdict));
    if !verified.drift.drift.is_empty() {
        text.push_str("Owned keys were edited by hand; the wire was compared with what is in force. See `postseal drift`.\n");
    }
    if !verified.drift.files.is_empty() {
        text.push_str("Files of postseal.d are not as they were written. See `postseal drift`.\n");
    }
    if !verified.drift.tables.is_empty() {
        text.push_str(
            "Tables of policies whose rows are rules were edited by hand. See `postseal drift`.\n",
        );
    }
    let touched = !verified.drift.files.is_empty();
    text.push_str(&findings_text(&verified.findings));
    text.push_str(match verdict.outcome() {
        Outcome::Pass if touched => {
            "The wire shows what is in force; what Postfix would read at its next start does not.\n"
        }
        Outcome::Pass if mismatch => "What is published in DNS does not match what is presented.\n",
        Outcome::Pass if !stopped => "Everything is as it should be.\n",
        Outcome::Fail => "The wire does not show what is in force.\n",
        _ => "Not everything could be seen.\n",
    });
    let document = json!({
        "changed": false,
        "outcome": verdict.outcome(),
        "master_running": !stopped,
        "drift": verified.drift.drift,
        "drift_files": verified.drift.files,
        "drift_tables": verified.drift.tables,
        "judgements": verdict.judgements,
        "reports": verified.reports,
        "findings": verified.findings,
    });
    let exit = match exit(verdict, verified.master) {
        Exit::Done if mismatch || touched => Exit::Failed,
        exit => exit,
    };
    Ok(Answer::new(text, document).exit(exit))
}

fn exit(verdict: &Verdict, master: MasterState) -> Exit {
    match verdict.outcome() {
        Outcome::Fail => Exit::Failed,
        Outcome::Undetermined => Exit::Undetermined,
        Outcome::Pass if master == MasterState::Stopped => Exit::Undetermined,
        Outcome::Pass => Exit::Done,
    }
}
