//! What stands beside the project, or on the machine, and may be missing.
//!
//! Owns: the one way in which a test may have nothing to test. Never: lets that pass unsaid.
//!
//! Two kinds of absence, two rules. The files of `../shared` are others' and cannot be part of the
//! project, so a clone may lack them, in CI too: [`samples`] says so and gives none; where the
//! folder is there, it must hold as many files as it should. What the machine lacks can be
//! installed: [`missing`] says so, and fails in CI.

use std::fs;
use std::path::{Path, PathBuf};

/// One file that stands beside the project.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// The files of `../shared/FOLDER`, by name; none where `../shared` is absent, which is said.
///
/// # Panics
/// Where `../shared` is there, and the folder holds fewer than `least` files.
#[must_use]
pub fn samples(folder: &str, least: usize) -> Vec<Sample> {
    read(&shared(), folder, least)
}

/// Says that a test tests nothing, because `what` is missing on this machine.
///
/// # Panics
/// In CI, that is where the environment variable `CI` is set to something.
pub fn missing(what: &str) {
    let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    announce(what, if in_ci { Rule::Fail } else { Rule::Say });
}

/// What becomes of a test that has nothing to test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Say,
    Fail,
}

fn announce(what: &str, rule: Rule) {
    eprintln!("NOT TESTED: {what}");
    assert!(rule == Rule::Say, "{what}, and nothing is skipped in CI");
}

fn shared() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared")
}

fn read(shared: &Path, folder: &str, least: usize) -> Vec<Sample> {
    if !shared.exists() {
        announce(
            &format!("../shared/{folder} is absent: ../shared is no part of the project"),
            Rule::Say,
        );
        return Vec::new();
    }
    let folder = shared.join(folder);
    let entries = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display())))
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    let samples: Vec<Sample> = paths.into_iter().map(sample).collect();
    assert!(
        samples.len() >= least,
        "{} holds {} files, and once held {least}",
        folder.display(),
        samples.len()
    );
    samples
}

fn sample(path: PathBuf) -> Sample {
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = path.file_name().unwrap_or_default();
    Sample {
        name: name.to_string_lossy().into_owned(),
        bytes,
        path,
    }
}

#[cfg(test)]
mod tests;
