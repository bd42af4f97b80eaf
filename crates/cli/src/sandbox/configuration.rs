//! What the two instances start from.
//!
//! Owns: a plain cleartext main.cf with comments and an administrator's own settings; master.cf is
//! the stock one with its commented templates. Never: sets a TLS parameter of mx; that is
//! Postseal's part.

use super::site::REALM;
use postseal_host::Instance;
use std::path::Path;

/// mx: receives for its domain, relays for those who log in.
pub(super) fn mx_main(mx: &Instance, peer: &Instance) -> String {
    let own = "\
# Our mail exchanger. Ask Ingrid before you change anything here.
# Last big change: the new relay rules (ticket 4711).

smtpd_banner = $myhostname ESMTP
biff = no
append_dot_mydomain = no
compatibility_level = 3.6

# TLS: to be done.

# -- who may send through us
mynetworks = 192.0.2.0/24,
    # the old office
    198.51.100.0/24
smtpd_relay_restrictions = permit_mynetworks,
  permit_sasl_authenticated,
  reject_unauth_destination
mailbox_size_limit = 0
our_smtpd_note   =   kept exactly like this
";
    format!(
        "{own}{}\n# -- SASL (Cyrus, sasldb; its smtpd.conf lies beside this file)\nsmtpd_sasl_type = cyrus\ncyrus_sasl_config_path = {}\nsmtpd_sasl_local_domain = {REALM}\nbroken_sasl_auth_clients = yes\n",
        common(mx, "mx.try.test", "peer.try.test", peer),
        mx.config_directory().join("sasl").display(),
    )
}

/// peer: a neighbour that speaks TLS where it can.
pub(super) fn peer_main(peer: &Instance, mx: &Instance, key_and_chain: &Path) -> String {
    format!(
        "compatibility_level = 3.6\n{}smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {}\nsmtpd_tls_received_header = yes\nsmtpd_tls_loglevel = 1\nsmtp_tls_security_level = may\nsmtp_tls_loglevel = 1\n",
        common(peer, "peer.try.test", "mx.try.test", mx),
        key_and_chain.display(),
    )
}

fn common(own: &Instance, name: &str, neighbour: &str, at: &Instance) -> String {
    format!(
        "myhostname = {name}\n{}alias_database =\nsmtp_bind_address = {}\nmulti_instance_directories =\nsmtp_host_lookup = native\nsmtp_dns_support_level = disabled\nsmtpd_peername_lookup = no\ntransport_maps = inline:{{ {{ {neighbour} = smtp:[{}]:25 }} }}\n",
        own.settings(name),
        own.address(),
        at.address(),
    )
}
