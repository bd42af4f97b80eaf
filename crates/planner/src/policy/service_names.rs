//! Ports of next hops that are written as a service's name.
//!
//! Owns: whether a table of services(5) knows the name, and what is said where it does not. Never: takes a
//! number for one, reads the table.
//!
//! smtp(8) asks getservbyname(3): mail for a port that has no number waits in the queue.

use super::Rule;
use crate::preflight::NextHop;
use crate::{Finding, Severity};

/// Where names of services stand.
pub const SERVICES: &str = "/etc/services";

/// Whether a rule's next hop has a port by a name that is none of mail's.
pub fn names_a_service(rule: &Rule) -> bool {
    named_port(&rule.id.destination).is_some()
}

/// That a rule's next hop has a port by a name that is not in this table of services(5).
pub fn unknown_service(rule: &Rule, services: &str) -> Option<Finding> {
    let name = named_port(&rule.id.destination)?;
    (!has(services, name)).then(|| finding(rule, name))
}

/// The name in the place of a port, where it is none of mail's.
fn named_port(destination: &str) -> Option<&str> {
    if NextHop::parse(destination, NextHop::USUAL_PORT).is_ok() {
        return None;
    }
    let (_, port) = destination.rsplit_once(':')?;
    let is_name = port.starts_with(|c: char| c.is_ascii_alphabetic()) && !port.contains(']');
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

fn finding(rule: &Rule, name: &str) -> Finding {
    let shown = rule.id.shown();
    Finding::new(
        "policy.unknown-port",
        Severity::Error,
        format!(
            "The port of {shown} is the name {name}, and {SERVICES} has no such service of TCP: \
             mail for that next hop waits in the queue."
        ),
        "Write the port as a number, in the rule and in the route.",
    )
    .seen(format!("{shown} {}", rule.policy))
}

#[cfg(test)]
mod tests;
