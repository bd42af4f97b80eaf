//! STARTTLS taken away by settings that have nothing of TLS in their name.
//!
//! Owns: EHLO keywords that are discarded, and clients that say no EHLO. Never: levels (`level`,
//! `outbound`).

use super::context::{Context, ServerTls, Service};
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::Error;
use mailtls::Level;

/// The rules.
pub(super) const RULES: &[Rule] = &[HIDDEN, UNSEEN, NO_EHLO];

#[rustfmt::skip]
const HIDDEN: Rule = rule("starttls.not-offered", Error, "STARTTLS taken out of the server's offer",
    "smtpd_discard_ehlo_keywords takes STARTTLS out of the answer to EHLO: no client starts TLS, and where TLS is demanded no client gets any further.",
    "Take starttls out of smtpd_discard_ehlo_keywords.");
#[rustfmt::skip]
const UNSEEN: Rule = rule("starttls.not-seen", Error, "STARTTLS taken out of what the client sees",
    "smtp_discard_ehlo_keywords lets the client overlook STARTTLS: at may mail goes in clear, at the stronger levels it is deferred.",
    "Take starttls out of smtp_discard_ehlo_keywords.");
#[rustfmt::skip]
const NO_EHLO: Rule = rule("starttls.no-ehlo", Error, "client that says HELO",
    "Without EHLO a client sees no STARTTLS: at may mail goes in clear, at the stronger levels it is deferred.",
    "Delete smtp_never_send_ehlo; the default is EHLO.");

/// Looks at every server and every client.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    for server in context.servers() {
        let name = "smtpd_discard_ehlo_keywords";
        let starts = matches!(
            context.server_tls(server),
            ServerTls::May | ServerTls::Encrypt
        );
        if starts && discards(context, server, name) {
            out.push(HIDDEN.found().on(context.set(server, name)));
        }
    }
    if context.main.is_none() {
        return;
    }
    let clients = context.services.iter().filter(|s| s.command == "smtp");
    for client in std::iter::once(None).chain(clients.map(Some)) {
        let wrapper = context.yes(client, "smtp_tls_wrappermode");
        let level = context.client_level(client);
        if wrapper || level.is_none_or(|level| level == Level::None) {
            continue;
        }
        look(context, client, out);
    }
}

fn look(context: &Context<'_>, client: Option<&Service<'_>>, out: &mut Vec<Finding>) {
    let name = "smtp_discard_ehlo_keywords";
    if discards(context, client, name) {
        out.push(UNSEEN.found().on(context.set(client, name)));
    }
    let name = "smtp_never_send_ehlo";
    if context.yes(client, name) {
        out.push(NO_EHLO.found().on(context.set(client, name)));
    }
}

fn discards(context: &Context<'_>, service: Option<&Service<'_>>, name: &str) -> bool {
    let Some(set) = context.set(service, name) else {
        return false;
    };
    let words = context.expanded(set).unwrap_or_default();
    words
        .split([',', ' ', '\t'])
        .any(|word| word.eq_ignore_ascii_case("starttls"))
}
