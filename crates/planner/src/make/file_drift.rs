//! Files of ours that somebody touched: keys with their chains, and maps of server names.
//!
//! Owns: [`file_drift`]. Never: judges a file by another measure than what a plan would write anew
//! (`installs`), so that what is shown here is what `drift --restore` puts back.

use super::build::Parsed;
use super::{Request, installs};
use crate::compile::sni;
use crate::facts::{Facts, FileLook};
use crate::plan::{PolicyMap, Step};
use crate::rollback::restored;
use std::path::{Path, PathBuf};

/// A file of ours that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FileDrift {
    /// Which.
    pub path: PathBuf,
    /// What is the matter with it, in words: `is gone`, `may be opened by others (mode 644)` …
    pub what: String,
}

/// What is told of a file with other contents.
const OTHERWISE: &str = "holds something else";

/// What is told of a map that was not made anew with a chain.
const OUTDATED: &str = "holds older copies of the keys and chains that it is made of";

impl FileDrift {
    /// Whether it has other contents, in place of another owner or mode.
    pub(crate) fn holds_something_else(&self) -> bool {
        self.what == OTHERWISE
    }

    /// Whether it is about what the file holds, in place of its being there, its owner or mode.
    pub fn is_of_contents(&self) -> bool {
        [OTHERWISE, OUTDATED].contains(&self.what.as_str())
    }

    /// Whether it is about the map of server names, or what was compiled of it.
    pub fn is_of_names(&self) -> bool {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with(sni::FILE)
    }
}

/// The files that what is in force needs, and that are not as they were written.
pub fn file_drift(request: &Request<'_>, facts: &Facts) -> Vec<FileDrift> {
    // Where the parameters cannot be put back, the files that they name now are what counts.
    let files = restored(request, facts);
    let named = files.map_or_else(
        |_| Parsed::of(&facts.main_cf.bytes, &facts.master_cf.bytes),
        |files| Parsed::of(&files.main, &files.master),
    );
    let steps = installs::steps(&named, request.intent, facts);
    steps
        .iter()
        .filter_map(|step| touched(step, facts))
        .collect()
}

fn touched(step: &Step, facts: &Facts) -> Option<FileDrift> {
    let paths = match step {
        Step::InstallChain { path, .. } => vec![path.clone()],
        Step::InstallSniMap(map) => map.files(),
        // Anybody may read it; that it is there is all that is asked of it.
        Step::InstallPolicyMap(map) => {
            return gone(&map.files(), facts).or_else(|| otherwise(map, facts));
        }
        _ => return None,
    };
    let told = paths.iter().find_map(|path| trouble(path, facts));
    // What was not looked at is not called touched.
    let looked = paths.iter().all(|path| facts.files.contains_key(path));
    let (path, what) = match (told, looked) {
        (Some(told), _) => told,
        (None, false) => return None,
        (None, true) => (paths.first()?.as_path(), differs(step, facts).to_owned()),
    };
    Some(FileDrift {
        path: path.to_owned(),
        what,
    })
}

/// How the contents are other ones.
fn differs(step: &Step, facts: &Facts) -> &'static str {
    match step {
        Step::InstallSniMap(map) if installs::is_outdated(map, facts) => OUTDATED,
        _ => OTHERWISE,
    }
}

fn gone(paths: &[PathBuf], facts: &Facts) -> Option<FileDrift> {
    let is_gone = |path: &&PathBuf| matches!(facts.files.get(*path), Some(FileLook::Missing));
    paths.iter().find(is_gone).map(|path| FileDrift {
        path: path.clone(),
        what: "is gone".to_owned(),
    })
}

fn otherwise(map: &PolicyMap, facts: &Facts) -> Option<FileDrift> {
    facts.touched.get(&map.path).map(|what| FileDrift {
        path: map.path.clone(),
        what: what.clone(),
    })
}

fn trouble<'p>(path: &'p Path, facts: &Facts) -> Option<(&'p Path, String)> {
    let what = match facts.files.get(path)? {
        FileLook::Missing => "is gone".to_owned(),
        FileLook::Directory | FileLook::Special => "is no plain file".to_owned(),
        FileLook::Unreadable(why) | FileLook::Denied(why) => format!("cannot be read: {why}"),
        FileLook::File { uid, .. } if *uid != 0 => format!("belongs to uid {uid}, not to root"),
        FileLook::File { mode, .. } if mode & 0o077 != 0 => {
            format!("may be opened by others (mode {:o})", mode & 0o7777)
        }
        FileLook::TooLarge(_) | FileLook::File { .. } => return None,
    };
    Some((path, what))
}
