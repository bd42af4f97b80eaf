//! Reading and writing single files so that a crash leaves the old or the new one.
//!
//! Owns: bounded reads that never block on a FIFO, whole-file replacement by rename, the sync of
//! folders, owner, mode and extended attributes. Never: knows what a file means.

use crate::HostError;
use postseal_planner::facts::FileLook;
use rustix::fs::{self as rfs, OFlags, XattrFlags};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// Files that a TLS parameter names are read up to here.
const LOOK_LIMIT: u64 = 1 << 20;
/// main.cf and master.cf are read up to here: the largest in the wild are a few hundred KiB.
const CF_LIMIT: u64 = 16 << 20;
/// Postfix programs sleep when they start and main.cf is younger than this (`dict_load_file_xp`
/// waits for a file that may be half written; a renamed one never is).
pub(crate) const AGE: Duration = Duration::from_secs(2);
/// Attributes that the kernel computes from a file's content or that only it may write.
const OWN_XATTRS: [&[u8]; 3] = [b"security.ima", b"security.evm", b"trusted.overlay"];
/// An extended attribute's value can be no larger on Linux.
const XATTR_LIMIT: usize = 64 << 10;

/// A [`HostError::File`] maker for `map_err`.
pub(crate) fn failed<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl Fn(io::Error) -> HostError + 'a {
    move |source| HostError::File {
        action,
        path: path.to_owned(),
        source,
    }
}

/// What stands at `path`, on this machine.
pub fn look(path: &Path) -> FileLook {
    match look_or_error(path) {
        Ok(look) => look,
        Err(error) if error.kind() == io::ErrorKind::NotFound => FileLook::Missing,
        Err(error) => unreadable(&error),
    }
}

/// Why nothing can be read: what root may not read, nobody may.
pub(crate) fn unreadable(error: &io::Error) -> FileLook {
    let denied = error.kind() == io::ErrorKind::PermissionDenied;
    match denied && !rustix::process::geteuid().is_root() {
        true => FileLook::Denied(error.to_string()),
        false => FileLook::Unreadable(error.to_string()),
    }
}

fn look_or_error(path: &Path) -> io::Result<FileLook> {
    let kind = path.metadata()?;
    if kind.is_dir() {
        return Ok(FileLook::Directory);
    }
    if !kind.is_file() {
        return Ok(FileLook::Special);
    }
    // It can have become a FIFO since: O_NONBLOCK, and the open file is asked again.
    let file = open_nonblocking(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Ok(FileLook::Special);
    }
    match read_bounded(&file, LOOK_LIMIT)? {
        None => Ok(FileLook::TooLarge(meta.len())),
        Some(bytes) => Ok(FileLook::File {
            bytes: Zeroizing::new(bytes),
            mode: meta.mode() & 0o7777,
            uid: meta.uid(),
        }),
    }
}

/// Opens for reading without ever blocking.
pub(crate) fn open_nonblocking(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(path)
}

/// Opens a plain file for reading; what is none is an error, and is never waited for.
pub(crate) fn open_plain(path: &Path) -> io::Result<File> {
    let plain = |kind: &fs::Metadata| match kind.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("not a regular file")),
    };
    plain(&path.metadata()?)?;
    // It can have become a FIFO since.
    let file = open_nonblocking(path)?;
    plain(&file.metadata()?)?;
    Ok(file)
}

/// The whole of a configuration file.
pub(crate) fn read_cf(path: &Path) -> Result<Vec<u8>, HostError> {
    let file = open_nonblocking(path).map_err(failed("read", path))?;
    read_cf_from(&file, path)
}

/// The whole of an open configuration file; `path` is for the message.
pub(crate) fn read_cf_from(file: &File, path: &Path) -> Result<Vec<u8>, HostError> {
    let meta = file.metadata().map_err(failed("read", path))?;
    if !meta.is_file() {
        return Err(failed("read", path)(io::Error::other("not a regular file")));
    }
    read_bounded(file, CF_LIMIT)
        .map_err(failed("read", path))?
        .ok_or_else(|| failed("read", path)(io::Error::other("larger than 16 MiB")))
}

/// The file's bytes, or none when there are more than `limit`. The buffer is made in one piece,
/// so that a private key leaves no copies behind in a growing one.
fn read_bounded(file: &File, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let length = file.metadata()?.len().min(limit);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    file.take(limit + 1).read_to_end(&mut bytes)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= limit);
    Ok(fits.then_some(bytes))
}

/// Puts main.cf or master.cf of an instance of ours in place by a rename, [`AGE`] old.
pub(crate) fn place_cf(path: &Path, bytes: &[u8]) -> Result<(), HostError> {
    let fresh = path.with_extension("new");
    let write = || -> io::Result<()> {
        let mut new = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        new.write_all(bytes)?;
        new.set_permissions(Permissions::from_mode(0o644))?;
        new.set_modified(SystemTime::now() - AGE)?;
        fs::rename(&fresh, path)
    };
    write().map_err(failed("write", path))
}

/// Syncs a folder, so that a rename or removal in it is kept.
pub(crate) fn sync_folder(path: &Path) -> Result<(), HostError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("sync", path))
}

/// The extended attributes of an open file; none where the file system has none.
pub(crate) fn xattrs(file: &File) -> io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut names = vec![0; XATTR_LIMIT];
    let length = match rfs::flistxattr(file, &mut names[..]) {
        Err(rustix::io::Errno::OPNOTSUPP) => 0,
        other => other?,
    };
    let mut found = BTreeMap::new();
    let list = names[..length].split(|byte| *byte == 0);
    for name in list.filter(|name| !name.is_empty() && !is_own(name)) {
        let mut value = vec![0; XATTR_LIMIT];
        match rfs::fgetxattr(file, name, &mut value[..]) {
            Ok(length) => value.truncate(length),
            // Gone since it was listed.
            Err(rustix::io::Errno::NODATA) => continue,
            Err(error) => return Err(error.into()),
        }
        found.insert(name.to_vec(), value);
    }
    Ok(found)
}

/// Makes the open file's extended attributes equal to `wanted`; touches none that already is.
pub(crate) fn set_xattrs(file: &File, wanted: &BTreeMap<Vec<u8>, Vec<u8>>) -> io::Result<()> {
    let present = xattrs(file)?;
    for name in present.keys().filter(|name| !wanted.contains_key(*name)) {
        rfs::fremovexattr(file, name.as_slice())?;
    }
    for (name, value) in wanted {
        if present.get(name) != Some(value) {
            rfs::fsetxattr(file, name.as_slice(), value, XattrFlags::empty())?;
        }
    }
    Ok(())
}

fn is_own(name: &[u8]) -> bool {
    OWN_XATTRS.iter().any(|own| name.starts_with(own))
}

#[cfg(test)]
mod tests;
