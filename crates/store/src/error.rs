//! What can go wrong with the memory.
//!
//! Owns: the errors of this crate. Never: exit codes or hints.

use std::path::PathBuf;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or a file of it cannot be used.
    #[error("cannot {action} the store at {}", path.display())]
    Folder {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The database said no.
    #[error("the store's database failed while trying to {action}")]
    Database {
        /// What was tried.
        action: &'static str,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The disk takes nothing: what is stored can be read, nothing can be changed.
    #[error("the store at {} takes no change: {hindrance}", path.display())]
    Disk {
        /// The store's folder.
        path: PathBuf,
        /// Why.
        hindrance: Hindrance,
    },
    /// A stored document is not readable by this version.
    #[error("the store holds a {what} that this version cannot read")]
    Format {
        /// What.
        what: &'static str,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something given cannot be stored.
    #[error("the store cannot keep this {what}")]
    Unfit {
        /// What.
        what: &'static str,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another process has held the database for longer than the store waits.
    #[error("the store is in use by another process")]
    Locked,
    /// The name is taken.
    #[error("a certificate named {0} is in the store already")]
    Exists(String),
    /// Another operation is open.
    #[error("operation {0} of this instance is not finished")]
    Busy(u64),
    /// The operation is closed, or never was.
    #[error("operation {0} is not open")]
    NotOpen(u64),
    /// Not adopted yet.
    #[error("{0} is not adopted")]
    NotAdopted(String),
    /// A wish came in after the plan was made.
    #[error("the rules for destinations have changed since the plan was made")]
    RulesChanged,
    /// The identity that opens sealed keys is missing or not ours.
    #[error("the store's identity cannot be used: {0}")]
    Identity(String),
}

/// Why a disk takes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// Its file system is mounted read-only, or became so after an error.
    ReadOnly,
    /// There is no room.
    Full,
}

impl std::fmt::Display for Hindrance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ReadOnly => "its file system is read-only",
            Self::Full => "its disk is full",
        })
    }
}
