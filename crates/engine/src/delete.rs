//! Deleting a certificate.
//!
//! Owns: that nothing of it stays, neither in the store nor on disk: its key files, and the maps
//! of names that hold copies of its key. Never: deletes what is bound, or may be needed by an
//! operation that is still open, or removes a file that main.cf or master.cf names.

use crate::{Engine, EngineError};
use mailtls::Fingerprint;
use postseal_planner::plan::{SniMap, Step};
use postseal_planner::{Finding, Severity};
use std::path::{Path, PathBuf};

/// How many operations are searched for files that they installed.
const REACH: usize = 10_000;

impl Engine<'_> {
    /// Deletes a certificate that nothing binds, with all its versions, and the files that were
    /// installed for it. A rollback to an operation that bound it is no longer possible.
    pub fn delete_certificate(&mut self, name: &str) -> Result<(), EngineError> {
        // What is being renewed would come back.
        let _ordering = self.ordering_lock()?;
        let _lock = self.host.lock()?;
        self.settle_what_is_open()?;
        self.refuse_while_open()?;
        let view = self.certificate(name)?;
        if !view.used_by.is_empty() {
            return Err(bound(name, &view.used_by));
        }
        let steps = self.installed_for(name)?;
        self.remove_unnamed(&steps)?;
        self.store.delete_certificate(name)?;
        Ok(())
    }

    /// The steps of past operations that wrote its key, keys first.
    fn installed_for(&self, name: &str) -> Result<Vec<Step>, EngineError> {
        let stored = self.store.certificate_versions(name)?;
        let versions: Vec<Fingerprint> = stored
            .iter()
            .filter_map(|stored| stored.chain.first())
            .map(|leaf| Fingerprint::of(leaf))
            .collect();
        let history = self.store.history(&self.instance, REACH)?;
        let steps = || history.iter().flat_map(|past| &past.new.plan.steps);
        let its = |step: &&Step| match step {
            Step::InstallChain { fingerprint, .. } => versions.contains(fingerprint),
            _ => false,
        };
        let mut found: Vec<Step> = steps().filter(its).cloned().collect();
        let paths: Vec<PathBuf> = found.iter().filter_map(path).collect();
        let copies = steps().filter(|step| match step {
            Step::InstallSniMap(map) => paths.iter().any(|path| names(map, path)),
            _ => false,
        });
        found.extend(copies.cloned());
        Ok(found)
    }
}

fn path(step: &Step) -> Option<PathBuf> {
    match step {
        Step::InstallChain { path, .. } => Some(path.clone()),
        _ => None,
    }
}

fn names(map: &SniMap, path: &Path) -> bool {
    let mut words = map.source.split_ascii_whitespace();
    words.any(|word| path.as_os_str() == word)
}

fn bound(name: &str, places: &[String]) -> EngineError {
    let message = format!("Certificate {name} is bound by {}.", places.join(", "));
    let remedy = "Bind another certificate and apply, then delete this one.";
    EngineError::Refused(Finding::new("cert.bound", Severity::Error, message, remedy).into())
}
