//! The whole chains that a client may be shown which asks for a name.
//!
//! Owns: which of a server's certificates that is, by the rows of Postfix's map of names. Never:
//! guesses: where the files do not tell, the answer is `None`.

use super::certificates::{Configured, configured, form_of};
use crate::compile::{sni, stored_at};
use crate::facts::{Facts, StoredCertificate};
use crate::intent::{Binding, Intent};
use crate::view::{Service, View};
use mailtls::Certificate;
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
    let maps = view.list(Some(service), sni::PARAMETER);
    if let Some(map) = sni::map(intent, facts) {
        let ours = format!("{}:{}", map.table, map.path.display());
        let bound = row(intent, host);
        if maps.first() == Some(&ours) && !bound.is_empty() {
            let stored = bound.into_iter().map(|bound| of_binding(facts, bound));
            return stored.map(parsed).collect();
        }
        if maps.iter().any(|map| *map != ours) {
            return None;
        }
    } else if !maps.is_empty() {
        // What an administrator's own map holds is not looked at.
        return None;
    }
    by_files(&configured(view, service, facts), facts)
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
    let parents = host.match_indices('.').map(|(at, _)| &host[at..]);
    for key in std::iter::once(host).chain(parents) {
        let row: Vec<&Binding> = sni::names(intent)
            .filter(|(name, _)| name.eq_ignore_ascii_case(key))
            .map(|(_, bound)| bound)
            .collect();
        if !row.is_empty() {
            return row;
        }
    }
    Vec::new()
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
