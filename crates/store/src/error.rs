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
    /// The server that a desk is on.
    #[error("the desk at {desk} {trouble}")]
    Server {
        /// Which, without a password.
        desk: String,
        /// What is wrong there.
        trouble: Trouble,
        /// As it was said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
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

/// Why the server of a desk is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It does not answer, or takes nobody in; it may come back.
    Away,
    /// It does not let the role in, or not do what it has to.
    Rights,
    /// The file with the password cannot be used.
    Password,
    /// It has no extension `pg_trgm`, by which rules are searched.
    Trigrams,
    /// It is not in UTF-8, which what is stored in it is.
    Encoding,
    /// There is no room on its disk.
    Full,
    /// It takes no change: a standby, say.
    ReadOnly,
    /// The agent of another store works there.
    SecondAgent,
    /// A newer Postseal has brought it up to date.
    Newer,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Away => "cannot be reached",
            Self::Rights => "does not give the console's role the rights it needs",
            Self::Password => "cannot be opened: its password cannot be read",
            Self::Trigrams => "lacks the extension pg_trgm",
            Self::Encoding => "is not a database in UTF-8",
            Self::Full => "takes no change: the server's disk is full",
            Self::ReadOnly => "takes no change: the server is read-only",
            Self::SecondAgent => "has the agent of another store",
            Self::Newer => "is one of a newer Postseal",
        })
    }
}
