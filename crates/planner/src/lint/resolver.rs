//! The resolver that DANE rests on.
//!
//! Owns: where it stands, and whether it validates. Never: asks it (whoever lints does), the
//! client's own settings for DANE (`outbound`).

use super::context::{Context, Service, Setting};
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{Error, Warning};
use mailtls::Level;

/// The rules.
pub(super) const RULES: &[Rule] = &[ELSEWHERE, NOT_VALIDATING];

#[rustfmt::skip]
const ELSEWHERE: Rule = rule("resolver.not-loopback", Warning, "DANE by a resolver elsewhere",
    "Postfix believes the resolver's word that an answer was validated (AD bit); on the way from another host anybody can change it.",
    "Run a validating resolver (unbound, knot-resolver) on this host, and name 127.0.0.1 in /etc/resolv.conf.");
#[rustfmt::skip]
const NOT_VALIDATING: Rule = rule("resolver.not-validating", Error, "DANE by a resolver that does not validate",
    "The resolver does not mark signed answers as validated (no AD bit): Postfix finds no TLSA records it may use, dane acts as may, and dane-only defers.",
    "Switch DNSSEC validation on in the resolver, or name one that has it in /etc/resolv.conf.");

/// Looks at it where some client does DANE.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    let (Some(around), Some(_)) = (context.surroundings, context.main) else {
        return;
    };
    let clients = context.services.iter().filter(|s| s.command == "smtp");
    let mut everybody = std::iter::once(None).chain(clients.map(Some));
    let Some(client) = everybody.find(|client| does_dane(context, *client)) else {
        return;
    };
    let place = level(context, client);
    let foreign = around
        .nameservers
        .iter()
        .find(|server| !server.is_loopback());
    if let Some(server) = foreign {
        let seen = format!("/etc/resolv.conf: nameserver {server}");
        out.push(ELSEWHERE.found().on(place).seen(seen));
    }
    if around.authenticates == Some(false) {
        out.push(NOT_VALIDATING.found().on(place));
    }
}

fn does_dane(context: &Context<'_>, client: Option<&Service<'_>>) -> bool {
    matches!(
        context.client_level(client),
        Some(Level::Dane | Level::DaneOnly)
    )
}

fn level<'s, 'a>(
    context: &'s Context<'a>,
    client: Option<&'s Service<'a>>,
) -> Option<&'s Setting<'a>> {
    context.set(client, "smtp_tls_security_level")
}
