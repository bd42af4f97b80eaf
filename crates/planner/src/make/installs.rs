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
use std::path::{Path, PathBuf};

/// The steps that write them: keys and chains first, because a map is made of them.
pub(super) fn steps(after: &Parsed, intent: &Intent, facts: &Facts) -> Vec<Step> {
    let view = View::new(&after.main, &after.master, facts);
    let mut paths: BTreeSet<PathBuf> = BTreeSet::new();
    for name in file_parameters() {
        paths.extend(everywhere(&view, name).map(PathBuf::from));
    }
    let map = named_map(&view, intent, facts);
    if let Some(map) = &map {
        paths.extend(map.chains().map(Path::to_owned));
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

/// Whether source and compiled map stand on disk, and this holds copies of the keys and chains that
/// are to be beside it; the source says both. Of a map too large to be looked at, it is taken at its word.
fn is_there(map: &SniMap, facts: &Facts) -> bool {
    match look(map, facts) {
        Some(Look::Plain(text)) => text == map.source.as_bytes(),
        Some(Look::Compiled { text, compiled }) => {
            // What the store cannot tell is no reason to make it anew each time.
            let as_it_was = || copied(map, facts).is_none_or(|copied| map.is_of(text, copied));
            is_ours(map, text, compiled) && as_it_was()
        }
        None => false,
    }
}

/// Whether a map is as it was made, of other keys and chains than are to be beside it now: one of them
/// was written anew since.
pub(super) fn is_outdated(map: &SniMap, facts: &Facts) -> bool {
    match look(map, facts) {
        Some(Look::Compiled { text, compiled }) => {
            is_ours(map, text, compiled) && !is_there(map, facts)
        }
        _ => false,
    }
}

/// Whether the source has our rows and tells this compiled map.
fn is_ours(map: &SniMap, text: &[u8], compiled: Option<Digest>) -> bool {
    let told = compiled.map_or_else(String::new, PolicyMap::note);
    text.starts_with(map.source.as_bytes()) && text.ends_with(told.as_bytes())
}

/// The contents of the keys and chains that are to stand beside a map; none where the store does not
/// know one of them.
fn copied(map: &SniMap, facts: &Facts) -> Option<Digest> {
    let contents = map
        .chains()
        .map(|path| stored_at(facts, path).and_then(|stored| stored.file_digest));
    let contents: Option<Vec<Digest>> = contents.collect();
    Some(SniMap::copied(contents?.into_iter()))
}

/// A map of names, as it stands on disk.
enum Look<'f> {
    /// Its table is read as text.
    Plain(&'f [u8]),
    /// Source, and the digest of what was compiled; none where that is too large to be looked at.
    Compiled {
        text: &'f [u8],
        compiled: Option<Digest>,
    },
}

/// None where one of its files is not there, or not root's alone.
fn look<'f>(map: &SniMap, facts: &'f Facts) -> Option<Look<'f>> {
    let files = map.files();
    let text = private(facts.files.get(files.first()?))?;
    let Some(compiled) = files.get(1) else {
        return Some(Look::Plain(text));
    };
    let compiled = match facts.files.get(compiled) {
        Some(FileLook::TooLarge(_)) => None,
        seen => Some(Digest::of(private(seen)?)),
    };
    Some(Look::Compiled { text, compiled })
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
