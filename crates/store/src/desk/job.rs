//! Jobs: what an agent is asked to do, and what came of it.
//!
//! Owns: their shape. Never: what a task means; here it is text that the agent reads as if a stranger
//! had written it.

use serde::{Deserialize, Serialize};

/// A job to be filed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewJob {
    /// For the agent of this instance.
    pub instance: String,
    /// Who wants it.
    pub actor: String,
    /// When, milliseconds since the epoch.
    pub filed_ms: i64,
    /// What, as JSON.
    pub task: String,
    /// What makes a second filing the same one (an idempotency key).
    pub request: Option<String>,
}

/// What became of the filing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filed {
    /// It waits for the agent.
    New(u64),
    /// It was filed before.
    Before(u64),
    /// The request names a job with another task.
    Other(u64),
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// Somebody else has to say yes to it first.
    Proposed,
    /// No agent has claimed it.
    Waiting,
    /// One is at it.
    Running,
    /// It has an answer.
    Done,
    /// It was given up before an agent began.
    Cancelled,
    /// The agent went away in the middle; its answer says what was found.
    Lost,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Proposed,
        Self::Waiting,
        Self::Running,
        Self::Done,
        Self::Cancelled,
        Self::Lost,
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
        }
    }

    /// Whether nothing more comes.
    pub fn has_ended(self) -> bool {
        !matches!(self, Self::Proposed | Self::Waiting | Self::Running)
    }
}

/// A job as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its number.
    pub id: u64,
    /// The instance that it is for.
    pub instance: String,
    /// Who wants it.
    pub actor: String,
    /// When it was filed, milliseconds since the epoch.
    pub filed_ms: i64,
    /// What, as JSON.
    pub task: String,
    /// How far it is.
    pub state: JobState,
    /// Whether somebody wants it to end.
    pub cancelled: bool,
    /// When the agent began.
    pub started_ms: Option<i64>,
    /// While it runs: until when its agent has said that it is at it.
    pub lease_ms: Option<i64>,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// What came of it; the answer is left out of lists.
    pub end: Option<End>,
}

impl Job {
    /// Since when nobody is known to be at it, though it runs: its agent has not said so any more. The next agent
    /// ends it.
    pub fn abandoned_ms(&self, now_ms: i64) -> Option<i64> {
        let lease = self.lease_ms.filter(|_| self.state == JobState::Running);
        lease.filter(|lease| *lease < now_ms)
    }
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The exit code that the command would have had (CLI.md).
    pub exit: u8,
    /// The document that it would have printed, as JSON; what it prints for people is in it.
    pub answer: String,
}

/// Something that was told while a job went on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEvent {
    /// Its place, from 1.
    pub n: u64,
    /// When, milliseconds since the epoch.
    pub at_ms: i64,
    /// What, as JSON.
    pub document: String,
}

/// When an agent was last seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    /// The process: boot and process id.
    pub agent: String,
    /// Its version.
    pub version: String,
    /// When, milliseconds since the epoch.
    pub seen_ms: i64,
}

/// That an agent lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Its instance.
    pub instance: String,
    /// The process: boot and process id.
    pub agent: String,
    /// Its version.
    pub version: String,
    /// Now, milliseconds since the epoch.
    pub now_ms: i64,
    /// Until when its jobs are its own, should it say nothing more.
    pub lease_ms: i64,
}

/// What a heartbeat brings back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// The job that the agent is at and somebody wants to end.
    pub cancel: Option<u64>,
}

/// Something that happened at the console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its number.
    pub id: u64,
    /// When, milliseconds since the epoch.
    pub at_ms: i64,
    /// Who.
    pub actor: String,
    /// What.
    pub what: String,
}
