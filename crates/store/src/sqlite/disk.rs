//! The disk under the store: whether it takes anything.
//!
//! Owns: telling a full and a read-only file system from other failures, because SQLite's own words
//! for them (“disk I/O error”, “unable to open database file”) help nobody. Never: makes room.

use crate::{Hindrance, StoreError};
use rustix::fs::StatVfsMountFlags;
use sqlx::error::DatabaseError;
use sqlx::sqlite::SqliteError;
use std::error::Error;
use std::io;
use std::path::Path;

/// Primary result codes of SQLite (the low byte of an extended one).
const READONLY: i32 = 8;
const IOERR: i32 = 10;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;

/// The error, as one of the disk under `folder` where it is one.
pub(super) fn explained(error: StoreError, folder: &Path) -> StoreError {
    let hindrance = match &error {
        StoreError::Database { source, .. } => of_database(&**source, folder),
        StoreError::Folder { source, .. } => of_io(source, folder),
        _ => None,
    };
    match hindrance {
        Some(hindrance) => StoreError::Disk {
            path: folder.to_owned(),
            hindrance,
        },
        None => error,
    }
}

/// What keeps the file system of `folder` from being written to, where it says so itself.
fn hindrance(folder: &Path) -> Option<Hindrance> {
    let found = rustix::fs::statvfs(folder).ok()?;
    if found.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Some(Hindrance::ReadOnly);
    }
    // A file system without a size (tmpfs, some network ones) counts no blocks.
    (found.f_blocks > 0 && found.f_bfree == 0).then_some(Hindrance::Full)
}

/// Whether nothing can be stored in `folder` for good. A full disk may have room in a moment.
pub(super) fn read_only(folder: &Path) -> Option<Hindrance> {
    hindrance(folder).filter(|found| *found == Hindrance::ReadOnly)
}

fn of_database(source: &(dyn Error + 'static), folder: &Path) -> Option<Hindrance> {
    let code = source.downcast_ref::<SqliteError>()?.code()?;
    match code.parse::<i32>().ok()? & 0xff {
        READONLY => Some(Hindrance::ReadOnly),
        FULL => Some(Hindrance::Full),
        // It says so of other causes too.
        IOERR | CANTOPEN => hindrance(folder),
        _ => None,
    }
}

fn of_io(error: &io::Error, folder: &Path) -> Option<Hindrance> {
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => Some(Hindrance::ReadOnly),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(Hindrance::Full),
        _ => of_database(error.get_ref()?, folder),
    }
}
