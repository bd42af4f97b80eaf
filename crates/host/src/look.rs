//! One picture of an instance.
//!
//! Owns: reading both files and asking `postconf` everything at once, in parallel, again when a
//! file changed meanwhile. Never: interprets a value.

use crate::file::{failed, read_cf};
use crate::postfix::{Postfix, Values};
use crate::publish::Place;
use crate::root::Root;
use crate::{HostError, HostLook, network};
use postseal_planner::PostfixVersion;
use postseal_planner::facts::{CfFile, MasterState};
use postseal_planner::plan::Cf;
use std::path::Path;
use std::thread;

/// A picture that keeps changing while it is taken is given up after so many attempts.
const ATTEMPTS: usize = 3;

/// What `postconf` says.
struct Said {
    values: Values,
    defaults: Values,
    map_types: Vec<String>,
    sasl_types: Vec<String>,
}

/// How much is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Everything.
    All,
    /// Values and defaults, which `postconf` prints even where the programs die.
    Values,
}

pub(crate) fn look(
    root: &Root,
    config_directory: &Path,
    postfix: &Postfix,
    asked: Asked,
    master: impl Fn() -> Result<MasterState, HostError>,
) -> Result<HostLook, HostError> {
    let place = |file| Place {
        root,
        config_directory,
        file,
    };
    for _ in 0..ATTEMPTS {
        let main_cf = cf_file(&place(Cf::Main))?;
        let master_cf = cf_file(&place(Cf::Master))?;
        let said = match asked {
            Asked::All => ask(postfix)?,
            Asked::Values => ask_values(postfix)?,
        };
        let same = cf_file(&place(Cf::Main))?.digest == main_cf.digest
            && cf_file(&place(Cf::Master))?.digest == master_cf.digest;
        if same {
            return compose(root, config_directory, main_cf, master_cf, said, master()?);
        }
    }
    Err(HostError::Stale {
        path: place(Cf::Main).path(),
    })
}

fn cf_file(place: &Place<'_>) -> Result<CfFile, HostError> {
    let path = place.real()?;
    let bytes = read_cf(&place.root.at(&path)).map_err(|error| named(error, &path))?;
    Ok(CfFile::of(path, bytes))
}

/// The error with the path as Postfix names it, not as it is seen from here.
fn named(error: HostError, path: &Path) -> HostError {
    match error {
        HostError::File { action, source, .. } => failed(action, path)(source),
        other => other,
    }
}

fn ask(postfix: &Postfix) -> Result<Said, HostError> {
    thread::scope(|scope| {
        let values = scope.spawn(|| postfix.effective());
        let defaults = scope.spawn(|| postfix.values(&["-d"]));
        let map_types = scope.spawn(|| postfix.list(&["-m"]));
        let sasl_types = postfix.list(&["-a"]);
        Ok(Said {
            values: joined(values.join())?,
            defaults: joined(defaults.join())?,
            map_types: joined(map_types.join())?,
            sasl_types: sasl_types?,
        })
    })
}

fn ask_values(postfix: &Postfix) -> Result<Said, HostError> {
    thread::scope(|scope| {
        let values = scope.spawn(|| postfix.effective());
        let defaults = postfix.values(&["-d"]);
        Ok(Said {
            values: joined(values.join())?,
            defaults: defaults?,
            map_types: Vec::new(),
            sasl_types: Vec::new(),
        })
    })
}

/// The thread's answer; a panic in it goes on here.
fn joined<T>(result: thread::Result<Result<T, HostError>>) -> Result<T, HostError> {
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The installed Postfix, by one call of `postconf`.
pub(crate) fn version(postfix: &Postfix) -> Result<PostfixVersion, HostError> {
    version_in(&postfix.values(&["-d", "mail_version"])?)
}

fn version_in(defaults: &Values) -> Result<PostfixVersion, HostError> {
    let said = defaults.values.get("mail_version");
    let said = said.map_or("", String::as_str);
    said.parse().map_err(HostError::Unreadable)
}

fn compose(
    root: &Root,
    config_directory: &Path,
    main_cf: CfFile,
    master_cf: CfFile,
    said: Said,
    master: MasterState,
) -> Result<HostLook, HostError> {
    Ok(HostLook {
        version: version_in(&said.defaults)?,
        config_directory: config_directory.to_owned(),
        main_cf,
        master_cf,
        values: said.values.values,
        defaults: said.defaults.values,
        map_types: said.map_types,
        sasl_types: said.sasl_types,
        addresses: network::addresses(root, master),
        master,
        warnings: said.values.warnings,
    })
}
