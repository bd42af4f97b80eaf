//! The folders of a Postfix queue.
//!
//! Owns: which they are, whose, with which modes, as Postfix's `postfix-files` has it. Never:
//! knows what lies in them.

use crate::HostError;
use crate::file::failed;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::Path;

/// Name and whose they are.
pub(crate) const FOLDERS: [(&str, Kind); 14] = [
    ("active", Kind::Mail),
    ("bounce", Kind::Mail),
    ("corrupt", Kind::Mail),
    ("defer", Kind::Mail),
    ("deferred", Kind::Mail),
    ("flush", Kind::Mail),
    ("hold", Kind::Mail),
    ("incoming", Kind::Mail),
    ("private", Kind::Mail),
    ("saved", Kind::Mail),
    ("trace", Kind::Mail),
    ("maildrop", Kind::Drop),
    ("public", Kind::Public),
    ("pid", Kind::Root),
];

/// Owner and mode of a folder.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// mail_owner 0700
    Mail,
    /// mail_owner:setgid_group 1730
    Drop,
    /// mail_owner:setgid_group 2710
    Public,
    /// root 0755
    Root,
}

/// The mail owner's user and the setgid group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owners {
    pub(crate) mail: u32,
    pub(crate) drop: u32,
}

impl Owners {
    /// As a live queue shows it: no user database is asked.
    pub(crate) fn of(queue: &Path) -> Result<Self, HostError> {
        let of = |name: &str| {
            let path = queue.join(name);
            path.metadata().map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => HostError::NotRehearsable(format!(
                    "{} is missing; `postfix check` or a first start makes it",
                    path.display()
                )),
                _ => failed("read", &path)(error),
            })
        };
        Ok(Self {
            mail: of("active")?.uid(),
            drop: of("maildrop")?.gid(),
        })
    }
}

/// Makes a queue: the folder, and Postfix's own in it.
pub(crate) fn make(queue: &Path, owners: Owners) -> io::Result<()> {
    folder(queue, 0o755, None)?;
    for (name, kind) in FOLDERS {
        let path = queue.join(name);
        match kind {
            Kind::Root => folder(&path, 0o755, None)?,
            Kind::Mail => folder(&path, 0o700, Some((owners.mail, 0)))?,
            Kind::Drop => folder(&path, 0o1730, Some((owners.mail, owners.drop)))?,
            Kind::Public => folder(&path, 0o2710, Some((owners.mail, owners.drop)))?,
        }
    }
    Ok(())
}

/// Makes one folder. The mode is set after the owner, who would lose its special bits else.
pub(crate) fn folder(path: &Path, mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    if let Some((uid, gid)) = owner {
        chown(path, Some(uid), Some(gid))?;
    }
    fs::set_permissions(path, Permissions::from_mode(mode))
}
