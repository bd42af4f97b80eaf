//! Maps of server names: keys and chains by the name that a client asks for.
//!
//! Owns: writing one and having it compiled (`postmap -F`, which puts the keys themselves into
//! the map), so that a map that is named is whole, and noting which one was made. Never: decides what is in it.

use crate::file::{failed, sync_folder};
use crate::postfix::Postfix;
use crate::root::Root;
use crate::{HostError, private};
use postseal_planner::Digest;
use postseal_planner::plan::SniMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Compiles the map beside its place, moves it there, and writes its source last: where the
/// source stands, the map is whole. `config` is the configuration directory for `postmap`.
pub(crate) fn install(
    root: &Root,
    postfix: &Postfix,
    config: &Path,
    map: &SniMap,
) -> Result<(), HostError> {
    let folder = map.path.parent().unwrap_or(Path::new("/"));
    private::make_folder(&root.at(folder))?;
    let rows = Zeroizing::new(map.source.clone().into_bytes());
    let mut source = map.source.clone();
    let files = map.files();
    if let [_, compiled] = files.as_slice() {
        let draft = SniMap {
            path: draft(&map.path),
            ..map.clone()
        };
        let draft_files = draft.files();
        private::sweep_draft(&root.at(&draft.path))?;
        private::install(&root.at(&draft.path), &rows)?;
        let copied = copied(root, map);
        let made = postfix
            .compile(config, &draft.table, &draft.path)
            .and_then(|()| moved(&root.at(&draft_files[1]), root, compiled));
        private::sweep_draft(&root.at(&draft.path))?;
        // What cannot be read is told by who compiles it.
        let compiled_to = made?;
        source = map.source_beside(copied?, compiled_to);
        sync_folder(&root.at(folder))?;
    }
    private::install(&root.at(&map.path), &Zeroizing::new(source.into_bytes()))
}

/// What the files hold of which the map gets copies.
fn copied(root: &Root, map: &SniMap) -> Result<Digest, HostError> {
    let mut contents = Vec::new();
    for path in map.chains() {
        let bytes = fs::read(root.at(path)).map(Zeroizing::new);
        contents.push(Digest::of(&bytes.map_err(failed("read", path))?));
    }
    Ok(SniMap::copied(contents.into_iter()))
}

/// Puts what was compiled in its place. Its digest.
fn moved(from: &Path, root: &Root, compiled: &Path) -> Result<Digest, HostError> {
    let put = || {
        let bytes = Zeroizing::new(fs::read(from)?);
        File::open(from)?.sync_all()?;
        fs::rename(from, root.at(compiled))?;
        Ok(Digest::of(&bytes))
    };
    put().map_err(failed("write", compiled))
}

/// Where a file of a map is made before it is moved to its place: `sni-0a1b.new` for the source
/// `sni-0a1b`, `sni-0a1b.new.db` for what is compiled of it. A process that was killed leaves it.
pub(crate) fn draft(path: &Path) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(".new");
    if let Some(index) = path.extension() {
        name.push(".");
        name.push(index);
    }
    path.with_file_name(name)
}
