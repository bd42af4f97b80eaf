//! Certificates: the list, the page of each, and what brings one into the store.
//!
//! Owns: these pages, and which task each form is. Never: judges a certificate.

mod add;

pub(crate) use add::{import, make};

use super::certificate::{Pending, Shown};
use super::doc::Doc;
use super::finding::Found;
use super::frame::{Frame, View};
use super::picker::{Asked, narrowed};
use super::typed::Typed;
use super::when::When;
use super::{filters, led_to_job, page};
use crate::app::App;
use crate::caller::Caller;
use crate::filing;
use crate::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use postseal_planner::task::{KeyKind, NewKey, Places, Task};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "certificates.html")]
struct List {
    frame: Frame,
    copied: When,
    is_there: bool,
    /// What is searched for among them.
    search: String,
    certificates: Vec<Shown>,
    requests: Vec<Pending>,
}

#[derive(Template)]
#[template(path = "certificate.html")]
struct One {
    frame: Frame,
    copied: When,
    one: Shown,
    /// When it was last looked at for what is wrong with it.
    checked: When,
    /// Which names that are asked for are not known.
    unknown: Vec<String>,
}

#[derive(Template)]
#[template(path = "certificate_new.html")]
struct New {
    frame: Frame,
    /// The name that is renewed, or of the request whose certificate came.
    name: String,
    renews: bool,
    kinds: [&'static str; 6],
    /// Where this host orders certificates.
    ca: String,
    is_lets_encrypt: bool,
}

/// What a look at a certificate has shown.
#[derive(Template)]
#[template(path = "looked.html")]
struct Looked {
    /// What was looked at; the parts of a page are told apart by it.
    what: &'static str,
    job: u64,
    ended: bool,
    text: String,
    message: String,
    findings: Vec<Found>,
}

#[derive(Deserialize)]
pub(crate) struct Searched {
    #[serde(default)]
    search: String,
}

#[derive(Deserialize)]
pub(crate) struct Named {
    #[serde(default)]
    name: String,
    /// Not empty where it takes the place of one.
    #[serde(default)]
    renew: String,
}

pub(crate) async fn list(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(searched): Query<Searched>,
) -> Result<Response, Problem> {
    let mut view = View::of(&app, &caller, "certificates", COPIES).await?;
    let seen = view.take("certificates");
    let all = judged(&mut view, &seen.doc).0;
    let search: String = searched.search.trim().chars().take(200).collect();
    let shown = List {
        is_there: seen.doc.is_there(),
        certificates: narrowed(all, &search),
        search,
        requests: Pending::all(&seen.doc, view.now_ms),
        copied: seen.copied,
        frame: view.frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

/// What pages show of certificates.
const COPIES: &[&str] = &["certificates", "checks"];

/// All of them with what was found, which names are not known, and when was looked.
fn judged(view: &mut View, list: &Doc) -> (Vec<Shown>, Vec<String>, When) {
    let asked = Asked::of(&view.take("status").doc);
    let checks = view.take("checks");
    let all = Shown::judged(list, &checks.doc, &asked, view.now_ms);
    (all, asked.unknown, checks.copied)
}

pub(crate) async fn one(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(named): Query<Named>,
) -> Result<Response, Problem> {
    let mut view = View::of(&app, &caller, "certificates", COPIES).await?;
    let seen = view.take("certificates");
    let (all, unknown, checked) = judged(&mut view, &seen.doc);
    let one = all.into_iter().find(|one| one.name == named.name);
    let shown = One {
        one: one.ok_or_else(|| Problem::not_found("such certificate"))?,
        checked,
        unknown,
        copied: seen.copied,
        frame: view.frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

pub(crate) async fn new(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(named): Query<Named>,
) -> Result<Response, Problem> {
    let mut view = View::of(&app, &caller, "certificates", &["certificates"]).await?;
    let ca = view.take("certificates").doc.text("ca");
    let shown = New {
        is_lets_encrypt: ca.is_empty() || ca.contains("letsencrypt.org/"),
        ca,
        frame: view.frame,
        name: named.name,
        renews: !named.renew.is_empty(),
        kinds: add::KINDS.map(KeyKind::name),
    };
    Ok(page(StatusCode::OK, &shown))
}

/// What is wished of one, or ends it.
pub(crate) async fn wish(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let typed = Typed::new(fields);
    let name = typed.text("name").to_owned();
    let task = match typed.text("do") {
        "bind" => Task::CertBind {
            name,
            places: places(&typed)?,
            allow_self_signed: typed.is_on("allow_self_signed"),
        },
        "unbind" => Task::CertUnbind {
            name,
            places: places(&typed)?,
        },
        "delete" => Task::CertDelete {
            name,
            version: None,
        },
        "forget" => Task::CertRequest {
            name: Some(name),
            domains: Vec::new(),
            key: NewKey::default(),
            forget: true,
        },
        other => return Err(unknown(other)),
    };
    filed(&app, &caller, &task).await
}

/// What presents another version at once.
pub(crate) async fn present(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let typed = Typed::new(fields);
    let name = typed.text("name").to_owned();
    let task = match typed.text("do") {
        "renew" => Task::CertRenew {
            names: vec![name],
            force: typed.is_on("force"),
        },
        "deploy" => Task::CertDeploy { name },
        other => return Err(unknown(other)),
    };
    filed(&app, &caller, &task).await
}

/// A look at one: beside its page where htmx asks, else as a job.
pub(crate) async fn look(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let typed = Typed::new(fields);
    let name = typed.text("name").to_owned();
    let (what, task) = match typed.text("do") {
        "show" => ("The certificate in full", Task::CertShow { name }),
        "check" => (
            "What is wrong with it",
            Task::CertCheck { name: Some(name) },
        ),
        "tlsa" => {
            let mx = typed.words("mx");
            ("TLSA records", Task::CertTlsa { name, mx })
        }
        other => return Err(unknown(other)),
    };
    if !headers.contains_key("hx-request") {
        return filed(&app, &caller, &task).await;
    }
    let (job, end) = filing::await_end(&app, &caller, &task).await?;
    let answer = end.as_ref().map(|end| Doc::read(&end.answer));
    let answer = answer.unwrap_or_default();
    let looked = Looked {
        what,
        job,
        ended: end.is_some(),
        text: answer.long("text"),
        message: answer.at("error").text("message"),
        findings: Found::all(&answer, "findings"),
    };
    Ok(page(StatusCode::OK, &looked))
}

/// A chain without its key, or a request for a CA, as a file.
pub(crate) async fn download(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let typed = Typed::new(fields);
    let name = typed.text("name").to_owned();
    let what = typed.text("do");
    let task = match what {
        "chain" => Task::CertExport { name: name.clone() },
        // All that wait: to look at one alone is no look, as it may also make one.
        "request" => Task::CertRequest {
            name: None,
            domains: Vec::new(),
            key: NewKey::default(),
            forget: false,
        },
        other => return Err(unknown(other)),
    };
    let (job, end) = filing::await_end(&app, &caller, &task).await?;
    let Some(end) = end.filter(|end| end.exit == 0) else {
        return Ok(led_to_job(job));
    };
    let answer = Doc::read(&end.answer);
    let waiting = answer.list("requests");
    let (pem, ending) = match what {
        "chain" => (answer.long("chain"), "pem"),
        _ => {
            let own = waiting.iter().find(|one| one.text("name") == name);
            let own = own.ok_or_else(|| Problem::not_found("such request"))?;
            (own.long("pem"), "csr")
        }
    };
    // A certificate's name is plain (`cert.bad-name`); whatever the agent was told, a header stays one line.
    let plain = |c: &char| c.is_ascii_alphanumeric() || "._-".contains(*c);
    let file: String = name.chars().filter(plain).collect();
    let kind = (header::CONTENT_TYPE, "application/x-pem-file".to_owned());
    let place = format!("attachment; filename=\"{file}.{ending}\"");
    Ok(([kind, (header::CONTENT_DISPOSITION, place)], pem).into_response())
}

/// Where it is presented; everywhere where nothing is said.
fn places(typed: &Typed) -> Result<Places, Problem> {
    let services = typed.words("services");
    let services: Result<Vec<u16>, _> = services.iter().map(|port| port.parse()).collect();
    Ok(Places {
        services: services.map_err(Problem::malformed)?,
        sni: typed.words("sni"),
        client: typed.is_on("client"),
        transport: None,
    })
}

fn unknown(what: &str) -> Problem {
    Problem::malformed(format!(
        "there is nothing called {:?} to be done here",
        crate::form::noted(what)
    ))
}

async fn filed(app: &App, caller: &Caller, task: &Task) -> Result<Response, Problem> {
    let job = filing::file(app, caller, task, None).await?;
    Ok(led_to_job(job))
}
