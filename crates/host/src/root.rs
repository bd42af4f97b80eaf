//! Where an instance's file tree is seen from here.
//!
//! Owns: mapping a path as Postfix names it to one that this process can open, symbolic links
//! resolved inside the tree. Never: opens a file. For a Postfix in a container the tree is
//! `/proc/PID/root`, and an absolute symbolic link inside must not lead out of it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Linux's own limit on symbolic links followed in one lookup.
const LINK_LIMIT: usize = 40;

/// The root of an instance's file tree.
#[derive(Clone, Debug)]
pub(crate) struct Root(PathBuf);

impl Root {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The path to open for `path`, whose links are not looked at.
    pub(crate) fn at(&self, path: &Path) -> PathBuf {
        let inside: PathBuf = path
            .components()
            .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
            .collect();
        self.0.join(inside)
    }

    /// `path` with every symbolic link followed, still as Postfix would name it. A last component
    /// that does not exist is fine.
    pub(crate) fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let mut todo: VecDeque<OsString> = parts(path);
        let mut done = PathBuf::from("/");
        let mut links = 0;
        while let Some(part) = todo.pop_front() {
            if part == ".." {
                done.pop();
                continue;
            }
            let next = done.join(&part);
            match self.at(&next).symlink_metadata() {
                Ok(meta) if meta.is_symlink() => {
                    links += 1;
                    if links > LINK_LIMIT {
                        return Err(io::Error::other("too many levels of symbolic links"));
                    }
                    let target = self.at(&next).read_link()?;
                    if target.is_absolute() {
                        done = PathBuf::from("/");
                    }
                    for part in parts(&target).into_iter().rev() {
                        todo.push_front(part);
                    }
                }
                Ok(_) => done = next,
                Err(error) if error.kind() == io::ErrorKind::NotFound && todo.is_empty() => {
                    done = next;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some(OsString::from("..")),
            Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
