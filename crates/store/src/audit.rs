//! Entries of the audit log.
//!
//! Owns: their shape, and the digest that chains each to those before it. Never: changes one; the log is only
//! added to.

use crate::StoreError;
use postseal_planner::Digest;

/// What the store remembers of who did what.
pub trait AuditStore {
    /// Adds to the audit log (`cert export --key` and such).
    fn audit(&mut self, actor: &str, at_ms: i64, what: &str) -> Result<(), StoreError>;

    /// Adds what happened at the console: who came in, who may.
    fn audit_access(&mut self, entries: &[AuditEntry]) -> Result<(), StoreError>;

    /// The newest entries of the audit log about the store, newest first.
    fn audit_log(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;

    /// The whole audit log as a chain, a page at a time: the links after `after` (0: from the first), the oldest
    /// first.
    fn audit_chain(&self, after: u64, limit: usize) -> Result<Vec<AuditLink>, StoreError>;

    /// The number of the newest entry that was ever made, 0 before the first: they are counted without a gap, so one
    /// that is not there was taken out.
    fn audit_newest(&self) -> Result<u64, StoreError>;
}

/// Who did what, when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Who: `root`, `alice (sudo)`.
    pub actor: String,
    /// When, milliseconds since the epoch.
    pub at_ms: i64,
    /// What was done.
    pub what: String,
}

/// Where an entry came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditKind {
    /// Something entered the store of certificates, left it, or was handed out.
    Store,
    /// Somebody came in at the console, or who may was changed.
    Access,
}

impl AuditKind {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Access => "access",
        }
    }
}

/// An entry as a link of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLink {
    /// Its number.
    pub id: u64,
    /// Where it came from, as it is written.
    pub kind: String,
    /// What it says.
    pub entry: AuditEntry,
    /// Of the link before it and itself.
    pub digest: String,
}

/// What the digest of a link must be, after a link with the digest `before` (empty before the first). Each part
/// is preceded by its length, so that no two entries are one text.
pub fn audit_digest(before: &str, id: u64, kind: &str, entry: &AuditEntry) -> String {
    let mut text = format!("{before} {id} {} ", entry.at_ms);
    for part in [kind, &entry.actor, &entry.what] {
        text.push_str(&format!("{}:{part}", part.len()));
    }
    Digest::of(text.as_bytes()).to_string()
}
