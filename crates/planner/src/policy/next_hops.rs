//! The next hops that an instance's routes name.
//!
//! Owns: which tables and parameters name next hops, and which part of a value one is. Never: reads
//! a table.
//!
//! A row for `relay.example` does nothing for the mail of that domain where all mail leaves by a
//! relay host. It is still needed where `transport_maps` sends others' mail to `relay.example`.

use super::tables::TYPES;
use crate::facts::Facts;
use crate::view::View;
use postfix_cf::{MainCf, MasterCf};
use std::collections::BTreeSet;

/// Where routes stand.
#[derive(Clone, Debug, Default)]
pub struct RouteTables {
    /// The next hops that parameters name.
    pub hops: BTreeSet<String>,
    /// The tables with rows that name more.
    pub tables: Vec<RouteTable>,
}

/// A table whose rows are routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTable {
    /// As `postmap` is asked for it.
    pub table: String,
    /// What its values are.
    form: Form,
}

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
    ("sender_dependent_relayhost_maps", Form::NextHop),
    ("sender_dependent_default_transport_maps", Form::Transport),
];

/// Where the routes of an instance stand.
pub fn route_tables(facts: &Facts) -> RouteTables {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let view = View::new(&main, &master, facts);
    let rewrite = view.services.iter().find(|one| one.id == "rewrite/unix");
    let mut routes = RouteTables::default();
    for (parameter, form) in PARAMETERS {
        let value = view.value(rewrite, parameter);
        routes.hops.extend(hops(form, &value));
    }
    for (parameter, form) in TABLES {
        for table in view.list(rewrite, parameter) {
            let table = table.strip_prefix("proxy:").unwrap_or(&table);
            let kind = table.split_once(':').map_or("", |(kind, _)| kind);
            if TYPES.contains(&kind) {
                let table = table.to_owned();
                routes.tables.push(RouteTable { table, form });
            }
        }
    }
    routes
}

impl RouteTable {
    /// The next hops that a value of it names, in lower case.
    pub fn hops(&self, value: &str) -> impl Iterator<Item = String> {
        hops(self.form, value)
    }
}

fn hops(form: Form, value: &str) -> impl Iterator<Item = String> {
    let hops = match form {
        Form::NextHop => value,
        Form::Transport => value.split_once(':').map_or("", |(_, hops)| hops),
    };
    let words = hops.split([',', ' ', '\t']).filter(|hop| !hop.is_empty());
    words
        .map(str::to_ascii_lowercase)
        .collect::<Vec<_>>()
        .into_iter()
}

#[cfg(test)]
mod tests;
