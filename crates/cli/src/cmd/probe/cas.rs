//! `probe --cafile`: the CAs that count.
//!
//! Owns: where the file is, and that there is a CA in it. Never: judges by them.

use crate::failure::{Exit, Failure};
use mailtls::Anchors;
use postseal_planner::facts::FileLook;
use std::path::{Path, PathBuf};

/// The file, from the root on; it holds a certificate.
pub(super) fn file(path: &Path) -> Result<PathBuf, Failure> {
    let failed = |why: &str| {
        let message = format!("no CAs can be had from {}: {why}", path.display());
        Failure::new(Exit::Data, "probe.bad-cafile", message)
            .hint("Name a file with the certificates of the CAs that count (PEM).")
    };
    let absolute = std::path::absolute(path).map_err(|error| failed(&error.to_string()))?;
    let anchors = match postseal_host::look_at(&absolute) {
        FileLook::File { bytes, .. } => {
            Anchors::read(&bytes).map_err(|error| failed(&error.to_string()))?
        }
        FileLook::Missing => return Err(failed("there is no such file")),
        FileLook::Directory => return Err(failed("it is a folder")),
        FileLook::Special => return Err(failed("it is no file")),
        FileLook::Unreadable(why) | FileLook::Denied(why) => return Err(failed(&why)),
        FileLook::TooLarge(bytes) => return Err(failed(&format!("{bytes} bytes are too many"))),
    };
    match anchors.is_empty() {
        true => Err(failed("there is no certificate in it")),
        false => Ok(absolute),
    }
}
