//! Credentials of which it cannot be told whether they may go in clear.
//!
//! Owns: what is known of those. Never: finds them (`exposed` does), or says it in words (`lint` does).

use super::Credential;

/// Credentials of which it cannot be told whether they may go in clear.
#[derive(Clone, Debug)]
pub(crate) struct Undetermined {
    /// Which.
    pub(crate) credential: Credential,
    /// Why not.
    pub(crate) why: String,
    /// What could not be read.
    pub(crate) unread: Unread,
}

/// What could not be read of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unread {
    /// Which next hops get them.
    Keys,
    /// The level there, or what goes there.
    Level,
}

impl Undetermined {
    /// Whose level at the next hop could not be read.
    pub(super) const fn level(credential: Credential, why: String) -> Self {
        Self {
            credential,
            why,
            unread: Unread::Level,
        }
    }
}
