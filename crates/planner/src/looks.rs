//! Which files to look at, so that the hands need not interpret a parameter.
//!
//! Owns: the paths that TLS parameters name, and those that a plan may need to know of. Never:
//! opens one.

use crate::catalog::{self, Kind};
use crate::compile::{self, Ground, SYSTEM_BUNDLES, bound_path, policies, sni};
use crate::credentials;
use crate::expect::own_tables;
use crate::facts::Facts;
use crate::intent::Intent;
use crate::plan::{PolicyMap, SniMap};
use crate::rules;
use crate::view::View;
use postfix_cf::{MainCf, MasterCf};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The files that the instance's files name, the system's
/// trust anchors, and what AUTH rests on.
pub fn looks(facts: &Facts) -> Vec<PathBuf> {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    named(&main, &master, facts)
}

/// The same for what the files would become: what a wish names is looked at before it is planned.
pub fn looks_ahead(facts: &Facts, intent: &Intent) -> Vec<PathBuf> {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let ground = Ground {
        main: &main,
        master: &master,
        facts,
        intent,
        in_force: intent,
    };
    let files = compile::targets(&ground).and_then(|targets| compile::apply(&ground, &targets));
    let mut paths = match files {
        Ok(files) => named(
            &MainCf::parse(&files.main),
            &MasterCf::parse(&files.master),
            facts,
        ),
        Err(_) => named(&main, &master, facts),
    };
    // What stands in a map of names is named by no parameter.
    let bound = intent.bindings.iter();
    paths.extend(bound.map(|bound| bound_path(facts, bound)));
    paths.extend(sni::map(intent, facts).iter().flat_map(SniMap::files));
    paths.extend(
        policies::map(intent, facts)
            .iter()
            .flat_map(PolicyMap::files),
    );
    paths
}

/// The files that these name.
pub(crate) fn named(main: &MainCf, master: &MasterCf, facts: &Facts) -> Vec<PathBuf> {
    let view = View::new(main, master, facts);
    let mut paths: BTreeSet<PathBuf> = SYSTEM_BUNDLES.iter().map(PathBuf::from).collect();
    let everywhere = view.services.iter().map(Some).chain([None]);
    for service in everywhere {
        let names: BTreeSet<String> = match service {
            Some(service) => service.overrides.keys().cloned().collect(),
            None => main
                .entries()
                .map(|entry| entry.name().into_owned())
                .collect(),
        };
        for name in names {
            let Some(parameter) = catalog::find(&name) else {
                continue;
            };
            let values = view.list(service, &name);
            paths.extend(values.iter().flat_map(|value| files(parameter.kind, value)));
        }
        if service.is_none_or(|service| service.is_smtp_client()) {
            paths.extend(credentials::files(&view, service));
        }
        if service.is_none() {
            paths.extend(credentials::sender_files(&view));
            paths.extend(credentials::route_files(&view));
        }
        if service.is_none_or(|service| service.is_smtp_server()) {
            paths.extend(from_root(rules::sasl_files(&view, service)));
        }
    }
    // What the rows of an administrator's own map of names lead to.
    for table in own_tables(&view) {
        let rows = sni::own_rows(&table, facts).into_iter();
        // A relative one begins where postmap was called.
        paths.extend(
            rows.flat_map(|(_, files)| files)
                .filter(|path| path.is_absolute()),
        );
    }
    paths.into_iter().collect()
}

/// Where every daemon of Postfix works, and a relative path in its files begins (3.7.11): `queue_directory`.
/// Nothing where that is not known.
pub fn working_directory(facts: &Facts) -> Option<PathBuf> {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let queue = PathBuf::from(View::new(&main, &master, facts).value(None, "queue_directory"));
    queue.is_absolute().then_some(queue)
}

/// A table (`type:name`) in words for commands: what they take from where they are called, daemons take
/// from [`working_directory`] (3.7.11). What `proxy:` names is opened by a daemon.
pub fn table_from<'t>(working: &Path, table: &'t str) -> Cow<'t, str> {
    match table.split_once(':') {
        Some((kind, name)) if is_file_table(kind, name) && !name.starts_with('/') => {
            Cow::Owned(format!("{kind}:{}", working.join(name).display()))
        }
        _ => Cow::Borrowed(table),
    }
}

/// The files that one word of a value names.
fn files(kind: Kind, word: &str) -> Vec<PathBuf> {
    match kind {
        Kind::File | Kind::FileOrNone | Kind::FileList => plain(word, &["none"]),
        Kind::DhFile | Kind::LibraryFile => plain(word, &["auto", "default", "none"]),
        Kind::Directory => from_root(vec![word.into()]),
        Kind::MadeFile => from_root(folder(word)),
        Kind::CacheDatabase => word
            .rsplit_once(':')
            .map(|(_, path)| from_root(folder(path)))
            .unwrap_or_default(),
        Kind::MapList => table(word),
        Kind::RandomSource => from_root(vec![word.trim_start_matches("dev:").into()]),
        _ => Vec::new(),
    }
}

/// A file, where the word is none of those that stand for none.
fn plain(word: &str, others: &[&str]) -> Vec<PathBuf> {
    let is_other = others.iter().any(|other| word.eq_ignore_ascii_case(other));
    match word.is_empty() || word.contains('$') || is_other {
        true => Vec::new(),
        false => vec![word.into()],
    }
}

/// Those of which it is known where they begin.
fn from_root(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    paths.retain(|path| path.is_absolute());
    paths
}

/// Where a file is to be made.
fn folder(path: &str) -> Vec<PathBuf> {
    let folder = Path::new(path).parent();
    folder.map(Path::to_owned).into_iter().collect()
}

/// The source and the index of a table, by its type.
fn table(word: &str) -> Vec<PathBuf> {
    let word = word.strip_prefix("proxy:").unwrap_or(word);
    let Some((kind, path)) = word.split_once(':') else {
        return Vec::new();
    };
    if !is_file_table(kind, path) || path.contains('$') {
        return Vec::new();
    }
    let index = index(kind).map(|suffix| PathBuf::from(format!("{path}.{suffix}")));
    index
        .into_iter()
        .chain([Path::new(path).to_owned()])
        .collect()
}

/// Whether the name of a table of this type is the path of a file, and not its rows (`regexp:{{/^a/ b}}`).
fn is_file_table(kind: &str, name: &str) -> bool {
    let is_type = index(kind).is_some() || matches!(kind, "texthash" | "regexp" | "pcre" | "cidr");
    is_type && !name.is_empty() && !name.trim_start().starts_with('{')
}

/// What the name of the compiled table ends with.
fn index(kind: &str) -> Option<&'static str> {
    match kind {
        "hash" | "btree" => Some("db"),
        "lmdb" => Some("lmdb"),
        "cdb" => Some("cdb"),
        "dbm" | "sdbm" => Some("pag"),
        _ => None,
    }
}
