//! What can go wrong on the path of a change.
//!
//! Owns: the engine's errors and their kinds. Never: exit codes; faces map [`Kind`] once.

use postseal_host::HostError;
use postseal_issue::SolverError;
use postseal_issue::acme::AcmeError;
use postseal_planner::{Finding, Refusal, Severity};
use postseal_store::{Hindrance, StoreError, Trouble};
use std::fmt;

/// The planner's word for an edit that somebody changed since.
const ROLLBACK_CONFLICT: &str = "rollback.conflict";

/// An error of the engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The instance was never adopted.
    #[error("{instance} is not adopted")]
    NotAdopted {
        /// The configuration directory.
        instance: String,
    },
    /// The planner made no plan, or the plan may not be carried out.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// The scratch instance showed that the plan would not work; nothing was touched.
    #[error("the rehearsal failed, and nothing was changed: {}", first(findings))]
    Rehearsal {
        /// What it showed.
        findings: Vec<Finding>,
    },
    /// The plan was made from files that have changed since, or does not exist.
    #[error("{0}")]
    Stale(String),
    /// An operation awaits confirmation.
    #[error("operation {operation} awaits confirmation{}", until(*confirm_by_ms))]
    Awaiting {
        /// Which.
        operation: u64,
        /// Until when, milliseconds since the epoch.
        confirm_by_ms: Option<i64>,
    },
    /// A typed confirmation is missing or wrong.
    #[error("{message} Confirm with --accept {code}={answer}.")]
    Unconfirmed {
        /// The finding's code.
        code: String,
        /// What must be typed.
        answer: String,
        /// Why.
        message: String,
    },
    /// Tried, and rolled back.
    #[error("operation {operation} was rolled back: {reason}")]
    RolledBack {
        /// Which.
        operation: u64,
        /// Why.
        reason: String,
        /// What the wire showed.
        findings: Vec<Finding>,
    },
    /// The old bytes could not be put back because somebody else wrote meanwhile.
    #[error("operation {operation} cannot be undone by itself: {reason}")]
    Conflict {
        /// Which.
        operation: u64,
        /// Why.
        reason: String,
    },
    /// The operator stopped it before anything was changed.
    #[error("interrupted; nothing was changed")]
    Interrupted,
    /// The files are whole, but the store could not be told how the operation ended.
    #[error(
        "{end}, but the store could not be written; the next command notes how operation {operation} ended"
    )]
    Unnoted {
        /// Which.
        operation: u64,
        /// How it ended.
        end: End,
        /// Why not.
        #[source]
        source: StoreError,
    },
    /// No such operation, certificate or plan.
    #[error("there is no {what} {name}")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// Its name as given.
        name: String,
    },
    /// The machine.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The memory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A certificate or key that cannot be used.
    #[error(transparent)]
    Certificate(#[from] mailtls::CertError),
    /// A file that names no CA to trust.
    #[error("no private CA to trust: {0}")]
    ChosenCa(mailtls::CertError),
    /// A CA that speaks ACME.
    #[error(transparent)]
    Acme(AcmeError),
    /// Another process orders certificates.
    #[error("another `postseal` orders certificates{}", holder.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Ordering {
        /// Its process id, where it is known.
        holder: Option<u32>,
    },
    /// A helper thread or loopback sink could not be had.
    #[error("cannot {action}")]
    Local {
        /// What was tried.
        action: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl From<AcmeError> for EngineError {
    fn from(error: AcmeError) -> Self {
        match error {
            AcmeError::Interrupted
            | AcmeError::Solver {
                source: SolverError::Interrupted,
                ..
            } => Self::Interrupted,
            error => Self::Acme(error),
        }
    }
}

/// How an operation ended that the store knows nothing of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Proved, and in force.
    Kept,
    /// The old files are back.
    Undone,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kept => "the change is proved and in force",
            Self::Undone => "the old files are back",
        })
    }
}

/// What an error means for whoever asked. Mapped once in each face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The data or the wish is bad (65).
    Refused,
    /// Somebody else was faster, holds the lock, or a confirmation is due (75).
    Conflict,
    /// Tried and rolled back (4).
    RolledBack,
    /// In force, but something about it is not known (3).
    Undetermined,
    /// No permission (77).
    Permission,
    /// Failed, nothing changed (1).
    Failed,
}

impl EngineError {
    /// What it means for whoever asked.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Refused(refusal) if first_code(&refusal.findings, "") == ROLLBACK_CONFLICT => {
                Kind::Conflict
            }
            Self::NotAdopted { .. }
            | Self::Refused(_)
            | Self::Rehearsal { .. }
            | Self::Unconfirmed { .. }
            | Self::Unknown { .. }
            | Self::Certificate(_)
            | Self::ChosenCa(_)
            | Self::Acme(AcmeError::Unusable { .. } | AcmeError::ExternalAccountRequired(_))
            | Self::Host(HostError::Unreadable(_) | HostError::UnknownPort { .. })
            | Self::Store(StoreError::Exists(_) | StoreError::NotAdopted(_)) => Kind::Refused,
            Self::Stale(_)
            | Self::Awaiting { .. }
            | Self::Conflict { .. }
            | Self::Host(HostError::Locked { .. } | HostError::Stale { .. })
            | Self::Ordering { .. }
            | Self::Acme(AcmeError::RateLimited { .. })
            | Self::Store(StoreError::Busy(_) | StoreError::RulesChanged) => Kind::Conflict,
            Self::RolledBack { .. }
            | Self::Unnoted {
                end: End::Undone, ..
            } => Kind::RolledBack,
            Self::Unnoted { end: End::Kept, .. } => Kind::Undetermined,
            Self::Host(HostError::Permission(_)) => Kind::Permission,
            Self::Host(_)
            | Self::Store(_)
            | Self::Acme(_)
            | Self::Local { .. }
            | Self::Interrupted => Kind::Failed,
        }
    }

    /// Whether it may pass by itself, so that trying again helps: something else holds the lock, a
    /// disk is full, a record is not published yet. Nobody has to look before that.
    pub fn passes(&self) -> bool {
        match (self.kind(), self) {
            (Kind::Refused, Self::Refused(refusal)) => {
                let errors = refusal.findings.iter();
                let mut errors = errors.filter(|found| found.severity >= Severity::Error);
                errors.all(|found| found.code.starts_with("dane."))
            }
            (Kind::Conflict | Kind::Failed | Kind::Undetermined, _) => true,
            (Kind::Refused | Kind::RolledBack | Kind::Permission, _) => false,
        }
    }

    /// The stable code for `--json`.
    pub fn code(&self) -> String {
        let code = match self {
            Self::NotAdopted { .. } | Self::Store(StoreError::NotAdopted(_)) => {
                "instance.not-adopted"
            }
            Self::Refused(refusal) => return first_code(&refusal.findings, "plan.refused"),
            Self::Rehearsal { findings } => return first_code(findings, "rehearsal.failed"),
            Self::Stale(_) | Self::Host(HostError::Stale { .. }) => "plan.stale",
            Self::Awaiting { .. } => "operation.awaiting-confirmation",
            Self::Unconfirmed { code, .. } => return code.clone(),
            Self::RolledBack { findings, .. } => {
                return first_code(findings, "operation.rolled-back");
            }
            Self::Conflict { .. } => "operation.conflict",
            Self::Interrupted => "interrupted",
            Self::Unnoted { .. } => "store.failed",
            Self::Unknown { .. } => "name.unknown",
            Self::Certificate(error) | Self::ChosenCa(error) => error.code(),
            Self::Host(error) => host_code(error),
            Self::Store(StoreError::Exists(_)) => "cert.exists",
            Self::Store(StoreError::Busy(_)) => "operation.open",
            Self::Store(StoreError::RulesChanged) => "plan.stale",
            Self::Store(StoreError::Disk { hindrance, .. }) => match hindrance {
                Hindrance::ReadOnly => "store.read-only",
                Hindrance::Full => "store.full",
            },
            Self::Store(StoreError::Server { trouble, .. }) => match trouble {
                Trouble::Away => "store.away",
                Trouble::Rights => "store.no-rights",
                Trouble::Password => "store.no-password",
                Trouble::Trigrams => "store.no-trigrams",
                Trouble::Encoding => "store.no-utf8",
                Trouble::Full => "store.full",
                Trouble::ReadOnly => "store.read-only",
                Trouble::SecondAgent => "agent.second",
                Trouble::Newer => "store.newer",
            },
            Self::Store(_) => "store.failed",
            Self::Acme(error) => error.code(),
            Self::Ordering { .. } => "renewal.locked",
            Self::Local { .. } => "host.local",
        };
        code.to_owned()
    }
}

fn host_code(error: &HostError) -> &'static str {
    match error {
        HostError::Locked { .. } => "instance.locked",
        HostError::Unreadable(_) => "instance.unreadable",
        HostError::Permission(_) => "host.permission",
        HostError::Scratch { .. } => "rehearsal.no-start",
        HostError::UnknownPort { .. } => "rehearsal.unknown-port",
        HostError::NotRehearsable(_) => "rehearsal.not-possible",
        HostError::Deadline { .. } => "host.deadline",
        HostError::Interrupted { .. } => "interrupted",
        HostError::Stuck(_) => "postfix.stuck",
        HostError::File { .. } => "host.file",
        HostError::Stale { .. } => "plan.stale",
        HostError::Command { .. } | HostError::Spawn { .. } => "host.command",
    }
}

fn first(findings: &[Finding]) -> &str {
    findings
        .first()
        .map_or("no reason was given", |finding| &finding.message)
}

fn first_code(findings: &[Finding], otherwise: &str) -> String {
    findings
        .first()
        .map_or(otherwise, |finding| &finding.code)
        .to_owned()
}

fn until(confirm_by_ms: Option<i64>) -> String {
    let stamp = confirm_by_ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    stamp
        .map(|at| format!(" until {at:.0}"))
        .unwrap_or_default()
}
