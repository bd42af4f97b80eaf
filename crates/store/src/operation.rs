//! Operations: how they are opened, how far they come, how they end.
//!
//! Owns: the shapes of the operation log. Never: decides what a phase means for recovery.

use crate::InstanceState;
use crate::policy::RuleTake;
use postseal_planner::intent::Owned;
use postseal_planner::plan::Cf;
use postseal_planner::report::{ServiceExpectation, Verdict};
use postseal_planner::{Digest, Finding, Intent, Plan};
use serde::{Deserialize, Serialize};
use std::fmt;

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
    /// The plan carried out; its edits come back without bytes.
    pub plan: Plan,
    /// The files as they were.
    pub snapshots: Vec<StoredSnapshot>,
    /// Until when it must be confirmed, milliseconds since the epoch.
    pub confirm_by_ms: Option<i64>,
    /// What was found before it. Nothing is known of operations that were opened before this was
    /// noted.
    pub before: Before,
    /// What the owned parameters are once its steps are done; `None` where that was not noted.
    pub written: Option<Owned>,
    /// What it does with the rules for destinations. Not read back: [`crate::PolicyStore::rule_changes`]
    /// has what came of it.
    pub rules: RuleTake,
}

/// What was found before an operation changed anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Whether the master ran.
    pub running: bool,
    /// What the files promised.
    pub expectations: Vec<ServiceExpectation>,
    /// What was seen of it.
    pub verdict: Verdict,
    /// What was logged of TLS.
    pub logged: Vec<Finding>,
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
    /// `cert deploy`, or a renewal by itself.
    Renewal {
        /// Which certificate's.
        certificate: String,
    },
}

impl OperationKind {
    /// The operation that it undoes.
    pub fn undoes(&self) -> Option<u64> {
        match self {
            Self::Rollback { of } => Some(*of),
            Self::Apply | Self::RestoreDrift | Self::Renewal { .. } => None,
        }
    }

    /// What stays pending once an operation of this kind has put `intent` in force; `None` where
    /// that fulfils the draft.
    pub fn draft_after(&self, intent: &Intent, draft: Intent) -> Option<Intent> {
        let draft = match self {
            Self::Renewal { certificate } => draft.following(certificate, intent),
            Self::Apply | Self::Rollback { .. } | Self::RestoreDrift => draft,
        };
        // Wishes about rules are no part of the draft.
        let draft = draft.with_rules_of(intent);
        (draft != *intent).then_some(draft)
    }
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
    /// Postfix was stopped and started, because a service could not be had otherwise; why.
    Restarted {
        /// Why.
        reason: String,
    },
    /// What the wire showed, a sentence each, of an operation that waits for `confirm`: it is closed by another process.
    Proved {
        /// What was seen.
        sentences: Vec<String>,
    },
    /// The wire showed what was expected.
    Verified,
    /// Kept, but waits for `confirm`.
    AwaitingConfirmation,
    /// The old bytes are being put back; why.
    RollingBack {
        /// Why.
        reason: String,
        /// Whether the master ran when this began.
        #[serde(default)]
        running: bool,
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

impl Operation {
    /// What the wire showed before it waited for `confirm`; nothing of one that did not wait.
    pub fn proof(&self) -> &[String] {
        let mut phases = self.journal.iter();
        let proved = phases.find_map(|phase| match phase {
            Phase::Proved { sentences } => Some(sentences.as_slice()),
            _ => None,
        });
        proved.unwrap_or_default()
    }
}

/// A file's bytes and attributes as the store keeps them.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// `main` or `master`.
    pub file: Cf,
    /// Digest of the bytes.
    pub digest: Digest,
    /// Every byte. Empty in [`Store::history`].
    pub bytes: Vec<u8>,
    /// Path, link, owner, mode and extended attributes, as the host wrote them (JSON).
    pub attributes: String,
}

/// By hand: a main.cf may hold a password, and nobody reads bytes as numbers.
impl fmt::Debug for StoredSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredSnapshot")
            .field("file", &self.file)
            .field("digest", &self.digest)
            .field("bytes", &self.bytes.len())
            .field("attributes", &self.attributes)
            .finish()
    }
}
