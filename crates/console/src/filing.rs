//! Filing a task for the agent.
//!
//! Owns: that whoever files it may, and that what is filed is a task and nothing else. Never: carries it out.

use crate::api::tags;
use crate::app::App;
use crate::approval;
use crate::caller::Caller;
use crate::clock;
use crate::matrix;
use crate::problem::Problem;
use axum::http::StatusCode;
use postseal_planner::task::{Effect, Task};
use postseal_store::StoreError;
use postseal_store::desk::{Copy, CopyOf, Desk, End, Filed, Job, JobState, NewJob};
use std::sync::PoisonError;
use std::time::Duration;

/// How long a page waits for what comes of a job; the agent does a wish within a second.
const PATIENCE: Duration = Duration::from_secs(15);
/// So many jobs at most are looked at for one that has changed something.
pub(crate) const LOOKED_AT: usize = 200;
/// How often it looks.
const EVERY: Duration = Duration::from_millis(30);

/// What is said beside a task by whoever files it.
#[derive(Default)]
pub(crate) struct Said {
    /// What makes a second filing the same one.
    pub(crate) request: Option<String>,
    /// The tags of the copies that it was made from; it is not filed where something has changed since.
    pub(crate) made_from: Option<Vec<String>>,
}

/// Files a task and gives the job's number.
pub(crate) async fn file(
    app: &App,
    caller: &Caller,
    task: &Task,
    request: Option<String>,
) -> Result<u64, Problem> {
    let said = Said {
        request,
        made_from: None,
    };
    file_said(app, caller, task, said).await
}

/// The same, with more said beside it.
pub(crate) async fn file_said(
    app: &App,
    caller: &Caller,
    task: &Task,
    said: Said,
) -> Result<u64, Problem> {
    task.judge()?;
    if !caller.may(matrix::needed(task)) {
        return Err(Problem::forbidden("this task"));
    }
    let is_proposed = approval::is_wanted(app, task)?;
    // Written anew, so that only what was understood gets to the agent.
    let task = serde_json::to_string(task).map_err(Problem::malformed)?;
    let job = NewJob {
        instance: app.instance.clone(),
        actor: caller.actor(),
        filed_ms: clock::now_ms(),
        task,
        request: said.request,
    };
    let shared = app.clone();
    let filed = app.desks.at(move |desk| {
        // One after the other: between a look at what has changed and the filing nothing else is filed.
        let _turn = shared.filing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = desk.filed(&job)? {
            return Ok(Some(before));
        }
        if let Some(tags) = &said.made_from
            && has_changed(desk, &job.instance, tags)?
        {
            return Ok(None);
        }
        match is_proposed {
            true => desk.propose(&job),
            false => desk.file(&job),
        }
        .map(Some)
    });
    match filed.await?.ok_or_else(changed_since)? {
        Filed::New(id) | Filed::Before(id) => Ok(id),
        Filed::Other(id) => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "console.idempotency-key-taken",
            format!("job {id} was filed with this Idempotency-Key and is another task"),
        )),
    }
}

/// Whether what was seen is over: one of the copies is not as it was, or a job that is no mere look may have changed
/// something since the agent looked.
fn has_changed(desk: &dyn Desk, instance: &str, tags: &[String]) -> Result<bool, StoreError> {
    let mut copies = Vec::new();
    for of in CopyOf::ALL {
        copies.extend(desk.copy(instance, of.name())?);
    }
    let mut seen_ms = i64::MAX;
    for tag in tags {
        let same = |copy: &&Copy| tag == "*" || *tag == tags::of(&copy.document);
        let copied = copies.iter().filter(same).map(|copy| copy.copied_ms).min();
        match copied {
            Some(copied) => seen_ms = seen_ms.min(copied),
            None => return Ok(true),
        }
    }
    Ok(have_changed(
        &desk.jobs_since(instance, seen_ms, LOOKED_AT)?,
    ))
}

/// Whether one of these jobs is no mere look: at most [`LOOKED_AT`], under way or ended since something was seen.
pub(crate) fn have_changed(jobs: &[Job]) -> bool {
    let is_none = |job: &Job| {
        let looks = Task::read(&job.task).is_ok_and(|task| task.effect() == Effect::Look);
        looks || job.state == JobState::Proposed
    };
    // Where there are more, what they were is not known.
    jobs.len() == LOOKED_AT || !jobs.iter().all(is_none)
}

fn changed_since() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "console.changed-since",
        "something has changed since what this was made from: read it again, and see whether this is still wanted",
    )
}

/// Files a task and waits for what comes of it; none where it has not been done yet, or was lost.
pub(crate) async fn await_end(
    app: &App,
    caller: &Caller,
    task: &Task,
) -> Result<(u64, Option<End>), Problem> {
    let id = file(app, caller, task, None).await?;
    let since = tokio::time::Instant::now();
    while since.elapsed() < PATIENCE {
        let Some(job) = app.desks.at(move |desk| desk.job(id)).await? else {
            break;
        };
        if job.state.has_ended() {
            return Ok((id, job.end.filter(|_| job.state == JobState::Done)));
        }
        // Where no agent has claimed it for so long, none is there.
        if job.state == JobState::Waiting && since.elapsed() > PATIENCE / 3 {
            break;
        }
        tokio::time::sleep(EVERY).await;
    }
    Ok((id, None))
}
