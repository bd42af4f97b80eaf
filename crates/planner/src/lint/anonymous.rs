//! Servers that are without a certificate on purpose (`smtpd_tls_cert_file = none`).
//!
//! Owns: where that keeps peers from TLS, by the files alone. Never: the words, which are those of plans
//! (`rules/anonymous`); servers that just have none (`level`).

use super::context::{Context, Reach, ServerTls, Service};
use super::level::CERTIFICATES;
use super::rule::{Place as _, Rule};
use crate::Finding;
use crate::rules::anonymous::{FOR_CLIENTS, ON_PUBLIC_25, none_for_clients};
use crate::rules::public_mx;
use crate::view::{View, is_public};

/// The rules.
pub(super) const RULES: &[Rule] = &[ON_PUBLIC_25, FOR_CLIENTS];

/// Looks at every server.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    for server in context.servers() {
        let tls = context.server_tls(server);
        if matches!(tls, ServerTls::Off | ServerTls::Unknown) || !is_anonymous(context, server) {
            continue;
        }
        let named = CERTIFICATES.iter();
        let place = named.filter_map(|name| context.set(server, name)).next();
        let for_clients = matches!(server.and_then(Service::port), Some(465 | 587))
            || context.yes(server, "smtpd_sasl_auth_enable");
        if for_clients && context.reach(server) == Reach::Network {
            let services = server.map_or("smtpd", |server| &server.name);
            out.push(none_for_clients(services).on(place).of(server));
        }
        let on_25 = server.is_none_or(|one| one.port() == Some(25) || one.kind == "pass");
        if on_25 && is_open(context, server) {
            out.push(ON_PUBLIC_25.found().on(place).of(server));
        }
    }
}

/// `smtpd_tls_chain_files` overrides it.
fn is_anonymous(context: &Context<'_>, server: Option<&Service<'_>>) -> bool {
    let is = |name, wanted: &str| {
        let value = context.text(server, name);
        value.is_some_and(|value| value.eq_ignore_ascii_case(wanted))
    };
    is("smtpd_tls_chain_files", "") && is("smtpd_tls_cert_file", "none")
}

/// By the addresses of this host, where they are known.
fn is_open(context: &Context<'_>, server: Option<&Service<'_>>) -> bool {
    match (context.main, context.master, context.facts) {
        (Some((_, main)), Some((_, master)), Some(facts)) => {
            !public_mx(&View::new(main, master, facts), is_public).is_empty()
        }
        _ => context.reach(server) == Reach::Network,
    }
}
