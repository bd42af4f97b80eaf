//! What a scratch instance must not do: ask, filter or deliver outside.
//!
//! Owns: the parameters that are emptied or turned into an error, and the sentences that say what
//! was therefore not rehearsed. Never: touches a TLS parameter, except the place of its caches
//! (two tlsmgr on one cache file would truncate the live one).

use super::refused;
use super::restrictions::without_policy;
use crate::HostError;
use postfix_cf::{MainCf, Service};
use std::collections::BTreeSet;

/// What a parameter that is emptied stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Programs that would be asked.
    Said(&'static str),
    /// Only where mail goes; the rehearsal's mail goes to its sinks.
    Routing,
}

/// Parameters that are emptied where they are set.
const EMPTIED: [(&str, Why); 36] = [
    ("smtpd_milters", Why::Said("the milters")),
    ("non_smtpd_milters", Why::Said("the milters")),
    ("smtpd_milter_maps", Why::Said("the milters by client")),
    ("content_filter", Why::Said("the content filter")),
    ("smtpd_proxy_filter", Why::Said("the before-queue filter")),
    (
        "smtpd_upstream_proxy_protocol",
        Why::Said("the proxy protocol in front of a service,"),
    ),
    (
        "postscreen_upstream_proxy_protocol",
        Why::Said("the proxy protocol in front of postscreen,"),
    ),
    (
        "postscreen_dnsbl_sites",
        Why::Said("postscreen's DNS lists"),
    ),
    ("smtpd_command_filter", Why::Routing),
    ("header_checks", Why::Routing),
    ("mime_header_checks", Why::Routing),
    ("nested_header_checks", Why::Routing),
    ("body_checks", Why::Routing),
    ("milter_header_checks", Why::Routing),
    ("always_bcc", Why::Routing),
    ("sender_bcc_maps", Why::Routing),
    ("recipient_bcc_maps", Why::Routing),
    ("relayhost", Why::Routing),
    ("sender_dependent_relayhost_maps", Why::Routing),
    ("sender_dependent_default_transport_maps", Why::Routing),
    ("smtp_fallback_relay", Why::Routing),
    ("lmtp_fallback_relay", Why::Routing),
    ("fallback_relay", Why::Routing),
    ("fallback_transport", Why::Routing),
    ("fallback_transport_maps", Why::Routing),
    ("mailbox_transport", Why::Routing),
    ("mailbox_transport_maps", Why::Routing),
    ("address_verify_relayhost", Why::Routing),
    (
        "address_verify_sender_dependent_relayhost_maps",
        Why::Routing,
    ),
    (
        "address_verify_sender_dependent_default_transport_maps",
        Why::Routing,
    ),
    ("address_verify_map", Why::Routing),
    ("postscreen_cache_map", Why::Routing),
    ("multi_instance_directories", Why::Routing),
    ("multi_instance_wrapper", Why::Routing),
    ("multi_instance_name", Why::Routing),
    ("multi_instance_group", Why::Routing),
];

/// Parameters that are set whatever they were.
const SET: [(&str, &str); 8] = [
    ("local_transport", NOWHERE),
    ("virtual_transport", NOWHERE),
    ("relay_transport", NOWHERE),
    ("default_transport", NOWHERE),
    // No reports to a postmaster.
    ("notify_classes", ""),
    ("inet_interfaces", "loopback-only"),
    ("multi_instance_enable", "no"),
    // Clients of a rehearsal go past postscreen's tests to smtpd at once.
    ("postscreen_access_list", "static:permit"),
];

/// Parameters that are set where they are set at all.
const RESET: [(&str, &str); 5] = [
    ("address_verify_local_transport", NOWHERE),
    ("address_verify_virtual_transport", NOWHERE),
    ("address_verify_relay_transport", NOWHERE),
    ("address_verify_default_transport", NOWHERE),
    ("address_verify_transport_maps", "$transport_maps"),
];

/// Files that one process has open for itself.
const CACHES: [&str; 4] = [
    "smtpd_tls_session_cache_database",
    "smtp_tls_session_cache_database",
    "lmtp_tls_session_cache_database",
    "tls_random_exchange_name",
];

const NOWHERE: &str = "error:5.1.2 this is a rehearsal";

/// A `-o` to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) name: String,
    pub(super) value: Vec<u8>,
}

/// Makes main.cf harmless.
pub(super) fn main_cf(cf: &mut MainCf, notes: &mut BTreeSet<String>) -> Result<(), HostError> {
    for change in changes(cf, notes) {
        cf.set(&change.name, &change.value)
            .map_err(|error| refused(&format!("main.cf cannot be adapted: {error}"), &[]))?;
    }
    Ok(())
}

fn changes(cf: &MainCf, notes: &mut BTreeSet<String>) -> Vec<Change> {
    let mut changes: Vec<Change> = SET
        .iter()
        .map(|(name, value)| change(name, value))
        .collect();
    for entry in cf.entries() {
        let name = entry.name();
        // Overridden entries do nothing.
        let value = cf.get(&name).unwrap_or_default();
        changes.extend(harmless(&name, &value, "", notes));
    }
    if cf
        .get("inet_protocols")
        .is_some_and(|value| *value == *b"ipv6")
    {
        // The endpoints and sinks are IPv4.
        changes.push(change("inet_protocols", "all"));
    }
    changes
}

/// The `-o` that make a service harmless.
pub(super) fn overrides(service: &Service, notes: &mut BTreeSet<String>) -> Vec<Change> {
    let of = format!(" of service {}", service.key());
    let changes = service.overrides.iter().filter_map(|over| {
        let always = SET.iter().find(|(name, _)| *name == over.name);
        match always {
            Some((name, value)) => Some(change(name, value)),
            None => harmless(&over.name, &over.value, &of, notes),
        }
    });
    changes.collect()
}

fn harmless(name: &str, value: &[u8], of: &str, notes: &mut BTreeSet<String>) -> Option<Change> {
    if value.is_empty() {
        return None;
    }
    if let Some((_, why)) = EMPTIED.iter().find(|(emptied, _)| *emptied == name) {
        if let Why::Said(what) = why {
            let value = String::from_utf8_lossy(value);
            notes.insert(format!("{what}{of} ({name} = {value}) was left out"));
        }
        return Some(change(name, ""));
    }
    if let Some((_, value)) = RESET.iter().find(|(reset, _)| *reset == name) {
        return Some(change(name, value));
    }
    if CACHES.contains(&name) {
        return Some(Change {
            name: name.to_owned(),
            value: moved_cache(value),
        });
    }
    let without = without_policy(value)?;
    for service in without.services {
        notes.insert(format!("the policy service {service} was not asked"));
    }
    Some(Change {
        name: name.to_owned(),
        value: without.value,
    })
}

/// `type:/any/where/name` as `type:$data_directory/name`; the value names no other folder then.
fn moved_cache(value: &[u8]) -> Vec<u8> {
    let Some(slash) = value.iter().rposition(|byte| *byte == b'/') else {
        // An indirection (`$name`) or a memory of its own: without it the service works too.
        return Vec::new();
    };
    let colon = value[..slash].iter().rposition(|byte| *byte == b':');
    let mut moved = value[..colon.map_or(0, |at| at + 1)].to_vec();
    moved.extend_from_slice(b"$data_directory");
    moved.extend_from_slice(&value[slash..]);
    moved
}

fn change(name: &str, value: &str) -> Change {
    Change {
        name: name.to_owned(),
        value: value.as_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests;
