//! This host's names of services, for the ports of next hops.
//!
//! Owns: reading them, where a rule needs them. Never: judges (the planner does).

use postseal_host::Host;
use postseal_planner::Finding;
use postseal_planner::facts::FileLook;
use postseal_planner::policy::{Rule, SERVICES, names_a_service, unknown_service};
use std::cell::LazyCell;
use std::path::Path;

/// That a rule's next hop has a port by a name that this host does not know, for each of some rules.
pub(super) fn unknown(host: &dyn Host, rules: &[&Rule]) -> Vec<Option<Finding>> {
    let services = LazyCell::new(|| match host.read(Path::new(SERVICES)) {
        FileLook::File { bytes, .. } => String::from_utf8_lossy(&bytes).into_owned(),
        _ => String::new(),
    });
    let one = |rule: &&Rule| match names_a_service(rule) {
        true => unknown_service(rule, &services),
        false => None,
    };
    rules.iter().map(one).collect()
}
