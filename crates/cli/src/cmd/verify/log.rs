//! What the live log said, in words.
//!
//! Owns: the words of `verify`, and the document. Never: reads a log.

use crate::answer::findings_text;
use postseal_engine::LiveLog;
use postseal_planner::Finding;
use serde_json::{Value, json};

/// What it says against TLS.
pub(super) fn findings(log: &LiveLog) -> &[Finding] {
    match log {
        LiveLog::Read(seen) => &seen.findings,
        LiveLog::Undetermined(_) => &[],
    }
}

/// Whether nothing is known of it.
pub(super) const fn is_undetermined(log: &LiveLog) -> bool {
    matches!(log, LiveLog::Undetermined(_))
}

/// What is told of it.
pub(super) fn line(log: &LiveLog) -> String {
    let seen = match log {
        LiveLog::Read(seen) => seen,
        LiveLog::Undetermined(why) => return format!("? log: undetermined: {why}.\n"),
    };
    let since = match seen.since_reload {
        true => "since the last reload",
        false => "in its newest part",
    };
    match seen.findings.as_slice() {
        [] => format!("Log ({}): nothing against TLS {since}.\n", seen.source),
        findings => format!("Log ({}), {since}:\n", seen.source) + &findings_text(findings),
    }
}

/// The document.
pub(super) fn document(log: &LiveLog) -> Value {
    match log {
        LiveLog::Read(seen) => json!({
            "outcome": "seen",
            "source": seen.source,
            "since_reload": seen.since_reload,
            "findings": seen.findings,
        }),
        LiveLog::Undetermined(why) => json!({"outcome": "undetermined", "why": why}),
    }
}
