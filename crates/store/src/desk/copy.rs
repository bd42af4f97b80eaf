//! Copies: what pages show, as the agent saw it.
//!
//! Owns: which there are. Never: how one is made (the agent), or looks (the console).

use serde::{Deserialize, Serialize};

/// Of what there is a copy: the answer of the command that tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum CopyOf {
    Plan,
    Status,
    History,
    Certificates,
    Domains,
    Findings,
    Checks,
    Drift,
    Keys,
    Profiles,
    Notify,
    Parameters,
}

impl CopyOf {
    /// All of them, in the order in which they are made: what a change alters soonest comes first.
    pub const ALL: [Self; 12] = [
        Self::Plan,
        Self::Status,
        Self::History,
        Self::Certificates,
        Self::Domains,
        Self::Findings,
        Self::Checks,
        Self::Drift,
        Self::Keys,
        Self::Profiles,
        Self::Notify,
        Self::Parameters,
    ];

    /// As it is kept and asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Status => "status",
            Self::History => "history",
            Self::Certificates => "certificates",
            Self::Domains => "domains",
            Self::Findings => "findings",
            Self::Checks => "checks",
            Self::Drift => "drift",
            Self::Keys => "keys",
            Self::Profiles => "profiles",
            Self::Notify => "notify",
            Self::Parameters => "parameters",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|copy| copy.name() == name)
    }
}

/// What pages show, as the agent saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// The document, as JSON.
    pub document: String,
    /// When the agent began to look, milliseconds since the epoch: what changed later may not be in it.
    pub copied_ms: i64,
}
