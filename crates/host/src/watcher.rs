//! Waiting until something happens in a folder.
//!
//! Owns: file events (inotify, by the crate `notify`) of folders and of those that their links
//! lead to. Never: says what happened: who is woken looks. Events get lost on network and overlay
//! file systems, so whoever waits looks from time to time as well.

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// Events come in swarms; they are let pass by, so that a folder in which somebody writes all the
/// time is looked at a few times a second and no more.
const SWARM: Duration = Duration::from_millis(200);
/// The most folders that links of one folder are followed to.
const MOST_TARGETS: usize = 64;

/// Waits for events in folders. Without inotify it only waits.
#[derive(Debug)]
pub struct Watcher {
    events: Option<RecommendedWatcher>,
    woken: UnixStream,
    waker: UnixStream,
    /// Folder → device and inode then: one that was replaced is another one.
    armed: BTreeMap<PathBuf, [u64; 2]>,
}

impl Watcher {
    /// Watches nothing yet.
    pub fn new() -> io::Result<Self> {
        let (woken, waker) = UnixStream::pair()?;
        waker.set_nonblocking(true)?;
        let bell = waker.try_clone()?;
        let events = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| changes(event.kind)) {
                // A full pipe has woken already.
                let _ = (&bell).write(&[1]);
            }
        });
        Ok(Self {
            events: events.ok(),
            woken,
            waker,
            armed: BTreeMap::new(),
        })
    }

    /// A byte written into it ends the waiting: for signals.
    pub fn waker(&self) -> io::Result<UnixStream> {
        self.waker.try_clone()
    }

    /// Waits until something changes in one of these folders, somebody wakes, or `at_most` has
    /// passed. A folder that is new is watched from now on, and the waiting is over at once:
    /// something may have happened in it before.
    pub fn wait(&mut self, folders: &[PathBuf], at_most: Duration) {
        if self.arm(folders) {
            return;
        }
        // Zero would mean for ever.
        let at_most = at_most.max(Duration::from_millis(1));
        let mut byte = [0];
        let timed = self.woken.set_read_timeout(Some(at_most));
        if timed.is_err() {
            thread::sleep(at_most);
            return;
        }
        if self.woken.read(&mut byte).is_ok() {
            thread::sleep(SWARM);
            self.let_pass();
        }
    }

    /// Takes what has come meanwhile out of the pipe.
    fn let_pass(&mut self) {
        let mut bytes = [0; 4096];
        if self.woken.set_nonblocking(true).is_ok() {
            while matches!(self.woken.read(&mut bytes), Ok(1..)) {}
        }
        let _ = self.woken.set_nonblocking(false);
    }

    /// Watches these folders and no others; whether one of them is new.
    fn arm(&mut self, folders: &[PathBuf]) -> bool {
        let Some(events) = &mut self.events else {
            return false;
        };
        let mut wanted: BTreeMap<PathBuf, [u64; 2]> = BTreeMap::new();
        for folder in folders.iter().flat_map(|folder| with_targets(folder)) {
            if let Ok(meta) = fs::metadata(&folder) {
                wanted.insert(folder, [meta.dev(), meta.ino()]);
            }
        }
        self.armed.retain(|folder, identity| {
            let stays = wanted.get(folder) == Some(identity);
            if !stays {
                // One that is gone is not watched any more.
                let _ = events.unwatch(folder);
            }
            stays
        });
        let mut is_new = false;
        for (folder, identity) in wanted {
            if !self.armed.contains_key(&folder)
                && events.watch(&folder, RecursiveMode::NonRecursive).is_ok()
            {
                self.armed.insert(folder, identity);
                is_new = true;
            }
        }
        is_new
    }
}

/// Whether something may be different now; reading is no change.
fn changes(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

/// A folder, and those that links in it lead to: certbot's `live/NAME` is a folder of links.
fn with_targets(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![folder.to_owned()];
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let links = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_symlink()));
    for link in links.take(MOST_TARGETS) {
        let target = fs::canonicalize(link.path()).ok();
        let parent = target.as_deref().and_then(Path::parent);
        if let Some(parent) = parent.filter(|parent| !all.iter().any(|known| known == parent)) {
            all.push(parent.to_owned());
        }
    }
    all
}

#[cfg(test)]
mod tests;
