//! What a watched folder holds, and what the store knows of it.
//!
//! Owns: telling a renewal from what is known and from what cannot be used. Never: decides what
//! is done about it.

use super::decide::{Known, Seen};
use super::{Folders, Found, access};
use crate::certificates::finding;
use crate::succession::{bound_all_the_same, ends_sooner};
use crate::{Engine, EngineError};
use mailtls::{Bundle, CertError, Certificate, Files, Fingerprint};
use postseal_planner::calendar::day;
use postseal_planner::{Digest, Finding, Severity};
use postseal_store::{Certificate as Stored, Watch};

impl Engine<'_> {
    /// What a folder holds, and what is known of it.
    pub(super) fn seen(
        &self,
        watch: &Watch,
        folders: &dyn Folders,
    ) -> Result<(Seen, Option<Found>), EngineError> {
        let found = match folders.read(watch) {
            Ok(found) => found,
            Err(finding) => return Ok((Seen::Unusable(finding), None)),
        };
        if let Some(finding) = access::open_to_all(&found.access) {
            return Ok((Seen::Unusable(finding), None));
        }
        let chain = match bundle(&found) {
            Ok(bundle) => bundle.chain,
            Err(error) => {
                let unusable = finding(&(&error).into());
                return Ok((Seen::Unusable(unusable.seen(found.source)), None));
            }
        };
        let seen = match self.known(watch, &chain[0])? {
            Ok(known) => Seen::Usable {
                files: digest(&found),
                leaf: chain[0].fingerprint(),
                known,
            },
            Err(finding) => Seen::Unusable(finding.seen(found.source.clone())),
        };
        Ok((seen, Some(found)))
    }

    /// What the store knows of this leaf, or why it is none to take.
    fn known(
        &self,
        watch: &Watch,
        leaf: &Certificate,
    ) -> Result<Result<Known, Finding>, EngineError> {
        let fingerprint = leaf.fingerprint();
        if watch.taken == Some(fingerprint) {
            return Ok(Ok(Known::Done));
        }
        let versions = self.store.certificate_versions(&watch.name)?;
        let Some(newest) = versions.first() else {
            return Ok(Ok(Known::New));
        };
        let at = versions.iter().position(|stored| {
            let leaf = stored.chain.first();
            leaf.is_some_and(|leaf| Fingerprint::of(leaf) == fingerprint)
        });
        Ok(match at {
            Some(0) => Ok(Known::New),
            Some(at) => self.superseded_version(&versions, at)?,
            None => match newest.chain.first().map(|der| Certificate::parse(der)) {
                Some(Ok(newest)) if leaf.not_before < newest.not_before => {
                    Err(older(watch, leaf, &newest))
                }
                _ => Ok(Known::New),
            },
        })
    }

    /// An older version than the store's newest: meant to stay where it is in force, else none to
    /// take.
    fn superseded_version(
        &self,
        versions: &[Stored],
        at: usize,
    ) -> Result<Result<Known, Finding>, EngineError> {
        let older = &versions[at];
        if !self
            .users()?
            .in_force(&older.name, older.version)
            .is_empty()
        {
            return Ok(Ok(Known::Done));
        }
        let (name, newest) = (&older.name, versions[0].version);
        let mut finding = self.older_version(versions, at)?;
        finding.severity = Severity::Warning;
        finding.message = format!(
            "The certificate in the watched folder is version {} of {name}, and version {newest} is newer: \
             it is not taken.",
            older.version
        );
        finding.remedy = format!(
            "Nothing, where version {newest} is meant to stay: the next renewal in the folder is taken. If \
             the folder is the wrong one, watch another: `postseal cert watch {name} --dir DIR`."
        );
        Ok(Err(finding))
    }
}

/// What was found, read.
pub(super) fn bundle(found: &Found) -> Result<Bundle, CertError> {
    Bundle::from_files(Files {
        cert: &found.cert,
        key: found.key.as_ref().map(|key| key.as_slice()),
        chain: found.chain.as_deref(),
        password: found.password.as_ref().map(|password| password.as_str()),
    })
}

/// A digest of everything that was found, in which each part has its place.
fn digest(found: &Found) -> Digest {
    let part = |bytes: &[u8]| Digest::of(bytes).to_string();
    let key = found.key.as_ref().map_or(&[][..], |key| key.as_slice());
    let chain = found.chain.as_deref().unwrap_or_default();
    let parts = [part(&found.cert), part(key), part(chain)];
    Digest::of(parts.concat().as_bytes())
}

fn older(watch: &Watch, leaf: &Certificate, newest: &Certificate) -> Finding {
    let (name, dir) = (&watch.name, watch.dir.display());
    let domain = watch.domain.as_ref();
    let domain = domain.map_or(String::new(), |domain| format!(" --domain {domain}"));
    let from = format!("--dir {dir}{domain}");
    let message = format!(
        "The certificate in the watched folder ({}, {} to {}) began before the newest one that the store \
         has as {name} ({} to {}): it is no renewal, and is not taken.",
        leaf.subject,
        day(leaf.not_before),
        day(leaf.not_after),
        day(newest.not_before),
        day(newest.not_after),
    );
    let meant = match ends_sooner(leaf, newest) {
        true => bound_all_the_same(name, &from),
        false => format!("`postseal cert deploy {name} {from}`"),
    };
    let remedy = format!(
        "Nothing, where a backup was put back: the next renewal there is taken. If the folder is the \
         wrong one, watch another. If this one is to be presented all the same: {meant}."
    );
    Finding::new("watch.older", Severity::Warning, message, remedy)
}
