//! Watching the folders of ACME clients for renewals.
//!
//! Owns: the loop that looks, decides (`decide`), takes and presents on the one path, and tells.
//! Never: opens a folder or waits itself (what is handed in does), presents by a second path, lets
//! one watch hold back another.
//!
//! The loop is for a command that runs on, and for a process that does more; whatever else comes
//! due by the clock is called from `due_by_the_clock`.

mod access;
mod decide;
mod remembered;
mod seen;
mod told;

pub use access::{WatchTrouble, open_key};
pub use told::CheckNews;

use crate::adopt::Changes;
use crate::change::{Changed, Outcome};
use crate::import::Import;
use crate::{Engine, EngineError};
use decide::{Decision, Memory, News, REST, Seen};
use mailtls::Fingerprint;
use postseal_host::SourceAccess;
use postseal_planner::Finding;
use postseal_store::{Succession, Watch};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use told::Told;
use zeroize::Zeroizing;

/// How often the certificates of the store are judged while folders are watched.
const CHECK: Duration = Duration::from_secs(3600);

/// What was found in a folder.
#[derive(Debug)]
pub struct Found {
    /// The certificate, and whatever else stands in its file.
    pub cert: Vec<u8>,
    /// The private key.
    pub key: Option<Zeroizing<Vec<u8>>>,
    /// The intermediates, where they stand in a file of their own.
    pub chain: Option<Vec<u8>>,
    /// Opens an encrypted key.
    pub password: Option<Zeroizing<String>>,
    /// Where it came from, for people.
    pub source: String,
    /// Who can exchange it.
    pub access: Vec<SourceAccess>,
}

/// The folders, and the waiting for what happens in them.
pub trait Folders {
    /// Reads the files of a watch, within bounds, without waiting; or why there is nothing.
    fn read(&self, watch: &Watch) -> Result<Found, Finding>;

    /// When something in the folder was last written, seconds since the epoch; none where that cannot
    /// be seen.
    fn written_unix(&self, _: &Watch) -> Option<i64> {
        None
    }

    /// Waits until something happens in one of these folders, `at_most` has passed, or the
    /// process is told to end.
    fn wait(&mut self, folders: &[PathBuf], at_most: Duration);
}

/// When watching ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// When what is there was looked at, and taken where it has settled.
    Settled,
    /// When the process is told to end.
    Interrupted,
}

/// What happened while folders were watched.
#[derive(Debug)]
pub enum Watched<'a> {
    /// A renewal was taken, and presented wherever the certificate is bound.
    Renewed {
        /// The certificate.
        name: &'a str,
        /// Its leaf.
        leaf: Fingerprint,
        /// What presenting it came to.
        changed: &'a Changed,
    },
    /// What is in the folder cannot be used; what is in force stays.
    Unusable {
        /// The certificate.
        name: &'a str,
        /// Why.
        finding: &'a Finding,
    },
    /// A renewal could not be put in force; what was stays. It is tried again, ever more rarely;
    /// whether that helps, the error tells ([`EngineError::passes`]).
    Failed {
        /// The certificate.
        name: &'a str,
        /// Why.
        error: &'a EngineError,
    },
    /// What was wrong with the folder is wrong no more.
    Relieved {
        /// The certificate.
        name: &'a str,
    },
    /// A judgement of the store's certificates differs from the last one.
    Checked(CheckNews),
    /// The store could not be asked; it is asked again.
    Blind {
        /// Why.
        error: &'a EngineError,
    },
}

/// Whether something was taken from a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Yes,
    No,
}

/// What is remembered between two rounds.
#[derive(Default)]
struct Watching {
    folders: BTreeMap<String, Memory>,
    told: Told,
    check_at: Duration,
    blind: Option<String>,
}

impl Engine<'_> {
    /// Watches one remembered folder, or all of them, until the end. Failures are told and tried
    /// again; an error is only what nothing can be done about.
    pub fn keep_watch(
        &mut self,
        only: Option<&str>,
        until: Until,
        folders: &mut dyn Folders,
        tell: &mut dyn FnMut(Watched<'_>),
    ) -> Result<(), EngineError> {
        let mut watching = Watching::default();
        let began = self.clock.monotonic();
        while !self.is_interrupted() {
            let watches = self.round(only, &mut watching, folders, tell);
            if only.is_none() && until == Until::Interrupted {
                self.due_by_the_clock(&mut watching, tell);
            }
            let now = self.clock.monotonic();
            let over = now >= began + decide::SETTLE * 5;
            if until == Until::Settled && (over || !watching.is_settling()) {
                self.complain_of_what_is_left(&watches, folders, tell);
                return Ok(());
            }
            if self.is_interrupted() {
                return Ok(());
            }
            let dirs: Vec<PathBuf> = watches.iter().map(|watch| watch.dir.clone()).collect();
            let pause = watching.next(now).saturating_sub(now);
            folders.wait(
                &dirs,
                match until {
                    Until::Settled => pause.min(decide::SETTLE),
                    Until::Interrupted => pause,
                },
            );
        }
        Ok(())
    }

    /// What comes due by the clock, folders or not. Certificates that this host renews itself
    /// have their place here.
    fn due_by_the_clock(&self, watching: &mut Watching, tell: &mut dyn FnMut(Watched<'_>)) {
        let now = self.clock.monotonic();
        if now >= watching.check_at {
            watching.check_at = now + CHECK;
            self.check_round(&mut watching.told, tell);
        }
    }

    /// One look at everything that is watched.
    fn round(
        &mut self,
        only: Option<&str>,
        watching: &mut Watching,
        folders: &dyn Folders,
        tell: &mut dyn FnMut(Watched<'_>),
    ) -> Vec<Watch> {
        let watches = match self.watches(only) {
            Ok(watches) => watches,
            Err(error) => {
                watching.blinded(&error, tell);
                return Vec::new();
            }
        };
        watching
            .folders
            .retain(|name, _| watches.iter().any(|watch| watch.name == *name));
        for watch in &watches {
            if self.is_interrupted() {
                return watches;
            }
            let memory = watching.folders.entry(watch.name.clone()).or_default();
            match self.look_into(watch, memory, folders, tell) {
                Ok(Taken::Yes) => watching.check_at = Duration::ZERO,
                Ok(Taken::No) => {}
                Err(error) => {
                    watching.blinded(&error, tell);
                    return watches;
                }
            }
        }
        watching.blind = None;
        watches
    }

    /// One look at one folder; an error is one of the store.
    fn look_into(
        &mut self,
        watch: &Watch,
        memory: &mut Memory,
        folders: &dyn Folders,
        tell: &mut dyn FnMut(Watched<'_>),
    ) -> Result<Taken, EngineError> {
        let name = watch.name.as_str();
        let (seen, found) = self.seen(watch, folders)?;
        match memory.decide(seen.clone(), self.clock.monotonic()) {
            Decision::Nothing | Decision::Wait => {}
            Decision::Relieve => tell(Watched::Relieved { name }),
            Decision::Complain(finding) => tell(Watched::Unusable {
                name,
                finding: &finding,
            }),
            Decision::Take => {
                if let (Seen::Usable { leaf, .. }, Some(found)) = (seen, found) {
                    return Ok(self.take(watch, leaf, found, memory, tell));
                }
            }
        }
        Ok(Taken::No)
    }

    /// Takes what was found, and presents it.
    fn take(
        &mut self,
        watch: &Watch,
        leaf: Fingerprint,
        found: Found,
        memory: &mut Memory,
        tell: &mut dyn FnMut(Watched<'_>),
    ) -> Taken {
        let name = watch.name.as_str();
        match self.import_and_deploy(watch, leaf, found) {
            // It was there and in force: nobody needs to know.
            Ok((Changes::None, changed)) if changed.outcome == Outcome::Nothing => {
                memory.taken();
                Taken::No
            }
            Ok((_, changed)) => {
                memory.taken();
                let changed = &changed;
                tell(Watched::Renewed {
                    name,
                    leaf,
                    changed,
                });
                Taken::Yes
            }
            Err(EngineError::Interrupted) => Taken::No,
            Err(error) => {
                let now = self.clock.monotonic();
                if memory.failed(&error.code(), now) == News::New {
                    tell(Watched::Failed {
                        name,
                        error: &error,
                    });
                }
                Taken::No
            }
        }
    }

    fn import_and_deploy(
        &mut self,
        watch: &Watch,
        leaf: Fingerprint,
        found: Found,
    ) -> Result<(Changes, Changed), EngineError> {
        self.wake()?;
        let imported = self.import_renewal(Import {
            name: watch.name.clone(),
            cert: found.cert,
            key: found.key,
            chain: found.chain,
            private_ca: None,
            password: found.password,
            source: found.source,
            succession: Succession::Renewal,
        })?;
        let changed = self.deploy(&watch.name)?;
        let taken = Watch {
            taken: Some(leaf),
            ..watch.clone()
        };
        self.store.put_watch(&self.instance, &taken)?;
        Ok((imported.changes, changed))
    }

    /// At the end of a single look, what was still waited out is told.
    fn complain_of_what_is_left(
        &self,
        watches: &[Watch],
        folders: &dyn Folders,
        tell: &mut dyn FnMut(Watched<'_>),
    ) {
        for watch in watches {
            match self.seen(watch, folders) {
                Ok((Seen::Unusable(finding), _)) => tell(Watched::Unusable {
                    name: &watch.name,
                    finding: &finding,
                }),
                Ok(_) => {}
                Err(error) => tell(Watched::Blind { error: &error }),
            }
        }
    }
}

impl Watching {
    fn next(&self, now: Duration) -> Duration {
        let looks = self.folders.values().map(Memory::next);
        looks.min().unwrap_or(now + REST).min(now + REST)
    }

    fn is_settling(&self) -> bool {
        self.folders.values().any(Memory::is_settling)
    }

    fn blinded(&mut self, error: &EngineError, tell: &mut dyn FnMut(Watched<'_>)) {
        let code = error.code();
        if self.blind.replace(code.clone()) != Some(code) {
            tell(Watched::Blind { error });
        }
    }
}
