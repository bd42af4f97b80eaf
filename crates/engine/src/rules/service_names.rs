//! Ports of next hops that are written as a service's name.
//!
//! Owns: whether this host knows the name. Never: takes a number for one.
//!
//! smtp(8) asks getservbyname(3): mail for a port that has no number waits in the queue.

use postseal_host::Host;
use postseal_planner::facts::FileLook;
use postseal_planner::policy::Rule;
use postseal_planner::preflight::NextHop;
use postseal_planner::{Finding, Severity};
use std::path::Path;

/// Where names of services stand.
const SERVICES: &str = "/etc/services";
/// What no name stands for.
const USUAL: u16 = 25;

/// That a rule's next hop has a port by a name that this host does not know, for each of some rules.
pub(super) fn unknown(host: &dyn Host, rules: &[&Rule]) -> Vec<Option<Finding>> {
    let mut services: Option<String> = None;
    let mut one = |rule: &&Rule| {
        let name = named_port(&rule.id.destination)?;
        let known = services.get_or_insert_with(|| read(host));
        let row = || format!("{} {}", rule.id.shown(), rule.policy);
        (!has(known, name)).then(|| finding(&rule.id.shown(), name).seen(row()))
    };
    rules.iter().map(&mut one).collect()
}

/// The same of a next hop.
pub(crate) fn unknown_port(host: &dyn Host, nexthop: &str) -> Option<Finding> {
    let name = named_port(nexthop)?;
    (!has(&read(host), name)).then(|| finding(nexthop, name).seen(nexthop.to_owned()))
}

fn read(host: &dyn Host) -> String {
    match host.read(Path::new(SERVICES)) {
        FileLook::File { bytes, .. } => String::from_utf8_lossy(&bytes).into_owned(),
        _ => String::new(),
    }
}

/// The name in the place of a port, where it is none of mail's.
fn named_port(destination: &str) -> Option<&str> {
    if NextHop::parse(destination, USUAL).is_ok() {
        return None;
    }
    let (_, port) = destination.rsplit_once(':')?;
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = !is_number && !port.contains(']');
    is_name.then_some(port)
}

/// Whether a table of services(5) has a name, or an alias, of TCP.
fn has(services: &str, name: &str) -> bool {
    services.lines().any(|line| {
        let mut words = line
            .split('#')
            .next()
            .unwrap_or_default()
            .split_whitespace();
        let (service, port) = (words.next(), words.next().unwrap_or_default());
        port.ends_with("/tcp") && (service == Some(name) || words.any(|alias| alias == name))
    })
}

fn finding(shown: &str, name: &str) -> Finding {
    Finding::new(
        "policy.unknown-port",
        Severity::Error,
        format!(
            "The port of {shown} is the name {name}, and {SERVICES} has no such service of TCP: \
             mail for that next hop waits in the queue."
        ),
        "Write the port as a number, in the rule and in the route.",
    )
}

#[cfg(test)]
mod tests;
