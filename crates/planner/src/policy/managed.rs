//! Rules that are managed elsewhere than in `policy`.
//!
//! Owns: who manages a rule, and by which command. Never: recognises a manager by words that a
//! person could write: the manager is a part of a rule's id.
//!
//! A domain's entry is its rule: there is no second record that could be left behind, and
//! `discard`, `rollback` and history treat both as one.

use super::RuleId;
use serde::{Deserialize, Serialize};
use std::fmt;

const DOMAIN: &str = "domain ";
const PASSWORDS: &str = "smtp_sasl_password_maps";
const RECIPIENT: &str = "recipient ";

/// Who manages a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manager {
    /// The entry of a domain (A-labels): `postseal domain`.
    Domain(String),
    /// A key of `smtp_sasl_password_maps`: `postseal domain sync`.
    Passwords,
    /// A rule for recipients that follows their mail: `postseal policy`. Their domain (A-labels);
    /// `.example.org` for the names below one.
    Recipient(String),
}

/// What an entry of a domain says besides its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The next hop demands authentication.
    #[serde(default)]
    pub requires_auth: bool,
    /// The next hop expects TLS from the first byte: mail goes there by [`crate::SMTPS_OUT_NAME`].
    #[serde(default)]
    pub smtps: bool,
}

impl Manager {
    /// What the managers begin with whose rules `policy` shows and changes: those by hand, and those
    /// that follow their mail.
    pub const OF_POLICY: [&str; 2] = ["", RECIPIENT];
    /// What the managers begin with that are entries of domains.
    pub const OF_DOMAINS: &str = DOMAIN;

    /// The manager of a rule; `None` for rules made by hand.
    pub fn of(id: &RuleId) -> Option<Self> {
        if let Some(domain) = id.manager.strip_prefix(DOMAIN) {
            return Some(Self::Domain(domain.to_owned()));
        }
        match id.manager.strip_prefix(RECIPIENT) {
            Some(domain) => Some(Self::Recipient(domain.to_owned())),
            None => (id.manager == PASSWORDS).then_some(Self::Passwords),
        }
    }

    /// The command by which it says once more what it wants.
    pub fn command(&self) -> String {
        match self {
            Self::Domain(domain) => format!("postseal domain edit {domain}"),
            Self::Passwords => "postseal domain sync".to_owned(),
            Self::Recipient(domain) => format!("postseal policy edit {domain}"),
        }
    }

    /// Where its rules are changed, and how they go away, in words.
    pub fn place(&self) -> String {
        match self {
            Self::Domain(domain) => format!(
                "`postseal domain edit {domain}` changes it, `postseal domain remove {domain}` \
                 takes it away."
            ),
            Self::Recipient(domain) => format!(
                "`postseal policy edit {domain} …` changes it, `postseal policy remove {domain}` \
                 takes it away."
            ),
            Self::Passwords => format!(
                "Take its key out of {PASSWORDS}, then `postseal domain sync` takes the rule away."
            ),
        }
    }
}

/// The manager in a rule's id.
impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => write!(f, "{DOMAIN}{domain}"),
            Self::Recipient(domain) => write!(f, "{RECIPIENT}{domain}"),
            Self::Passwords => f.write_str(PASSWORDS),
        }
    }
}
