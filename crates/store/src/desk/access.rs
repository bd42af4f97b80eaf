//! Who may come in.
//!
//! Owns: users, their roles, sessions, tokens and invitations as they are kept. Never: a password
//! or a secret in clear; what may be done with a role is the console's to say.

use super::Secret;
use serde::{Deserialize, Serialize};

/// What somebody may do, in words; the console's table says what each means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sees everything, changes nothing.
    Auditor,
    /// Sees everything, and says yes to what others want to put in force.
    Approver,
    /// Wishes and puts in force.
    Operator,
    /// Everything, users and tokens included.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Auditor, Self::Approver, Self::Operator, Self::Admin];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auditor => "auditor",
            Self::Approver => "approver",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// A word that names no role.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: admin, operator, approver or auditor")]
pub struct UnknownRole(String);

impl std::str::FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| UnknownRole(text.chars().take(40).collect()))
    }
}

/// Somebody who may sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The password's argon2id hash as a PHC string; none until an invitation was taken.
    pub password: Option<String>,
    /// The secret of time-based one-time passwords (RFC 6238), where they are wanted.
    pub totp: Option<Vec<u8>>,
    /// When they were added, milliseconds since the epoch.
    pub added_ms: i64,
}

/// No hash and no secret reaches a log.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// The right to choose a password, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Of the secret in its link.
    pub digest: Secret,
    /// Whose.
    pub user: String,
    /// Until when, milliseconds since the epoch.
    pub ends_ms: i64,
}

/// A session of a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Of the secret in its cookie.
    pub digest: Secret,
    /// Whose.
    pub user: String,
    /// When it began, milliseconds since the epoch.
    pub made_ms: i64,
    /// When it was last seen.
    pub seen_ms: i64,
    /// When it ends, whatever happens.
    pub ends_ms: i64,
    /// From where it began.
    pub address: String,
    /// What the browser called itself.
    pub browser: String,
}

/// A session that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Its user, as they are now.
    pub user: User,
    /// When it ends, milliseconds since the epoch.
    pub ends_ms: i64,
}

/// The right of a program to act as somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its number; 0 before it is added.
    pub id: u64,
    /// As whom.
    pub user: String,
    /// What for, in the words of whoever made it.
    pub name: String,
    /// What it may do at most; its user's role bounds it, too.
    pub role: Role,
    /// When it was made, milliseconds since the epoch.
    pub made_ms: i64,
    /// When it ends.
    pub ends_ms: i64,
    /// When it was last used.
    pub used_ms: Option<i64>,
}
