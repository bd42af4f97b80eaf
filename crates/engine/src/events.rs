//! What the engine tells while it works: a closed vocabulary.
//!
//! Owns: the events. Never: prints them; a face subscribes and shows them.

use postseal_planner::Finding;
use postseal_planner::report::Verdict;
use serde::Serialize;

/// Something that has just happened on the path of a change.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// A stage begins.
    Stage {
        /// Which.
        stage: Stage,
    },
    /// The servers of rules are being looked at.
    Looking {
        /// How many rules.
        rules: usize,
    },
    /// A server of a destination was looked at.
    Looked {
        /// Its address.
        address: std::net::SocketAddr,
        /// How many were looked at so far.
        done: usize,
        /// Of how many.
        all: usize,
    },
    /// Something was seen of a server that is looked at, a line of what a person reads.
    Seen {
        /// It.
        words: String,
    },
    /// The scratch instance was looked at.
    Rehearsed {
        /// What it showed.
        verdict: Verdict,
        /// What could not be rehearsed.
        not_rehearsed: Vec<String>,
    },
    /// A rollback leads back to what was broken before the operation that it undoes.
    BrokenAgain {
        /// What.
        findings: Vec<Finding>,
    },
    /// The journal row and the snapshots are on disk.
    Opened {
        /// The operation.
        operation: u64,
    },
    /// A step of the plan is done.
    Step {
        /// Its place in the plan, from 0.
        n: usize,
        /// What it did.
        what: String,
    },
    /// The wire was looked at.
    Proved {
        /// What it showed.
        verdict: Verdict,
    },
    /// The old bytes are being put back.
    RollingBack {
        /// Why.
        reason: String,
    },
    /// A service had to be stopped and started.
    Restarted {
        /// Why.
        reason: String,
    },
    /// A certificate is being ordered.
    Ordering {
        /// Its name in the store.
        certificate: String,
        /// What is done now.
        doing: String,
    },
    /// An interrupted operation was found and ended.
    Recovered {
        /// The operation.
        operation: u64,
        /// How.
        how: String,
    },
}

/// The stages of a change, as DESIGN §4 names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Stage {
    Look,
    Think,
    Rehearse,
    Apply,
    Prove,
    RollBack,
}
