//! Folders below the one that was named, in which ACME clients keep a certificate each.
//!
//! Owns: where they lie: certbot's `live/NAME`, Caddy's `certificates/CA/NAME`, lego's `certificates`,
//! dehydrated's `certs/NAME`, acme.sh's `NAME_ecc`. Never: walks anywhere else, or follows a link there.

use super::{MOST_FILES, SourceError, entries, too_many, unreadable};
use mailtls::layout::{Below, held};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where clients keep folders of certificates.
const KEPT: [&str; 3] = ["live", "certs", CADDY];
/// Caddy has a folder for each CA in between.
const CADDY: &str = "certificates";

/// All certificates in the folders that clients make below `dir`; sorted by folder.
pub(super) fn found(dir: &Path) -> Result<Vec<Below>, SourceError> {
    let mut found = Vec::new();
    for folder in folders(dir)? {
        let layouts = match entries(&folder) {
            Ok(entries) => held(&entries),
            Err(error @ SourceError::Refused { .. }) => return Err(error),
            // It is just going away, or nobody's.
            Err(_) => continue,
        };
        found.extend(layouts.into_iter().map(|layout| Below {
            folder: folder.clone(),
            layout,
        }));
    }
    Ok(found)
}

fn folders(dir: &Path) -> Result<BTreeSet<PathBuf>, SourceError> {
    let mut all = BTreeSet::new();
    add(&mut all, dir)?;
    for name in KEPT {
        add(&mut all, &dir.join(name))?;
    }
    let of_cas = if dir.file_name().is_some_and(|name| name == CADDY) {
        dir.to_owned()
    } else {
        dir.join(CADDY)
    };
    for ca in children(&of_cas)? {
        add(&mut all, &ca)?;
    }
    Ok(all)
}

fn add(all: &mut BTreeSet<PathBuf>, parent: &Path) -> Result<(), SourceError> {
    for child in children(parent)? {
        if all.len() == MOST_FILES {
            return Err(too_many(parent));
        }
        all.insert(child);
    }
    Ok(())
}

/// The folders in a folder, none where it is not there; links are not followed.
fn children(parent: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let entries = match fs::read_dir(parent) {
        Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
            return Ok(Vec::new());
        }
        entries => entries.map_err(|error| unreadable(&error, parent))?,
    };
    let folders = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    Ok(folders.take(MOST_FILES).map(|entry| entry.path()).collect())
}
