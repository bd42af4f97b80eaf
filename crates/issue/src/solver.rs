//! What a CA asks for as proof, and who answers.
//!
//! Owns: a challenge in the forms that answers take, and the trait of those who answer. Never:
//! answers itself.

use crate::{Bounds, Halt};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use thiserror::Error;

/// The longest text taken over from a CA or a hook.
const MAX_TEXT: usize = 1000;

/// The kinds of proof (RFC 8555, section 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeKind {
    /// A file on port 80 of the name.
    Http01,
    /// A TXT record below the name.
    Dns01,
}

impl fmt::Display for ChallengeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http01 => "http-01",
            Self::Dns01 => "dns-01",
        })
    }
}

/// One challenge of a CA. Nothing in it is secret: the answer is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The name to prove, without the `*.` of a wildcard.
    pub name: String,
    /// The token, checked to be base64url.
    pub token: String,
    /// The answer over HTTP: token and thumbprint of the account's key.
    pub key_authorization: String,
    /// The answer in DNS: its SHA-256, base64url.
    pub dns_value: String,
}

impl Challenge {
    /// The name of the TXT record, without the final dot.
    pub fn txt_name(&self) -> String {
        format!("_acme-challenge.{}", self.name)
    }
}

/// One that answers challenges.
pub trait Solver {
    /// The kind of challenge that it answers.
    fn kind(&self) -> ChallengeKind;

    /// Puts the answer where the CA will look; returns once it can be seen there.
    fn present(&mut self, challenge: &Challenge, bounds: &Bounds<'_>) -> Result<(), SolverError>;

    /// Takes the answer away again. Called for each challenge that was presented, and for one
    /// whose `present` failed halfway.
    fn clean_up(&mut self, challenge: &Challenge, bounds: &Bounds<'_>) -> Result<(), SolverError>;
}

/// What a hook printed, after a sentence.
fn said(output: &str) -> String {
    match output {
        "" => String::new(),
        output => format!("; it said: {output}"),
    }
}

/// Why a challenge could not be answered.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the fields are named for what they hold")]
pub enum SolverError {
    /// A folder or file of a webroot.
    #[error("the token could not be put below {}", path.display())]
    Webroot { path: PathBuf, source: io::Error },
    /// A symbolic link leads out of the webroot.
    #[error("a symbolic link below {} leads outside of it", path.display())]
    Outside { path: PathBuf },
    /// The listener for HTTP-01.
    #[error("the listener for http-01 failed")]
    Listener(#[source] io::Error),
    /// The hook could not be started.
    #[error("the hook {program} could not be run")]
    HookMissing { program: String, source: io::Error },
    /// The hook said no.
    #[error("the hook {program} ended with {status}: {output}")]
    HookFailed {
        program: String,
        status: String,
        output: String,
    },
    /// The hook was still running when its time was up, and was killed.
    #[error(
        "the hook {program} was still running after {seconds} s and was killed{}",
        said(output)
    )]
    HookStuck {
        program: String,
        seconds: u64,
        output: String,
    },
    /// The name server cannot be reached.
    #[error("the name server {server} does not answer")]
    DnsUnreachable {
        server: SocketAddr,
        source: io::Error,
    },
    /// The name server answered with something else than NOERROR.
    #[error("the name server {server} answered {rcode} for {name}")]
    DnsRefused {
        server: SocketAddr,
        name: String,
        /// RFC 2136's and RFC 8945's word: `NOTAUTH`, `REFUSED`, `BADKEY` …
        rcode: String,
    },
    /// No zone for the name at this server.
    #[error("the name server {server} has no zone for {name}")]
    NoZone { server: SocketAddr, name: String },
    /// An answer that is no DNS, or is not signed by the key.
    #[error("the name server {server} answered wrongly: {reason}")]
    DnsAnswer { server: SocketAddr, reason: String },
    /// The update was accepted and is not visible.
    #[error("the name server {server} accepted the record {name} and does not show it")]
    NotPublished { server: SocketAddr, name: String },
    /// A name, token or setting that cannot be used.
    #[error("{0} cannot be used for a challenge")]
    Unusable(String),
    /// The file of a TSIG key.
    #[error("the TSIG key cannot be read: {0}")]
    KeyFile(String),
    /// The time was up.
    #[error("the challenge could not be answered in time")]
    Deadline,
    /// Somebody asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl SolverError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Webroot { .. } => "http01.webroot",
            Self::Outside { .. } => "http01.webroot-outside",
            Self::Listener(_) => "http01.listener",
            Self::HookMissing { .. } => "dns01.hook-missing",
            Self::HookFailed { .. } | Self::HookStuck { .. } => "dns01.hook-failed",
            Self::DnsUnreachable { .. } => "dns01.unreachable",
            Self::DnsRefused { .. } => "dns01.refused",
            Self::NoZone { .. } => "dns01.no-zone",
            Self::DnsAnswer { .. } => "dns01.bad-answer",
            Self::NotPublished { .. } => "dns01.not-published",
            Self::KeyFile(_) => "dns01.key-file",
            Self::Unusable(_) => "acme.unusable",
            Self::Deadline => "acme.deadline",
            Self::Interrupted => "acme.interrupted",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Webroot { path, .. } => format!(
                "name a folder that the web server serves for http://NAME/, and that can be written: {}",
                path.display()
            ),
            Self::Outside { .. } => {
                "name the folder that the link leads to as the webroot, or take the link away"
                    .into()
            }
            Self::Listener(_) => {
                "free port 80, or use the webroot of the web server that holds it".into()
            }
            Self::HookMissing { .. } => "give the hook's full path, and make it executable".into(),
            Self::HookStuck { program, .. } => format!(
                "run `{program} present _acme-challenge.NAME. VALUE` by hand and see what it waits \
                 for, or give it more time: --timeout"
            ),
            Self::HookFailed { program, .. } => format!(
                "run `{program} present _acme-challenge.NAME. VALUE` by hand; it must return 0"
            ),
            Self::DnsUnreachable { server, .. } => {
                format!("see that {server} answers DNS over TCP and that no firewall is between")
            }
            Self::DnsRefused { rcode, .. } => rcode_remedy(rcode).into(),
            Self::NoZone { .. } => {
                "name the zone, or the address of the server that is authoritative for it".into()
            }
            Self::DnsAnswer { .. } => {
                "see that name, algorithm and secret of the TSIG key are the server's".into()
            }
            Self::NotPublished { .. } => {
                "see whether the server holds back updates (a hidden primary, signing by hand)"
                    .into()
            }
            Self::KeyFile(_) => {
                "name the file that `tsig-keygen` made: key \"NAME\" { algorithm hmac-sha256; secret \"…\"; };".into()
            }
            Self::Unusable(_) => "give a host name as A-labels".into(),
            Self::Deadline => "try again with more time".into(),
            Self::Interrupted => "try again".into(),
        }
    }
}

fn rcode_remedy(rcode: &str) -> &'static str {
    match rcode {
        "BADKEY" => {
            "see the name and algorithm of the TSIG key, and that the server lets it update the zone"
        }
        "BADSIG" => "the secret of the TSIG key is not the server's",
        "BADTIME" => "the clocks of this host and the name server differ: set them by NTP",
        "NOTAUTH" => {
            "the server is not the primary of the zone, or does not accept the TSIG key for it"
        }
        "REFUSED" => "allow the TSIG key to update TXT records of the zone on the name server",
        "NOTZONE" => "the name is not in the zone: name the zone that holds it",
        "SERVFAIL" => "look into the name server's log; the zone may not be writable",
        _ => "look into the name server's log",
    }
}

impl From<Halt> for SolverError {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Deadline => Self::Deadline,
            Halt::Interrupted => Self::Interrupted,
        }
    }
}

/// Others' text on one line, without control characters, of bounded length.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .take(MAX_TEXT)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests;
