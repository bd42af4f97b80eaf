//! Files of a configuration as an administrator left them.
//!
//! Owns: their age. Never: what stands in them.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Longer ago than Postfix minds: of a main.cf younger than 2 s each of its programs sleeps before it reads it
/// (`dict_load_file_xp`), and so would every test that edits one.
const AGO: Duration = Duration::from_secs(3);

/// Writes a file in place, as one that was edited a moment ago.
///
/// # Errors
/// Those of writing it.
pub fn write(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    fs::write(&path, bytes)?;
    a_moment_ago(path)
}

/// Makes a file one that was edited a moment ago, by `postconf -e`, say.
///
/// # Errors
/// Those of opening it.
pub fn a_moment_ago(path: impl AsRef<Path>) -> io::Result<()> {
    let file = File::options().append(true).open(path)?;
    file.set_modified(SystemTime::now() - AGO)
}
