//! The tables of policies that an administrator has.
//!
//! Owns: which of them have a source whose rows can become rules. Never: opens one.

use crate::compile::policies::PARAMETER;
use crate::facts::Facts;
use crate::intent::{AdoptedTables, Owned};
use crate::view::{Files, View};
use postfix_cf::elements;
use std::borrow::Cow;
use std::path::PathBuf;

/// Types that postmap(1) makes of a source, or that are one.
pub(super) const TYPES: [&str; 6] = ["hash", "btree", "lmdb", "cdb", "dbm", "texthash"];

/// An element of `smtp_tls_policy_maps` in main.cf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// It has a source.
    Source(Source),
    /// It has none that could be read.
    Other {
        /// As it is written.
        name: String,
        /// Why.
        why: String,
    },
}

/// A table with a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// As it is written.
    pub name: String,
    /// As `postmap` is asked for it: expanded, without `proxy:`.
    pub table: String,
    /// The source.
    pub path: PathBuf,
}

/// The elements of `smtp_tls_policy_maps` in main.cf, in the order in which Postfix asks them.
pub fn named_tables(facts: &Facts) -> Vec<Candidate> {
    let files = Files::of(facts);
    let view = files.view(facts);
    let value = view.raw(None, PARAMETER).unwrap_or_default();
    elements(&value)
        .map(|name| candidate(&view, name))
        .collect()
}

/// The tables with a source that any SMTP client asks: those of main.cf, and of `-o` in master.cf.
pub fn policy_sources(facts: &Facts) -> Vec<Source> {
    let files = Files::of(facts);
    let view = files.view(facts);
    let clients = view.services.iter().filter(|one| one.is_smtp_client());
    let own = clients.filter_map(|client| client.overrides.get(PARAMETER).cloned());
    let values = view.raw(None, PARAMETER).into_iter().chain(own);
    let mut sources: Vec<Source> = Vec::new();
    for value in values {
        for name in elements(&value) {
            if let Candidate::Source(source) = candidate(&view, name)
                && !sources.iter().any(|known| known.table == source.table)
            {
                sources.push(source);
            }
        }
    }
    sources
}

pub(super) fn candidate(view: &View<'_>, name: &str) -> Candidate {
    let other = |why: &str| Candidate::Other {
        name: name.to_owned(),
        why: why.to_owned(),
    };
    let value = |name: &str| view.raw(None, name).map(|v| Cow::Owned(v.into_bytes()));
    let Ok(expanded) = postfix_cf::expand(name.as_bytes(), &value) else {
        return other("it cannot be expanded");
    };
    let expanded = String::from_utf8_lossy(&expanded).into_owned();
    let [one] = elements(&expanded).collect::<Vec<_>>()[..] else {
        return other("it stands for more than one table, or none");
    };
    let table = one.strip_prefix("proxy:").unwrap_or(one);
    match table.split_once(':') {
        Some((kind, path)) if TYPES.contains(&kind) && path.starts_with('/') => {
            Candidate::Source(Source {
                name: name.to_owned(),
                table: table.to_owned(),
                path: PathBuf::from(path),
            })
        }
        Some((kind, _)) if TYPES.contains(&kind) => {
            other("its name is relative: name it from / on, and it can be read")
        }
        _ => other("it is of a type that has no rows to be read"),
    }
}

/// The services of master.cf whose tables are their own, and not the adopted ones.
pub fn services_with_tables<'o>(
    owned: &'o Owned,
    tables: &AdoptedTables,
) -> impl Iterator<Item = (&'o str, &'o str)> {
    owned.services.iter().filter_map(|(service, options)| {
        let own = options.get(PARAMETER)?.trim();
        let others = !own.is_empty() && tables.parted(own).is_none();
        others.then_some((service.as_str(), own))
    })
}

#[cfg(test)]
mod tests;
