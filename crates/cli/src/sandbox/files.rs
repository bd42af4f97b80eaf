//! The administrator's files as they were.
//!
//! Owns: taking a picture of main.cf and master.cf and comparing it. Never: writes one.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Bytes, owner and mode of both files.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Files {
    main: Picture,
    master: Picture,
}

#[derive(Clone, PartialEq, Eq)]
struct Picture {
    bytes: Vec<u8>,
    uid: u32,
    gid: u32,
    mode: u32,
}

impl Files {
    pub(super) fn of(config_directory: &Path) -> Result<Self, String> {
        Ok(Self {
            main: picture(&config_directory.join("main.cf"))?,
            master: picture(&config_directory.join("master.cf"))?,
        })
    }

    /// Both files are just as they were in `before`.
    pub(super) fn same_as(&self, before: &Self) -> Result<String, String> {
        for (name, now, then) in [
            ("main.cf", &self.main, &before.main),
            ("master.cf", &self.master, &before.master),
        ] {
            if now.bytes != then.bytes {
                return Err(format!(
                    "{name} is not what it was: {} bytes now, {} then",
                    now.bytes.len(),
                    then.bytes.len()
                ));
            }
            if now != then {
                return Err(format!("{name} has another owner or mode than before"));
            }
        }
        Ok(format!(
            "main.cf ({} bytes) and master.cf ({} bytes) are byte for byte what they were, with owner and mode.",
            self.main.bytes.len(),
            self.master.bytes.len()
        ))
    }

    /// Every line of the first picture's main.cf that is not TLS is still there, in order.
    pub(super) fn keeps_the_lines_of(&self, before: &Self) -> Result<String, String> {
        let now = String::from_utf8_lossy(&self.main.bytes).into_owned();
        let then = String::from_utf8_lossy(&before.main.bytes).into_owned();
        let mut lines = now.lines();
        for line in then.lines() {
            if !lines.any(|candidate| candidate == line) {
                return Err(format!(
                    "main.cf has lost this line of the administrator's: {line:?}"
                ));
            }
        }
        Ok(format!(
            "All {} lines that the administrator wrote in main.cf are still there, in order.",
            then.lines().count()
        ))
    }
}

fn picture(path: &Path) -> Result<Picture, String> {
    let text = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let meta = fs::metadata(path).map_err(text)?;
    let bytes = fs::read(path).map_err(text)?;
    Ok(Picture {
        bytes,
        uid: meta.uid(),
        gid: meta.gid(),
        mode: meta.mode() & 0o7777,
    })
}
