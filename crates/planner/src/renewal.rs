//! Renewals: how a certificate is issued, how far its next renewal is, and when to try.
//!
//! Owns: what is remembered of a renewal, and every decision about its time: due or not, when to
//! ask the CA (RFC 9773), how long to hold back after a failure. Never: reads a clock, draws a
//! number, talks to a CA; `now` and chance are arguments.
//!
//! Clocks jump. An attempt that lies in the future was made by a wrong clock, and holds nothing
//! back; but every attempt, also one by a wrong clock, is followed by a pause. So a certificate is
//! never blocked for ever, and a CA never called at every start.

use mailtls::{Fingerprint, Window, renew_at};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// A clock that is put right by less has not jumped.
const TOLERANCE: i64 = 5 * MINUTE;
/// Nobody holds a renewal back for longer, not even a CA: the longest window of public CAs.
const HELD_BACK_AT_MOST: i64 = 7 * DAY;
/// How often a CA is asked for its window (RFC 9773, 4.3.2).
const ASK_AT_LEAST_AFTER: i64 = MINUTE;
const ASK_AT_MOST_AFTER: i64 = DAY;

/// A certificate of the store that a CA issues again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// Its name in the store.
    pub name: String,
    /// How it is issued.
    pub method: Method,
    /// How its next renewal goes.
    pub progress: Progress,
}

/// How a certificate is issued. Holds no secret: keys and programs are named by their paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// The URL of the CA's directory.
    pub directory: String,
    /// Roots to trust for the CA's server beside the system's, PEM.
    pub roots_pem: Option<String>,
    /// Host names (A-labels) and addresses; the first is the common name too.
    pub names: Vec<String>,
    /// The kind of key, as `ecdsa-p256`.
    pub key_type: String,
    /// Whose key the next version is for.
    pub key: NextKey,
    /// Who answers the CA's challenges.
    pub way: Way,
}

/// Whose key the next version of a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NextKey {
    /// A new one each time.
    New,
    /// The same one each time.
    Reused,
}

/// Who answers the CA's challenges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Way {
    /// HTTP-01: an unprivileged child on these addresses; on port 80 of all where none is said.
    Http {
        /// Where it listens.
        addresses: Vec<SocketAddr>,
    },
    /// HTTP-01: the web server of this folder.
    Webroot {
        /// The folder.
        folder: PathBuf,
    },
    /// DNS-01: a program of the operator.
    Hook {
        /// The program.
        program: PathBuf,
    },
    /// DNS-01: dynamic updates (RFC 2136) of this server.
    Update {
        /// The server.
        server: SocketAddr,
        /// The file with the TSIG key.
        key_file: PathBuf,
    },
}

/// How the next renewal goes. Times are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// When a CA was last asked for a certificate.
    pub last_attempt: Option<i64>,
    /// Failures since the last success.
    pub failures: u32,
    /// Before that no further attempt is made.
    pub not_before: Option<i64>,
    /// Why the last attempt failed.
    pub failure: Option<Failure>,
    /// What the CA said of when to renew.
    pub asked: Option<Asked>,
    /// When to renew, drawn once for each certificate and window.
    pub chosen: Option<Chosen>,
    /// The version that a renewal has put in force last, by instance: several may bind the name.
    #[serde(default)]
    pub presented: BTreeMap<String, Fingerprint>,
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The stable code.
    pub code: String,
    /// What went wrong, with the CA's own words.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
    /// When.
    pub at: i64,
}

/// What a CA said of when to renew (RFC 9773).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The certificate it was asked for.
    pub of: Fingerprint,
    /// Its window; none where the CA names none.
    pub window: Option<Window>,
    /// Where the CA explains why.
    pub explanation: Option<String>,
    /// When it was asked.
    pub at: i64,
    /// When to ask again.
    pub again: i64,
}

/// A moment that was drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// For this certificate,
    pub of: Fingerprint,
    /// in this window of the CA, or by its lifetime.
    pub window: Option<Window>,
    /// When to renew.
    pub at: i64,
}

/// A certificate's lifetime, seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Which certificate.
    pub of: Fingerprint,
    /// The first second.
    pub not_before: i64,
    /// The last second.
    pub not_after: i64,
}

/// The instance at hand.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    /// Its name in the store.
    pub instance: &'a str,
    /// What it presents under the certificate's name.
    pub presents: Presents,
}

/// What an instance presents under a certificate's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presents {
    /// The newest version, or nothing.
    Newest,
    /// An older version.
    Older,
}

/// What to do about a renewal now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The newest version waits to be presented.
    Deploy,
    /// Order the next version.
    Order,
    /// Nothing: its time comes then.
    NotDue {
        /// When.
        at: i64,
    },
    /// Nothing: it failed, or a CA asked for patience.
    HeldBack {
        /// Until when.
        until: i64,
    },
}

/// A time that is asked of the calendar, and chance.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Seconds since 1970.
    pub now: i64,
    /// Any number; another each time.
    pub chance: u64,
}

impl Progress {
    /// What to do at `now`.
    pub fn decide(&self, life: &Life, here: Here<'_>, now: i64) -> Decision {
        match (self.held_back(now), self.due_at(life)) {
            (Some(until), _) if self.failures > 0 => Decision::HeldBack { until },
            _ if self.waits(life, here) => Decision::Deploy,
            (Some(until), at) => Decision::NotDue { at: at.max(until) },
            (None, at) if at <= now => Decision::Order,
            (None, at) => Decision::NotDue { at },
        }
    }

    /// When the certificate is to be renewed: the moment that was drawn, else the latest one.
    pub fn due_at(&self, life: &Life) -> i64 {
        let window = self.window(life);
        let drawn = self.chosen.as_ref();
        let drawn = drawn.filter(|chosen| chosen.of == life.of && chosen.window == window);
        drawn.map_or_else(
            || renew_at(life.not_before, life.not_after, window, 0),
            |chosen| chosen.at,
        )
    }

    /// Draws the moment, where none has been drawn for this certificate and window.
    pub fn choose(&mut self, life: &Life, chance: u64) {
        let window = self.window(life);
        let known = self.chosen.as_ref();
        if known.is_some_and(|chosen| chosen.of == life.of && chosen.window == window) {
            return;
        }
        self.chosen = Some(Chosen {
            of: life.of,
            window,
            at: renew_at(life.not_before, life.not_after, window, chance),
        });
    }

    /// Whether the CA is to be asked for its window.
    pub fn asks(&self, life: &Life, now: i64) -> bool {
        let asked = self.asked.as_ref().filter(|asked| asked.of == life.of);
        asked.is_none_or(|asked| {
            let by_a_wrong_clock = now.saturating_add(TOLERANCE) < asked.at;
            now >= asked.again || by_a_wrong_clock
        })
    }

    /// Notes the CA's answer. An answer that never came changes nothing but when to ask again.
    pub fn answered(&mut self, life: &Life, answer: Answer, now: i64) {
        let known = self.asked.take().filter(|asked| asked.of == life.of);
        let (window, explanation, after) = match answer {
            Answer::Window {
                window,
                explanation,
                after,
            } => (Some(window), explanation, after),
            Answer::NoWindow => (None, None, ASK_AT_MOST_AFTER),
            Answer::Silence => {
                let known = known.map(|asked| (asked.window, asked.explanation));
                let (window, explanation) = known.unwrap_or_default();
                (window, explanation, HOUR)
            }
        };
        self.asked = Some(Asked {
            of: life.of,
            window,
            explanation,
            at: now,
            again: now.saturating_add(after.clamp(ASK_AT_LEAST_AFTER, ASK_AT_MOST_AFTER)),
        });
    }

    /// Notes a failure: held back until the CA's own time, else twice as long as the last time.
    pub fn failed(&mut self, failure: Failure, retry_at: Option<i64>, life: &Life, moment: Moment) {
        self.failures = self.failures.saturating_add(1);
        self.last_attempt = Some(moment.now);
        let pause = pause(self.failures, life, moment.chance);
        let asked = retry_at.map_or(0, |at| at.saturating_sub(moment.now));
        let wait = asked.max(pause).min(HELD_BACK_AT_MOST);
        self.not_before = Some(moment.now.saturating_add(wait));
        self.failure = Some(failure);
    }

    /// Notes that a newer version is stored. It waits for every instance that binds the name. The next one is not ordered
    /// at once, even if a wrong clock takes it for old.
    pub fn issued(&mut self, life: &Life, moment: Moment) {
        let whole = life.not_after.saturating_sub(life.not_before).max(0);
        *self = Self {
            last_attempt: Some(moment.now),
            not_before: Some(moment.now.saturating_add((whole / 10).min(DAY))),
            presented: std::mem::take(&mut self.presented),
            ..Self::default()
        };
        self.choose(life, moment.chance);
    }

    /// Whether the newest version has to be presented: an older one is, and not because somebody
    /// went back to it after a renewal had put this one in force.
    pub fn waits(&self, life: &Life, here: Here<'_>) -> bool {
        here.presents == Presents::Older && self.presented.get(here.instance) != Some(&life.of)
    }

    /// Notes that the newest version is presented wherever an instance binds the name.
    pub fn deployed(&mut self, life: &Life, instance: &str) {
        self.presented.insert(instance.to_owned(), life.of);
        self.failures = 0;
        self.failure = None;
    }

    /// Notes that the newest version could not be presented, but for a reason that passes.
    pub fn postponed(&mut self, failure: Failure) {
        self.failure = Some(failure);
        self.not_before = None;
    }

    /// Forgets a failure that no longer matters: it was tried by force, and is not due.
    pub fn forget_failure(&mut self) {
        self.failures = 0;
        self.failure = None;
        self.not_before = None;
    }

    /// Until when nothing is tried.
    fn held_back(&self, now: i64) -> Option<i64> {
        let tried = self.last_attempt?;
        if now.saturating_add(TOLERANCE) < tried {
            return None;
        }
        self.not_before.filter(|until| now < *until)
    }

    /// What the CA said of this certificate.
    fn window(&self, life: &Life) -> Option<Window> {
        let asked = self.asked.as_ref().filter(|asked| asked.of == life.of);
        asked.and_then(|asked| asked.window)
    }
}

/// What a CA answers when it is asked for its window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It names one.
    Window {
        /// Which.
        window: Window,
        /// Where it explains why.
        explanation: Option<String>,
        /// How long to wait before asking again, in seconds.
        after: i64,
    },
    /// It names none.
    NoWindow,
    /// It could not be asked.
    Silence,
}

/// A pause that doubles with each failure: an hour at first, a day at most, less for certificates
/// that live only days; and up to a quarter more, so that many hosts do not come at once.
fn pause(failures: u32, life: &Life, chance: u64) -> i64 {
    let whole = life.not_after.saturating_sub(life.not_before);
    let longest = (whole / 20).clamp(10 * MINUTE, DAY);
    let doublings = failures.saturating_sub(1).min(16);
    let pause = (HOUR << doublings).min(longest);
    let quarter = u64::try_from(pause / 4).unwrap_or(0);
    pause.saturating_add(i64::try_from(chance % quarter.max(1)).unwrap_or(0))
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { addresses } if addresses.is_empty() => f.write_str("http-01 on port 80"),
            Self::Http { addresses } => {
                let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                write!(f, "http-01 on {}", addresses.join(", "))
            }
            Self::Webroot { folder } => write!(f, "http-01 in {}", folder.display()),
            Self::Hook { program } => write!(f, "dns-01 by {}", program.display()),
            Self::Update { server, key_file } => {
                write!(
                    f,
                    "dns-01 by updates of {server}, key in {}",
                    key_file.display()
                )
            }
        }
    }
}

#[cfg(test)]
mod tests;
