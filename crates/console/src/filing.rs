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
use postseal_store::desk::{Desk as _, Filed, JobState, NewJob};
use std::time::Duration;

/// How long a page waits for a job that others depend on; the agent does a wish within a second.
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

/// What became of a task that others depend on.
pub(crate) enum Awaited {
    /// It is done, and went well.
    Well(u64),
    /// It went wrong, or has not ended yet: nothing that depends on it may be filed.
    Not(u64),
}

/// Files a task and waits until it is done.
pub(crate) async fn await_done(
    app: &App,
    caller: &Caller,
    task: &Task,
) -> Result<Awaited, Problem> {
    let id = file(app, caller, task, None).await?;
    let since = tokio::time::Instant::now();
    while since.elapsed() < PATIENCE {
        let Some(job) = app.desks.at(move |desk| desk.job(id)).await? else {
            break;
        };
        if job.state.has_ended() {
            let well = job.end.is_some_and(|end| end.exit == 0) && job.state == JobState::Done;
            return Ok(if well {
                Awaited::Well(id)
            } else {
                Awaited::Not(id)
            });
        }
        // Where no agent has claimed it for so long, none is there.
        if job.state == JobState::Waiting && since.elapsed() > PATIENCE / 3 {
            break;
        }
        tokio::time::sleep(EVERY).await;
    }
    Ok(Awaited::Not(id))
}
