//! Maps of TLS policies.
//!
//! Owns: writing a source as it streams in, having it compiled beside the map that answers, and
//! giving both their names last, so that a map that can be named is whole. Never: decides what is
//! in it.

use crate::file::{failed, sync_folder};
use crate::postfix::Postfix;
use crate::root::Root;
use crate::sni_map::draft;
use crate::{HostError, private};
use postseal_planner::Digesting;
use postseal_planner::plan::PolicyMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, PipeWriter, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Not secret: as administrators' own maps.
const MODE: u32 = 0o644;
const CHUNK: usize = 1 << 20;

/// Makes the map of what `rows` gives. `config` is the configuration directory for `postmap`.
pub(crate) fn install(
    root: &Root,
    postfix: &Postfix,
    config: &Path,
    map: &PolicyMap,
    rows: &mut dyn Read,
) -> Result<(), HostError> {
    let folder = map.path.parent().unwrap_or(Path::new("/"));
    private::make_folder(&root.at(folder))?;
    let made = PolicyMap {
        path: draft(&map.path),
        ..map.clone()
    };
    let done = make(root, postfix, config, &made, rows).and_then(|()| {
        // The source first: an index older than its source makes Postfix warn.
        let pairs = made.files().into_iter().zip(map.files());
        for (from, to) in pairs {
            fs::rename(root.at(&from), root.at(&to)).map_err(failed("rename", &to))?;
        }
        sync_folder(&root.at(folder))
    });
    if done.is_err() {
        // What cannot be removed now is removed by the next one.
        let _ = private::sweep_draft(&root.at(&made.path));
    }
    done
}

fn make(
    root: &Root,
    postfix: &Postfix,
    config: &Path,
    map: &PolicyMap,
    rows: &mut dyn Read,
) -> Result<(), HostError> {
    let source = root.at(&map.path);
    private::sweep_draft(&source)?;
    let files = map.files();
    let written = failed("write", &map.path);
    let Some(compiled) = files.get(1) else {
        return write(&source, rows, None).map_err(written);
    };
    if takes_rows(&map.table) {
        let fed =
            postfix.compile_fed_policies(config, map, |feed| write(&source, rows, Some(feed)));
        fed?.map_err(written)?;
    } else {
        write(&source, rows, None).map_err(written)?;
        postfix.compile_policies(config, map)?;
    }
    let seen = root.at(compiled);
    let settle = || {
        fs::set_permissions(&seen, Permissions::from_mode(MODE))?;
        File::open(&seen)?.sync_all()
    };
    settle().map_err(failed("write", compiled))?;
    note(&source, &seen).map_err(failed("write", &map.path))
}

/// Whether postmap(1) makes a table of rows as they come as fast as of a file (`postmap -i`), so that rendering
/// and compiling go on side by side. lmdb ends a transaction for each row then, and cdb has no such way.
fn takes_rows(table: &str) -> bool {
    matches!(table, "hash" | "btree")
}

/// Notes in the source which map was compiled of it, so that another one is told.
fn note(source: &Path, compiled: &Path) -> io::Result<()> {
    let mut digest = Digesting::default();
    let mut made = File::open(compiled)?;
    let mut chunk = vec![0; CHUNK];
    loop {
        match made.read(&mut chunk)? {
            0 => break,
            n => digest.update(&chunk[..n]),
        }
    }
    let mut file = OpenOptions::new().append(true).open(source)?;
    file.write_all(PolicyMap::note(digest.finish()).as_bytes())?;
    // Postfix warns of an index that is older than its source.
    file.set_modified(made.metadata()?.modified()?)?;
    file.sync_all()
}

/// Writes the source, and the same to whoever compiles it meanwhile.
fn write(path: &Path, rows: &mut dyn Read, mut beside: Option<PipeWriter>) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(MODE))?;
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = rows.read(&mut chunk)?;
        if read == 0 {
            drop(beside);
            return file.sync_all();
        }
        file.write_all(&chunk[..read])?;
        if let Some(beside) = &mut beside {
            beside.write_all(&chunk[..read])?;
        }
    }
}
