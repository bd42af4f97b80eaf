//! Credentials of the SMTP client: to which next hops they go, and which of these may see them in
//! clear.
//!
//! Owns: the keys of `smtp_sasl_password_maps`, and what of them is a next hop. Never: keeps or
//! tells a password: of each table only the keys are read out, and [`without_passwords`] is what
//! is kept of its source.
//!
//! smtp(8) looks a password up by the sender (`smtp_sender_dependent_authentication`), then by the
//! name of the host it has connected to, then by the next hop as it stands
//! (`smtp_sasl_glue.c` of Postfix 3.7).

mod exposed;
mod senders;
mod servers;
mod sources;
mod undetermined;
mod ways;

pub(crate) use exposed::{ANY_DOMAIN, exposure};
pub use exposed::{Exposed, by_server_in, exposed_in, named_hops, next_hops, sender_hops};
pub use senders::SenderHop;
pub(crate) use senders::files as sender_files;
pub use servers::ByServer;
pub(crate) use servers::route_files;
pub(crate) use undetermined::{Undetermined, Unread};

use crate::facts::{Facts, FileLook};
use crate::view::{Files, Service, View};
use postfix_cf::table::{Content, rows};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The parameter.
pub const PARAMETER: &str = "smtp_sasl_password_maps";

/// Types that are made from a source by postmap(1), or are one.
const TYPES: [&str; 7] = ["hash", "btree", "lmdb", "cdb", "dbm", "sdbm", "texthash"];

/// What stands for the key of a table that has one password for all (`static:`).
pub const EVERY: &str = "static:";

/// A key that has credentials.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Credential {
    /// The key, as it stands.
    pub key: String,
    /// The source of its table.
    pub file: PathBuf,
    /// The line there, from 1.
    pub line: usize,
    /// The service of master.cf that has this table by `-o`.
    pub service: Option<String>,
}

/// What a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A next hop: `[host]:port`, `host:port`, `[host]`.
    NextHop,
    /// A server, whatever next hop leads to it, or a next hop, by its bare name or address.
    Name,
    /// A sender: `user@domain`, `@domain`.
    Sender,
    /// None: whoever is asked for gets them ([`EVERY`]).
    Every,
}

/// All credentials that are in use.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The keys that could be read.
    pub keys: Vec<Credential>,
    /// Tables whose keys cannot be read.
    pub hidden: Vec<Hidden>,
}

/// A table of passwords whose keys cannot be read.
#[derive(Clone, Debug)]
pub struct Hidden {
    /// The table in the place of a key, without what may be secret in it.
    pub table: Credential,
    /// Why they cannot.
    pub why: String,
}

impl Credential {
    /// What it is.
    pub fn kind(&self) -> Kind {
        if self.key == EVERY {
            Kind::Every
        } else if self.key.contains('@') {
            Kind::Sender
        } else if self.key.parse::<IpAddr>().is_ok() {
            Kind::Name
        } else if self.key.starts_with('[') || self.key.contains(':') {
            Kind::NextHop
        } else {
            Kind::Name
        }
    }
}

/// Whether a bare name is the host of a next hop: a password is looked up by it, too.
pub fn is_host(nexthop: &str, name: &str) -> bool {
    host_of(nexthop).eq_ignore_ascii_case(name)
}

/// The host of a next hop, without brackets and port.
fn host_of(nexthop: &str) -> &str {
    match nexthop.strip_prefix('[') {
        Some(rest) => {
            let host = rest.split(']').next().unwrap_or_default();
            match host.get(..5) {
                Some(tag) if tag.eq_ignore_ascii_case("ipv6:") => &host[5..],
                _ => host,
            }
        }
        None => nexthop.split(':').next().unwrap_or_default(),
    }
}

/// The credentials of an instance, from its files and the sources of its tables.
pub fn credentials(facts: &Facts) -> Credentials {
    credentials_in(&Files::of(facts).view(facts))
}

/// Whether a sender decides about the credentials.
pub fn by_sender(facts: &Facts) -> bool {
    let files = Files::of(facts);
    files
        .view(facts)
        .is_yes(None, "smtp_sender_dependent_authentication")
}

pub(crate) fn credentials_in(view: &View<'_>) -> Credentials {
    let mut found = Credentials::default();
    let mut seen = BTreeSet::new();
    for service in users(view) {
        for table in view.list(service, PARAMETER) {
            if !seen.insert((table.clone(), service.is_some())) {
                continue;
            }
            match listed(view, &table, service) {
                Ok(keys) => found.keys.extend(keys),
                Err(why) => found.hidden.push(Hidden {
                    table: in_configuration(view, sources::shown(&table).to_owned(), service),
                    why,
                }),
            }
        }
    }
    found
}

/// main.cf and the clients that differ from it, as far as they authenticate.
fn users<'v>(view: &'v View<'_>) -> impl Iterator<Item = Option<&'v Service>> {
    let clients = view.services.iter().filter(|service| {
        let own = |name: &str| service.overrides.contains_key(name);
        service.is_smtp_client() && (own(PARAMETER) || own("smtp_sasl_auth_enable"))
    });
    let all = std::iter::once(None).chain(clients.map(Some));
    all.filter(|service| view.is_yes(*service, "smtp_sasl_auth_enable"))
}

/// Whether any client authenticates.
pub(crate) fn are_used(view: &View<'_>) -> bool {
    users(view).any(|service| !view.list(service, PARAMETER).is_empty())
}

/// The sources of the tables of passwords.
pub(crate) fn files(view: &View<'_>, service: Option<&Service>) -> Vec<PathBuf> {
    let tables = view.list(service, PARAMETER);
    let sources = tables.iter().filter_map(|table| source(table));
    sources.map(PathBuf::from).collect()
}

/// The sources of all tables of passwords: what is read of them goes through
/// [`without_passwords`].
pub fn password_files(facts: &Facts) -> BTreeSet<PathBuf> {
    let parsed = Files::of(facts);
    let view = parsed.view(facts);
    let everywhere = view.services.iter().map(Some).chain([None]);
    everywhere
        .flat_map(|service| files(&view, service))
        .collect()
}

/// The source of a table.
pub(crate) fn source(table: &str) -> Option<&str> {
    let bare = table.strip_prefix("proxy:").unwrap_or(table);
    let (kind, path) = bare.split_once(':')?;
    TYPES.contains(&kind).then_some(path)
}

fn listed(
    view: &View<'_>,
    table: &str,
    service: Option<&Service>,
) -> Result<Vec<Credential>, String> {
    let here = |key| in_configuration(view, key, service);
    match table
        .strip_prefix("proxy:")
        .unwrap_or(table)
        .split_once(':')
    {
        Some(("static", _)) => return Ok(vec![here(EVERY.to_owned())]),
        Some(("inline", rows)) => {
            return Ok(sources::inline_keys(rows)?.into_iter().map(here).collect());
        }
        _ => {}
    }
    let Some(path) = source(table) else {
        return Err("its keys cannot be listed".to_owned());
    };
    let pairs = rows(bytes_of(view.facts(), path)?).filter_map(|row| match row.content {
        Content::Pair { key, .. } => Some((row.line, key)),
        _ => None,
    });
    let keys = pairs.map(|(line, key)| Credential {
        key: String::from_utf8_lossy(&key).into_owned(),
        file: PathBuf::from(path),
        line,
        service: service.map(|service| service.id.clone()),
    });
    Ok(keys.collect())
}

/// A key that stands in main.cf or master.cf itself, where the parameter does.
fn in_configuration(view: &View<'_>, key: String, service: Option<&Service>) -> Credential {
    let facts = view.facts();
    let own = service.filter(|service| service.overrides.contains_key(PARAMETER));
    let (file, line) = match own {
        None => (&facts.main_cf.path, view.line_of(PARAMETER)),
        Some(_) => {
            let text = String::from_utf8_lossy(&facts.master_cf.bytes);
            let at = text.lines().position(|line| line.contains(PARAMETER));
            (&facts.master_cf.path, at.map(|at| at + 1))
        }
    };
    Credential {
        key,
        file: file.clone(),
        line: line.unwrap_or(1),
        service: service.map(|service| service.id.clone()),
    }
}

/// What stands in the source of a table.
fn bytes_of<'f>(facts: &'f Facts, path: &str) -> Result<&'f [u8], String> {
    match facts.files.get(Path::new(path)) {
        Some(FileLook::File { bytes, .. }) => Ok(bytes),
        Some(FileLook::Missing) => Err(format!("its source {path} is not there")),
        Some(FileLook::Unreadable(why) | FileLook::Denied(why)) => Err(format!("{path}: {why}")),
        Some(FileLook::TooLarge(size)) => Err(format!("{path} has {size} bytes")),
        Some(FileLook::Directory | FileLook::Special) => Err(format!("{path} is no file")),
        None => Err(format!("{path} was not looked at")),
    }
}

/// A table of passwords with nothing but its keys, each in its line.
pub fn without_passwords(source: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut kept = Vec::new();
    let mut line = 1;
    for row in rows(source) {
        if let Content::Pair { key, .. } = row.content {
            while line < row.line {
                kept.push(b'\n');
                line += 1;
            }
            kept.extend_from_slice(&key);
            kept.extend_from_slice(b" *\n");
            line += 1;
        }
    }
    Zeroizing::new(kept)
}

#[cfg(test)]
mod tests;
