//! Deleting a certificate.
//!
//! Owns: that nothing of it stays, neither in the store nor on disk: its key files, and the maps
//! of names that hold copies of its key. Never: deletes what is bound, or may be needed by an
//! operation that is still open, or removes a file that main.cf or master.cf names.

use crate::certificates::{parsed as parsed_chain, unknown};
use crate::{Engine, EngineError};
use mailtls::Fingerprint;
use postseal_planner::plan::{SniMap, Step};
use postseal_planner::{Finding, Severity};
use postseal_store::{Certificate, Operation};
use std::path::{Path, PathBuf};

/// How many operations are searched for files that they installed.
const REACH: usize = 10_000;

impl Engine<'_> {
    /// Deletes a certificate that nothing binds, with all its versions, and the files that were
    /// installed for it. A rollback to an operation that bound it is no longer possible. Leaves an
    /// audit entry.
    pub fn delete_certificate(&mut self, name: &str) -> Result<(), EngineError> {
        // What is being renewed would come back.
        let _ordering = self.ordering_lock()?;
        let _lock = self.host.lock()?;
        self.settle_what_is_open()?;
        self.refuse_while_open()?;
        let view = self.certificate(name)?;
        if !view.used_by.is_empty() {
            return Err(bound(name, &view.used_by, self.is_unbound_by_wish(name)?));
        }
        let stored = self.store.certificate_versions(name)?;
        self.refuse_issuer(name, &stored, &[])?;
        let steps = self.installed_for(&stored.iter().filter_map(leaf).collect::<Vec<_>>())?;
        self.remove_unnamed(&steps)?;
        self.store.delete_certificate(name)?;
        let leaves = crate::noted::leaves(&stored);
        self.note_done(&format!("deleted certificate {name} ({leaves})"))
    }

    /// Deletes one version of a certificate, with the files that were installed for it: a renewal
    /// that can never work, or an old one. Answers with its fingerprint. Refused for one that is
    /// bound, that `rollback` leads back to, or that is the only one. Leaves an audit entry.
    pub fn delete_version(&mut self, name: &str, version: u32) -> Result<Fingerprint, EngineError> {
        let _ordering = self.ordering_lock()?;
        let _lock = self.host.lock()?;
        self.settle_what_is_open()?;
        self.refuse_while_open()?;
        let stored = self.store.certificate_versions(name)?;
        if stored.is_empty() {
            return Err(unknown(name));
        }
        let dropped = stored.iter().find(|stored| stored.version == version);
        let fingerprint = dropped.and_then(leaf).ok_or_else(|| {
            let name = format!("{name} [version {version}]");
            EngineError::Unknown {
                what: "certificate",
                name,
            }
        })?;
        if stored.len() == 1 {
            return Err(only(name, version));
        }
        self.refuse_used(name, version, &fingerprint)?;
        let (dropped, left): (Vec<Certificate>, Vec<Certificate>) = stored
            .into_iter()
            .partition(|stored| stored.version == version);
        self.refuse_issuer(name, &dropped, &left)?;
        let steps = self.installed_for(&[fingerprint])?;
        self.remove_unnamed(&steps)?;
        self.store.delete_version(name, version)?;
        let leaf = crate::noted::short(&fingerprint);
        let what = format!("deleted version {version} of certificate {name} ({leaf})");
        self.note_done(&what)?;
        Ok(fingerprint)
    }

    /// The key of a CA that has issued what is presented, or is to be, stays, in one of the versions
    /// that are left or in this: nothing else can renew that under the CA that its peers trust.
    fn refuse_issuer(
        &self,
        name: &str,
        versions: &[Certificate],
        left: &[Certificate],
    ) -> Result<(), EngineError> {
        let staying: Vec<Fingerprint> = certificates(left).map(|ca| ca.key_fingerprint()).collect();
        let cas = certificates(versions).filter(|leaf| leaf.may_issue());
        let cas: Vec<mailtls::Certificate> = cas
            .filter(|ca| !staying.contains(&ca.key_fingerprint()))
            .collect();
        if cas.is_empty() {
            return Ok(());
        }
        let users = self.users()?;
        let mut issued = Vec::new();
        for other in users.names().into_iter().filter(|other| *other != name) {
            for stored in self.store.certificate_versions(other)? {
                let places = users.of_version(other, stored.version);
                if !places.is_empty() && mailtls::leads_to(&parsed_chain(&stored)?, &cas) {
                    issued.push(format!("{other} ({})", places.join(", ")));
                }
            }
        }
        match issued.is_empty() {
            true => Ok(()),
            false => Err(issuer(name, &issued)),
        }
    }

    /// Whether what is wished binds it no more.
    fn is_unbound_by_wish(&self, name: &str) -> Result<bool, EngineError> {
        let state = self.store.instance(&self.instance)?;
        let draft = state.and_then(|state| state.draft);
        Ok(draft.is_some_and(|draft| draft.bindings.iter().all(|bound| bound.name != name)))
    }

    /// What is bound, or what the next rollback binds again, stays.
    fn refuse_used(
        &self,
        name: &str,
        version: u32,
        fingerprint: &Fingerprint,
    ) -> Result<(), EngineError> {
        let users = self.users()?.of_version(name, version);
        if !users.is_empty() {
            return Err(bound_version(name, version, &users));
        }
        let leads_back = |undone: &&Operation| {
            let mut before = undone.new.plan.earlier.bindings.iter();
            before.any(|bound| bound.name == name && bound.fingerprint == *fingerprint)
        };
        match self.next_to_undo()?.iter().find(leads_back) {
            Some(undone) => Err(led_back_to(name, version, undone.id)),
            None => Ok(()),
        }
    }

    /// The steps of past operations that wrote these keys, keys first.
    fn installed_for(&self, versions: &[Fingerprint]) -> Result<Vec<Step>, EngineError> {
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

/// The leaves, those that can be read.
fn certificates(versions: &[Certificate]) -> impl Iterator<Item = mailtls::Certificate> {
    let leaves = versions.iter().filter_map(|stored| stored.chain.first());
    leaves.filter_map(|leaf| mailtls::Certificate::parse(leaf).ok())
}

fn leaf(stored: &Certificate) -> Option<Fingerprint> {
    stored.chain.first().map(|leaf| Fingerprint::of(leaf))
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

fn bound(name: &str, places: &[String], unbound_by_wish: bool) -> EngineError {
    let mut message = format!("Certificate {name} is bound by {}.", places.join(", "));
    let remedy = match unbound_by_wish {
        true => {
            message.pop();
            message.push_str("; that it is presented no more is wished, and not in force yet.");
            "`postseal apply` first, then delete it."
        }
        false => "Bind another certificate and apply, then delete this one.",
    };
    let remedy = remedy.to_owned();
    refused("cert.bound", message, remedy)
}

fn issuer(name: &str, issued: &[String]) -> EngineError {
    let message = format!(
        "{name} is the CA that issued {}; its only key would go with it, and nothing could be issued \
         by it again.",
        issued.join(", ")
    );
    let remedy = format!(
        "Bind certificates of another CA in their place and apply, then delete it; `postseal cert \
         export {name} --key --yes-export-private-key` keeps its key elsewhere."
    );
    refused("cert.issuer-of-bound", message, remedy)
}

fn bound_version(name: &str, version: u32, places: &[String]) -> EngineError {
    let message = format!(
        "Version {version} of {name} is bound by {}.",
        places.join(", ")
    );
    let remedy = match places.iter().all(|place| place.ends_with("(pending)")) {
        true => {
            "`postseal discard` drops the pending wishes, or bind another certificate.".to_owned()
        }
        false => format!(
            "`postseal cert deploy {name}` presents the newest version; or bind another \
             certificate and apply, then delete this one."
        ),
    };
    refused("cert.bound", message, remedy)
}

fn led_back_to(name: &str, version: u32, operation: u64) -> EngineError {
    let message = format!(
        "Version {version} of {name} is what `postseal rollback` of operation {operation} leads \
         back to."
    );
    let remedy = "Delete it once another operation has been kept, when the way back no longer \
                  needs it."
        .to_owned();
    refused("cert.needed-by-rollback", message, remedy)
}

fn only(name: &str, version: u32) -> EngineError {
    let message = format!("Version {version} is the only one of {name}.");
    let remedy = format!("`postseal cert delete {name}` deletes the certificate itself.");
    refused("cert.only-version", message, remedy)
}

fn refused(code: &'static str, message: String, remedy: String) -> EngineError {
    EngineError::Refused(Finding::new(code, Severity::Error, message, remedy).into())
}
