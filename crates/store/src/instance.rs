//! The state of an adopted instance.
//!
//! Owns: its shape. Never: compares desired with written; that is the engine's drift.

use postseal_planner::Intent;
use postseal_planner::intent::Owned;
use postseal_planner::plan::Base;
use serde::{Deserialize, Serialize};

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
