//! A job: how far it is, what it told, what came of it.
//!
//! Owns: its page and the part of it that renews itself. Never: says more than was told.

use super::doc::Doc;
use super::finding::Found;
use super::frame::{Frame, View};
use super::glance::mark;
use super::history::Done;
use super::policies::import::next;
use super::told::{Told, is_seen, told};
use super::waits::Waits;
use super::when::When;
use super::{filters, led_to_job, page};
use crate::api::jobs;
use crate::app::App;
use crate::approval;
use crate::caller::Caller;
use crate::matrix::Right;
use crate::problem::Problem;
use crate::title;
use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use postseal_planner::task::Task;
use postseal_store::desk::{Job, JobEvent, JobState};
use std::collections::HashSet;

/// Most jobs are over in this time, in milliseconds; meanwhile one looks more often.
const SOON_OVER_MS: i64 = 10_000;
/// So many events are shown.
const EVENTS: usize = 500;

#[derive(Template)]
#[template(path = "job.html")]
struct Page {
    frame: Frame,
    job: Shown,
}

#[derive(Template)]
#[template(path = "job_progress.html")]
struct Progress {
    frame: Frame,
    job: Shown,
}

/// A job as it is shown.
struct Shown {
    id: u64,
    what: String,
    actor: String,
    filed: When,
    state: &'static str,
    ended: bool,
    /// After how many milliseconds one looks again.
    again_ms: u32,
    /// Since when no agent is known to be at it.
    abandoned: Option<When>,
    proposed: Option<Proposed>,
    cancelled: bool,
    /// `pass` where the exit code is 0, `fail` else, `undetermined` while it runs.
    outcome: &'static str,
    /// What an exit code says of one that did not work (CLI.md, “Exit codes”).
    failed: String,
    told: Vec<Told>,
    text: String,
    /// What was found and is told nowhere in the text that is shown.
    found: Vec<Found>,
    /// Whether it ended with an error; it is said by `message`, or by what was found.
    is_refused: bool,
    message: String,
    code: String,
    hint: String,
    waits: Option<Waits>,
    /// What has become of an operation that it left waiting for somebody to keep it.
    since: Option<Since>,
    /// Whether no agent has begun it.
    is_waiting: bool,
    /// What has to be typed before it goes on.
    asks: Option<Asks>,
    /// What comes after it: `take`, `download`, or nothing.
    next: &'static str,
}

/// What has become since of what a job left waiting.
struct Since {
    /// As a state is painted; nothing where it was kept, which is also what nobody could see.
    state: &'static str,
    mark: &'static str,
    words: String,
    /// Whether it waits still.
    is_open: bool,
}

impl Since {
    /// As the agent saw it last. `is_over`: it has not looked since.
    fn of(left: &Waits, status: &Doc, is_over: bool, now: i64) -> Self {
        let number = &left.operation;
        let last = status.at("last_operation");
        let still = Waits::seen(status).is_some_and(|open| open.operation == *number);
        let is_open = still || (is_over && last.text("operation") != *number);
        let done = Done::of(&last, now);
        let (state, words) = match () {
            () if is_open => ("warning", "in force, and not kept yet".to_owned()),
            () if last.text("operation") != *number => (
                "undetermined",
                format!("operation {number} has ended since: History says how"),
            ),
            () => (
                done.state(),
                format!("operation {number}: {}", done.ended()),
            ),
        };
        Self {
            mark: if state.is_empty() { "" } else { mark(state) },
            state,
            words,
            is_open,
        }
    }
}

impl Shown {
    /// Whether what it told last is no longer so.
    fn is_past(&self) -> bool {
        self.since.as_ref().is_some_and(|since| !since.is_open)
    }
}

/// That another person has to say yes to a job.
struct Proposed {
    is_own: bool,
    may_approve: bool,
    /// Which plan it is about, in a sentence; nothing where it is about none.
    plan: String,
}

/// A risk that somebody has to accept by typing the host's name.
struct Asks {
    code: String,
    answer: String,
    /// The fields of the form that brought it here.
    fields: Vec<(String, String)>,
}

impl Asks {
    fn of(job: &Job, error: &Doc) -> Option<Self> {
        let wanted = error.at("accept");
        let Ok(Task::Apply {
            plan,
            accept,
            confirm_within,
            ..
        }) = Task::read(&job.task)
        else {
            return None;
        };
        let accepted = accept
            .into_iter()
            .map(|one| (format!("accept.{}", one.code), one.host));
        let plan = plan.map(|plan| ("plan".to_owned(), plan));
        let within = confirm_within.map(|n| ("confirm_within".to_owned(), n.to_string()));
        wanted.is_there().then(|| Self {
            code: wanted.text("code"),
            answer: wanted.text("answer"),
            fields: plan.into_iter().chain(within).chain(accepted).collect(),
        })
    }
}

pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    let (frame, job) = read(&app, &caller, id).await?;
    Ok(page(StatusCode::OK, &Page { frame, job }))
}

/// The part that htmx asks for again and again.
pub(crate) async fn progress(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    let (frame, job) = read(&app, &caller, id).await?;
    Ok(page(StatusCode::OK, &Progress { frame, job }))
}

pub(crate) async fn cancel(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    jobs::give_up(&app, &caller, id).await?;
    Ok(led_to_job(id))
}

pub(crate) async fn approve(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    approval::approve(&app, &caller, id).await?;
    Ok(led_to_job(id))
}

async fn read(app: &App, caller: &Caller, id: u64) -> Result<(Frame, Shown), Problem> {
    let mut view = View::of(app, caller, "job", &["plan"]).await?;
    let job = jobs::find(app, id).await?;
    let events = app.desks.at(move |desk| desk.events(id, 0, EVENTS));
    let mut shown = shown(&job, &events.await?, view.now_ms);
    if job.state == JobState::Proposed {
        shown.proposed = Some(Proposed {
            is_own: approval::is_by(&job, &caller.user),
            may_approve: caller.may(Right::Approve),
            plan: plan_of(&job, &view.take("plan").doc),
        });
    }
    if let Some(left) = &shown.waits {
        let status = view.take("status").doc;
        let since = Since::of(left, &status, view.frame.is_over, view.now_ms);
        if !since.is_open {
            shown.waits = None;
        }
        shown.since = Some(since);
    }
    Ok((view.frame, shown))
}

fn shown(job: &Job, events: &[JobEvent], now: i64) -> Shown {
    let answer = job.end.as_ref().map(|end| Doc::read(&end.answer));
    let answer = answer.unwrap_or_default();
    let error = answer.inner("error");
    let (text, message) = (answer.long("text"), error.text("message"));
    let (code, is_refused) = (error.text("code"), !message.is_empty());
    let mut found = Found::all(&answer, "findings");
    // Of a refusal the text is folded: what speaks against it stands as findings, with what to do.
    found.retain(|one| is_refused || !text.contains(&one.message));
    let told = events
        .iter()
        // The answer of a probe says all of it again.
        .filter(|event| !(job.state.has_ended() && is_seen(event)))
        .map(|event| told(event, job.started_ms.unwrap_or(job.filed_ms), now));
    let told: Vec<Told> = told.collect();
    Shown {
        id: job.id,
        what: title::of_text(&job.task),
        actor: job.actor.clone(),
        filed: When::at(job.filed_ms, now),
        state: job.state.name(),
        ended: job.state.has_ended(),
        again_ms: match now - job.filed_ms {
            ..SOON_OVER_MS => 200,
            _ => 1000,
        },
        abandoned: job.abandoned_ms(now).map(|since| When::at(since, now)),
        proposed: None,
        cancelled: job.cancelled,
        outcome: match job.end.as_ref().map(|end| end.exit) {
            // 2 is “this would change something”, of a check.
            Some(0 | 2) => "pass",
            Some(3) | None => "undetermined",
            Some(_) => "fail",
        },
        failed: job
            .end
            .as_ref()
            .map(|end| failed(end.exit))
            .unwrap_or_default(),
        text: beside(&text, &told),
        told,
        message: match found.iter().any(|one| one.code == code) {
            true => String::new(),
            false => message,
        },
        found,
        is_refused,
        code,
        hint: error.text("hint"),
        waits: Waits::left_by(&answer),
        since: None,
        is_waiting: job.state == JobState::Waiting,
        asks: Asks::of(job, &error),
        next: next(&job.task, &answer),
    }
}

/// What a command printed, without the sentences that stand above it already.
fn beside(text: &str, told: &[Told]) -> String {
    let above: HashSet<&str> = told.iter().flat_map(Told::sentences).collect();
    let left = text.lines().filter(|line| !above.contains(line));
    left.collect::<Vec<_>>().join("\n")
}

fn failed(exit: u8) -> String {
    match exit {
        4 => "it was tried, did not hold, and was rolled back".to_owned(),
        65 => "refused: nothing was changed".to_owned(),
        69 => "no server could be reached".to_owned(),
        code => format!("it did not work, exit code {code}"),
    }
}

/// Whether the plan that is to be approved is the one that pages show.
fn plan_of(job: &Job, shown: &Doc) -> String {
    let Ok(Task::Apply { plan: Some(id), .. }) = Task::read(&job.task) else {
        return String::new();
    };
    match shown.text("plan") {
        plan if plan == id => format!("It is plan {id}, the one that the page Plan shows."),
        plan if plan.is_empty() => format!("It is plan {id}, and the page Plan shows none."),
        _ => format!(
            "It is plan {id}, and the page Plan shows another: what is there has changed, and the agent would refuse it."
        ),
    }
}
