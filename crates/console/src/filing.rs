//! Filing a task for the agent.
//!
//! Owns: that whoever files it may, and that what is filed is a task and nothing else. Never: carries it out.

use crate::app::App;
use crate::caller::Caller;
use crate::clock;
use crate::matrix::Right;
use crate::problem::Problem;
use axum::http::StatusCode;
use postseal_planner::task::Task;
use postseal_store::desk::{Desk as _, End, Filed, JobState, NewJob};
use std::time::Duration;

/// How long a page waits for what comes of a job; the agent does a wish within a second.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often it looks.
const EVERY: Duration = Duration::from_millis(100);

/// Files a task and gives the job's number.
pub(crate) async fn file(
    app: &App,
    caller: &Caller,
    task: &Task,
    request: Option<String>,
) -> Result<u64, Problem> {
    task.judge()?;
    if !caller.may(Right::File(task.effect())) {
        return Err(Problem::forbidden("this task"));
    }
    // Written anew, so that only what was understood gets to the agent.
    let task = serde_json::to_string(task).map_err(Problem::malformed)?;
    let job = NewJob {
        instance: app.instance.clone(),
        actor: caller.actor(),
        filed_ms: clock::now_ms(),
        task,
        request,
    };
    match app.desks.at(move |desk| desk.file(&job)).await? {
        Filed::New(id) | Filed::Before(id) => Ok(id),
        Filed::Other(id) => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "console.idempotency-key-taken",
            format!("job {id} was filed with this Idempotency-Key and is another task"),
        )),
    }
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
