//! The verbs of the desk, each a transaction.
//!
//! Owns: which of them read, which write, and what is done between transactions. Never: SQL.

use super::{
    Door, copies, events, jobs, notes, rule_changes, rule_pages, rule_sets, rules, sessions,
    tokens, uploads, users,
};
use crate::StoreError;
use crate::desk::{
    Beat, Clerk, Copy, Desk, End, Filed, Heartbeat, Invitation, Job, JobEvent, JobState, Matching,
    NewJob, Note, Pulse, RuleChange, RulePage, RuleQuery, RuleRow, Secret, SignIn, SignedIn, Token,
    User,
};

/// How old the note of the last use may be, so that not every request writes.
const SEEN_MS: i64 = 30_000;

impl Clerk for Door {
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
        self.read(async |db| rules::mark(db, instance).await)
    }

    fn begin_rules(&mut self, instance: &str, now_ms: i64) -> Result<u64, StoreError> {
        for set in self.read(async |db| rules::unfinished(db, instance).await)? {
            self.write(async |db| rules::forget(db, set).await)?;
        }
        self.write(async |db| rules::begin(db, instance, now_ms).await)
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
        self.write(async |db| rules::take(db, set, mark, now_ms).await)?;
        for old in self.read(async |db| rules::others(db, instance, set).await)? {
            self.write(async |db| rules::forget(db, old).await)?;
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

impl Desk for Door {
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
