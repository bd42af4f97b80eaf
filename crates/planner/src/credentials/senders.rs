//! Next hops of senders that have credentials of their own.
//!
//! Owns: `sender_dependent_relayhost_maps` as its sources tell it, and what is in force where it has
//! no row. Never: guesses: where a table has no source that can be read, it tells which.
//!
//! A row `@example.org` among the passwords is for every sender of the domain that has no row of
//! its own, and each of these may have a relay of its own.

use super::sources::Sources;
use super::{Credential, Kind};
use crate::view::{Service, View};

const RELAYS: &str = "sender_dependent_relayhost_maps";
/// Takes a sender's mail to another client.
const TRANSPORTS: &str = "sender_dependent_default_transport_maps";

/// Where a sender's mail goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SenderHop {
    /// By a relay of the sender, or the one of everybody.
    Relay(String),
    /// There is none: to whatever server takes the recipient's domain.
    Anywhere,
}

/// Whether senders decide about credentials, at the client that has them.
pub(super) fn count(view: &View<'_>, credential: &Credential) -> bool {
    let named = |service: &&Service| Some(&service.id) == credential.service.as_ref();
    let service = view.services.iter().find(named);
    view.is_yes(service, "smtp_sender_dependent_authentication")
}

/// The sources of the relays of senders, where senders decide about credentials.
pub(crate) fn files(view: &View<'_>) -> Vec<std::path::PathBuf> {
    let name = "smtp_sender_dependent_authentication";
    let all = view.services.iter().map(Some).chain([None]);
    if !all.into_iter().any(|service| view.is_yes(service, name)) {
        return Vec::new();
    }
    let tables = view.list(None, RELAYS);
    let sources = tables.iter().filter_map(|table| super::source(table));
    sources.map(std::path::PathBuf::from).collect()
}

/// Whether the sender may have another client than everybody.
pub(super) fn routed(view: &View<'_>) -> bool {
    !view.value(None, TRANSPORTS).trim().is_empty()
}

/// Where the mail of a credential's senders goes; why not, where that cannot be told.
pub(super) fn hops(
    view: &View<'_>,
    credential: &Credential,
    all: &[Credential],
    sources: &mut Sources<'_>,
) -> Result<Vec<SenderHop>, String> {
    if credential.kind() != Kind::Sender || !count(view, credential) {
        return Ok(Vec::new());
    }
    let key = credential.key.to_lowercase();
    let domain = key.rfind('@').map_or("", |at| &key[at..]);
    let tables = view.list(None, RELAYS);
    let relayhost = view.value(None, "relayhost");
    let mut found = vec![hop(&[&key, domain], &tables, &relayhost, sources)?];
    if key == domain {
        for table in &tables {
            let own = |row: &String| row.len() > domain.len() && row.ends_with(domain);
            let mut senders = sources.keys(table)?;
            senders.retain(own);
            senders.retain(|sender| !all.iter().any(|one| one.key.eq_ignore_ascii_case(sender)));
            for sender in senders {
                found.push(hop(&[&sender, domain], &tables, &relayhost, sources)?);
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Each key is asked of all tables before the next one (`mail_addr_find.c`).
fn hop(
    keys: &[&str],
    tables: &[String],
    relayhost: &str,
    sources: &mut Sources<'_>,
) -> Result<SenderHop, String> {
    let mut relay = relayhost.to_owned();
    'keys: for key in keys {
        for table in tables {
            if let Some(found) = sources.get(table, key)? {
                // It ends the search.
                if !found.eq_ignore_ascii_case("DUNNO") {
                    relay = found;
                }
                break 'keys;
            }
        }
    }
    Ok(match relay.trim() {
        "" => SenderHop::Anywhere,
        relay => SenderHop::Relay(relay.to_owned()),
    })
}
