//! The desk on SQLite: `console.db` in a folder of its own.
//!
//! Owns: the door, and that the folder belongs to whoever opens it. Never: SQL of a table; that is in the
//! file named after what the table keeps.
//!
//! What is opened here may have been written by an attacker, so nothing in the schema is trusted to run
//! anything (`trusted_schema`, sqlite.org/security.html §4), and pages are checked as they are read.

mod copies;
mod events;
mod jobs;
mod notes;
mod rule_changes;
mod rule_pages;
mod rule_sets;
mod rule_ways;
mod sessions;
mod tokens;
mod uploads;
mod users;

use super::connection::{Doing, READ, WRITE, connect, transaction};
use super::{create, disk, folder, live, runtime, schema};
use crate::StoreError;
use crate::desk::{
    Beat, Clerk, Copy, Desk, End, Filed, Heartbeat, Invitation, Job, JobEvent, JobState, Matching,
    NewJob, Note, Pulse, RuleChange, RulePage, RuleQuery, RuleRow, Secret, SignIn, SignedIn, Token,
    User,
};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Executor};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tokio::runtime::Runtime;

/// The desk in a folder.
pub struct SqliteDesk {
    folder: PathBuf,
    runtime: Runtime,
    /// Taken only by `drop`.
    db: Mutex<Option<SqliteConnection>>,
}

impl SqliteDesk {
    /// Opens the desk in `folder`, which is there and belongs to whoever runs this, and makes it where it is
    /// missing.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let gone = || folder::cannot("use", folder, std::io::ErrorKind::NotFound.into());
        let folder = folder::find(folder)?.ok_or_else(gone)?;
        let runtime = runtime()?;
        let opened = runtime.block_on(opened(&folder));
        let db = opened.map_err(|error| disk::explained(error, &folder))?;
        Ok(Self {
            folder,
            runtime,
            db: Mutex::new(Some(db)),
        })
    }

    fn read<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut db = self.db.lock().unwrap_or_else(PoisonError::into_inner);
        self.runtime
            .block_on(transaction(live(&mut db), READ, work))
            .map_err(|error| disk::explained(error, &self.folder))
    }

    fn write<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let db = self.db.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.runtime
            .block_on(transaction(live(db), WRITE, work))
            .map_err(|error| disk::explained(error, &self.folder))
    }
}

/// A number as the database takes it.
fn number(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

async fn opened(folder: &Path) -> Result<SqliteConnection, StoreError> {
    let path = folder.join(folder::CONSOLE);
    if !folder::holds_desk(folder)? {
        create::desk(folder).await?;
    }
    folder::check_private(&path)?;
    let mut db = connect(&path).await?;
    for pragma in [
        "PRAGMA trusted_schema = OFF",
        "PRAGMA cell_size_check = ON",
        // A million rules are forgotten without being written over; keys and tokens are here as digests.
        "PRAGMA secure_delete = FAST",
        // What is lost by a power cut is a job that nobody was told is filed.
        "PRAGMA synchronous = NORMAL",
    ] {
        db.execute(pragma).await.doing("set up the connection")?;
    }
    schema::bring_desk_up_to_date(&mut db, &path).await?;
    Ok(db)
}

impl Clerk for SqliteDesk {
    fn beat(&mut self, heartbeat: &Heartbeat) -> Result<Beat, StoreError> {
        self.write(async |db| jobs::beat(db, heartbeat).await)
    }

    fn claim(&mut self, heartbeat: &Heartbeat) -> Result<Option<Job>, StoreError> {
        // It is asked many times a second, mostly in vain.
        if !self.read(async |db| jobs::is_waiting(db, &heartbeat.instance).await)? {
            return Ok(None);
        }
        self.write(async |db| jobs::claim(db, heartbeat).await)
    }

    fn abandoned(&mut self, heartbeat: &Heartbeat) -> Result<Vec<Job>, StoreError> {
        self.read(async |db| jobs::abandoned(db, heartbeat).await)
    }

    fn tell(&mut self, job: u64, event: &JobEvent) -> Result<(), StoreError> {
        self.write(async |db| events::add(db, job, event).await)
    }

    fn end(&mut self, job: u64, how: JobState, end: &End, now_ms: i64) -> Result<(), StoreError> {
        self.write(async |db| jobs::end(db, job, how, end, now_ms).await)
    }

    fn put_copy(
        &mut self,
        instance: &str,
        what: &str,
        document: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.write(async |db| copies::put(db, instance, what, document, now_ms).await)
    }

    fn due(&mut self, job: &NewJob) -> Result<(), StoreError> {
        self.write(async |db| {
            jobs::file(&mut *db, job, JobState::Waiting).await?;
            jobs::forget_old(db, &job.instance).await
        })
    }

    fn rules_mark(&mut self, instance: &str) -> Result<Option<String>, StoreError> {
        self.read(async |db| rule_sets::mark(db, instance).await)
    }

    fn begin_rules(&mut self, instance: &str, now_ms: i64) -> Result<u64, StoreError> {
        for set in self.read(async |db| rule_sets::others(db, instance, None).await)? {
            self.write(async |db| rule_sets::forget(db, set).await)?;
        }
        self.write(async |db| rule_sets::begin(db, instance, now_ms).await)
    }

    fn add_rules(&mut self, set: u64, rows: &[RuleRow]) -> Result<(), StoreError> {
        self.write(async |db| rule_sets::add(db, set, rows).await)
    }

    fn show_rules(
        &mut self,
        instance: &str,
        set: u64,
        mark: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.write(async |db| rule_sets::take(db, set, mark, now_ms).await)?;
        for old in self.read(async |db| rule_sets::others(db, instance, Some(set)).await)? {
            self.write(async |db| rule_sets::forget(db, old).await)?;
        }
        Ok(())
    }

    fn change_rules(
        &mut self,
        instance: &str,
        since: &str,
        change: &RuleChange,
        mark: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        self.write(async |db| rule_changes::make(db, instance, since, change, (mark, now_ms)).await)
    }

    fn notes(&mut self, after: u64, limit: usize) -> Result<Vec<Note>, StoreError> {
        self.write(async |db| notes::after(db, after, limit).await)
    }
}

impl Desk for SqliteDesk {
    fn users(&self) -> Result<Vec<User>, StoreError> {
        self.read(async |db| users::all(db).await)
    }

    fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        self.read(async |db| users::find(db, name).await)
    }

    fn add_user(&mut self, user: &User) -> Result<bool, StoreError> {
        self.write(async |db| users::add(db, user).await)
    }

    fn change_user(&mut self, user: &User) -> Result<bool, StoreError> {
        self.write(async |db| users::change(db, user).await)
    }

    fn remove_user(&mut self, name: &str) -> Result<bool, StoreError> {
        self.write(async |db| users::remove(db, name).await)
    }

    fn take_totp_step(&mut self, user: &str, step: i64) -> Result<bool, StoreError> {
        self.write(async |db| users::take_totp_step(db, user, step).await)
    }

    fn invite(&mut self, invitation: &Invitation) -> Result<(), StoreError> {
        self.write(async |db| users::invite(db, invitation).await)
    }

    fn invited(&self, digest: &Secret, now_ms: i64) -> Result<Option<String>, StoreError> {
        self.read(async |db| users::invited(db, digest, now_ms).await)
    }

    fn take_invitation(
        &mut self,
        digest: &Secret,
        password: &str,
        now_ms: i64,
    ) -> Result<Option<String>, StoreError> {
        self.write(async |db| users::take_invitation(db, digest, password, now_ms).await)
    }

    fn sign_in(&mut self, session: &SignIn) -> Result<(), StoreError> {
        self.write(async |db| sessions::add(db, session).await)
    }

    fn signed_in(
        &mut self,
        digest: &Secret,
        now_ms: i64,
        idle_since_ms: i64,
        is_used: bool,
    ) -> Result<Option<SignedIn>, StoreError> {
        let found =
            self.read(async |db| sessions::find(db, digest, now_ms, idle_since_ms).await)?;
        let Some(found) = found else {
            return Ok(None);
        };
        if is_used && now_ms.saturating_sub(found.seen_ms) > SEEN_MS {
            self.write(async |db| sessions::seen(db, digest, now_ms).await)?;
        }
        Ok(Some(SignedIn {
            user: found.user,
            ends_ms: found.ends_ms,
        }))
    }

    fn sessions(&self, user: &str) -> Result<Vec<SignIn>, StoreError> {
        self.read(async |db| sessions::of_user(db, user).await)
    }

    fn sign_out(&mut self, digest: &Secret) -> Result<(), StoreError> {
        self.write(async |db| sessions::remove(db, digest).await)
    }

    fn sign_out_everywhere(&mut self, user: &str) -> Result<u64, StoreError> {
        self.write(async |db| sessions::remove_of_user(db, user).await)
    }

    fn add_token(&mut self, token: &Token, digest: &Secret) -> Result<u64, StoreError> {
        self.write(async |db| tokens::add(db, token, digest).await)
    }

    fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        self.read(async |db| tokens::all(db).await)
    }

    fn token(&mut self, digest: &Secret, now_ms: i64) -> Result<Option<Token>, StoreError> {
        let found = self.read(async |db| tokens::find(db, digest, now_ms).await)?;
        if let Some(token) = &found
            && token
                .used_ms
                .is_none_or(|used| now_ms.saturating_sub(used) > SEEN_MS)
        {
            self.write(async |db| tokens::used(db, token.id, now_ms).await)?;
        }
        Ok(found)
    }

    fn remove_token(&mut self, id: u64) -> Result<bool, StoreError> {
        self.write(async |db| tokens::remove(db, id).await)
    }

    fn file(&mut self, job: &NewJob) -> Result<Filed, StoreError> {
        self.write(async |db| jobs::file(db, job, JobState::Waiting).await)
    }

    fn propose(&mut self, job: &NewJob) -> Result<Filed, StoreError> {
        self.write(async |db| jobs::file(db, job, JobState::Proposed).await)
    }

    fn approve(&mut self, job: u64, approver: &str) -> Result<bool, StoreError> {
        self.write(async |db| jobs::approve(db, job, approver).await)
    }

    fn filed(&self, job: &NewJob) -> Result<Option<Filed>, StoreError> {
        self.read(async |db| jobs::filed(db, job).await)
    }

    fn cancel(&mut self, job: u64, now_ms: i64) -> Result<bool, StoreError> {
        self.write(async |db| jobs::cancel(db, job, now_ms).await)
    }

    fn expire_uploads(&mut self, before_ms: i64, now_ms: i64) -> Result<usize, StoreError> {
        self.write(async |db| uploads::expire(db, before_ms, now_ms).await)
    }

    fn job(&self, id: u64) -> Result<Option<Job>, StoreError> {
        self.read(async |db| jobs::find(db, id).await)
    }

    fn jobs(
        &self,
        instance: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError> {
        self.read(async |db| jobs::newest(db, instance, before, limit).await)
    }

    fn jobs_since(
        &self,
        instance: &str,
        since_ms: i64,
        limit: usize,
    ) -> Result<Vec<Job>, StoreError> {
        self.read(async |db| jobs::since(db, instance, since_ms, limit).await)
    }

    fn events(&self, job: u64, after: u64, limit: usize) -> Result<Vec<JobEvent>, StoreError> {
        self.read(async |db| events::after(db, job, after, limit).await)
    }

    fn copy(&self, instance: &str, what: &str) -> Result<Option<Copy>, StoreError> {
        self.read(async |db| copies::find(db, instance, what).await)
    }

    fn rule_page(&self, instance: &str, query: &RuleQuery) -> Result<Option<RulePage>, StoreError> {
        self.read(async |db| rule_pages::page(db, instance, query).await)
    }

    fn matching_rules(
        &self,
        instance: &str,
        set: u64,
        query: &RuleQuery,
        most: usize,
    ) -> Result<Matching, StoreError> {
        self.read(async |db| rule_pages::matching(db, instance, set, query, most).await)
    }

    fn rule_row(
        &self,
        instance: &str,
        destination: &str,
        manager: &str,
    ) -> Result<Option<RuleRow>, StoreError> {
        self.read(async |db| rule_pages::one(db, instance, destination, manager).await)
    }

    fn pulse(&self, instance: &str) -> Result<Option<Pulse>, StoreError> {
        self.read(async |db| jobs::pulse(db, instance).await)
    }

    fn note(&mut self, actor: &str, at_ms: i64, what: &str) -> Result<(), StoreError> {
        self.write(async |db| notes::add(db, actor, at_ms, what).await)
    }

    fn instances(&self) -> Result<Vec<String>, StoreError> {
        self.read(async |db| jobs::instances(db).await)
    }
}

/// How old the note of the last use may be, so that not every request writes.
const SEEN_MS: i64 = 30_000;

impl Drop for SqliteDesk {
    fn drop(&mut self) {
        let db = self.db.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(db) = db.take() {
            // What could fail is the tidying; everything stored is on disk.
            drop(self.runtime.block_on(db.close()));
        }
    }
}
