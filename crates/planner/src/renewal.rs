//! Renewals: how a certificate is issued, how far its next renewal is, and when to try.
//!
//! Owns: what is remembered of a renewal; the decisions about its time are `progress`'s. Never:
//! reads a clock, draws a number, talks to a CA; `now` and chance are arguments.

mod mend;
mod progress;

use mailtls::{Fingerprint, Window};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

pub use mend::{Mend, mended_by};

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
    /// The version that could not be put in force; none where none could be had.
    #[serde(default)]
    pub of: Option<Fingerprint>,
    /// What helps that version.
    #[serde(default)]
    pub mend: Mend,
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
    /// The newest version, wherever it presents one.
    Newest,
    /// An older version, in one place at least.
    Older,
    /// None.
    Nothing,
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
