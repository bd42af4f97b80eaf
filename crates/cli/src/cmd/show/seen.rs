//! What `show` looks at: an instance, or bare files where there is no Postfix to ask.
//!
//! Owns: which of the two, and reading the files. Never: needs a store or root, looks beyond the
//! two files of an instance that can be asked, and its certificates.

use crate::cmd::lint::read;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::{self, DEFAULT_INSTANCE};
use postseal_engine::{EngineError, observe_unadopted, observe_values};
use postseal_host::{HostError, PostfixHost};
use postseal_planner::facts::CfFile;
use postseal_planner::{Facts, PostfixVersion};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// How far it is looked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// At both files.
    Values,
    /// At what they name, too: certificates.
    Files,
}

impl Depth {
    fn observe(self, host: &PostfixHost) -> Result<Facts, EngineError> {
        match self {
            Self::Values => observe_values(host),
            Self::Files => observe_unadopted(host).or_else(|_| observe_values(host)),
        }
    }
}

/// Looks: at the instance as its Postfix reads it, or at its files alone, where a release is
/// named, no Postfix is installed here, or the folder is none that it could read. A main.cf can be
/// named in place of its folder.
pub(super) fn look(
    version: Option<PostfixVersion>,
    depth: Depth,
    global: &Global,
) -> Result<Facts, Failure> {
    let named = global.instance.clone();
    let path = named.unwrap_or_else(|| PathBuf::from(DEFAULT_INSTANCE));
    let elsewhere = global.is_elsewhere();
    if elsewhere || version.is_none() && path.is_dir() {
        match session::host(global) {
            Ok(host) => match depth.observe(&host) {
                Ok(facts) => {
                    if let Some(why) = host.refusal() {
                        global.warn(dies(&why));
                    }
                    return Ok(facts);
                }
                Err(error) if elsewhere || !is_missing(&error) => return Err(error.into()),
                Err(_) => (),
            },
            Err(failure) if elsewhere => return Err(failure),
            Err(_) => (),
        }
    }
    bare(&path, version)
}

/// `postconf` gets along with these files, and no daemon does.
fn dies(why: &str) -> Failure {
    let said = format!("Postfix's programs die of this configuration: {why}");
    Failure::new(Exit::Data, "instance.unreadable", said)
        .hint("Correct that first; `postseal lint` says more.")
}

/// Whether one of the two files is not there: `postconf` reads the other all the same.
fn is_missing(error: &EngineError) -> bool {
    let kind = match error {
        EngineError::Host(HostError::File { source, .. }) => source.kind(),
        _ => return false,
    };
    kind == ErrorKind::NotFound
}

fn bare(path: &Path, version: Option<PostfixVersion>) -> Result<Facts, Failure> {
    let folder = match path.is_dir() {
        true => path,
        false => path.parent().unwrap_or(Path::new("")),
    };
    let main = match path.is_dir() {
        true => read(&path.join("main.cf"))?,
        false => read(path)?,
    };
    // A main.cf that was named stands for itself.
    let master = folder.join("master.cf");
    let master = match path.is_dir() && master.exists() {
        true => read(&master)?,
        false => Vec::new(),
    };
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let main = CfFile::of(folder.join("main.cf"), main);
    let master = CfFile::of(folder.join("master.cf"), master);
    Ok(Facts::of_files(main, master, version))
}
