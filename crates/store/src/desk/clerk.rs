//! What the agent does at the desk.
//!
//! Owns: the few verbs, and their form on the pipe between the agent and the child that has the
//! console's rights. Never: a verb that the agent does not need.

use super::{Beat, End, Heartbeat, Job, JobEvent, JobState, NewJob, Note, RuleChange, RuleRow};
use crate::StoreError;
use serde::{Deserialize, Serialize};

/// The agent's side of the desk.
pub trait Clerk {
    /// Notes that the agent lives, and that what it has claimed is still its own.
    fn beat(&mut self, heartbeat: &Heartbeat) -> Result<Beat, StoreError>;

    /// Claims the oldest job that waits for this agent's instance.
    fn claim(&mut self, heartbeat: &Heartbeat) -> Result<Option<Job>, StoreError>;

    /// The jobs of the instance that an earlier run of its agent has claimed and not ended. An instance has one agent
    /// at a time, so whoever asks is the only one that lives; the lease tells people that nobody is at a job.
    fn abandoned(&mut self, heartbeat: &Heartbeat) -> Result<Vec<Job>, StoreError>;

    /// Tells something of a job.
    fn tell(&mut self, job: u64, event: &JobEvent) -> Result<(), StoreError>;

    /// Ends a job, done or lost; one that has ended stays as it is.
    fn end(&mut self, job: u64, how: JobState, end: &End, now_ms: i64) -> Result<(), StoreError>;

    /// Makes a copy for pages of what was looked at from `now_ms` on; an unchanged document gets a newer time.
    fn put_copy(
        &mut self,
        instance: &str,
        what: &str,
        document: &str,
        now_ms: i64,
    ) -> Result<(), StoreError>;

    /// Files a job that is due by the clock, once for each request. Jobs that ended long before go: ten thousand of an
    /// instance stay.
    fn due(&mut self, job: &NewJob) -> Result<(), StoreError>;

    /// The mark of the rules that pages show; none where they show none.
    fn rules_mark(&mut self, instance: &str) -> Result<Option<String>, StoreError>;

    /// Begins to hand over all rules of an instance, beside those that are shown; the number of the new set. One that
    /// was begun before and not shown is forgotten.
    fn begin_rules(&mut self, instance: &str, now_ms: i64) -> Result<u64, StoreError>;

    /// Hands over some, in the order of their destinations.
    fn add_rules(&mut self, set: u64, rows: &[RuleRow]) -> Result<(), StoreError>;

    /// Shows a set in the place of all others of its instance.
    fn show_rules(
        &mut self,
        instance: &str,
        set: u64,
        mark: &str,
        now_ms: i64,
    ) -> Result<(), StoreError>;

    /// Changes some of the rules that pages show, at once, and makes another set of them; where they do not have the mark
    /// `since`, nothing. Whether it did.
    fn change_rules(
        &mut self,
        instance: &str,
        since: &str,
        change: &RuleChange,
        mark: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError>;

    /// What happened at the console after note `after`, the oldest first; those up to `after` are in the
    /// audit log, and go.
    fn notes(&mut self, after: u64, limit: usize) -> Result<Vec<Note>, StoreError>;
}

/// A verb on the pipe, one JSON document a line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ClerkCall {
    /// [`Clerk::beat`]
    Beat(Heartbeat),
    /// [`Clerk::claim`]
    Claim(Heartbeat),
    /// [`Clerk::abandoned`]
    Abandoned(Heartbeat),
    /// [`Clerk::tell`]
    Tell {
        /// Of which job.
        job: u64,
        /// What.
        event: JobEvent,
    },
    /// [`Clerk::end`]
    End {
        /// Which job.
        job: u64,
        /// Done or lost.
        how: JobState,
        /// What came of it.
        end: End,
        /// Milliseconds since the epoch.
        now_ms: i64,
    },
    /// [`Clerk::put_copy`]
    PutCopy {
        /// The instance.
        instance: String,
        /// The copy's name.
        what: String,
        /// JSON.
        document: String,
        /// Milliseconds since the epoch.
        now_ms: i64,
    },
    /// [`Clerk::due`]
    Due(NewJob),
    /// [`Clerk::rules_mark`]
    RulesMark {
        /// The instance.
        instance: String,
    },
    /// [`Clerk::begin_rules`]
    BeginRules {
        /// The instance.
        instance: String,
        /// Milliseconds since the epoch.
        now_ms: i64,
    },
    /// [`Clerk::add_rules`]
    AddRules {
        /// To which.
        set: u64,
        /// What.
        rows: Vec<RuleRow>,
    },
    /// [`Clerk::show_rules`]
    ShowRules {
        /// The instance.
        instance: String,
        /// Which.
        set: u64,
        /// What tells whether anything has changed since.
        mark: String,
        /// Milliseconds since the epoch.
        now_ms: i64,
    },
    /// [`Clerk::change_rules`]
    ChangeRules {
        /// The instance.
        instance: String,
        /// The mark of the rules that are changed.
        since: String,
        /// What.
        change: RuleChange,
        /// Their mark then.
        mark: String,
        /// Milliseconds since the epoch.
        now_ms: i64,
    },
    /// [`Clerk::notes`]
    Notes {
        /// The last that was taken.
        after: u64,
        /// How many at most.
        limit: usize,
    },
}

/// The answer to a [`ClerkCall`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ClerkReply {
    /// To `Beat`.
    Beat(Beat),
    /// To `Claim`.
    Claimed(Option<Job>),
    /// To `Abandoned`.
    Abandoned(Vec<Job>),
    /// To `RulesMark`.
    Mark(Option<String>),
    /// To `BeginRules`.
    Begun(u64),
    /// To `ChangeRules`.
    Changed(bool),
    /// To `Notes`.
    Notes(Vec<Note>),
    /// To the others.
    Done,
    /// It could not be done.
    Failed {
        /// Why, the whole chain.
        why: String,
        /// Whether it may work the next time: the desk was in use.
        passes: bool,
    },
}

impl ClerkCall {
    /// Does it.
    pub fn serve(&self, clerk: &mut dyn Clerk) -> Result<ClerkReply, StoreError> {
        Ok(match self {
            Self::Beat(heartbeat) => ClerkReply::Beat(clerk.beat(heartbeat)?),
            Self::Claim(heartbeat) => ClerkReply::Claimed(clerk.claim(heartbeat)?),
            Self::Abandoned(heartbeat) => ClerkReply::Abandoned(clerk.abandoned(heartbeat)?),
            Self::Tell { job, event } => {
                clerk.tell(*job, event)?;
                ClerkReply::Done
            }
            Self::End {
                job,
                how,
                end,
                now_ms,
            } => {
                clerk.end(*job, *how, end, *now_ms)?;
                ClerkReply::Done
            }
            Self::PutCopy {
                instance,
                what,
                document,
                now_ms,
            } => {
                clerk.put_copy(instance, what, document, *now_ms)?;
                ClerkReply::Done
            }
            Self::Due(job) => {
                clerk.due(job)?;
                ClerkReply::Done
            }
            Self::RulesMark { instance } => ClerkReply::Mark(clerk.rules_mark(instance)?),
            Self::BeginRules { instance, now_ms } => {
                ClerkReply::Begun(clerk.begin_rules(instance, *now_ms)?)
            }
            Self::AddRules { set, rows } => {
                clerk.add_rules(*set, rows)?;
                ClerkReply::Done
            }
            Self::ShowRules {
                instance,
                set,
                mark,
                now_ms,
            } => {
                clerk.show_rules(instance, *set, mark, *now_ms)?;
                ClerkReply::Done
            }
            Self::ChangeRules {
                instance,
                since,
                change,
                mark,
                now_ms,
            } => ClerkReply::Changed(clerk.change_rules(instance, since, change, mark, *now_ms)?),
            Self::Notes { after, limit } => ClerkReply::Notes(clerk.notes(*after, *limit)?),
        })
    }
}
