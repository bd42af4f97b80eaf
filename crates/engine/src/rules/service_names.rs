//! This host's names of services, for the ports of next hops.
//!
//! Owns: reading them, where a next hop needs them. Never: judges (the planner does).

use postseal_host::Host;
use postseal_planner::Finding;
use postseal_planner::facts::FileLook;
use postseal_planner::policy::{Rule, SERVICES, names_a_service, unknown_service};
use std::cell::LazyCell;
use std::path::Path;

/// That a rule's next hop has a port by a name that this host does not know, for each of some rules.
pub(super) fn unknown(host: &dyn Host, rules: &[&Rule]) -> Vec<Option<Finding>> {
    let services = LazyCell::new(|| read(host));
    let one = |rule: &&Rule| {
        let (nexthop, shown) = (&rule.id.destination, rule.id.shown());
        if !names_a_service(nexthop) {
            return None;
        }
        let found = unknown_service(nexthop, &shown, &services)?;
        Some(found.seen(format!("{shown} {}", rule.policy)))
    };
    rules.iter().map(one).collect()
}

/// The same of a next hop.
pub(crate) fn unknown_port(host: &dyn Host, nexthop: &str) -> Option<Finding> {
    if !names_a_service(nexthop) {
        return None;
    }
    let found = unknown_service(nexthop, nexthop, &read(host))?;
    Some(found.seen(nexthop.to_owned()))
}

fn read(host: &dyn Host) -> String {
    match host.read(Path::new(SERVICES)) {
        FileLook::File { bytes, .. } => String::from_utf8_lossy(&bytes).into_owned(),
        _ => String::new(),
    }
}
