//! Ports of next hops that are written as a service's name.
//!
//! Owns: whether a table of services(5) knows the name, and what is said where it does not. Never: takes a
//! number for one, reads the table.
//!
//! smtp(8) asks getservbyname(3): mail for a port that has no number waits in the queue.

use crate::preflight::NextHop;
use crate::{Finding, Severity};

/// Where names of services stand.
pub const SERVICES: &str = "/etc/services";

/// Whether a next hop has a port by a name that is none of mail's.
pub fn names_a_service(nexthop: &str) -> bool {
    named_port(nexthop).is_some()
}

/// That a next hop, shown to people as `shown`, has a port by a name that is not in this table of services(5).
pub fn unknown_service(nexthop: &str, shown: &str, services: &str) -> Option<Finding> {
    let name = named_port(nexthop)?;
    (!has(services, name)).then(|| finding(shown, name))
}

/// The name in the place of a port, where it is none of mail's.
fn named_port(nexthop: &str) -> Option<&str> {
    if NextHop::parse(nexthop, NextHop::USUAL_PORT).is_ok() {
        return None;
    }
    let (_, port) = nexthop.rsplit_once(':')?;
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
