//! Certificates: the list, the page of each, and what brings one into the store.
//!
//! Owns: these pages, and which task each form is. Never: keeps a private key: what comes in is sealed to the agent's
//! store before it is filed.

use super::certificate::{Pending, Shown};
use super::doc::Doc;
use super::finding::Found;
use super::frame::{Frame, View};
use super::typed::Typed;
use super::when::When;
use super::{filters, led_to_job, page};
use crate::app::App;
use crate::caller::Caller;
use crate::filing;
use crate::parts::Parts;
use crate::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use postseal_planner::task::{KeyKind, NewKey, Order, Places, Task};
use postseal_store::desk::Upload;
use serde::Deserialize;

/// Kinds of keys, the usual one first.
const KINDS: [KeyKind; 6] = [
    KeyKind::EcdsaP256,
    KeyKind::EcdsaP384,
    KeyKind::Rsa2048,
    KeyKind::Rsa3072,
    KeyKind::Rsa4096,
    KeyKind::Ed25519,
];

#[derive(Template)]
#[template(path = "certificates.html")]
struct List {
    frame: Frame,
    copied: When,
    is_there: bool,
    certificates: Vec<Shown>,
    requests: Vec<Pending>,
}

#[derive(Template)]
#[template(path = "certificate.html")]
struct One {
    frame: Frame,
    copied: When,
    one: Shown,
}

#[derive(Template)]
#[template(path = "certificate_new.html")]
struct New {
    frame: Frame,
    /// The name that is renewed, or of the request whose certificate came.
    name: String,
    renews: bool,
    kinds: [&'static str; 6],
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
) -> Result<Response, Problem> {
    let mut view = View::of(&app, &caller, "certificates", &["certificates"]).await?;
    let seen = view.take("certificates");
    let shown = List {
        is_there: seen.doc.is_there(),
        certificates: Shown::all(&seen.doc, view.now_ms),
        requests: Pending::all(&seen.doc, view.now_ms),
        copied: seen.copied,
        frame: view.frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

pub(crate) async fn one(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(named): Query<Named>,
) -> Result<Response, Problem> {
    let mut view = View::of(&app, &caller, "certificates", &["certificates"]).await?;
    let seen = view.take("certificates");
    let all = Shown::all(&seen.doc, view.now_ms);
    let one = all.into_iter().find(|one| one.name == named.name);
    let shown = One {
        one: one.ok_or_else(|| Problem::not_found("such certificate"))?,
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
    let view = View::of(&app, &caller, "certificates", &[]).await?;
    let shown = New {
        frame: view.frame,
        name: named.name,
        renews: !named.renew.is_empty(),
        kinds: KINDS.map(KeyKind::name),
    };
    Ok(page(StatusCode::OK, &shown))
}

/// Files that were sent or pasted. From here on only the agent's store can read them.
pub(crate) async fn import(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.ok_or_else(|| Problem::malformed("it is no form"))?;
    let parts = Parts::read(kind, body).await?;
    let Some(cert) = parts.file_or_pasted("cert") else {
        return Err(Problem::malformed(
            "it names no certificate: choose a file, or paste one",
        ));
    };
    let upload = Upload {
        cert,
        key: parts.file_or_pasted("key"),
        chain: parts.file_or_pasted("chain"),
        private_ca: parts.file_or_pasted("private_ca"),
        password: parts.text("password"),
    };
    let mut view = View::of(&app, &caller, "certificates", &["certificates"]).await?;
    let recipient = view.take("certificates").doc.text("recipient");
    let sealed = upload
        .seal(&recipient)
        .map_err(|_| Problem::no_recipient())?;
    let task = Task::CertImport {
        name: parts
            .text("name")
            .map(|name| name.to_string())
            .unwrap_or_default(),
        sealed,
        renew: parts.text("renew").is_some(),
    };
    filed(&app, &caller, &task).await
}

/// One that is made on the mail server: self-signed, requested, or ordered from a CA.
pub(crate) async fn make(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let typed = Typed::new(fields);
    let name = typed.text("name").to_owned();
    let domains = typed.words("domains");
    if domains.is_empty() {
        return Err(Problem::malformed(
            "it says no name that the certificate is for",
        ));
    }
    let days = typed.given("days").map(|days| days.parse::<u32>());
    let days = days.transpose().map_err(Problem::malformed)?;
    let key = NewKey {
        kind: kind(typed.text("key"))?,
        reuse: typed.is_on("reuse"),
        renew: typed.is_on("renew"),
    };
    let task = match typed.text("do") {
        "self-signed" => Task::CertSelfSigned {
            name,
            domains,
            key,
            days,
        },
        "request" => Task::CertRequest {
            name: Some(name),
            domains,
            key,
            forget: false,
        },
        "issue" => Task::CertIssue {
            name,
            domains,
            keys: match typed.is_on("pair") {
                true => vec![KeyKind::Rsa2048, KeyKind::EcdsaP256],
                false => vec![key.kind],
            },
            order: Order {
                staging: typed.is_on("staging"),
                agree_terms: typed.is_on("agree_terms"),
                contacts: typed.words("contacts"),
                renew: key.renew,
            },
        },
        other => return Err(unknown(other)),
    };
    filed(&app, &caller, &task).await
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

fn kind(said: &str) -> Result<KeyKind, Problem> {
    let mut kinds = KINDS.into_iter();
    let known = kinds.find(|kind| kind.name() == said);
    match (known, said) {
        (Some(kind), _) => Ok(kind),
        (None, "") => Ok(KeyKind::default()),
        (None, _) => Err(Problem::malformed("there is no such kind of key")),
    }
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
