//! Which files of ours have to be written before the configuration names them.
//!
//! Owns: the keys with their chains, and the map of server names, that do not stand on disk as
//! they should. Never: writes one.

use super::build::Parsed;
use crate::Digest;
use crate::compile::{file_parameters, policies, sni, stored_at};
use crate::facts::{Facts, FileLook};
use crate::intent::Intent;
use crate::plan::{PolicyMap, SniMap, Step};
use crate::view::{Service, View};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The same for a plan: a map holds copies of what it was made of, so with a chain that was
/// completed under its name it is made anew.
pub(super) fn planned(after: &Parsed, intent: &Intent, facts: &Facts) -> Vec<Step> {
    let mut steps = steps(after, intent, facts);
    let view = View::new(&after.main, &after.master, facts);
    let Some(map) = named_map(&view, intent, facts) else {
        return steps;
    };
    let is_stale = |step: &Step| match step {
        Step::InstallChain { path, .. } => {
            let was_there = matches!(facts.files.get(path), Some(FileLook::File { .. }));
            was_there
                && map
                    .source
                    .split_whitespace()
                    .any(|word| path.as_os_str() == word)
        }
        _ => false,
    };
    let known = |step: &Step| matches!(step, Step::InstallSniMap(_));
    if steps.iter().any(is_stale) && !steps.iter().any(known) {
        let at = steps
            .iter()
            .take_while(|step| matches!(step, Step::InstallChain { .. }))
            .count();
        steps.insert(at, Step::InstallSniMap(map));
    }
    steps
}

/// The steps that write them: keys and chains first, because a map is made of them.
pub(super) fn steps(after: &Parsed, intent: &Intent, facts: &Facts) -> Vec<Step> {
    let view = View::new(&after.main, &after.master, facts);
    let mut paths: BTreeSet<PathBuf> = BTreeSet::new();
    for name in file_parameters() {
        paths.extend(everywhere(&view, name).map(PathBuf::from));
    }
    let map = named_map(&view, intent, facts);
    if let Some(map) = &map {
        let rows = map.source.lines();
        let files = rows.flat_map(|row| row.split(' ').skip(1));
        paths.extend(files.map(PathBuf::from));
    }
    let mut steps: Vec<Step> = paths
        .into_iter()
        .filter_map(|path| chain(path, facts))
        .collect();
    steps.extend(
        map.filter(|map| !is_there(map, facts))
            .map(Step::InstallSniMap),
    );
    let policies = named_policies(&view, intent, facts);
    steps.extend(
        policies
            .filter(|map| !is_whole(map, facts))
            .map(Step::InstallPolicyMap),
    );
    steps
}

/// The map of policies, where the files name it.
fn named_policies(view: &View<'_>, intent: &Intent, facts: &Facts) -> Option<PolicyMap> {
    let map = policies::map(intent, facts)?;
    let name = map.name();
    everywhere(view, policies::PARAMETER)
        .any(|word| word == name)
        .then_some(map)
}

/// Whether its files stand on disk. What is compiled gets its name last, and the name tells the
/// rows; that it answers as it should is looked up.
fn is_whole(map: &PolicyMap, facts: &Facts) -> bool {
    let there = |look: Option<&FileLook>| {
        matches!(look, Some(FileLook::File { .. } | FileLook::TooLarge(_)))
    };
    let made = facts.unmade.as_ref() != Some(&map.path);
    let untouched = !facts.touched.contains_key(&map.path);
    made && untouched && map.files().iter().all(|path| there(facts.files.get(path)))
}

/// Every word of a parameter, in main.cf and in each service that overrides it.
fn everywhere<'v>(view: &'v View<'_>, name: &'static str) -> impl Iterator<Item = String> + 'v {
    let overriding = |service: &&Service| service.overrides.contains_key(name);
    let services = view.services.iter().filter(overriding).map(Some);
    services
        .chain([None])
        .flat_map(move |service| view.list(service, name))
}

fn chain(path: PathBuf, facts: &Facts) -> Option<Step> {
    let stored = stored_at(facts, &path).filter(|stored| stored.has_key)?;
    let there = match facts.files.get(&path) {
        Some(FileLook::File { bytes, mode, uid }) => {
            is_private(*mode, *uid) && stored.file_digest == Some(Digest::of(bytes))
        }
        _ => false,
    };
    let fingerprint = stored.fingerprint;
    (!there).then_some(Step::InstallChain { fingerprint, path })
}

/// The intent's map, where the files name it.
fn named_map(view: &View<'_>, intent: &Intent, facts: &Facts) -> Option<SniMap> {
    let map = sni::map(intent, facts)?;
    let named = format!("{}:{}", map.table, map.path.display());
    everywhere(view, sni::PARAMETER)
        .any(|word| word == named)
        .then_some(map)
}

/// Whether source and compiled map stand on disk. A key never changes under its name, so a map
/// that was compiled of these rows by us holds it; the source says which one that is. Of a map too large to be looked at, only the rows are known.
fn is_there(map: &SniMap, facts: &Facts) -> bool {
    let files = map.files();
    let (Some(source), compiled) = (files.first(), files.get(1)) else {
        return false;
    };
    let Some(text) = private(facts.files.get(source)) else {
        return false;
    };
    match compiled.map(|path| facts.files.get(path)) {
        None => text == map.source.as_bytes(),
        Some(Some(FileLook::TooLarge(_))) => text.starts_with(map.source.as_bytes()),
        Some(look) => private(look)
            .is_some_and(|bytes| text == map.source_beside(Digest::of(bytes)).as_bytes()),
    }
}

/// The bytes of a file that is root's alone.
fn private(look: Option<&FileLook>) -> Option<&[u8]> {
    match look {
        Some(FileLook::File { bytes, mode, uid }) if is_private(*mode, *uid) => Some(bytes),
        _ => None,
    }
}

const fn is_private(mode: u32, uid: u32) -> bool {
    mode & 0o077 == 0 && uid == 0
}
