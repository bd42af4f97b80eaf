//! `verify`: the wire against what is in force.
//!
//! Owns: the words and the exit code. Never: judges.

mod log;

use super::apply::proved;
use crate::answer::{Answer, findings_text};
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use postseal_engine::{DriftReport, MapAnswers, Verified};
use postseal_planner::facts::MasterState;
use postseal_planner::report::{Outcome, Verdict};
use postseal_planner::{Finding, Severity, is_of_validity, is_too_old};
use serde_json::json;

pub(crate) fn run(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::reading(global)?;
    let verified = session.engine().verify()?;
    let verdict = &verified.verdict;
    let stopped = verified.master == MasterState::Stopped;
    let outbound = outbound(&verified);
    let beside = beside(&verified);
    let mut text = match stopped {
        true => "Postfix does not run.\n".to_owned(),
        false => String::new(),
    };
    text.push_str(&proved(verdict));
    text.push_str(&edited(&verified.drift));
    text.push_str(&findings_text(verified.findings.iter().chain(&outbound)));
    text.push_str(&asked(&verified.map));
    text.push_str(&super::sent::line(&verified.sent));
    text.push_str(&log::line(&verified.log));
    let warned = is_warned(&verified, &outbound);
    text.push_str(&last_sentence(&verified, (stopped, beside, warned)));
    let document = json!({
        "changed": false,
        "outcome": verdict.outcome(),
        "master_running": !stopped,
        "drift": verified.drift.drift,
        "drift_files": verified.drift.files,
        "drift_tables": verified.drift.tables,
        "judgements": verdict.judgements,
        "reports": verified.reports,
        "outbound": super::sent::document(&verified.sent),
        "log": log::document(&verified.log),
        "rules_asked": verified.map.asked,
        "findings": verified.findings.iter().chain(&outbound).chain(&verified.map.findings)
            .chain(log::findings(&verified.log)).collect::<Vec<_>>(),
    });
    let exit = match exit(verdict, verified.master) {
        // What was seen to be wrong is so, whatever else could not be seen.
        Exit::Done | Exit::Undetermined if beside.is_some() => Exit::Failed,
        Exit::Done if log::is_undetermined(&verified.log) => Exit::Undetermined,
        exit => exit,
    };
    Ok(Answer::new(text, document).exit(exit))
}

/// What all of it comes to.
fn last_sentence(
    verified: &Verified,
    (stopped, beside, warned): (bool, Option<&'static str>, bool),
) -> String {
    let verdict = &verified.verdict;
    let shadowed = verified.rules.shadowed().next().is_some();
    let sentence = match (verdict.outcome(), beside) {
        (Outcome::Pass, Some(wrong)) if !stopped => wrong,
        (Outcome::Pass, None) if log::is_undetermined(&verified.log) && !stopped => {
            "The wire shows what is in force; what is logged could not be seen."
        }
        (Outcome::Pass, None) if shadowed && !stopped => {
            "The wire shows what is in force; a table that is asked before the rules decides in their place."
        }
        (Outcome::Pass, None) if !stopped && has(&verified.waits, Severity::Warning) => {
            "The wire shows what is in force; mail waits for TLS."
        }
        (Outcome::Pass, None) if !stopped && warned => "The wire shows what is in force.",
        (Outcome::Pass, None) if !stopped && super::sent::is_unseen(&verified.sent) => {
            "Everything that was looked at is as it should be; outbound: no delivery was seen."
        }
        (Outcome::Pass, None) if !stopped => "Everything is as it should be.",
        (Outcome::Fail, _) => {
            outdated(verdict).unwrap_or("The wire does not show what is in force.")
        }
        (_, Some(_)) => "There are errors, and not everything could be seen.",
        (_, None) => "Not everything could be seen.",
    };
    format!("{sentence}\n")
}

/// What is said of deliveries: of mail that waits, of credentials, and of the rules for destinations.
fn outbound(verified: &Verified) -> Vec<Finding> {
    let credentials = verified.exposed.iter().chain(&verified.untold);
    let mut told: Vec<Finding> = verified.waits.iter().chain(credentials).cloned().collect();
    told.extend(verified.rules.findings());
    told
}

fn is_warned(verified: &Verified, outbound: &[Finding]) -> bool {
    let log = log::findings(&verified.log);
    let told = [&*verified.findings, outbound, log];
    told.iter().any(|findings| has(findings, Severity::Warning))
}

/// What is wrong beside the wire, the gravest only.
fn beside(verified: &Verified) -> Option<&'static str> {
    if has(&verified.exposed, Severity::Error) {
        Some("The wire shows what is in force; credentials may be sent in clear.")
    } else if !verified.drift.files.is_empty() {
        Some("The wire shows what is in force; what Postfix would read at its next start does not.")
    } else if has(&verified.findings, Severity::Error) {
        Some("What is published in DNS does not match what is presented.")
    } else if has(log::findings(&verified.log), Severity::Error) {
        Some(
            "The wire shows what is in force; the log tells of faults in TLS since the last reload.",
        )
    } else if has(&verified.waits, Severity::Error) {
        Some("The wire shows what is in force; mail waits for TLS that this host cannot do.")
    } else if !verified.map.findings.is_empty() {
        Some(
            "The wire shows what is in force; the map of the rules for destinations does not answer as they say.",
        )
    } else if verified.rules.is_wrong() {
        Some("The wire shows what is in force; rules for destinations do not do what they say.")
    } else {
        None
    }
}

/// Whether one of the findings is at least so bad.
fn has(findings: &[Finding], severity: Severity) -> bool {
    findings.iter().any(|one| one.severity >= severity)
}

/// Where nothing else fails than that what is served has had its day.
fn outdated(verdict: &Verdict) -> Option<&'static str> {
    let findings = || verdict.judgements.iter().flat_map(|one| &one.findings);
    let is_outdated = |one: &Finding| is_of_validity(one) || is_too_old(one);
    let is_so = findings().all(is_outdated);
    is_so.then(|| match findings().any(is_too_old) {
        true => "The wire shows what is in force, and that is out of use.",
        false => "The wire shows what is in force, and that is not valid today.",
    })
}

/// What was edited by hand.
fn edited(drift: &DriftReport) -> String {
    let mut text = String::new();
    if !drift.drift.is_empty() {
        text.push_str("Owned keys were edited by hand; the wire was compared with what is in force. See `postseal drift`.\n");
    }
    if !drift.files.is_empty() {
        text.push_str("Files of postseal.d are not as they were written. See `postseal drift`.\n");
    }
    if !drift.tables.is_empty() {
        text.push_str(
            "Tables of policies whose rows are rules were edited by hand. See `postseal drift`.\n",
        );
    }
    text
}

/// How the map of the rules answered.
fn asked(map: &MapAnswers) -> String {
    let keys = match map.asked {
        0 => return String::new(),
        1 => "1 key was".to_owned(),
        n => format!("{n} keys were"),
    };
    match map.findings.as_slice() {
        [] => format!(
            "Rules for destinations: {keys} asked of their map, and answered as the rules say.\n"
        ),
        findings => findings_text(findings) + &format!("{keys} asked.\n"),
    }
}

fn exit(verdict: &Verdict, master: MasterState) -> Exit {
    match verdict.outcome() {
        Outcome::Fail => Exit::Failed,
        Outcome::Undetermined => Exit::Undetermined,
        Outcome::Pass if master == MasterState::Stopped => Exit::Undetermined,
        Outcome::Pass => Exit::Done,
    }
}
