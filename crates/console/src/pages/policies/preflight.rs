//! What a policy would come to at a destination's servers, while it is typed.
//!
//! Owns: the job that looks, and the part of the page that follows it. Never: looks; calls anything good that the job did
//! not.

use super::super::doc::Doc;
use super::super::told::told;
use super::super::when::When;
use super::super::{led_to_job, page};
use super::form::Said;
use crate::api::jobs;
use crate::app::App;
use crate::caller::Caller;
use crate::filing;
use crate::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use postseal_planner::task::Task;

/// So many events are shown.
const EVENTS: usize = 100;

#[derive(Template)]
#[template(path = "preflight.html")]
struct Part {
    job: u64,
    ended: bool,
    /// What was told while it goes on.
    told: Vec<String>,
    checked: Vec<Checked>,
    /// Why there is no answer.
    message: String,
}

/// One next hop, looked at.
struct Checked {
    next_hop: String,
    class: &'static str,
    sign: &'static str,
    sentence: String,
    hosts: Vec<Host>,
    /// What is wrong, in sentences.
    findings: Vec<String>,
    /// The strongest policy that would work, where it is another one: as it is written, its level and its names.
    strongest: Option<(String, String, String)>,
    looked: When,
}

/// A server: its name, whose preference it has, and what each address showed.
struct Host {
    name: String,
    trouble: String,
    addresses: Vec<(&'static str, &'static str, String, String)>,
}

/// Has the servers looked at; where no script runs, on a page of its own.
pub(crate) async fn check(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Form(said): Form<Said>,
) -> Result<Response, Problem> {
    let is_part = headers.contains_key("hx-request");
    if said.destination().is_empty() {
        return Ok(page(StatusCode::OK, &empty()));
    }
    give_up(&app, &caller, &said).await;
    let task = Task::PolicyCheck {
        destinations: vec![said.destination().to_owned()],
        policy: Some(said.policy()),
    };
    let job = filing::file(&app, &caller, &task, None).await?;
    match is_part {
        true => Ok(page(StatusCode::OK, &Part { job, ..empty() })),
        false => Ok(led_to_job(job)),
    }
}

/// Gives the look up that the same form asked for before: what is typed now is meant. One that has ended is no matter.
async fn give_up(app: &App, caller: &Caller, said: &Said) {
    let Ok(id) = said.before.parse() else { return };
    let Ok(job) = jobs::find(app, id).await else {
        return;
    };
    let is_look = matches!(Task::read(&job.task), Ok(Task::PolicyCheck { .. }));
    if is_look && job.actor == caller.actor() && !job.state.has_ended() {
        drop(jobs::give_up(app, caller, id).await);
    }
}

/// The part that asks for itself again until the job has ended.
pub(crate) async fn progress(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Response, Problem> {
    let job = jobs::find(&app, id).await?;
    if !matches!(Task::read(&job.task), Ok(Task::PolicyCheck { .. })) {
        return Err(Problem::not_found("such look at servers"));
    }
    let events = app.desks.at(move |desk| desk.events(id, 0, EVENTS)).await?;
    let now = crate::clock::now_ms();
    let answer = job.end.as_ref().map(|end| Doc::read(&end.answer));
    let answer = answer.unwrap_or_default();
    let shown = Part {
        job: id,
        ended: job.state.has_ended(),
        told: events
            .iter()
            .map(|event| told(event, job.filed_ms, now).words)
            .collect(),
        checked: answer
            .list("checked")
            .iter()
            .map(|one| checked(one, now))
            .collect(),
        message: answer.inner("error").text("message"),
    };
    Ok(page(StatusCode::OK, &shown))
}

fn empty() -> Part {
    Part {
        job: 0,
        ended: false,
        told: Vec::new(),
        checked: Vec::new(),
        message: String::new(),
    }
}

fn checked(one: &Doc, now: i64) -> Checked {
    let seen = one.at("preflight");
    let (class, sign) = outcome(&seen.text("outcome"));
    let strongest = seen.at("strongest").text("policy");
    let is_other = !strongest.is_empty() && strongest != seen.text("policy");
    let findings = seen.list("findings");
    let seconds = seen.text("at").parse().unwrap_or(0_i64);
    Checked {
        next_hop: match seen.text("nexthop") {
            hop if hop.is_empty() => one.text("destination"),
            hop => hop,
        },
        class,
        sign,
        sentence: seen.text("sentence"),
        hosts: seen.list("hosts").iter().map(host).collect(),
        findings: findings.iter().map(|one| one.text("message")).collect(),
        strongest: is_other.then(|| taken(&strongest)),
        looked: When::at(seconds.saturating_mul(1000), now),
    }
}

fn taken(policy: &str) -> (String, String, String) {
    let mut words = policy.split(' ');
    let level = words.next().unwrap_or_default().to_owned();
    let names = words.find_map(|one| one.strip_prefix("match="));
    (
        policy.to_owned(),
        level,
        names.unwrap_or_default().to_owned(),
    )
}

fn host(doc: &Doc) -> Host {
    let address = |one: &Doc| {
        let (class, sign) = outcome(&one.text("outcome"));
        (class, sign, one.text("address"), one.text("words"))
    };
    Host {
        name: doc.text("name"),
        trouble: doc.text("trouble"),
        addresses: doc.list("addresses").iter().map(address).collect(),
    }
}

fn outcome(word: &str) -> (&'static str, &'static str) {
    match word {
        "pass" => ("pass", "✓"),
        "fail" => ("fail", "✗"),
        _ => ("undetermined", "?"),
    }
}
