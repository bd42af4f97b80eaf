//! Ports of mail: whether they are open, and how a firewall lets them through.
//!
//! Owns: services of master.cf against what listens, and the commands that open a firewall.
//! Never: runs one, or knows what a firewall does.

use super::context::{Context, Reach, Service};
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{Error, Info};
use crate::facts::MasterState;
use std::collections::BTreeSet;

/// The rules.
pub(super) const RULES: &[Rule] = &[CLOSED, FIREWALL];

#[rustfmt::skip]
const CLOSED: Rule = rule("ports.not-listening", Error, "port of a service on which nothing listens",
    "Postfix runs, and its master.cf has this service, but nothing listens on the port: Postfix was not reloaded since, or could not open it.",
    "postfix reload; where that does not help, the log of master(8) says why (and inet_interfaces takes a stop and a start).");
#[rustfmt::skip]
const FIREWALL: Rule = rule("ports.firewall", Info, "ports that a firewall must let through",
    "Mail programs and other servers reach these ports only where every firewall on the way lets them; this host cannot see whether it does.",
    "Look from outside: postseal probe, or openssl s_client -connect HOST:465.");

/// Looks at the host's ports, where they were gathered and Postfix runs.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    let running = |facts: &crate::Facts| matches!(facts.master, MasterState::Running(_));
    let listening = context.surroundings.and_then(|s| s.listening.as_ref());
    let (Some(listening), true) = (listening, context.facts.is_some_and(running)) else {
        return;
    };
    let mut open = BTreeSet::new();
    for service in context.services.iter().filter(|s| is_server(s)) {
        let Some(port) = service.port() else {
            continue;
        };
        if !listening.contains(&port) {
            let message = format!("Nothing listens on port {port}. {}", CLOSED.why);
            out.push(CLOSED.says(message).of(Some(service)));
        } else if context.reach(Some(service)) == Reach::Network && matches!(port, 25 | 465 | 587) {
            open.insert(port);
        }
    }
    if !open.is_empty() {
        out.push(firewall(&open));
    }
}

fn is_server(service: &Service<'_>) -> bool {
    service.kind == "inet" && matches!(service.command.as_str(), "smtpd" | "postscreen")
}

fn firewall(ports: &BTreeSet<u16>) -> Finding {
    let numbers: Vec<String> = ports.iter().map(u16::to_string).collect();
    let list = numbers.join(", ");
    let ufw: Vec<String> = numbers
        .iter()
        .map(|port| format!("ufw allow {port}/tcp"))
        .collect();
    FIREWALL
        .says(format!("Mail comes in on {list}. {}", FIREWALL.why))
        .seen(format!(
            "nftables: nft add rule inet filter input tcp dport {{ {list} }} accept"
        ))
        .seen(format!("ufw: {}", ufw.join("; ")))
        .seen(format!("pf: pass in proto tcp to port {{ {list} }}"))
}
