//! Certificate files, as people and ACME clients keep them.
//!
//! Owns: reading them within bounds: regular files of sensible size, folders of sensible length,
//! and nothing that waits (a FIFO would, for ever). Never: judges what stands in them.

mod below;

use mailtls::CertError;
use mailtls::layout::{Below, Entry, LayoutError, recognise};
use rustix::io::Errno;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use thiserror::Error;
use zeroize::Zeroizing;

/// Larger files hold no certificate.
const LIMIT: u64 = 1 << 20;
/// A folder of more files is no certificate's.
const MOST_FILES: usize = 10_000;

/// The files of a certificate: their bytes.
#[derive(Debug)]
pub struct SourceFiles {
    /// The certificate, and whatever else stands in its file.
    pub cert: Vec<u8>,
    /// The private key.
    pub key: Option<Zeroizing<Vec<u8>>>,
    /// The intermediates, where they stand in a file of their own.
    pub chain: Option<Vec<u8>>,
    /// Where it came from, for people.
    pub source: String,
    /// The file that the key lies in, where one is brought and it is a file.
    pub key_file: Option<SourceAccess>,
}

/// Why there is nothing.
#[derive(Clone, Debug, Error)]
pub enum SourceError {
    /// A file.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: CertError,
    },
    /// A folder.
    #[error("{}: {error}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: LayoutError,
    },
    /// What the system does not let us read.
    #[error("{}: it cannot be read: {why}", path.display())]
    Refused {
        /// Which.
        path: PathBuf,
        /// Why not, in the system's words.
        why: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// A file where a folder was to be.
    #[error("{}: it is not a folder", path.display())]
    NotAFolder {
        /// Which.
        path: PathBuf,
    },
    /// A folder of too many files.
    #[error("{}: more than {MOST_FILES} files are in it", path.display())]
    TooMany {
        /// Which.
        path: PathBuf,
    },
    /// A password that is not text.
    #[error("{}: the password is not UTF-8 text", path.display())]
    PasswordNotText {
        /// The file.
        path: PathBuf,
    },
}

impl SourceError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File { error, .. } => error.code(),
            Self::Refused { .. } => "cert.unreadable",
            Self::Folder { error, .. } => error.code(),
            Self::NotAFolder { .. } => "layout.no-folder",
            Self::TooMany { .. } => "layout.too-many",
            Self::PasswordNotText { .. } => "cert.password-not-text",
        }
    }

    /// What to do about it, in one sentence.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::File { error, .. } => error.remedy(),
            Self::Refused { remedy, .. } => remedy,
            Self::Folder { error, .. } => error.remedy(),
            Self::NotAFolder { .. } => {
                "Name the folder that the ACME client keeps the files in; single files are named by \
                 --cert and --key."
            }
            Self::TooMany { .. } => "Name the certificate's own folder, or its files.",
            Self::PasswordNotText { .. } => {
                "Write the password as UTF-8 text into the file's first line."
            }
        }
    }
}

/// What helps who is not allowed to read something. Permissions do not stop root; other things do.
const FOR_OTHERS: &str = "Run this as root, or make the file and its folders readable.";
const FOR_ROOT: &str = "This is root already: a security module (AppArmor, SELinux), the limits of a service (systemd's \
     Protect…), or a network file system (root_squash) forbids it.";
const FOR_TROUBLE: &str =
    "See what the kernel says (`dmesg`), and whether the file system is mounted and answers.";

const NOT_REGULAR: &str = "it is not a regular file";

/// The files of an ACME client's folder, or of the one below it that holds a certificate, as certbot,
/// Caddy and lego keep them; `domain` says which certificate, where there are several.
pub fn read_folder(dir: &Path, domain: Option<&str>) -> Result<SourceFiles, SourceError> {
    let Below { folder, layout } = layout(dir, domain)?;
    // What is remembered must mean the same from any other folder.
    let dir = std::path::absolute(&folder).unwrap_or(folder);
    let at = |name: &String| dir.join(name);
    let chain = layout.chain.as_ref().map(at);
    let chain = chain.as_deref().map(read_source).transpose()?;
    Ok(SourceFiles {
        key_file: access_to(at(&layout.key)).ok(),
        cert: read_source(&at(&layout.cert))?.to_vec(),
        key: Some(read_source(&at(&layout.key))?),
        chain: chain.map(|bytes| bytes.to_vec()),
        source: format!("{} ({})", dir.display(), layout.client),
    })
}

/// A file or folder that decides what is read: whoever can write it decides that too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceAccess {
    /// Which, without symbolic links.
    pub path: PathBuf,
    /// Its permission bits.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
}

/// Who can exchange the files of an ACME client's folder: those of the folder, of the files that
/// were found in it, and of the folders that these lie in (certbot's `archive`).
pub fn source_access(dir: &Path, domain: Option<&str>) -> Result<Vec<SourceAccess>, SourceError> {
    let Below { folder, layout } = layout(dir, domain)?;
    let names = [Some(layout.cert), Some(layout.key), layout.chain];
    let files = names.into_iter().flatten().map(|name| folder.join(name));
    let ways = folder.ancestors().take_while(|path| path.starts_with(dir));
    let mut paths = std::collections::BTreeSet::new();
    for path in ways.map(Path::to_owned).chain(files) {
        let path = path
            .canonicalize()
            .map_err(|error| unreadable(&error, &path))?;
        if path.is_file() {
            paths.extend(path.parent().map(Path::to_owned));
        }
        paths.insert(path);
    }
    paths.into_iter().map(access_to).collect()
}

/// Mode and owner of a file; of what a symbolic link leads to.
pub fn access_to(path: PathBuf) -> Result<SourceAccess, SourceError> {
    let found = path.metadata().map_err(|error| unreadable(&error, &path))?;
    Ok(SourceAccess {
        mode: found.mode() & 0o7777,
        uid: found.uid(),
        path,
    })
}

/// When a folder, or something in it, was last written, seconds since the epoch; none where that cannot
/// be seen. `domain` as for [`read_folder`].
pub fn source_written(dir: &Path, domain: Option<&str>) -> Option<i64> {
    let dir = layout(dir, domain).map_or_else(|_| dir.to_owned(), |found| found.folder);
    let entries = fs::read_dir(&dir).ok()?.take(MOST_FILES).flatten();
    let paths = entries.map(|entry| entry.path());
    let times = paths
        .chain([dir])
        .filter_map(|path| fs::metadata(path).ok());
    times.map(|meta| meta.mtime()).max()
}

/// The name by which the certificate of a folder is chosen: `domain`, where it is said; else `name`,
/// where there are several and that fits one.
pub fn chosen_by(dir: &Path, domain: Option<&str>, name: &str) -> Option<String> {
    if domain.is_some() {
        return domain.map(str::to_owned);
    }
    let several =
        |error: SourceError| ["layout.several", "layout.ambiguous"].contains(&error.code());
    let fits = layout(dir, None).is_err_and(several) && layout(dir, Some(name)).is_ok();
    fits.then(|| name.to_owned())
}

/// The files of a folder, as its client names them; or of one below it.
fn layout(dir: &Path, domain: Option<&str>) -> Result<Below, SourceError> {
    let failed = |error| SourceError::Folder {
        path: dir.to_owned(),
        error,
    };
    match recognise(&entries(dir)?, domain) {
        Ok(layout) => Ok(Below {
            folder: dir.to_owned(),
            layout,
        }),
        Err(unknown @ LayoutError::Unknown(_)) => {
            let found = below::found(dir)?;
            let chosen = mailtls::layout::choose(found, domain).map_err(failed)?;
            let Some(chosen) = chosen else {
                return Err(failed(unknown));
            };
            // That a file is empty is said of the one that is meant.
            let entries = entries(&chosen.folder)?;
            let of_files = chosen.layout.key.strip_suffix(".key");
            let layout = recognise(&entries, of_files).map_err(|error| SourceError::Folder {
                path: chosen.folder.clone(),
                error,
            })?;
            Ok(Below { layout, ..chosen })
        }
        Err(error) => Err(failed(error)),
    }
}

/// What lies in a folder, within bounds.
fn entries(dir: &Path) -> Result<Vec<Entry>, SourceError> {
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::NotADirectory if dir.symlink_metadata().is_ok() => SourceError::NotAFolder {
            path: dir.to_owned(),
        },
        _ => unreadable(&error, dir),
    };
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        if entries.len() == MOST_FILES {
            return Err(too_many(dir));
        }
        let entry = entry.map_err(failed)?;
        let link = fs::read_link(entry.path()).ok();
        entries.push(Entry {
            name: entry.file_name().to_string_lossy().into_owned(),
            size: size(&entry.path()),
            target: link.map(|target| target.display().to_string()),
        });
    }
    Ok(entries)
}

fn too_many(dir: &Path) -> SourceError {
    SourceError::TooMany {
        path: dir.to_owned(),
    }
}

/// Only a regular file can be empty; what cannot be read is told when it is.
fn size(path: &Path) -> u64 {
    match fs::metadata(path) {
        Ok(meta) if meta.is_file() => meta.len(),
        _ => 1,
    }
}

/// The password in the first line of a file.
pub fn read_password(path: &Path) -> Result<Zeroizing<String>, SourceError> {
    let bytes = read_source(path)?;
    let line = bytes.split(|byte| *byte == b'\n').next();
    let line = line.unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(SourceError::PasswordNotText {
            path: path.to_owned(),
        }),
    }
}

/// A file's bytes.
pub fn read_source(path: &Path) -> Result<Zeroizing<Vec<u8>>, SourceError> {
    let failed = |error: io::Error| unreadable(&error, path);
    // Asked of what was opened, not of the name, which may lead elsewhere by then.
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(|error| match error.raw_os_error() {
            // A socket cannot be opened at all.
            Some(code) if code == rustix::io::Errno::NXIO.raw_os_error() => not_regular(path),
            _ => failed(error),
        })?;
    let kind = file.metadata().map_err(failed)?.file_type();
    if kind.is_dir() {
        return Err(file_error(path, CertError::IsDirectory));
    }
    if !kind.is_file() {
        return Err(not_regular(path));
    }
    read_stream(file, path)
}

/// The bytes of a stream, which `path` names in errors.
pub fn read_stream(from: impl Read, path: &Path) -> Result<Zeroizing<Vec<u8>>, SourceError> {
    let mut bytes = Zeroizing::new(Vec::new());
    from.take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&error, path))?;
    if bytes.len() as u64 > LIMIT {
        let error = CertError::TooLarge(bytes.len() as u64);
        return Err(file_error(path, error));
    }
    Ok(bytes)
}

fn not_regular(path: &Path) -> SourceError {
    file_error(path, CertError::NoFile(NOT_REGULAR.to_owned()))
}

fn unreadable(error: &io::Error, path: &Path) -> SourceError {
    let remedy = match error.kind() {
        // Below what is no folder nothing can be, either.
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            return file_error(path, CertError::Missing);
        }
        _ if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return file_error(path, CertError::NoFile(error.to_string()));
        }
        ErrorKind::PermissionDenied if rustix::process::geteuid().is_root() => FOR_ROOT,
        ErrorKind::PermissionDenied => FOR_OTHERS,
        _ => FOR_TROUBLE,
    };
    SourceError::Refused {
        path: path.to_owned(),
        why: error.to_string(),
        remedy,
    }
}

fn file_error(path: &Path, error: CertError) -> SourceError {
    SourceError::File {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests;
