//! Findings that an administrator knows and does not want to be told of.
//!
//! Owns: `[lint] ignore` of postseal.toml held against findings. Never: drops one without a
//! reason that somebody wrote down, or without counting it.

use crate::config::{Global, Ignore};
use crate::failure::{Exit, Failure};
use postseal_planner::Finding;
use postseal_planner::finding::Evidence;
use postseal_planner::lint;

/// Findings, and those that are not to be told.
pub(super) struct Told {
    pub(super) findings: Vec<Finding>,
    /// Each with the reason.
    pub(super) ignored: Vec<(Finding, String)>,
}

/// Sorts out what is not to be told.
pub(super) fn sort(findings: Vec<Finding>, global: &Global) -> Result<Told, Failure> {
    for one in &global.ignore {
        check(one)?;
    }
    let mut told = Told {
        findings: Vec::with_capacity(findings.len()),
        ignored: Vec::new(),
    };
    for finding in findings {
        match global.ignore.iter().find(|one| meets(one, &finding)) {
            Some(one) => told.ignored.push((finding, one.reason.trim().to_owned())),
            None => told.findings.push(finding),
        }
    }
    Ok(told)
}

/// Whether somebody wrote down that a finding is to stay.
pub(super) fn is_ignored(finding: &Finding, global: &Global) -> bool {
    global.ignore.iter().any(|one| meets(one, finding))
}

fn check(one: &Ignore) -> Result<(), Failure> {
    let bad = |code: &'static str, message: String, hint: &'static str| {
        Err(Failure::new(Exit::Data, code, message).hint(hint))
    };
    if one.reason.trim().is_empty() {
        return bad(
            "lint.no-reason",
            format!("[lint] ignore of {:?} gives no reason", one.code),
            "Write reason = \"…\" beside it in postseal.toml: who reads it later wants to know.",
        );
    }
    if lint::explained(&one.code).is_none() {
        return bad(
            "lint.unknown-code",
            format!(
                "[lint] ignore names {:?}, which is no code of lint's",
                one.code
            ),
            "The codes stand in brackets after each finding.",
        );
    }
    Ok(())
}

fn meets(one: &Ignore, finding: &Finding) -> bool {
    let words = one.place.as_deref();
    let there = |words: &str| {
        finding
            .evidence
            .iter()
            .any(|seen| place(seen).contains(words))
    };
    finding.code == one.code.as_str() && words.is_none_or(there)
}

/// `FILE:LINE: text`, as the answer shows it.
fn place(seen: &Evidence) -> String {
    let file = seen.file.as_ref().map(|file| file.display().to_string());
    match (file, seen.line) {
        (Some(file), Some(line)) => format!("{file}:{line}: {}", seen.text),
        (Some(file), None) => format!("{file}: {}", seen.text),
        (None, _) => seen.text.clone(),
    }
}
