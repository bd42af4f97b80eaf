//! Jobs, and the agents that claim them.
//!
//! Owns: the tables `jobs` and `agents`. Never: reads a task.

use super::{Db, DbRow, Doing, number, only_agent, rows, uploads};
use crate::StoreError;
use crate::desk::{
    Beat, End, Filed, Heartbeat, Job, JobState, LONGEST_PAGE, NewJob, Pulse, Upload,
};
use sqlx::{FromRow, Row};

/// How many jobs of an instance stay.
const STAY: i64 = 10_000;

/// What stands between who filed a job and who approved it.
const APPROVED: &str = ", approved by ";

/// What a job is read from, without its answer.
const BARE: &str = "SELECT id, instance, actor, filed_ms, task, state, cancel, started_ms, lease_ms, \
                    ended_ms, exit, '' AS answer FROM jobs";

pub(super) async fn filed(db: &mut Db, job: &NewJob) -> Result<Option<Filed>, StoreError> {
    let Some(request) = &job.request else {
        return Ok(None);
    };
    // Who approved it stands after its actor.
    let sql = "SELECT id, task FROM jobs WHERE request = $2 \
               AND (actor = $1 OR substr(actor, 1, length($1 || $3)) = $1 || $3)";
    let before: Option<(i64, String)> = sqlx::query_as(sql)
        .bind(&job.actor)
        .bind(request)
        .bind(APPROVED)
        .fetch_optional(db)
        .await
        .doing("look for the same job")?;
    // Of an upload that has gone, its digest is there still.
    let is_same =
        |task: &String| *task == job.task || Upload::spent(&job.task).as_ref() == Some(task);
    Ok(before.map(|(id, task)| match is_same(&task) {
        true => Filed::Before(id.unsigned_abs()),
        false => Filed::Other(id.unsigned_abs()),
    }))
}

pub(super) async fn file(db: &mut Db, job: &NewJob, state: JobState) -> Result<Filed, StoreError> {
    if let Some(before) = filed(db, job).await? {
        return Ok(before);
    }
    let sql = "INSERT INTO jobs (instance, actor, filed_ms, task, request, state) \
               VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
    let id: i64 = sqlx::query_scalar(sql)
        .bind(&job.instance)
        .bind(&job.actor)
        .bind(job.filed_ms)
        .bind(&job.task)
        .bind(&job.request)
        .bind(state.name())
        .fetch_one(db)
        .await
        .doing("file a job")?;
    Ok(Filed::New(id.unsigned_abs()))
}

pub(super) async fn approve(db: &mut Db, job: u64, approver: &str) -> Result<bool, StoreError> {
    let sql = "UPDATE jobs SET state = 'waiting', actor = actor || $2 || $3 \
               WHERE id = $1 AND state = 'proposed'";
    let approved = sqlx::query(sql)
        .bind(number(job))
        .bind(APPROVED)
        .bind(approver)
        .execute(db)
        .await
        .doing("approve a job")?;
    Ok(approved.rows_affected() > 0)
}

pub(super) async fn cancel(db: &mut Db, job: u64, now_ms: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE jobs SET cancel = TRUE, \
               ended_ms = CASE state WHEN 'running' THEN NULL ELSE $2 END, \
               state = CASE state WHEN 'running' THEN state ELSE 'cancelled' END \
               WHERE id = $1 AND state IN ('proposed', 'waiting', 'running')";
    let cancelled = sqlx::query(sql)
        .bind(number(job))
        .bind(now_ms)
        .execute(&mut *db)
        .await
        .doing("cancel a job")?;
    uploads::spend(db, job).await?;
    Ok(cancelled.rows_affected() > 0)
}

pub(super) async fn find(db: &mut Db, id: u64) -> Result<Option<Job>, StoreError> {
    let sql = "SELECT id, instance, actor, filed_ms, task, state, cancel, started_ms, lease_ms, \
               ended_ms, exit, answer FROM jobs WHERE id = $1";
    sqlx::query_as(sql)
        .bind(number(id))
        .fetch_optional(db)
        .await
        .doing("read a job")
}

pub(super) async fn newest(
    db: &mut Db,
    instance: &str,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Job>, StoreError> {
    // Tasks that come after so much of others are not even read.
    let sql = format!(
        "{BARE} WHERE id IN ( \
         SELECT id FROM ( \
         SELECT id, sum(long) OVER (ORDER BY id DESC) - long AS above FROM ( \
         SELECT id, octet_length(task) AS long FROM jobs WHERE instance = $1 AND id < $2 \
         ORDER BY id DESC LIMIT $3) AS newest) AS summed \
         WHERE above < $4) ORDER BY id DESC"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(instance)
        .bind(before.map_or(i64::MAX, number))
        .bind(rows(limit))
        .bind(rows(LONGEST_PAGE))
        .fetch_all(db)
        .await
        .doing("list jobs")
}

pub(super) async fn since(
    db: &mut Db,
    instance: &str,
    since_ms: i64,
    limit: usize,
) -> Result<Vec<Job>, StoreError> {
    let bare = BARE.replace(" task,", " substr(task, 1, 65536) AS task,");
    let sql = format!(
        "{bare} WHERE instance = $1 AND (ended_ms >= $2 OR ended_ms IS NULL) AND state <> 'cancelled' \
         ORDER BY id DESC LIMIT $3"
    );
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(instance)
        .bind(since_ms)
        .bind(rows(limit))
        .fetch_all(db)
        .await
        .doing("look for jobs that have changed something")
}

pub(super) async fn beat(db: &mut Db, heartbeat: &Heartbeat) -> Result<Beat, StoreError> {
    only_agent(&mut *db).await?;
    let sql = "INSERT INTO agents (instance, agent, version, seen_ms) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (instance) DO UPDATE SET \
               agent = excluded.agent, version = excluded.version, seen_ms = excluded.seen_ms";
    sqlx::query(sql)
        .bind(&heartbeat.instance)
        .bind(&heartbeat.agent)
        .bind(&heartbeat.version)
        .bind(heartbeat.now_ms)
        .execute(&mut *db)
        .await
        .doing("note the agent")?;
    let sql = "UPDATE jobs SET lease_ms = $3 \
               WHERE instance = $1 AND agent = $2 AND state = 'running' RETURNING id, cancel";
    let running: Vec<(i64, bool)> = sqlx::query_as(sql)
        .bind(&heartbeat.instance)
        .bind(&heartbeat.agent)
        .bind(heartbeat.lease_ms)
        .fetch_all(db)
        .await
        .doing("lengthen a lease")?;
    let cancelled = running.iter().find(|(_, cancel)| *cancel);
    Ok(Beat {
        cancel: cancelled.map(|(id, _)| id.unsigned_abs()),
    })
}

pub(super) async fn is_waiting(db: &mut Db, instance: &str) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM jobs WHERE instance = $1 AND state = 'waiting')";
    sqlx::query_scalar(sql)
        .bind(instance)
        .fetch_one(db)
        .await
        .doing("look for a job")
}

pub(super) async fn claim(db: &mut Db, heartbeat: &Heartbeat) -> Result<Option<Job>, StoreError> {
    only_agent(&mut *db).await?;
    // Said twice: what was given up in this moment is not begun.
    let sql = "UPDATE jobs SET state = 'running', agent = $2, lease_ms = $3, started_ms = $4 \
               WHERE state = 'waiting' \
               AND id = (SELECT id FROM jobs WHERE instance = $1 AND state = 'waiting' \
                         ORDER BY id LIMIT 1) \
               RETURNING id, instance, actor, filed_ms, task, state, cancel, started_ms, lease_ms, \
               ended_ms, exit, answer";
    sqlx::query_as(sql)
        .bind(&heartbeat.instance)
        .bind(&heartbeat.agent)
        .bind(heartbeat.lease_ms)
        .bind(heartbeat.now_ms)
        .fetch_optional(db)
        .await
        .doing("claim a job")
}

pub(super) async fn abandoned(db: &mut Db, heartbeat: &Heartbeat) -> Result<Vec<Job>, StoreError> {
    only_agent(&mut *db).await?;
    let sql =
        format!("{BARE} WHERE instance = $1 AND state = 'running' AND agent <> $2 ORDER BY id");
    sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(&heartbeat.instance)
        .bind(&heartbeat.agent)
        .fetch_all(db)
        .await
        .doing("look for abandoned jobs")
}

pub(super) async fn end(
    db: &mut Db,
    job: u64,
    how: JobState,
    end: &End,
    now_ms: i64,
) -> Result<(), StoreError> {
    let sql = "UPDATE jobs SET state = $2, exit = $3, answer = $4, ended_ms = $5, lease_ms = NULL \
               WHERE id = $1 AND state = 'running'";
    sqlx::query(sql)
        .bind(number(job))
        .bind(how.name())
        .bind(i64::from(end.exit))
        .bind(&end.answer)
        .bind(now_ms)
        .execute(&mut *db)
        .await
        .doing("end a job")?;
    uploads::spend(db, job).await
}

/// Forgets the oldest of those that have ended, with what was told of them.
pub(super) async fn forget_old(db: &mut Db, instance: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM jobs WHERE instance = $1 AND state NOT IN ('proposed', 'waiting', 'running') \
               AND id <= (SELECT id FROM jobs WHERE instance = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)";
    sqlx::query(sql)
        .bind(instance)
        .bind(STAY)
        .execute(db)
        .await
        .doing("forget old jobs")?;
    Ok(())
}

pub(super) async fn pulse(db: &mut Db, instance: &str) -> Result<Option<Pulse>, StoreError> {
    sqlx::query_as("SELECT agent, version, seen_ms FROM agents WHERE instance = $1")
        .bind(instance)
        .fetch_optional(db)
        .await
        .doing("look for the agent")
}

pub(super) async fn instances(db: &mut Db) -> Result<Vec<String>, StoreError> {
    sqlx::query_scalar("SELECT instance FROM agents ORDER BY instance")
        .fetch_all(db)
        .await
        .doing("list agents")
}

impl FromRow<'_, DbRow> for Job {
    fn from_row(row: &DbRow) -> Result<Self, sqlx::Error> {
        let state: String = row.try_get("state")?;
        let exit: Option<i64> = row.try_get("exit")?;
        let answer: Option<String> = row.try_get("answer")?;
        let end = exit.zip(answer).map(|(exit, answer)| End {
            exit: u8::try_from(exit).unwrap_or(u8::MAX),
            answer,
        });
        Ok(Self {
            id: row.try_get::<i64, _>("id")?.unsigned_abs(),
            instance: row.try_get("instance")?,
            actor: row.try_get("actor")?,
            filed_ms: row.try_get("filed_ms")?,
            task: row.try_get("task")?,
            state: read_state(&state)?,
            cancelled: row.try_get("cancel")?,
            started_ms: row.try_get("started_ms")?,
            lease_ms: row.try_get("lease_ms")?,
            ended_ms: row.try_get("ended_ms")?,
            end,
        })
    }
}

impl FromRow<'_, DbRow> for Pulse {
    fn from_row(row: &DbRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            agent: row.try_get("agent")?,
            version: row.try_get("version")?,
            seen_ms: row.try_get("seen_ms")?,
        })
    }
}

fn read_state(text: &str) -> Result<JobState, sqlx::Error> {
    let found = JobState::ALL.into_iter().find(|state| state.name() == text);
    found.ok_or_else(|| sqlx::Error::Decode("a job in no known state".into()))
}
