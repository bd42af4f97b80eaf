//! Content filters and other relays on loopback, which speak in clear.
//!
//! Owns: noticing that mandatory TLS would reach them. Never: changes them; `loopback-cleartext`
//! does when it is wanted.

use super::{World, error};
use crate::Finding;
use crate::compile::{Shared, filter_clients, filter_listeners, is_loopback, is_mandatory};

/// The findings of this family.
pub(super) fn check(world: &World<'_>, findings: &mut Vec<Finding>) {
    let view = &world.view;
    for service in filter_listeners(view) {
        if view.demands_tls(service) {
            findings.push(error(
                "level.loopback-inherits",
                format!(
                    "TLS would be required on {}, where a content filter hands mail back in \
                     clear: that mail would be refused.",
                    service.name
                ),
                "`postseal set loopback-cleartext=yes` adds `-o smtpd_tls_security_level=none` \
                 there.",
            ));
        }
    }
    for client in filter_clients(view) {
        let service = view
            .services
            .iter()
            .find(|service| service.id == client.service);
        if is_mandatory(&view.client_level(service)) {
            let remedy = match client.shared {
                Shared::No => {
                    "`postseal set loopback-cleartext=yes` adds `-o smtp_tls_security_level=none` \
                     to it."
                }
                Shared::Yes => {
                    "Give the filter a transport of its own in master.cf (a second smtp service) \
                     and name that in content_filter; then `postseal set loopback-cleartext=yes`."
                }
            };
            findings.push(error(
                "outbound.filter-inherits",
                format!(
                    "TLS would be required towards {}, a content filter that speaks in clear: \
                     all mail would wait in the queue.",
                    client.route
                ),
                remedy,
            ));
        }
    }
    let relay = view.value(None, "relayhost");
    if !relay.is_empty() && is_loopback(&relay) && is_mandatory(&view.client_level(None)) {
        findings.push(error(
            "loopback.mandatory-relayhost",
            format!(
                "TLS would be required towards {relay}, the relay on this host: mail would wait \
                 in the queue unless it offers STARTTLS."
            ),
            "Keep `outbound=may`; mail to this relay does not leave the host.",
        ));
    }
}
