//! Rules for destinations (`smtp_tls_policy_maps`).
//!
//! Owns: where their map stands, and the parameter that names it. Never: renders a row, compiles
//! a map.
//!
//! The map's name holds a digest of its rows: it is made beside the one that is in force, and the
//! switch to it, or back, is one edit of main.cf. So the map that answers is always whole, and
//! undoing a change needs no `postmap`.

use super::certificates::{FOLDER, folder, plain_path};
use super::{Ground, Target, Targets, services, sni};
use crate::Refusal;
use crate::facts::Facts;
use crate::intent::{AdoptedTables, Intent, Named, Parted, Policies};
use crate::plan::PolicyMap;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) const PARAMETER: &str = "smtp_tls_policy_maps";

/// The map of an intent; `None` where there are no rules.
pub(crate) fn map(intent: &Intent, facts: &Facts) -> Option<PolicyMap> {
    let policies = intent.policies?;
    Some(PolicyMap {
        path: path(&facts.config_directory, &policies),
        table: sni::table(facts),
        policies,
    })
}

/// Every file that a map of these rows may have, whatever its type.
pub fn policy_map_files(directory: &Path, policies: &Policies) -> Vec<PathBuf> {
    let path = path(directory, policies);
    let index = |suffix: &str| PathBuf::from(format!("{}.{suffix}", path.display()));
    let indexes = ["db", "lmdb", "cdb"].map(index);
    std::iter::once(path.clone()).chain(indexes).collect()
}

/// The map that answers for an intent in force: of the type that the files name, whatever the default
/// is now.
pub fn policy_map(intent: &Intent, facts: &Facts) -> Option<PolicyMap> {
    let map = map(intent, facts)?;
    let sources = crate::policy::policy_sources(facts);
    let named = sources.iter().find(|source| source.path == map.path);
    let kind = named.and_then(|source| source.table.split_once(':'));
    Some(match kind {
        Some((kind, _)) => PolicyMap {
            table: kind.to_owned(),
            ..map
        },
        None => map,
    })
}

/// Takes every map of ours out of what was adopted: it is never somebody's own table, or rules that are
/// removed would stay in force by it. Left are those whose rows became rules and that answer still.
pub(crate) fn disown(intent: &mut Intent) {
    let tables = intent.tables.clone();
    let tables = tables.as_ref();
    let owned = &mut intent.adopted;
    if let Some(value) = owned.main.get(PARAMETER)
        && let Some(others) = without_ours(value, tables)
    {
        // Its text names the map.
        owned.entries.remove(PARAMETER);
        put(&mut owned.main, others.join(", "));
    }
    for own in owned.services.values_mut() {
        let value = own.get(PARAMETER);
        if let Some(others) = value.and_then(|value| without_ours(value, tables)) {
            put(own, others.join(","));
        }
    }
}

/// An empty value would ask no table at all.
fn put(values: &mut BTreeMap<String, String>, value: String) {
    match value.is_empty() {
        true => values.remove(PARAMETER),
        false => values.insert(PARAMETER.to_owned(), value),
    };
}

/// The elements of a value that are no maps of ours; `None` where none is.
fn without_ours(value: &str, tables: Option<&AdoptedTables>) -> Option<Vec<String>> {
    let answering = tables.filter(|tables| tables.named == Named::Still);
    let answers = |name: &str| {
        let mut adopted = answering.iter().flat_map(|tables| &tables.tables);
        adopted.any(|table| table.name == name)
    };
    let is_ours = |name: &&str| is_policy_map(name) && !answers(name);
    let elements: Vec<&str> = postfix_cf::elements(value).collect();
    let others = elements.iter().filter(|name| !is_ours(name));
    let others: Vec<String> = others.map(|name| (*name).to_owned()).collect();
    (others.len() < elements.len()).then_some(others)
}

/// The maps of ours that the files name, other than the one of an intent and the adopted ones.
pub fn stale_maps(intent: &Intent, facts: &Facts) -> Vec<PathBuf> {
    let now = map(intent, facts).map(|map| map.path);
    let adopted = intent.tables.iter().flat_map(|tables| &tables.tables);
    let adopted: Vec<&PathBuf> = adopted.map(|table| &table.path).collect();
    let sources = crate::policy::policy_sources(facts).into_iter();
    let ours = sources.filter(|source| is_policy_map(&source.table));
    let paths = ours.map(|source| source.path);
    paths
        .filter(|path| now.as_ref() != Some(path) && !adopted.contains(&path))
        .collect()
}

/// Makes what `smtp_tls_policy_maps` holds now the adopted value, where the map that answers stands in
/// it: the adopted tables in the map's place, and what somebody put before it before them.
pub(crate) fn take_over(intent: &mut Intent, facts: &Facts) {
    let (Some(map), Some(now)) = (map(intent, facts), intent.adopted.main.get(PARAMETER)) else {
        return;
    };
    let name = map.name();
    let elements = elements(now);
    let Some(at) = elements.iter().position(|element| *element == name) else {
        return;
    };
    let (mut before, after) = (elements[..at].to_vec(), &elements[at + 1..]);
    before.retain(|element| !is_policy_map(element));
    if intent.tables.is_none() && !before.is_empty() {
        intent.tables = Some(AdoptedTables {
            tables: Vec::new(),
            policies: Policies {
                digest: crate::Digest::of(b""),
                rows: 0,
            },
            named: Named::NoMore,
            before: Vec::new(),
        });
    }
    let mut value = before.clone();
    if let Some(tables) = &mut intent.tables {
        value.extend(tables.tables.iter().map(|table| table.name.clone()));
        tables.before = before;
    }
    value.extend(after.iter().filter(|element| **element != name).cloned());
    // Its text names the map.
    intent.adopted.entries.remove(PARAMETER);
    match value.is_empty() {
        true => intent.adopted.main.remove(PARAMETER),
        false => intent
            .adopted
            .main
            .insert(PARAMETER.to_owned(), value.join(", ")),
    };
}

/// A map of rules, as the files name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedMap {
    /// Its source.
    pub path: PathBuf,
    /// Its source, and what was compiled of it, if anything.
    pub files: Vec<PathBuf>,
    /// The digest of its rows begins with this.
    pub digest: String,
}

impl NamedMap {
    /// By its name; `None` where it is no map of ours.
    pub(crate) fn of(table: &str) -> Option<Self> {
        let (kind, path) = table.split_once(':').filter(|_| is_policy_map(table))?;
        let path = Path::new(path);
        let (_, digest) = path.file_name()?.to_str()?.split_once('-')?;
        Some(Self {
            files: crate::plan::files(path, kind),
            digest: digest.to_owned(),
            path: path.to_owned(),
        })
    }
}

/// The maps of rules that an instance's files name, and that of an intent.
pub fn named_maps(facts: &Facts, intent: Option<&Intent>) -> Vec<NamedMap> {
    let sources = crate::policy::policy_sources(facts).into_iter();
    let wanted = intent.and_then(|intent| map(intent, facts));
    let tables = sources.map(|source| source.table);
    let tables = tables.chain(wanted.map(|map| map.name()));
    let mut maps: Vec<NamedMap> = Vec::new();
    for map in tables.filter_map(|table| NamedMap::of(&table)) {
        if !maps.contains(&map) {
            maps.push(map);
        }
    }
    maps
}

fn path(directory: &Path, policies: &Policies) -> PathBuf {
    folder(directory).join(format!("policy-{}", policies.digest.short(16)))
}

/// Whether a table is a map of rules, by its name.
pub fn is_policy_map(table: &str) -> bool {
    let path = table.split_once(':').map_or(table, |(_, path)| path);
    Path::new(path)
        .parent()
        .is_some_and(|parent| parent.ends_with(FOLDER))
        && path
            .rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with("policy-"))
}

/// Names the map before those that are there, and in the place of adopted ones: the first that has
/// a key decides. A service that has maps of its own gets it, too; one that was given none on
/// purpose does not, nor one that was given others than the adopted: their rows would become its
/// own.
pub(super) fn compile(ground: &Ground<'_>, targets: &mut Targets) -> Result<(), Refusal> {
    let tables = ground.intent.tables.as_ref();
    let replaced = tables.filter(|tables| tables.named == Named::NoMore);
    let map = map(ground.intent, ground.facts);
    if map.is_none() && replaced.is_none() && ground.in_force.policies.is_none() {
        return Ok(());
    }
    if let Some(map) = &map {
        plain_path(&map.path)?;
    }
    let name = map.map(|map| map.name());
    let own = own_value(ground, targets);
    let parted = replaced.and_then(|tables| tables.parted(&own));
    let own = match without_ours(&own, tables) {
        Some(others) => others.join(", "),
        None => own,
    };
    let value = match (&parted, name.as_deref(), own.trim()) {
        (Some(parted), name, _) => words(name, parted).join(", "),
        (None, Some(name), "") => name.to_owned(),
        (None, Some(name), own) => format!("{name}, {own}"),
        (None, None, own) => own.to_owned(),
    };
    let target = match value.as_str() {
        "" => Target::Absent,
        value => Target::value(value),
    };
    targets.main(PARAMETER, target);
    for (service, own) in services::clients_with(ground, PARAMETER) {
        let parted = tables.and_then(|tables| tables.parted(&own));
        let parted = parted.or_else(|| match without_ours(&own, tables) {
            Some(after) => Some(behind(after)),
            None => tables.is_none().then(|| behind(elements(&own))),
        });
        let Some(parted) = parted else { continue };
        // Without a blank, which would need braces there.
        let value = words(name.as_deref(), &parted).join(",");
        targets.service(&service, PARAMETER, Target::value(value));
    }
    Ok(())
}

/// All of a value stands behind the map of the rules.
const fn behind(after: Vec<String>) -> Parted {
    Parted {
        before: Vec::new(),
        after,
    }
}

fn elements(value: &str) -> Vec<String> {
    postfix_cf::elements(value).map(str::to_owned).collect()
}

/// What main.cf names besides the map: as it is set, or was adopted.
fn own_value(ground: &Ground<'_>, targets: &Targets) -> String {
    let own = match targets.main.get(PARAMETER) {
        Some(Target::Value(value)) => Some(value.clone()),
        _ => ground.intent.adopted.main.get(PARAMETER).cloned(),
    };
    own.unwrap_or_default()
}

/// The elements of a value with the map in its place.
fn words<'w>(name: Option<&'w str>, parted: &'w Parted) -> Vec<&'w str> {
    let before = parted.before.iter().map(String::as_str);
    let after = parted.after.iter().map(String::as_str);
    before.chain(name).chain(after).collect()
}

#[cfg(test)]
mod tests;
