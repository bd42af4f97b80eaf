//! The desk: what the console and the agent tell each other.
//!
//! Owns: users and how they sign in, jobs with their progress, and the copies that pages show. Never:
//! decides anything, holds a private key, knows `agent.db`.
//!
//! It lies in a folder of its own, which belongs to the console's user (DESIGN §3, Privilege), or in a database of that user's role. So
//! whoever owns the console can write here what they like, and no process with more rights opens
//! its files: a symbolic link or a forged journal beside a database would make SQLite write where its
//! opener may. The agent has a child with the console's rights that opens them ([`Clerk`] over a pipe).

mod access;
mod clerk;
mod copy;
mod job;
mod rules;
mod upload;

pub use access::{Invitation, Role, SignIn, SignedIn, Token, UnknownRole, User};
pub use clerk::{Clerk, ClerkCall, ClerkReply};
pub use copy::{Copy, CopyOf};
pub use job::{Beat, End, Filed, Heartbeat, Job, JobEvent, JobState, NewJob, Note, Pulse};
pub use rules::{
    Matching, RuleChange, RuleCount, RuleCounts, RuleKind, RuleMark, RulePage, RulePlace,
    RuleQuery, RuleRow, RuleSort,
};
pub use upload::Upload;

use crate::{PostgresDesk, PostgresPlace, SqliteDesk, StoreError};
use std::path::PathBuf;

/// A digest (SHA-256) of a secret that only its holder knows.
pub type Secret = [u8; 32];

/// The tasks of a page of jobs are no longer together, in bytes, but for the last of them: a list of rules is one, and a page
/// of such would not fit into the console's memory.
pub const LONGEST_PAGE: usize = 1024 * 1024;

/// Where a desk lies.
#[derive(Clone, Debug)]
pub enum DeskPlace {
    /// In a folder, which belongs to whoever opens it.
    Folder(PathBuf),
    /// In a database on PostgreSQL.
    Server(PostgresPlace),
}

impl DeskPlace {
    /// Opens it, and makes what is missing in it. A server may be away: it is reached when it is first needed.
    pub fn open(&self) -> Result<Box<dyn Desk>, StoreError> {
        Ok(match self {
            Self::Folder(folder) => Box::new(SqliteDesk::open(folder)?),
            Self::Server(place) => Box::new(PostgresDesk::open(place.clone())?),
        })
    }
}

/// What the console does at the desk. Methods are durable when they return, and all or nothing.
pub trait Desk: Clerk + Send {
    /// All users, by name.
    fn users(&self) -> Result<Vec<User>, StoreError>;

    /// One of them.
    fn user(&self, name: &str) -> Result<Option<User>, StoreError>;

    /// Adds a user; false where the name is taken.
    fn add_user(&mut self, user: &User) -> Result<bool, StoreError>;

    /// Changes role, password or TOTP; false where there is no such user. A new password ends every session.
    fn change_user(&mut self, user: &User) -> Result<bool, StoreError>;

    /// Removes a user with all sessions and tokens; false where there is none.
    fn remove_user(&mut self, name: &str) -> Result<bool, StoreError>;

    /// Takes a time step of a user's TOTP; false where this or a later one was taken (RFC 6238 §5.2).
    fn take_totp_step(&mut self, user: &str, step: i64) -> Result<bool, StoreError>;

    /// Lets a user choose a password, once. Earlier invitations of the same user end.
    fn invite(&mut self, invitation: &Invitation) -> Result<(), StoreError>;

    /// Whose invitation this is, while it holds; it stays.
    fn invited(&self, digest: &Secret, now_ms: i64) -> Result<Option<String>, StoreError>;

    /// Takes an invitation and stores the password; the user, or none where it holds no more.
    fn take_invitation(
        &mut self,
        digest: &Secret,
        password: &str,
        now_ms: i64,
    ) -> Result<Option<String>, StoreError>;

    /// Begins a session.
    fn sign_in(&mut self, session: &SignIn) -> Result<(), StoreError>;

    /// Whose session this is, while it holds: it was seen since `idle_since_ms`, and its end has not come. Where
    /// `is_used`, notes that it was seen, at most once in half a minute: a page that stands open asks without anybody
    /// before it.
    fn signed_in(
        &mut self,
        digest: &Secret,
        now_ms: i64,
        idle_since_ms: i64,
        is_used: bool,
    ) -> Result<Option<SignedIn>, StoreError>;

    /// The sessions of a user, the newest first.
    fn sessions(&self, user: &str) -> Result<Vec<SignIn>, StoreError>;

    /// Ends a session; one that is not there is no error.
    fn sign_out(&mut self, digest: &Secret) -> Result<(), StoreError>;

    /// Ends all sessions of a user; how many.
    fn sign_out_everywhere(&mut self, user: &str) -> Result<u64, StoreError>;

    /// Adds a token and gives its number.
    fn add_token(&mut self, token: &Token, digest: &Secret) -> Result<u64, StoreError>;

    /// All tokens, by number.
    fn tokens(&self) -> Result<Vec<Token>, StoreError>;

    /// Whose token this is, while it holds and its user is there; notes that it was used, at most once in
    /// half a minute.
    fn token(&mut self, digest: &Secret, now_ms: i64) -> Result<Option<Token>, StoreError>;

    /// Ends a token; false where there is none.
    fn remove_token(&mut self, id: u64) -> Result<bool, StoreError>;

    /// Files a job for the instance's agent; one that the same actor filed under the same request is the
    /// same job.
    fn file(&mut self, job: &NewJob) -> Result<Filed, StoreError>;

    /// The same for a job that no agent may claim before it was approved.
    fn propose(&mut self, job: &NewJob) -> Result<Filed, StoreError>;

    /// Lets a proposed job be claimed, and adds `approver` to its actor; false where it is not proposed.
    fn approve(&mut self, job: u64, approver: &str) -> Result<bool, StoreError>;

    /// What became of the same filing before, by its actor and request; none where it is new.
    fn filed(&self, job: &NewJob) -> Result<Option<Filed>, StoreError>;

    /// Wants a job to end; false where it has ended. One that nobody has claimed ends at once.
    fn cancel(&mut self, job: u64, now_ms: i64) -> Result<bool, StoreError>;

    /// Ends the jobs with a sealed upload that were filed before `before_ms` (milliseconds since the epoch) and that no
    /// agent has claimed, and removes their uploads; how many.
    fn expire_uploads(&mut self, before_ms: i64, now_ms: i64) -> Result<usize, StoreError>;

    /// A job.
    fn job(&self, id: u64) -> Result<Option<Job>, StoreError>;

    /// The newest jobs of an instance below `before` (all where it is none), the newest first, without
    /// their answers; fewer than `limit` where their tasks reach [`LONGEST_PAGE`].
    fn jobs(
        &self,
        instance: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError>;

    /// The newest jobs that were not over before `since_ms`, given up or not begun ones left out, the newest first; without their
    /// answers, and of a task no more than 64 KiB: one that is longer is cut.
    fn jobs_since(
        &self,
        instance: &str,
        since_ms: i64,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError>;

    /// What was told of a job after event `after` (0: from the first, which is 1).
    fn events(&self, job: u64, after: u64, limit: usize) -> Result<Vec<JobEvent>, StoreError>;

    /// A copy that pages show.
    fn copy(&self, instance: &str, what: &str) -> Result<Option<Copy>, StoreError>;

    /// A page of the instance's rules; none where the agent has handed over none.
    fn rule_page(&self, instance: &str, query: &RuleQuery) -> Result<Option<RulePage>, StoreError>;

    /// The rules made by hand of a set that are as it is asked for, at most so many.
    fn matching_rules(
        &self,
        instance: &str,
        set: u64,
        query: &RuleQuery,
        most: usize,
    ) -> Result<Matching, StoreError>;

    /// A rule of these.
    fn rule_row(
        &self,
        instance: &str,
        destination: &str,
        manager: &str,
    ) -> Result<Option<RuleRow>, StoreError>;

    /// When the instance's agent was last seen; none where there never was one.
    fn pulse(&self, instance: &str) -> Result<Option<Pulse>, StoreError>;

    /// Notes for the audit log who did what at the console.
    fn note(&mut self, actor: &str, at_ms: i64, what: &str) -> Result<(), StoreError>;

    /// The instances that ever had an agent, by name.
    fn instances(&self) -> Result<Vec<String>, StoreError>;
}
