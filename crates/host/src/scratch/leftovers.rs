//! Scratch instances that a killed Postseal left.
//!
//! Owns: finding their folders, ending what still works in them, removing them. Never: touches
//! one whose `owner` file is locked (its Postseal lives), kills by name or by a stored id.

use super::folders::{OWNER, PREFIX};
use crate::HostError;
use crate::file::failed;
use crate::process;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A folder without an `owner` file may be one that is just being made.
const YOUNG: Duration = Duration::from_secs(60);

/// Removes the leftovers beside and in the live `queue` (as seen here); returns how many.
pub(crate) fn clean_leftovers(queue: &Path) -> Result<usize, HostError> {
    let mut cleaned = 0;
    let beside = queue.parent().unwrap_or(queue);
    for folder in scratch_folders(beside)
        .into_iter()
        .chain(scratch_folders(queue))
    {
        if let Some(_lock) = abandoned(&folder) {
            process::end_working_in(&folder.join("queue"));
            fs::remove_dir_all(&folder).map_err(failed("remove", &folder))?;
            cleaned += 1;
        }
    }
    Ok(cleaned)
}

fn scratch_folders(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let name = entry.file_name();
        is_folder && name.to_str().is_some_and(|name| name.starts_with(PREFIX))
    });
    folders.map(|entry| entry.path()).collect()
}

/// What keeps others from cleaning the same folder.
enum Claim {
    Locked { _file: File },
    Unsigned,
}

fn abandoned(folder: &Path) -> Option<Claim> {
    match File::open(folder.join(OWNER)) {
        Ok(file) => file.try_lock().ok().map(|()| Claim::Locked { _file: file }),
        Err(_) => {
            let made = folder.metadata().and_then(|meta| meta.modified()).ok()?;
            let age = SystemTime::now().duration_since(made).ok()?;
            (age > YOUNG).then_some(Claim::Unsigned)
        }
    }
}

#[cfg(test)]
mod tests;
