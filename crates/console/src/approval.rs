//! Two persons for one change: one files it, another approves it.
//!
//! Owns: which tasks wait, and who may say yes. Never: a barrier against whoever owns this process; both persons are
//! users of the console, and the agent knows neither (ARCHITECTURE.md, "From afar").

use crate::api::jobs;
use crate::app::App;
use crate::caller::Caller;
use crate::clock;
use crate::problem::Problem;
use axum::http::StatusCode;
use postseal_planner::task::{Effect, Task};
use postseal_store::desk::{Job, JobState};

/// How long a proposal may be approved, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// Whether a task waits for a second person. What they say yes to must be named in it, so that it is what they saw.
pub(crate) fn is_wanted(app: &App, task: &Task) -> Result<bool, Problem> {
    match task {
        _ if !app.two_persons => Ok(false),
        // What is kept was approved before it was put in force.
        Task::Confirm {} => Ok(false),
        Task::Apply {
            plan: None,
            check: false,
            ..
        } => Err(unnamed("the plan")),
        Task::Rollback {
            operation: None,
            check: false,
            ..
        } => Err(unnamed("the operation")),
        task => Ok(task.effect() == Effect::Change),
    }
}

/// Says yes to a proposed job of somebody else.
pub(crate) async fn approve(app: &App, caller: &Caller, id: u64) -> Result<(), Problem> {
    let job = jobs::find(app, id).await?;
    let now = clock::now_ms();
    if job.state != JobState::Proposed {
        let why = "the job does not wait for an approver: it was approved, or has ended";
        return Err(Problem::conflict("console.not-proposed", why));
    }
    if is_by(&job, &caller.user) {
        let why = "who filed a change does not approve it: another person does";
        return Err(Problem::conflict("console.own-change", why));
    }
    if now - job.filed_ms > DAY_MS {
        let why = "it was filed more than a day ago: have it filed again, from what is there now";
        return Err(Problem::conflict("console.proposal-over", why));
    }
    let actor = caller.actor();
    let approved = app.desks.at(move |desk| {
        let approved = desk.approve(id, &actor)?;
        if approved {
            desk.note(&actor, now, &format!("approved job {id}"))?;
        }
        Ok(approved)
    });
    match approved.await? {
        true => Ok(()),
        false => Err(Problem::conflict(
            "console.not-proposed",
            "somebody else was quicker: it was approved, or given up",
        )),
    }
}

/// Whether a user filed a job, in a browser or by a token.
pub(crate) fn is_by(job: &Job, user: &str) -> bool {
    let rest = job.actor.strip_prefix(user);
    // A user's name holds no space.
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ',']))
}

fn unnamed(what: &str) -> Problem {
    let detail = format!(
        "another person has to approve this, and must know what: name {what} (`postseal plan`, `postseal history`)"
    );
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "console.approval-of-what",
        detail,
    )
}
