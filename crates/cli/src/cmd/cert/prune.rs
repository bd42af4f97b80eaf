//! `cert prune`: superseded files of `postseal.d` go.
//!
//! Owns: its words. Never: decides which.

use crate::answer::Answer;
use crate::change::Change;
use crate::config::Global;
use crate::failure::Failure;
use crate::session::Session;
use postseal_planner::{Finding, Severity};
use serde_json::json;
use std::path::PathBuf;

pub(super) fn prune(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let gone = session.engine().prune()?;
    let mut text = match gone.len() {
        0 => "Nothing is superseded.\n".to_owned(),
        1 => "1 superseded file is removed:\n".to_owned(),
        n => format!("{n} superseded files are removed:\n"),
    };
    let mut change = Change::default();
    for path in &gone {
        text.push_str(&format!("  {}\n", path.display()));
        change = change.of(path.display().to_string(), "there", None::<String>);
    }
    Ok(Answer::new(text, change.document(json!({"removed": gone}))))
}

/// That there is something to remove.
pub(super) fn finding(superseded: &[PathBuf]) -> Option<Finding> {
    let first = superseded.first()?;
    let message = match superseded.len() {
        1 => "1 file in postseal.d, a key or a map, is named by nothing any more.".to_owned(),
        n => format!("{n} files in postseal.d, keys and maps, are named by nothing any more."),
    };
    let remedy = "`postseal cert prune` removes them; a rollback writes anew what it needs.";
    let finding = Finding::new("cert.superseded-files", Severity::Info, message, remedy);
    Some(finding.seen(first.display().to_string()))
}
