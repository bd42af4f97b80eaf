//! What chrooted services find in their jail, and data files that the configuration names.
//!
//! Owns: a likeness of the live queue folder's other content (`etc`, `lib`, `dev`, sockets of
//! other programs) in the scratch one. Never: the mail queue, Postfix's own sockets (a scratch
//! daemon would talk to a live one), anything on another file system.
//!
//! Sockets are hard-linked: that is the same socket under a second name. Files are copied, because
//! a hard link would keep the live Postfix from noticing that a map was replaced (it looks at the
//! link count); only libraries, which are no maps, are linked.

use super::folders::{Folders, PREFIX};
use crate::file::failed;
use crate::postfix::Places;
use crate::publish::Place;
use crate::root::Root;
use crate::{HostError, Staged, queue};
use postfix_cf::MasterCf;
use postseal_planner::plan::Cf;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

/// A jail with more than this is not one that Postfix's tools made.
const ENTRIES: usize = 20_000;
const BYTES: u64 = 256 << 20;
const DEPTH: usize = 16;
/// Folders whose regular files are linked, not copied.
const LIBRARIES: [&str; 5] = ["lib", "lib64", "lib32", "libx32", "usr"];
/// Files in the data folder that belong to running processes.
const OWN_DATA: [&str; 2] = ["master.lock", "prng_exch"];
const MAP_SUFFIXES: [&str; 6] = [".db", ".cdb", ".lmdb", ".dbm", ".dir", ".pag"];

/// Makes the scratch queue like the live one. Returns what could not be taken over.
pub(super) fn furnish(
    root: &Root,
    live_config: &Path,
    places: &Places,
    folders: &Folders,
    staged: &Staged,
) -> Result<Vec<String>, HostError> {
    let seen = |path: &Path| -> Result<_, HostError> {
        Ok(root.at(&root.resolve(path).map_err(failed("read", path))?))
    };
    let queue = seen(&places.queue_directory)?;
    let device = queue.metadata().map_err(failed("read", &queue))?.dev();
    let mut mirror = Mirror {
        device,
        entries: ENTRIES,
        bytes: BYTES,
        missing: Vec::new(),
    };
    let own = |name: &OsStr| {
        queue::FOLDERS.iter().any(|(folder, _)| name == *folder)
            || name.as_bytes().starts_with(PREFIX.as_bytes())
    };
    for name in names(&queue)?.iter().filter(|name| !own(name)) {
        let library = LIBRARIES.iter().any(|folder| name == folder);
        mirror.put(&queue.join(name), &folders.queue.join(name), library, 0)?;
    }
    let services = services(root, live_config, staged);
    for folder in ["private", "public"] {
        let strangers = names(&queue.join(folder))?;
        let strangers = strangers.iter().filter(|name| !services.contains(*name));
        for name in strangers {
            let from = queue.join(folder).join(name);
            mirror.put(&from, &folders.queue.join(folder).join(name), false, 0)?;
        }
    }
    data(
        &seen(&places.data_directory)?,
        &folders.data,
        staged,
        &mut mirror,
    )?;
    Ok(mirror.missing)
}

/// Names of sockets that are Postfix's own, live or staged.
fn services(root: &Root, live_config: &Path, staged: &Staged) -> BTreeSet<std::ffi::OsString> {
    let live = Place {
        root,
        config_directory: live_config,
        file: Cf::Master,
    };
    let bytes = live
        .real()
        .and_then(|path| crate::file::read_cf(&root.at(&path)))
        .unwrap_or_default();
    let of = |bytes: &[u8]| {
        let services = MasterCf::parse(bytes);
        let names: Vec<_> = services
            .services()
            .map(|service| service.name.into())
            .collect();
        names
    };
    let mut names: BTreeSet<std::ffi::OsString> = of(&bytes).into_iter().collect();
    names.extend(of(&staged.master_cf));
    names
}

/// Map files in the data folder that the staged files name; caches are not taken along.
fn data(
    live: &Path,
    scratch: &Path,
    staged: &Staged,
    mirror: &mut Mirror,
) -> Result<(), HostError> {
    for name in names(live)? {
        let Some(text) = name.to_str().filter(|text| !OWN_DATA.contains(text)) else {
            continue;
        };
        let suffix = MAP_SUFFIXES.iter().find(|suffix| text.ends_with(**suffix));
        let stem = suffix.map_or(text, |suffix| &text[..text.len() - suffix.len()]);
        let wanted = format!("/{stem}");
        let named = [&staged.main_cf, &staged.master_cf].iter().any(|bytes| {
            bytes
                .windows(wanted.len())
                .any(|at| at == wanted.as_bytes())
        });
        if named && !stem.ends_with("cache") {
            mirror.put(&live.join(text), &scratch.join(text), false, DEPTH)?;
        }
    }
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<std::ffi::OsString>, HostError> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.file_name()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed("read", folder)(error)),
    }
}

/// Takes entries over, within bounds.
struct Mirror {
    device: u64,
    entries: usize,
    bytes: u64,
    missing: Vec<String>,
}

impl Mirror {
    fn put(
        &mut self,
        from: &Path,
        to: &Path,
        library: bool,
        depth: usize,
    ) -> Result<(), HostError> {
        let Ok(meta) = from.symlink_metadata() else {
            // Gone since the folder was read.
            return Ok(());
        };
        self.entries = self.entries.saturating_sub(1);
        if self.entries == 0 || depth > DEPTH {
            return Err(HostError::NotRehearsable(format!(
                "the jail holds too much (at {})",
                from.display()
            )));
        }
        if meta.is_dir() {
            return self.folder(from, to, &meta, library, depth);
        }
        let done = self.entry(from, to, &meta, library);
        done.map_err(failed("copy", from))
    }

    fn folder(
        &mut self,
        from: &Path,
        to: &Path,
        meta: &Metadata,
        library: bool,
        depth: usize,
    ) -> Result<(), HostError> {
        if meta.dev() != self.device {
            self.missing.push(format!(
                "{} is on another file system; what lies there was not at hand",
                from.display()
            ));
            return Ok(());
        }
        let make = || -> io::Result<()> {
            fs::create_dir(to)?;
            own(to, meta)
        };
        make().map_err(failed("make", to))?;
        for name in names(from)? {
            self.put(&from.join(&name), &to.join(&name), library, depth + 1)?;
        }
        Ok(())
    }

    fn entry(&mut self, from: &Path, to: &Path, meta: &Metadata, library: bool) -> io::Result<()> {
        let kind = meta.file_type();
        if kind.is_symlink() {
            return symlink(from.read_link()?, to);
        }
        if kind.is_socket() || kind.is_char_device() || kind.is_block_device() {
            if fs::hard_link(from, to).is_err() {
                let what = from.display();
                self.missing
                    .push(format!("{what} could not be linked into the scratch queue"));
            }
            return Ok(());
        }
        if !kind.is_file() {
            return Ok(());
        }
        if library && fs::hard_link(from, to).is_ok() {
            return Ok(());
        }
        self.bytes = self.bytes.saturating_sub(meta.len());
        if self.bytes == 0 {
            return Err(io::Error::other("the jail holds too much"));
        }
        fs::copy(from, to)?;
        own(to, meta)
    }
}

fn own(path: &Path, like: &Metadata) -> io::Result<()> {
    chown(path, Some(like.uid()), Some(like.gid()))?;
    fs::set_permissions(path, Permissions::from_mode(like.mode() & 0o7777))
}

#[cfg(test)]
mod tests;
