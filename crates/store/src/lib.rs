//! Postseal's memory.
//!
//! Owns: intents, drafts, plans, operations with their journal, snapshots, certificates and
//! sealed keys. Never: holds a rule, shows SQL upwards, keeps a private key in clear.
//!
//! [`Store`] is the door. SQLite lies in a folder of two files: `agent.db` (root, 0600) with
//! everything that decides, and `console.db` with what pages show; see DESIGN on privilege.

mod error;

pub use error::StoreError;

use postseal_planner::intent::{Intent, Owned};
use postseal_planner::plan::Base;
use postseal_planner::{Digest, Plan};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Everything the engine remembers. Methods are durable when they return.
pub trait Store {
    /// The state of an adopted instance; `None` before `init`. `instance` is the configuration
    /// directory's path.
    fn instance(&self, instance: &str) -> Result<Option<InstanceState>, StoreError>;

    /// Stores the state after `init` (first or repeated). The draft is kept unless given.
    fn adopt(&mut self, instance: &str, state: &InstanceState) -> Result<(), StoreError>;

    /// Forgets an instance (`release`): state, draft, plans. Operations stay as history.
    fn release(&mut self, instance: &str) -> Result<(), StoreError>;

    /// Replaces the draft; `None` drops it (`discard`).
    fn set_draft(&mut self, instance: &str, draft: Option<&Intent>) -> Result<(), StoreError>;

    /// Remembers a shown plan, so that `apply PLAN` can be told from a stale one.
    fn put_plan(&mut self, instance: &str, plan: &Plan) -> Result<(), StoreError>;

    /// A remembered plan, by its id or a unique prefix of at least 8 digits.
    fn plan(&self, instance: &str, id: &str) -> Result<Option<Plan>, StoreError>;

    /// Opens an operation: its row, its plan and the snapshots, in one transaction, on disk
    /// before this returns. Fails with [`StoreError::Busy`] if one of this instance is open.
    fn open_operation(&mut self, new: &NewOperation) -> Result<u64, StoreError>;

    /// Notes in the journal that `phase` has been reached.
    fn journal(&mut self, operation: u64, phase: &Phase) -> Result<(), StoreError>;

    /// Closes an operation; a kept one becomes the head, its intent becomes desired, `written`
    /// is what the files hold now, and a draft equal to its intent is dropped. One transaction.
    fn close_operation(&mut self, operation: u64, close: &Close) -> Result<(), StoreError>;

    /// The open operation of an instance, if any (also one that awaits confirmation).
    fn open(&self, instance: &str) -> Result<Option<Operation>, StoreError>;

    /// An operation with snapshots and journal.
    fn operation(&self, id: u64) -> Result<Option<Operation>, StoreError>;

    /// The newest operations of an instance, newest first; without snapshots' bytes.
    fn history(&self, instance: &str, limit: usize) -> Result<Vec<Operation>, StoreError>;

    /// Adds a certificate. [`StoreError::Exists`] when the name is taken by another one.
    fn put_certificate(&mut self, new: &NewCertificate) -> Result<(), StoreError>;

    /// All certificates, by name.
    fn certificates(&self) -> Result<Vec<Certificate>, StoreError>;

    /// A certificate's private key, opened with the identity. PEM (PKCS#8).
    fn private_key(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError>;

    /// Deletes a certificate; whether it was there.
    fn delete_certificate(&mut self, name: &str) -> Result<bool, StoreError>;

    /// Adds to the audit log (`cert export --key` and such).
    fn audit(&mut self, actor: &str, at_ms: i64, what: &str) -> Result<(), StoreError>;
}

/// What is in force on an instance, and what is wished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceState {
    /// The intent of the last kept operation, or of adoption.
    pub desired: Intent,
    /// Pending wishes, as a whole intent; `None`: nothing pending.
    pub draft: Option<Intent>,
    /// What Postseal or adoption last saw written, for drift.
    pub written: Owned,
    /// Digests of both files then.
    pub base: Base,
    /// The last kept operation.
    pub head: Option<u64>,
}

/// An operation to open.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// The configuration directory's path.
    pub instance: String,
    /// What kind of change.
    pub kind: OperationKind,
    /// Who: `root`, `alice (sudo)`, `guard`.
    pub actor: String,
    /// When, milliseconds since the epoch.
    pub started_ms: i64,
    /// The plan carried out.
    pub plan: Plan,
    /// The files as they were.
    pub snapshots: Vec<StoredSnapshot>,
    /// Until when it must be confirmed, milliseconds since the epoch.
    pub confirm_by_ms: Option<i64>,
}

/// What kind of change an operation is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum OperationKind {
    /// `apply`.
    Apply,
    /// `rollback` of an operation.
    Rollback {
        /// Which.
        of: u64,
    },
    /// `drift --restore`.
    RestoreDrift,
}

/// How far an operation has come. Written after the fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "phase")]
pub enum Phase {
    /// Row and snapshots are on disk; nothing is touched.
    Opened,
    /// Step n of the plan (from 0) is done.
    Step {
        /// Which.
        n: usize,
    },
    /// The wire showed what was expected.
    Verified,
    /// Kept, but waits for `confirm`.
    AwaitingConfirmation,
    /// The old bytes are being put back; why.
    RollingBack {
        /// Why.
        reason: String,
    },
    /// The old bytes are back and effective.
    RolledBack,
}

/// How an operation is closed.
#[derive(Clone, Debug)]
pub struct Close {
    /// When, milliseconds since the epoch.
    pub ended_ms: i64,
    /// How it ended.
    pub outcome: OperationOutcome,
    /// What was proved or why not, a sentence each.
    pub sentences: Vec<String>,
    /// For a kept one: the state in force from now on (its `draft` field is ignored).
    pub state: Option<InstanceState>,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum OperationOutcome {
    /// In force.
    Kept,
    /// Tried, and the old bytes are back.
    RolledBack {
        /// Why.
        reason: String,
    },
    /// Ended before anything was touched.
    Failed {
        /// Why.
        reason: String,
    },
}

/// An operation in the log.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its number, from 1, rising.
    pub id: u64,
    /// As opened.
    pub new: NewOperation,
    /// Phases reached, in order.
    pub journal: Vec<Phase>,
    /// How it ended; `None` while open.
    pub outcome: Option<OperationOutcome>,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// What was proved.
    pub sentences: Vec<String>,
}

/// A file's bytes and attributes as the store keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// `main` or `master`.
    pub file: postseal_planner::plan::Cf,
    /// Digest of the bytes.
    pub digest: Digest,
    /// Every byte. Empty in [`Store::history`].
    pub bytes: Vec<u8>,
    /// Path, link, owner, mode and extended attributes, as the host wrote them (JSON).
    pub attributes: String,
}

/// A certificate to add.
#[derive(Debug)]
pub struct NewCertificate {
    /// The operator's name for it.
    pub name: String,
    /// Leaf first, DER each.
    pub chain: Vec<Vec<u8>>,
    /// The private key, PEM (PKCS#8); sealed before it is stored.
    pub key: Option<Zeroizing<Vec<u8>>>,
    /// An explicitly given private CA, DER.
    pub private_ca: Option<Vec<u8>>,
    /// Where it came from, for people.
    pub source: String,
    /// When, milliseconds since the epoch.
    pub added_ms: i64,
    /// Digest of the key-first PEM file as it will stand on disk.
    pub file_digest: Option<Digest>,
}

/// A certificate of the store, without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "as in NewCertificate")]
pub struct Certificate {
    pub name: String,
    pub chain: Vec<Vec<u8>>,
    pub has_key: bool,
    pub private_ca: Option<Vec<u8>>,
    pub source: String,
    pub added_ms: i64,
    pub file_digest: Option<Digest>,
}
