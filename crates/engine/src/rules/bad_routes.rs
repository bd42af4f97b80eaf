//! Routes by which no mail arrives.
//!
//! Owns: finding them in the tables that can be listed and in rows of patterns, and saying each once. Never:
//! decides what a route is worth (`planner/policy/late`, `planner/resolve/patterns`).

use super::judged::next_hops;
use postseal_host::Host;
use postseal_planner::Finding;
use postseal_planner::facts::{Facts, FileLook};
use postseal_planner::policy::late_routes;
use postseal_planner::resolve::{pattern_files, skipped_here, skipped_rows};

/// What is said of routes: to next hops that expect TLS from the first byte by clients that begin in clear,
/// and by rows of patterns that Postfix skips. What `told` says already of rules for the same next hop is
/// left out, and what leads mail by a parameter that is `known` to whoever asks.
pub fn bad_routes(
    host: &dyn Host,
    facts: &Facts,
    told: &[Finding],
    known: &[&str],
) -> Vec<Finding> {
    let mut found = late_routes(facts, &next_hops(host, facts).leads, known);
    found.retain(|one| !is_told(one, told));
    found.extend(skipped_here(facts));
    for (parameter, path) in pattern_files(facts) {
        if let FileLook::File { bytes, .. } = host.read(&path) {
            found.extend(skipped_rows(parameter, &path, &bytes));
        }
    }
    found
}

fn is_told(finding: &Finding, told: &[Finding]) -> bool {
    // The next hop is what the sentence begins with.
    let hop = finding.message.split(' ').next().unwrap_or_default();
    let mut alike = told.iter().filter(|other| other.code == finding.code);
    alike.any(|other| {
        let mut seen = other.evidence.iter().map(|seen| seen.text.as_str());
        other.message.contains(hop) || seen.any(|text| text.contains(hop))
    })
}
