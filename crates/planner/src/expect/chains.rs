//! The whole chains that a client may be shown which asks for a name.
//!
//! Owns: which of a server's certificates that is, by the rows of Postfix's map of names. Never:
//! guesses: where the files do not tell, the answer is `None`.

use super::certificates::{Configured, configured, form_of};
use super::speaker;
use crate::compile::{is_installed, sni, stored_at};
use crate::facts::{Facts, Row, StoredCertificate};
use crate::intent::{Binding, Intent};
use crate::view::{Service, View};
use mailtls::Certificate;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Every chain that `service` may present to a client that asks for `host` (RFC 7672 §2.2.3:
/// DANE clients do), leaf first; which one depends on the kinds of key that the client takes.
pub(crate) fn chains(
    view: &View<'_>,
    service: &Service,
    facts: &Facts,
    intent: &Intent,
    host: &str,
) -> Option<Vec<Vec<Certificate>>> {
    if let Some(bound) = by_name(view, service, (facts, intent), host)? {
        let stored = bound.into_iter().map(|bound| of_binding(facts, bound));
        return stored.map(parsed).collect();
    }
    by_files(&configured(view, service, facts), facts)
}

/// The bindings of the row that Postfix finds for a name: key after key, table after table
/// (`tls_server_sni_maps`). The outer `None` where an administrator's own table has the key, or was
/// not asked: what it presents is not looked at.
fn by_name<'a>(
    view: &View<'_>,
    service: &Service,
    (facts, intent): (&Facts, &'a Intent),
    host: &str,
) -> Option<Option<Vec<&'a Binding>>> {
    let maps = view.list(Some(service), sni::PARAMETER);
    let ours = sni::map(intent, facts).map(|map| format!("{}:{}", map.table, map.path.display()));
    for key in keys(host) {
        for map in &maps {
            if ours.as_ref() == Some(map) {
                let bound = at(intent, key);
                if !bound.is_empty() {
                    return Some(Some(bound));
                }
            } else if facts.server_names.get(map)?.get(key)? == &Row::There {
                return None;
            }
        }
    }
    Some(None)
}

/// The keys that Postfix looks a name up by: itself, then its parents; none for no name.
pub(crate) fn keys(host: &str) -> impl Iterator<Item = &str> {
    let parents = host.match_indices('.').map(|(at, _)| &host[at..]);
    let own = (!host.is_empty()).then_some(host);
    own.into_iter().chain(parents)
}

/// The tables of names that an administrator keeps.
pub(crate) fn own_tables(view: &View<'_>) -> BTreeSet<String> {
    let servers = view.servers().map(|service| speaker(view, service));
    let tables = servers.flat_map(|service| view.list(Some(service), sni::PARAMETER));
    tables.filter(|table| !is_installed(table)).collect()
}

/// The same to a client that asks for no name.
pub(crate) fn unasked(
    view: &View<'_>,
    service: &Service,
    facts: &Facts,
) -> Option<Vec<Vec<Certificate>>> {
    by_files(&configured(view, service, facts), facts)
}

/// The bindings of the row that Postfix finds: the name itself, else its nearest parent.
pub(crate) fn row<'a>(intent: &'a Intent, host: &str) -> Vec<&'a Binding> {
    let mut rows = keys(host).map(|key| at(intent, key));
    rows.find(|row| !row.is_empty()).unwrap_or_default()
}

fn at<'a>(intent: &'a Intent, key: &str) -> Vec<&'a Binding> {
    let row = sni::names(intent).filter(|(name, _)| name.eq_ignore_ascii_case(key));
    row.map(|(_, bound)| bound).collect()
}

fn of_binding<'a>(facts: &'a Facts, bound: &Binding) -> Option<&'a StoredCertificate> {
    let mut all = facts.certificates.iter();
    all.find(|stored| stored.name == bound.name && stored.fingerprint == bound.fingerprint)
}

fn parsed(stored: Option<&StoredCertificate>) -> Option<Vec<Certificate>> {
    let chain = stored?.chain.iter().map(|der| Certificate::parse(der));
    chain.collect::<Result<_, _>>().ok()
}

/// Stored certificates are known without a look; other files are as they were read.
fn by_files(named: &Configured, facts: &Facts) -> Option<Vec<Vec<Certificate>>> {
    let each: Vec<(PathBuf, Configured)> = match named {
        Configured::Anonymous | Configured::Nothing => Vec::new(),
        Configured::Chain(files) => files
            .iter()
            .map(|path| (path.clone(), Configured::Chain(vec![path.clone()])))
            .collect(),
        Configured::Pairs(pairs) => pairs
            .iter()
            .map(|pair| (pair.cert.clone(), Configured::Pairs(vec![pair.clone()])))
            .collect(),
    };
    if each
        .iter()
        .all(|(path, _)| stored_at(facts, path).is_none())
    {
        return loaded(named, facts);
    }
    let mut chains = Vec::new();
    for (path, alone) in each {
        match stored_at(facts, &path) {
            Some(stored) => chains.push(parsed(Some(stored))?),
            None => chains.extend(loaded(&alone, facts)?),
        }
    }
    Some(chains)
}

fn loaded(named: &Configured, facts: &Facts) -> Option<Vec<Vec<Certificate>>> {
    let loaded = form_of(named, facts)?;
    let chains = loaded.into_iter().flat_map(|loaded| loaded.chains);
    Some(chains.filter(|chain| !chain.is_empty()).collect())
}
