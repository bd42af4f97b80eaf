//! The one path of a change: observe → plan → approve → rehearse → apply → verify → keep or
//! roll back; and recover, drift, certificates.
//!
//! Owns: the order of things, the typestates, the clock. Never: HTTP, clap, printing, a second
//! path. [`Engine`] is the door; each stage is a file of its own, in the order of the path:
//!
//! | file | stage |
//! |---|---|
//! | `adopt` | init, release, and the wishes that make a draft |
//! | `observe` | host, store → `Facts` |
//! | `propose` | → `Plan` or `Refusal` |
//! | `approve` | `Plan` → `Approved` |
//! | `rehearse` | `Approved` → `Rehearsed` |
//! | `apply` | `Rehearsed` → `Applied` |
//! | `verify` | `Applied` + the wire → `Verdict` |
//! | `settle` | keep, confirm, put back |
//! | `rollback` | the operator's way back |
//! | `recover` | journal → kept or undone |
//!
//! `watch` keeps folders of ACME clients in sight and deploys what is renewed there.
//!
//! `Approved`, `Rehearsed` and `Applied` can only be made by their files: approval, rehearsal and
//! proof are types, not habits.

mod adopt;
mod apply;
mod approve;
mod certificates;
mod change;
mod clock;
mod declared;
mod delete;
mod deploy;
mod dns;
mod domains;
mod drift;
mod error;
mod events;
mod explain;
mod guard;
mod handed;
mod import;
mod import_names;
mod issue;
mod live_log;
mod make;
mod mend;
mod next_key;
mod noted;
mod observe;
mod outbound;
mod ports;
mod preflight;
mod probe;
mod propose;
mod prune;
mod recover;
mod rehearse;
mod renew;
mod rollback;
mod rules;
mod save;
mod settle;
mod status;
mod succession;
mod tlsa;
mod undo;
mod verify;
mod watch;
mod wire;
mod wishes;

pub use adopt::{Adoption, Again, Changes, Wished};
pub use approve::Acceptance;
pub use certificates::{CertificateView, ExportedKey, Listed, Waiting};
pub use change::{Changed, Keep, Outcome};
pub use clock::{Clock, SystemClock};
pub use declared::{
    Declared, DeclaredBinding, DeclaredCredentials, DeclaredDomain, DeclaredSetting, Intended,
};
pub use domains::{DomainRequest, DomainState, DomainsWished, HopState, Route, Synced};
pub use drift::DriftReport;
pub use error::{End, EngineError, Kind};
pub use events::{Event, Stage};
pub use explain::{explain, explain_by, explain_in};
pub use guard::{Guarded, Guardian};
pub use handed::Handed;
pub use import::{Import, Imported};
pub use issue::{Answerers, Freshly, Issue, Means, Terms};
pub use live_log::{LiveLog, LogSeen};
pub use make::{KeyChoice, Wanted};
pub use mend::{Draft, Fixed, Fixing};
pub use next_key::WaitingKey;
pub use observe::{observe_unadopted, observe_values};
pub use outbound::Sent;
pub use preflight::{HopPolicy, PreflightOptions, Progress, World, preflight};
pub use probe::{Letter, Listener, ProbeNews, ProbeOptions, Prober};
pub use propose::Proposal;
pub use recover::Recovery;
pub use renew::{Force, Presented, RenewalEnd, RenewalView, Renewed};
pub use rules::{
    Added, Concerned, DueRules, Forced, Hindered, Hindrance, IdleRows, Look, MapAnswers, Refused,
    RowChange, RuleChanges, RuleChecked, RuleLooked, RuleNews, RuleRequest, RulesImported,
    RulesTold, RulesWished, Stored, TableDrift, TableRead, TablesRead, WayTo, Wholeness,
    bad_routes, idle_rows, touched_findings, unread_words, way_to,
};
pub use save::Wishes;
pub use status::{InForce, Profiles, Status};
pub use tlsa::{Elsewhere, Instead, Reach, RecordOf, RecordState, Tlsa, TlsaRow};
pub use verify::Verified;
pub use watch::{CheckNews, Folders, Found, Until, WatchTrouble, Watched, open_key};
pub use wire::{Network, Wire};
pub use wishes::{Wish, certificate, wishes};

use postseal_host::Host;
use postseal_store::Store;
use std::sync::atomic::{AtomicBool, Ordering};

/// The engine at work on one instance. Everything it needs of the world is handed in.
pub struct Engine<'a> {
    /// The machine.
    pub host: &'a dyn Host,
    /// The memory.
    pub store: &'a mut dyn Store,
    /// The wire.
    pub wire: &'a dyn Wire,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// The folder of the guards' lock files (the store's folder).
    pub guards: std::path::PathBuf,
    /// Starts the guard of an operation that has to be confirmed.
    pub guardian: &'a dyn Guardian,
    /// Who acts, for the log.
    pub actor: String,
    /// The instance: its configuration directory's path, as the store's key.
    pub instance: String,
    /// Set when the operator wants it to stop: what is not proved by then is put back.
    pub interrupted: &'a AtomicBool,
    /// Told of everything as it happens.
    pub listener: &'a dyn Fn(&Event),
    /// What the next wish about rules is held to, in the transaction that stores it; it is for one wish.
    pub only_while: Option<Held>,
}

/// Whether what somebody has seen is still so.
pub type Held = Box<dyn Fn(&Engine<'_>) -> Result<bool, EngineError>>;

impl Engine<'_> {
    fn tell(&self, event: Event) {
        (self.listener)(&event);
    }

    fn stop_if_interrupted(&self) -> Result<(), EngineError> {
        if self.is_interrupted() {
            return Err(EngineError::Interrupted);
        }
        Ok(())
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}
