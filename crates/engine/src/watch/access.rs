//! Who can exchange what is watched, and how the watches of an instance stand.
//!
//! Owns: refusing what anybody can write, and what `cert check` says of watches. Never: opens a
//! folder. A watch presents what it finds without asking, so whoever can write there decides what
//! Postfix shows.

use super::Folders;
use super::decide::{Known, PATIENCE, Seen};
use crate::{Engine, EngineError};
use mailtls::{Fingerprint, KeyFile};
use postseal_host::SourceAccess;
use postseal_planner::{Finding, Severity, certificate_finding};
use postseal_store::Watch;

const STICKY: u32 = 0o1000;

/// What a folder looks like for a moment while its client writes: some files are not there yet, or empty.
const HALF_WRITTEN: [&str; 2] = ["layout.unknown", "layout.empty"];

/// A watched folder that nothing can be taken from.
#[derive(Clone, Debug)]
pub struct WatchTrouble {
    /// Which, and for which certificate.
    pub watch: Watch,
    /// Why. What is in force stays.
    pub finding: Finding,
}

/// Why nothing is taken from there: anybody could have put it there.
pub(super) fn open_to_all(access: &[SourceAccess]) -> Option<Finding> {
    let open = |one: &&SourceAccess| one.mode & 0o002 != 0 && one.mode & STICKY == 0;
    let one = access.iter().find(open)?;
    let path = one.path.display();
    Some(Finding::new(
        "watch.writable",
        Severity::Error,
        format!(
            "Everyone may write to {path} (mode {:04o}), and so decide what is presented: nothing \
             is taken from there.",
            one.mode
        ),
        format!("`chmod o-w {path}`."),
    ))
}

/// Somebody beside root and us decides what is presented.
fn foreign(access: &[SourceAccess]) -> Option<Finding> {
    let us = rustix::process::geteuid().as_raw();
    let one = access.iter().find(|one| one.uid != 0 && one.uid != us)?;
    let path = one.path.display();
    Some(Finding::new(
        "watch.owner",
        Severity::Info,
        format!(
            "{path} belongs to user {}, who so decides what Postfix presents.",
            one.uid
        ),
        "Nothing, where that is the ACME client's own user; else give it to root.",
    ))
}

/// What is to be said of the file that an imported key was read from. The store's copy is sealed;
/// who could read the file may have another.
pub fn open_key(file: &SourceAccess) -> Vec<Finding> {
    let us = rustix::process::geteuid().as_raw();
    let path = file.path.display();
    let shown = path.to_string();
    let key = KeyFile {
        path: &shown,
        mode: file.mode,
        uid: file.uid,
    };
    let problems = key.problems().into_iter();
    let others = problems.filter(|problem| problem.code != "cert.key-owner" || file.uid != us);
    let told = others.map(|problem| {
        let mut finding = certificate_finding(&problem);
        (finding.severity, finding.remedy) = match problem.code {
            "cert.key-owner" => (
                Severity::Info,
                "Nothing, where that is the ACME client's own user; else give it to root.".into(),
            ),
            _ => (
                finding.severity.min(Severity::Warning),
                format!(
                    "`chmod 0600 {path}`, or remove it: the store has the key. Where somebody may \
                     have read it, have a certificate issued for a new one."
                ),
            ),
        };
        finding
    });
    told.collect()
}

impl Engine<'_> {
    /// What is wrong with the remembered watches, of one certificate or of all: by its name.
    pub fn check_watches(
        &self,
        only: Option<&str>,
        folders: &dyn Folders,
        each: &mut dyn FnMut(&str, Vec<Finding>),
    ) -> Result<(), EngineError> {
        for watch in self.watches(only)? {
            let dir = watch.dir.display();
            let (seen, found) = self.seen(&watch, folders)?;
            let mut findings = match seen {
                Seen::Unusable(_) if self.is_being_written(&watch, folders) => Vec::new(),
                Seen::Unusable(finding) => vec![finding.seen(format!("watched: {dir}"))],
                Seen::Usable { known, leaf, .. } => {
                    let is_news =
                        known == Known::New && !self.is_told_otherwise(&watch.name, &leaf)?;
                    let news = is_news.then(|| not_taken(&watch.name, &dir.to_string()));
                    news.into_iter().collect()
                }
            };
            findings.extend(found.and_then(|found| foreign(&found.access)));
            each(&watch.name, findings);
        }
        Ok(())
    }

    /// The watched folders that nothing can be taken from, as long as they stay so.
    pub fn unusable_watches(
        &self,
        folders: &dyn Folders,
    ) -> Result<Vec<WatchTrouble>, EngineError> {
        let mut told = Vec::new();
        for watch in self.watches(None)? {
            if let (Seen::Unusable(finding), _) = self.seen(&watch, folders)?
                && !self.is_being_written(&watch, folders)
            {
                let finding = finding.seen(format!("watched: {}", watch.dir.display()));
                told.push(WatchTrouble { watch, finding });
            }
        }
        Ok(told)
    }

    /// Whether an ACME client may be in the middle of its work: what there is cannot be used, and came
    /// just now. A clock that was put back makes nothing look young for long.
    fn is_being_written(&self, watch: &Watch, folders: &dyn Folders) -> bool {
        let half = match folders.read(watch) {
            Err(finding) => HALF_WRITTEN.contains(&&*finding.code),
            Ok(found) => {
                open_to_all(&found.access).is_none() && super::seen::bundle(&found).is_err()
            }
        };
        let age = |written: i64| self.clock.now_unix().saturating_sub(written);
        let patience = i64::try_from(PATIENCE.as_secs()).unwrap_or(i64::MAX);
        let is_young = |written| (-patience..patience).contains(&age(written));
        half && folders.written_unix(watch).is_some_and(is_young)
    }

    /// Whether a certificate of a folder is in force, however it came there, or a version that waits
    /// in the store, of which `cert check` tells why.
    fn is_told_otherwise(&self, name: &str, leaf: &Fingerprint) -> Result<bool, EngineError> {
        let newest = self.newest(name)?;
        let newest = newest.as_ref().and_then(|newest| newest.chain.first());
        if newest.map(|der| Fingerprint::of(der)) != Some(*leaf) {
            return Ok(false);
        }
        let view = self.certificate(name)?;
        Ok(view.in_force_instead.is_none() || !view.waits_for.is_empty())
    }
}

fn not_taken(name: &str, dir: &str) -> Finding {
    Finding::new(
        "watch.not-taken",
        Severity::Warning,
        format!("What lies in the watched folder {dir} is not presented yet."),
        format!(
            "See that the service that watches runs (`postseal cert watch`); `postseal cert watch \
             {name} --once` takes it now, or says what keeps it."
        ),
    )
}
