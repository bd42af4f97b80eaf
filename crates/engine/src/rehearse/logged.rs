//! What a log says of TLS.
//!
//! Owns: log lines as findings, the cause before its consequences, and telling which were there
//! before. Never: looks at a wire.

use postseal_planner::{Finding, Severity};
use std::collections::{BTreeMap, BTreeSet};

/// What the name of a scratch instance's folder begins with.
const SCRATCH: &str = "postseal-scratch-";
/// Words whose next word differs from one time to the next.
const COUNTED: [&str; 2] = ["pid", "line"];

/// Matters that were logged before a change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logged(BTreeMap<String, Finding>);

impl Logged {
    /// Adds what was found.
    pub(crate) fn note(&mut self, findings: &[Finding]) {
        for found in findings {
            let same = self.0.entry(matter(&found.message));
            same.or_insert_with(|| found.clone());
        }
    }

    /// Whether the same was logged before.
    pub(crate) fn had(&self, finding: &Finding) -> bool {
        self.0.contains_key(&matter(&finding.message))
    }

    /// Each matter once.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.0.values().cloned().collect()
    }
}

/// Whether all of `wanted` was logged.
pub(crate) fn are_among(wanted: &[Finding], found: &[Finding]) -> bool {
    let mut logged = Logged::default();
    logged.note(found);
    wanted.iter().all(|finding| logged.had(finding))
}

/// A message without what differs from one process to the next.
fn matter(message: &str) -> String {
    let mut matter = String::new();
    let mut skip = false;
    for word in message.split_inclusive([' ', '/', ',', ':']) {
        let bare = word.trim_end_matches([' ', '/', ',', ':']);
        if !skip && !bare.starts_with(SCRATCH) {
            matter.push_str(word);
        }
        skip = COUNTED.contains(&bare);
    }
    matter
}

/// Whether master(8) has noted that a process died.
pub(crate) fn death_is_noted(log: &[u8]) -> bool {
    maillog::tls_warnings(log).any(|warning| warning.code == "log.process-died")
}

/// What the log says of TLS: the worst first, and of equal weight what was logged first, since a
/// cause is logged before its consequences.
pub(crate) fn log_findings(log: &[u8]) -> Vec<Finding> {
    let mut said = BTreeSet::new();
    let mut findings: Vec<Finding> = maillog::tls_warnings(log)
        .filter(|warning| warning.weight != maillog::Weight::Peer)
        .filter(|warning| said.insert(matter(&warning.message)))
        .map(|warning| {
            let severity = match warning.weight {
                maillog::Weight::Peer | maillog::Weight::Latent => Severity::Warning,
                maillog::Weight::Degrades => Severity::Error,
                maillog::Weight::Kills => Severity::Fatal,
            };
            let remedy = remedy(warning.code);
            Finding::new(warning.code, severity, warning.message.to_string(), remedy)
        })
        .collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// What to do, where it is not the message itself that names the setting.
fn remedy(code: &str) -> &'static str {
    match code {
        "log.tls-library" => {
            "The lines that the same process logged just before name the setting, where it is one; \
             `postseal lint` looks at all of them."
        }
        "log.sni-chain" => {
            "Compile the map of names by `postmap -F`, which takes the keys themselves into it; without \
             `-F` it holds the names of their files. A map of Postseal's: `postseal apply`."
        }
        "log.throttled" | "log.process-died" => {
            "The lines that the process logged before it died name the cause; `postseal lint` looks \
             at the settings."
        }
        _ => {
            "Change the setting or the file that the message names; where it names none, \
              `postseal lint` and the lines of the same process before it do."
        }
    }
}
