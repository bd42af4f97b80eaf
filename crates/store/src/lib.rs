//! Postseal's memory.
//!
//! Owns: intents, drafts, plans, operations with their journal, snapshots, certificates and
//! sealed keys. Never: holds a rule, shows SQL upwards, keeps a private key in clear.
//!
//! [`Store`] is the door to `agent.db` (root, 0600), with everything that decides. [`desk::Desk`] is the
//! door to what the console and the agent tell each other: `console.db`, in a folder of its own, or a database on PostgreSQL.

#![allow(
    clippy::duplicate_mod,
    reason = "the files of `sql` are modules of both backends: the same words, other types of sqlx"
)]

mod acme;
mod audit;
mod certificate;
pub mod desk;
mod document;
mod error;
mod identity;
mod instance;
mod operation;
mod policy;
mod postgres;
mod sqlite;
mod watch;

pub use acme::{AcmeAccount, AcmeStore};
pub use audit::{AuditEntry, AuditKind, AuditLink, AuditStore, audit_digest};
pub use certificate::{Certificate, NewCertificate, NextKey, PendingRequest, Succession};
pub use error::{Hindrance, StoreError, Trouble};
pub use instance::InstanceState;
pub use operation::{
    Before, Close, NewOperation, Operation, OperationKind, OperationOutcome, Phase, StoredSnapshot,
};
pub use policy::{
    Known, LevelChange, Pending, PolicyStore, RuleFilter, RuleOrder, RuleState, RuleTake, RuleView,
    RuleWish, Staged,
};
pub use postgres::{BadPlace, PostgresDesk, PostgresPlace};
pub use sqlite::{SqliteDesk, SqliteStore};
pub use watch::Watch;

use mailtls::Fingerprint;
use postseal_planner::{Intent, Plan};
use zeroize::Zeroizing;

/// How a trial ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrialEnd {
    /// What was tried is durable, all of it.
    Kept,
    /// Nothing of it was ever there.
    TakenBack,
}

/// Everything the engine remembers. Methods are durable when they return, and all or nothing.
pub trait Store: AcmeStore + AuditStore + PolicyStore {
    /// From now on what is written is seen through this store alone, and durable only by
    /// [`Store::end_trial`]. Others can read meanwhile, and not write. A store that is dropped takes it
    /// back. Where anything failed to be written nothing more can be, and it cannot be kept.
    fn begin_trial(&mut self) -> Result<(), StoreError>;

    /// Ends a trial; without one it does nothing.
    fn end_trial(&mut self, end: TrialEnd) -> Result<(), StoreError>;

    /// The state of an adopted instance; `None` before `init`. `instance` is the configuration
    /// directory's path.
    fn instance(&self, instance: &str) -> Result<Option<InstanceState>, StoreError>;

    /// Stores the state after `init` (first or repeated). The draft is kept unless given.
    fn adopt(&mut self, instance: &str, state: &InstanceState) -> Result<(), StoreError>;

    /// Forgets an instance (`release`): state, draft, plans. Operations stay as history.
    /// [`StoreError::Busy`] while one is open: its snapshots may still be needed.
    fn release(&mut self, instance: &str) -> Result<(), StoreError>;

    /// Replaces the draft; `None` drops it (`discard`).
    fn set_draft(&mut self, instance: &str, draft: Option<&Intent>) -> Result<(), StoreError>;

    /// Remembers a shown plan, so that `apply PLAN` can be told from a stale one.
    fn put_plan(&mut self, instance: &str, plan: &Plan) -> Result<(), StoreError>;

    /// A remembered plan, by its id or a unique prefix of at least 8 digits; `None` when no plan
    /// or more than one begins so. Its edits are without bytes.
    fn plan(&self, instance: &str, id: &str) -> Result<Option<Plan>, StoreError>;

    /// Opens an operation: its row, its plan, the snapshots and [`Phase::Opened`], in one
    /// transaction, on disk before this returns. Fails with [`StoreError::Busy`] if one of this
    /// instance is open.
    fn open_operation(&mut self, new: &NewOperation) -> Result<u64, StoreError>;

    /// Notes in the journal that `phase` has been reached; [`StoreError::NotOpen`] when the
    /// operation is closed.
    fn journal(&mut self, operation: u64, phase: &Phase) -> Result<(), StoreError>;

    /// Closes an operation; a kept one becomes the head, its intent becomes desired, `written`
    /// is what the files hold now, and of the draft stays what [`OperationKind::draft_after`] says.
    /// One transaction.
    fn close_operation(&mut self, operation: u64, close: &Close) -> Result<(), StoreError>;

    /// The open operation of an instance, if any (also one that awaits confirmation).
    fn open(&self, instance: &str) -> Result<Option<Operation>, StoreError>;

    /// An operation with snapshots and journal.
    fn operation(&self, id: u64) -> Result<Option<Operation>, StoreError>;

    /// The newest operations of an instance, newest first; without snapshots' bytes.
    fn history(&self, instance: &str, limit: usize) -> Result<Vec<Operation>, StoreError>;

    /// Adds a certificate. [`StoreError::Exists`] when the name is taken by another one that it
    /// does not renew. A chain that is known under the name is no error, nor a longer one of the
    /// same leaf: what is given replaces, a key that is not given stays. A request that waits under the name stays too: only its key
    /// tells whether it has been answered.
    fn put_certificate(&mut self, new: &NewCertificate) -> Result<(), StoreError>;

    /// The newest version of each certificate, by name: at most `limit` of those whose name comes
    /// after `after` (in the order of bytes; all names come after the empty one). A page, so that
    /// a store of many is read in little memory.
    fn newest_certificates(
        &self,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Certificate>, StoreError>;

    /// All versions under a name, the newest first; none where the name is free.
    fn certificate_versions(&self, name: &str) -> Result<Vec<Certificate>, StoreError>;

    /// The certificates whose leaf has this fingerprint, by name: usually one.
    fn certificates_of_leaf(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Vec<Certificate>, StoreError>;

    /// The private key of a certificate's version, opened with the identity. PEM (PKCS#8).
    fn private_key(
        &self,
        name: &str,
        version: u32,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError>;

    /// Remembers a request with its key (PEM, PKCS#8), which is sealed; whether it did: one that
    /// waits under the name stays, for a CA may be at work on it.
    fn put_request(&mut self, request: &PendingRequest, key: &[u8]) -> Result<bool, StoreError>;

    /// The requests that wait, by name.
    fn requests(&self) -> Result<Vec<PendingRequest>, StoreError>;

    /// The key of a request, opened with the identity.
    fn request_key(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError>;

    /// Forgets a request and its key; whether it was there.
    fn delete_request(&mut self, name: &str) -> Result<bool, StoreError>;

    /// Remembers the key (PEM, PKCS#8) that the next certificate under a name is made for; it is
    /// sealed. Whether it did: one that waits under the name stays, for its record may be
    /// published.
    fn put_next_key(&mut self, next: &NextKey, key: &[u8]) -> Result<bool, StoreError>;

    /// The next keys, by name.
    fn next_keys(&self) -> Result<Vec<NextKey>, StoreError>;

    /// A next key, opened with the identity. PEM (PKCS#8).
    fn next_key(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError>;

    /// Forgets a next key; whether it was there.
    fn delete_next_key(&mut self, name: &str) -> Result<bool, StoreError>;

    /// Deletes a certificate with all its versions and its next key, its watches, and how it is
    /// renewed; whether it was there.
    fn delete_certificate(&mut self, name: &str) -> Result<bool, StoreError>;

    /// Deletes one version of a certificate; whether it was there. The others keep their numbers.
    fn delete_version(&mut self, name: &str, version: u32) -> Result<bool, StoreError>;

    /// Remembers a folder to watch for an instance; an earlier one of the same name is replaced.
    fn put_watch(&mut self, instance: &str, watch: &Watch) -> Result<(), StoreError>;

    /// The watches of an instance, by name.
    fn watches(&self, instance: &str) -> Result<Vec<Watch>, StoreError>;

    /// Forgets a watch; whether it was there.
    fn delete_watch(&mut self, instance: &str, name: &str) -> Result<bool, StoreError>;
}
