//! What being without a certificate on purpose (`smtpd_tls_cert_file = none`) keeps peers from.
//!
//! Owns: the words, for plans and for lint. Never: finds the servers.

use crate::Finding;
use crate::Severity::Error;
use crate::lint::{Rule, row};

#[rustfmt::skip]
pub(crate) const ON_PUBLIC_25: Rule = row("inbound.anonymous-on-public-port-25", Error, "public port 25 without any certificate",
    "Without any certificate most senders cannot use TLS at all, and port 25 is open to the Internet.",
    "`postseal unset inbound-certificate`, and bind a certificate; a self-signed one is better than none here.");
#[rustfmt::skip]
pub(crate) const FOR_CLIENTS: Rule = row("cert.none-for-mail-clients", Error, "no certificate for mail clients",
    "Mail clients cannot connect: they do not use TLS without a certificate.",
    "Bind a certificate, or switch these services off.");

/// Of these services.
pub(crate) fn none_for_clients(services: &str) -> Finding {
    FOR_CLIENTS.says(format!(
        "Mail clients cannot connect to {services}: they do not use TLS without a certificate."
    ))
}
