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
use postseal_store::desk::{Desk as _, Filed, NewJob};

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
