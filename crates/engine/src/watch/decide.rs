//! What a look at a watched folder means.
//!
//! Owns: the decision, from what was seen before, what is seen now, and the time; and when to look
//! next. Never: looks, waits, or does what it decides.
//!
//! An ACME client writes several files, one after the other. So what is new is taken when two
//! looks have shown the same; what cannot be used is waited out, and becomes a finding when it
//! stays so; and what could not be put in force is tried again, ever more rarely, or at once when
//! the files change.

use mailtls::Fingerprint;
use postseal_planner::{Digest, Finding};
use std::time::Duration;

/// What is new is left alone for so long.
pub(super) const SETTLE: Duration = Duration::from_secs(2);
/// What cannot be used may be half-written for so long.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);
/// How often a folder is looked at where no event says so.
pub(super) const REST: Duration = Duration::from_secs(60);
/// The pause after a first failure; doubled with each one more, up to [`LONGEST_RETRY`].
pub(super) const RETRY: Duration = Duration::from_secs(60);
const LONGEST_RETRY: Duration = Duration::from_secs(3600);

/// What a look at a folder has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing that can be used: gone, half-written, damaged, older than what is in the store.
    Unusable(Finding),
    /// A certificate with its key.
    Usable {
        /// Digest of the files.
        files: Digest,
        /// Its leaf.
        leaf: Fingerprint,
        /// What is known of it.
        known: Known,
    },
}

/// What is known of a certificate in a watched folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It was taken from here and presented, or is the version in force though a newer one is there.
    Done,
    /// It is still to be taken, or to be presented.
    New,
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing: all is as it was.
    Nothing,
    /// Nothing yet: it may change by itself.
    Wait,
    /// Take what is there and present it.
    Take,
    /// Say what is wrong, once.
    Complain(Finding),
    /// Say that it is wrong no more.
    Relieve,
}

/// What was seen of one folder so far. Times are the clock's rising ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// What was usable at the last look, and since when.
    usable: Option<Steady<Digest>>,
    /// Since when nothing has been usable.
    unusable: Option<Duration>,
    /// What failed, so often, not to be tried again before then.
    failed: Option<Failure>,
    /// The code of the complaint that was made.
    complained: Option<String>,
    /// When to look next.
    next: Duration,
}

#[derive(Clone, Debug)]
struct Steady<T> {
    what: T,
    since: Duration,
}

#[derive(Clone, Debug)]
struct Failure {
    files: Digest,
    times: u32,
    not_before: Duration,
}

impl Memory {
    /// Decides on a look at `now`.
    pub(super) fn decide(&mut self, seen: Seen, now: Duration) -> Decision {
        self.next = now + REST;
        match seen {
            Seen::Unusable(finding) => self.unusable(finding, now),
            Seen::Usable { files, known, .. } => {
                self.unusable = None;
                match known {
                    Known::Done => self.done(),
                    Known::New => self.renewed(files, now),
                }
            }
        }
    }

    fn unusable(&mut self, finding: Finding, now: Duration) -> Decision {
        self.usable = None;
        let since = *self.unusable.get_or_insert(now);
        if now < since + PATIENCE {
            self.next = now + SETTLE.max((since + PATIENCE - now) / 4);
            return Decision::Wait;
        }
        self.complain(finding)
    }

    fn done(&mut self) -> Decision {
        self.usable = None;
        self.failed = None;
        match self.complained.take() {
            Some(_) => Decision::Relieve,
            None => Decision::Nothing,
        }
    }

    fn renewed(&mut self, files: Digest, now: Duration) -> Decision {
        let steady = match &self.usable {
            Some(steady) if steady.what == files => steady.since,
            _ => now,
        };
        self.usable = Some(Steady {
            what: files,
            since: steady,
        });
        if now < steady + SETTLE {
            self.next = steady + SETTLE;
            return Decision::Wait;
        }
        match &self.failed {
            Some(failed) if failed.files == files && now < failed.not_before => {
                self.next = failed.not_before.min(self.next);
                Decision::Nothing
            }
            _ => Decision::Take,
        }
    }

    fn complain(&mut self, finding: Finding) -> Decision {
        if self.complained.as_deref() == Some(&finding.code) {
            return Decision::Nothing;
        }
        self.complained = Some(finding.code.to_string());
        Decision::Complain(finding)
    }

    /// What was to be taken could not be: whether that is news.
    pub(super) fn failed(&mut self, code: &str, now: Duration) -> News {
        let Some(steady) = &self.usable else {
            return News::Old;
        };
        let times = match &self.failed {
            Some(failed) if failed.files == steady.what => failed.times.saturating_add(1),
            _ => 1,
        };
        let pause = RETRY.saturating_mul(1 << (times - 1).min(10));
        let not_before = now + pause.min(LONGEST_RETRY);
        self.failed = Some(Failure {
            files: steady.what,
            times,
            not_before,
        });
        self.next = not_before;
        match self.complained.replace(code.to_owned()).as_deref() == Some(code) {
            true => News::Old,
            false => News::New,
        }
    }

    /// What was to be taken was taken.
    pub(super) fn taken(&mut self) {
        self.complained = None;
        let _ = self.done();
    }

    /// When to look next, where no event comes before.
    pub(super) fn next(&self) -> Duration {
        self.next
    }

    /// Whether it waits for something that a moment will show.
    pub(super) fn is_settling(&self) -> bool {
        let failed = |steady: &Steady<Digest>| {
            let failed = self.failed.as_ref();
            failed.is_some_and(|failed| failed.files == steady.what)
        };
        self.unusable.is_some() || self.usable.as_ref().is_some_and(|steady| !failed(steady))
    }
}

/// Whether something was said already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Not yet.
    New,
    /// It was.
    Old,
}

#[cfg(test)]
mod tests;
