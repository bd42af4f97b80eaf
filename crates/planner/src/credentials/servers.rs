//! Credentials under the bare name of a server.
//!
//! Owns: which next hops are known to lead to a server of that name, and by which it may be met as
//! a mail exchanger. Never: asks DNS; what it said is in the facts.
//!
//! smtp(8) asks the table of passwords for the name of the host it has connected to before it asks
//! for the next hop, and a TLS policy only for the next hop: so the rule `mx.example encrypt` says
//! nothing about mail for `example.org` whose mail exchanger is `mx.example`.

use super::exposed::ANYWHERE;
use super::sources::Sources;
use super::{Credential, Kind, is_host, source};
use crate::dns::{Question, Records};
use crate::policy::{Routes, routes};
use crate::view::View;
use mailtls::Level;
use std::net::IpAddr;
use std::path::PathBuf;

/// More next hops than these are not looked at one by one.
const MOST: usize = 200;

/// The parameters whose tables name routes.
const ROUTES: [&str; 3] = [
    "transport_maps",
    "sender_dependent_default_transport_maps",
    "sender_dependent_relayhost_maps",
];

/// Credentials that go to a server whichever next hop leads to it, maybe in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByServer {
    /// Which.
    pub credential: Credential,
    /// The lowest level of the next hops that may lead there.
    pub level: Level,
    /// Those next hops of routes; nothing where it may be any domain.
    pub nexthops: Vec<String>,
}

/// The routes of an instance.
pub(super) fn routes_of(view: &View<'_>, sources: &mut Sources<'_>) -> Routes {
    routes(view, |table| {
        let values = sources.values(table).ok()?;
        Some(values.into_iter().map(str::to_owned).collect())
    })
}

/// The next hops that are known to lead to the server that a key names: those of routes, and the
/// name itself, as the domain of a recipient.
pub(super) fn leading(view: &View<'_>, credential: &Credential, routes: &Routes) -> Vec<String> {
    let key = credential.key.as_str();
    let mut found: Vec<String> = by_client(view, routes)
        .filter(|hop| is_host(hop, key) || has_exchanger(view, hop, key))
        .map(str::to_owned)
        .collect();
    let relayhost = view.value(None, "relayhost");
    if let Some(relay) = found
        .iter_mut()
        .find(|hop| hop.eq_ignore_ascii_case(&relayhost))
    {
        *relay = relayhost;
    } else {
        let own = match key.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => format!("[{address}]"),
            Ok(IpAddr::V6(address)) => format!("[ipv6:{address}]"),
            Err(_) => key.to_owned(),
        };
        if !found.iter().any(|hop| hop.eq_ignore_ascii_case(&own)) {
            found.push(own);
        }
    }
    found
}

/// The next hops that may lead to any mail exchanger, other than those that are known to.
pub(super) fn open(view: &View<'_>, credential: &Credential, routes: &Routes) -> Vec<String> {
    if credential.kind() != Kind::Name || credential.key.parse::<IpAddr>().is_ok() {
        return Vec::new();
    }
    let known = leading(view, credential, routes);
    let any = (routes.by_recipient || routes.unread).then(|| ANYWHERE.to_owned());
    let named = by_client(view, routes)
        .filter(|hop| !hop.starts_with('[') && !known.iter().any(|one| one == hop));
    any.into_iter()
        .chain(named.map(str::to_owned))
        .take(MOST)
        .collect()
}

/// The next hops that may get credentials which no key holds back.
pub(super) fn every(view: &View<'_>, credential: &Credential, routes: &Routes) -> Vec<String> {
    let own = credential.service.as_deref();
    let own = own.map(|id| id.strip_suffix("/unix").unwrap_or(id));
    let usual = view.value(None, "default_transport");
    let is_usual = own.is_none_or(|own| usual.split(':').next() == Some(own));
    let relayhost = view.value(None, "relayhost");
    let is_own = |hop: &&str| {
        let by = routes.hops.get(*hop);
        own.is_none_or(|own| by.is_some_and(|by| by.contains(own)))
    };
    let named = by_client(view, routes).filter(is_own);
    let named = named.map(|hop| match hop.eq_ignore_ascii_case(&relayhost) {
        true => relayhost.clone(),
        false => hop.to_owned(),
    });
    let any = (is_usual && (routes.by_recipient || routes.unread)).then(|| ANYWHERE.to_owned());
    any.into_iter().chain(named).take(MOST).collect()
}

/// The next hops that smtp(8) is sent to.
fn by_client<'r>(view: &View<'_>, routes: &'r Routes) -> impl Iterator<Item = &'r str> {
    let clients = view.services.iter().filter(|one| one.is_smtp_client());
    let clients: Vec<String> = clients.map(|one| one.name.clone()).collect();
    let hops = routes.hops.iter();
    hops.filter(move |(_, by)| by.iter().any(|one| clients.contains(one)))
        .map(|(hop, _)| hop.as_str())
}

/// Whether DNS says that a server is a mail exchanger of a next hop.
fn has_exchanger(view: &View<'_>, hop: &str, server: &str) -> bool {
    let domain = hop.split(':').next().unwrap_or_default();
    let answer = view.facts().dns.get(&Question::Mx(domain.to_owned()));
    match answer {
        Some(Ok(answer)) => match &answer.records {
            Records::Mx(hosts) => hosts
                .iter()
                .any(|one| one.host.eq_ignore_ascii_case(server)),
            _ => false,
        },
        _ => false,
    }
}

/// The files in which rows of routes stand, where any credentials go by them.
pub(crate) fn route_files(view: &View<'_>) -> Vec<PathBuf> {
    if !super::are_used(view) {
        return Vec::new();
    }
    let tables = ROUTES
        .iter()
        .flat_map(|parameter| view.list(None, parameter));
    tables
        .filter_map(|table| source(&table).map(PathBuf::from))
        .collect()
}
