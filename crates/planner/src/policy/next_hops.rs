//! The next hops that an instance's routes name.
//!
//! Owns: which tables and parameters name next hops, which part of a value one is, and which transport
//! goes there. Never: reads a table.
//!
//! A row for `relay.example` does nothing for the mail of that domain where all mail leaves by a
//! relay host. It is still needed where `transport_maps` sends others' mail to `relay.example`.

use super::judge::expects_tls;
use super::lead::{Lead, Leads, OF_RELAYS, OF_SENDERS, note};
use super::never_asked::Listed;
use crate::explain::listed_hops;
use crate::facts::Facts;
use crate::view::{Files, Service, View};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// A next hop, in lower case → the transports that are sent there.
pub type Hops = BTreeMap<String, BTreeSet<String>>;

/// Where routes stand.
#[derive(Clone, Debug, Default)]
pub struct RouteTables {
    /// The next hops that parameters name.
    pub hops: Hops,
    /// What leads to those of them that expect TLS from the first byte.
    pub leads: BTreeMap<String, Leads>,
    /// The tables with rows that name more.
    pub tables: Vec<RouteTable>,
    /// The tables that may name more, and cannot be listed.
    pub hidden: Vec<String>,
    /// What else names next hops: content filters, fallback relays, local(8)'s transports.
    pub others: BTreeSet<String>,
    /// Whether those tables, or others, may name more.
    pub listed: Listed,
}

/// A table whose rows are routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTable {
    /// As `postmap` is asked for it.
    pub table: String,
    /// The parameter that names it.
    parameter: &'static str,
    /// What its values are.
    form: Form,
    /// The transports of values that name none.
    usual: Usual,
    /// The next hop of values that name none: `relayhost`, for what is said of senders.
    relay: String,
}

/// Transports, and the parameters that they come from.
type Usual = Vec<(String, &'static str)>;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A next hop.
    NextHop,
    /// `transport:nexthop`.
    Transport,
}

/// The parameters of routes.
const PARAMETERS: [(&str, Form); 4] = [
    ("relayhost", Form::NextHop),
    ("default_transport", Form::Transport),
    ("relay_transport", Form::Transport),
    ("virtual_transport", Form::Transport),
];
/// Those that name tables of routes.
const TABLES: [(&str, Form); 3] = [
    ("transport_maps", Form::Transport),
    (OF_RELAYS, Form::NextHop),
    (OF_SENDERS, Form::Transport),
];

/// Parameters of other programs that name a next hop.
const OTHERS: [&str; 11] = [
    "content_filter",
    "local_transport",
    "mailbox_transport",
    "fallback_transport",
    "smtp_fallback_relay",
    "lmtp_fallback_relay",
    "address_verify_relayhost",
    "address_verify_default_transport",
    "address_verify_local_transport",
    "address_verify_relay_transport",
    "address_verify_virtual_transport",
];
/// Those that name tables, and the parameter whose value they have by default.
const MORE_TABLES: [(&str, &str); 5] = [
    ("mailbox_transport_maps", ""),
    ("fallback_transport_maps", ""),
    ("address_verify_transport_maps", "transport_maps"),
    ("address_verify_sender_dependent_relayhost_maps", OF_RELAYS),
    (
        "address_verify_sender_dependent_default_transport_maps",
        OF_SENDERS,
    ),
];

/// Types whose rows `postmap -s` lists (3.7.11): of the others it says that it cannot.
const LISTABLE: [&str; 7] = ["hash", "btree", "lmdb", "dbm", "sdbm", "texthash", "inline"];

/// A table as `postmap` is asked for its rows, without `proxy:`; `None` where its type does not list
/// them.
pub fn listable(table: &str) -> Option<&str> {
    let table = table.strip_prefix("proxy:").unwrap_or(table);
    let (kind, _) = table.split_once(':')?;
    LISTABLE.contains(&kind).then_some(table)
}

/// What a parameter of routes names, as trivial-rewrite(8) reads it.
pub fn route_elements(facts: &Facts, parameter: &str) -> Vec<String> {
    let files = Files::of(facts);
    let view = files.view(facts);
    let rewrite = view.services.iter().find(|one| one.id == "rewrite/unix");
    view.list(rewrite, parameter)
}

/// The next hops of all routes, by values that are known.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    /// Those that are named.
    pub(crate) hops: Hops,
    /// Whether some mail goes to the mail exchangers of its recipients' domains.
    pub(crate) by_recipient: bool,
    /// Whether a table could not be read.
    pub(crate) unread: bool,
}

/// All routes; `values` gives those of a table, where it can be read.
pub(crate) fn routes(
    view: &View<'_>,
    mut values: impl FnMut(&str) -> Option<Vec<String>>,
) -> Routes {
    let rewrite = view.services.iter().find(|one| one.id == "rewrite/unix");
    let usual = usual(view, rewrite);
    let mut routes = Routes {
        by_recipient: view.value(rewrite, "relayhost").trim().is_empty(),
        ..Routes::default()
    };
    for (parameter, form) in PARAMETERS {
        let value = view.value(rewrite, parameter);
        add(&mut routes.hops, form, &value, &usual);
    }
    for (parameter, form) in TABLES {
        for table in view.list(rewrite, parameter) {
            let Some(values) = values(&table) else {
                routes.unread = true;
                continue;
            };
            for value in values {
                // A row of transport(5) without a next hop takes the recipient's domain.
                let value = value.trim();
                routes.by_recipient |=
                    form == Form::Transport && value.len() > 1 && value.ends_with(':');
                add(&mut routes.hops, form, value, &usual);
            }
        }
    }
    routes
}

/// Where the routes of an instance stand.
pub fn route_tables(facts: &Facts) -> RouteTables {
    let files = Files::of(facts);
    let view = files.view(facts);
    let rewrite = view.services.iter().find(|one| one.id == "rewrite/unix");
    let usual = usual(&view, rewrite);
    let mut routes = RouteTables::default();
    for (parameter, form) in PARAMETERS {
        let value = view.value(rewrite, parameter);
        add(&mut routes.hops, form, &value, &usual);
        let written = (parameter, None, value.as_str());
        lead(&mut routes.leads, form, &value, &usual, written);
    }
    let relay = view.value(rewrite, "relayhost");
    for (parameter, form) in TABLES {
        for table in view.list(rewrite, parameter) {
            match listable(&table) {
                Some(table) => routes.tables.push(RouteTable {
                    table: table.to_owned(),
                    parameter,
                    form,
                    usual: usual.clone(),
                    relay: match parameter {
                        OF_SENDERS => relay.clone(),
                        _ => String::new(),
                    },
                }),
                None => match of_static(&table) {
                    Some(value) => add(&mut routes.hops, form, value, &usual),
                    None => {
                        routes.listed = Listed::Partly;
                        routes.hidden.push(in_short(&table));
                    }
                },
            }
        }
    }
    others(&view, &mut routes);
    routes
}

/// What a table says of every key.
fn of_static(table: &str) -> Option<&str> {
    let table = table.strip_prefix("proxy:").unwrap_or(table);
    let value = table.strip_prefix("static:")?;
    let inner = value
        .strip_prefix('{')
        .and_then(|one| one.strip_suffix('}'));
    Some(inner.unwrap_or(value).trim())
}

/// A table as words name it: what stands in braces is long, and may hold secrets.
fn in_short(table: &str) -> String {
    match table.split_once('{') {
        Some((kind, _)) => format!("{kind}{{…}}"),
        None => table.to_owned(),
    }
}

/// Next hops that other programs than trivial-rewrite(8) are told.
fn others(view: &View<'_>, routes: &mut RouteTables) {
    for service in view.services.iter().map(Some).chain([None]) {
        for parameter in OTHERS {
            let value = view.value(service, parameter);
            let hops = match parameter.ends_with("_relay") || parameter.ends_with("relayhost") {
                true => value.as_str(),
                false => value.split_once(':').map_or("", |(_, hops)| hops),
            };
            routes.others.extend(listed_hops(hops).map(str::to_owned));
        }
        let usual = |name: &str| view.value(None, name);
        let differs = |(name, like): &(&str, &str)| {
            let value = view.value(service, name);
            !value.is_empty() && (like.is_empty() || value != usual(like))
        };
        // A rewrite service of its own may have routes of its own.
        let own = service.is_some_and(|one| {
            let routes = PARAMETERS.iter().chain(&TABLES);
            let mut names = routes.map(|(name, _)| *name);
            one.id != "rewrite/unix" && names.any(|name| one.overrides.contains_key(name))
        });
        if own || MORE_TABLES.iter().any(differs) {
            routes.listed = Listed::Partly;
        }
    }
}

impl RouteTable {
    /// Adds the next hops that a row of it names, and what leads to those that expect TLS from the first
    /// byte.
    pub fn add(
        &self,
        (key, written): (&str, &str),
        hops: &mut Hops,
        leads: &mut BTreeMap<String, Leads>,
    ) {
        let value = match written.ends_with(':') {
            true => Cow::Owned(format!("{written}{}", self.relay)),
            false => Cow::Borrowed(written),
        };
        add(hops, self.form, &value, &self.usual);
        let written = (self.parameter, Some(key), written);
        lead(leads, self.form, &value, &self.usual, written);
    }
}

/// The transports of mail that no table has another one for.
fn usual(view: &View<'_>, rewrite: Option<&Service>) -> Usual {
    let relays = !view.value(rewrite, "relay_domains").trim().is_empty();
    let parameters = [
        Some("default_transport"),
        relays.then_some("relay_transport"),
    ];
    let named = parameters.into_iter().flatten().map(|parameter| {
        let value = view.value(rewrite, parameter);
        let name = value.split(':').next().unwrap_or_default();
        (name.to_owned(), parameter)
    });
    named.filter(|(name, _)| !name.is_empty()).collect()
}

/// The transport that a value names, where it does, and its next hops.
fn parts(form: Form, value: &str) -> (&str, impl Iterator<Item = String>) {
    let (transport, hops) = match form {
        // It leaves the relay host of everybody in force.
        Form::NextHop if value.eq_ignore_ascii_case("DUNNO") => ("", ""),
        Form::NextHop => ("", value),
        Form::Transport => value.split_once(':').unwrap_or_default(),
    };
    (transport, listed_hops(hops).map(str::to_ascii_lowercase))
}

fn add(into: &mut Hops, form: Form, value: &str, usual: &Usual) {
    let (transport, hops) = parts(form, value);
    for hop in hops {
        let transports = into.entry(hop).or_default();
        match transport {
            "" => transports.extend(usual.iter().map(|(name, _)| name.clone())),
            named => {
                transports.insert(named.to_owned());
            }
        }
    }
}

/// Notes what leads to the next hops of a value which expect TLS from the first byte: a parameter, a key,
/// and the value as it is written.
fn lead(
    into: &mut BTreeMap<String, Leads>,
    form: Form,
    value: &str,
    usual: &Usual,
    (parameter, key, written): (&str, Option<&str>, &str),
) {
    let (transport, hops) = parts(form, value);
    for hop in hops.filter(|hop| expects_tls(hop)) {
        let leads = into.entry(hop).or_default();
        let mut by = |transport: &str, transport_by: &str| {
            let lead = Lead {
                parameter: parameter.to_owned(),
                key: key.map(str::to_owned),
                value: written.to_owned(),
                transport_by: transport_by.to_owned(),
            };
            note(leads.entry(transport.to_owned()).or_default(), lead);
        };
        match transport {
            "" => usual.iter().for_each(|(name, of)| by(name, of)),
            named => by(named, parameter),
        }
    }
}

#[cfg(test)]
mod tests;
