//! The page for SMTP TLS: modes, services, profile, certificate.
//!
//! Owns: the form, and which tasks a saved form is. Never: says that something is in force; the job's page says what was
//! seen.

use super::certificate::Shown;
use super::doc::Doc;
use super::frame::{Frame, Seen, View};
use super::when::When;
use super::{filters, led_to_job, page};
use crate::app::App;
use crate::caller::Caller;
use crate::filing::{self, Awaited};
use crate::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use postseal_planner::task::{Places, Task};

/// What a mode promises, and when one uses it.
struct Choice {
    value: &'static str,
    meaning: &'static str,
}

impl Choice {
    fn is(&self, value: &str) -> bool {
        self.value == value
    }
}

const INBOUND: [Choice; 3] = [
    Choice {
        value: "off",
        meaning: "STARTTLS is not offered; all mail comes in clear.",
    },
    Choice {
        value: "may",
        meaning: "STARTTLS is offered, and mail without it is taken. Right for a public port 25.",
    },
    Choice {
        value: "encrypt",
        meaning: "Mail without TLS is refused. On a public port 25 that loses mail of senders without TLS.",
    },
];

const OUTBOUND: [Choice; 7] = [
    Choice {
        value: "off",
        meaning: "Mail leaves in clear.",
    },
    Choice {
        value: "may",
        meaning: "TLS where the other side offers it, else in clear. Right for most.",
    },
    Choice {
        value: "encrypt",
        meaning: "TLS or no delivery; the other side is not authenticated. Mail to servers without TLS waits.",
    },
    Choice {
        value: "dane",
        meaning: "Authenticated where the other side publishes TLSA records, else as may. Needs a resolver that validates DNSSEC.",
    },
    Choice {
        value: "dane-only",
        meaning: "Only to servers with TLSA records; all other mail waits.",
    },
    Choice {
        value: "verify",
        meaning: "Only to servers with a trusted certificate for a name that DNS gave.",
    },
    Choice {
        value: "secure",
        meaning: "Only to servers with a trusted certificate for the recipient's domain.",
    },
];

#[derive(Template)]
#[template(path = "smtp_tls.html")]
struct Page {
    frame: Frame,
    copied: When,
    is_there: bool,
    inbound: String,
    outbound: String,
    submission: &'static str,
    smtps: &'static str,
    profiles: Vec<Profile>,
    certificates: Vec<Shown>,
    keys: Vec<Key>,
}

impl Page {
    fn inbound_choices(&self) -> &'static [Choice] {
        &INBOUND
    }

    fn outbound_choices(&self) -> &'static [Choice] {
        &OUTBOUND
    }

    /// The two services of mail clients: key, value, what it is.
    fn switches(&self) -> [(&'static str, &'static str, &'static str); 2] {
        [
            (
                "submission",
                self.submission,
                "Port 587: mail clients, STARTTLS and AUTH required",
            ),
            (
                "smtps",
                self.smtps,
                "Port 465: mail clients, TLS from the first byte, AUTH required",
            ),
        ]
    }
}

struct Profile {
    name: String,
    meaning: String,
    /// The directions in which it is wished.
    wished: String,
    unfit: String,
}

struct Key {
    name: String,
    values: String,
    meaning: String,
    default: String,
}

pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let copies = &["certificates", "profiles", "keys"];
    let mut view = View::of(&app, &caller, "smtp-tls", copies).await?;
    let status = view.take("status");
    let (profiles, certificates, keys) = (
        view.take("profiles"),
        view.take("certificates"),
        view.take("keys"),
    );
    let shown = Page {
        is_there: status.doc.is_there(),
        inbound: service(&status.doc, &["smtp/inet"]).unwrap_or_default(),
        outbound: wanted(&status.doc.at("outbound")),
        submission: switch(&status.doc, &["submission/inet", "587/inet"]),
        smtps: switch(&status.doc, &["submissions/inet", "smtps/inet", "465/inet"]),
        profiles: all_profiles(&profiles),
        certificates: Shown::all(&certificates.doc, view.now_ms),
        keys: keys.doc.list("keys").iter().map(key).collect(),
        copied: status.copied,
        frame: view.frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

/// Saves the form: each wish is filed once the one before it was taken, then the plan, or `apply`. What is refused ends it,
/// and its job says why; nothing is put in force then.
pub(crate) async fn save(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    for task in wishes(&fields) {
        if let Awaited::Not(job) = filing::await_done(&app, &caller, &task).await? {
            return Ok(led_to_job(job));
        }
    }
    if said(&fields, "do") == "apply" {
        let task = Task::Apply {
            plan: None,
            check: false,
            accept: Vec::new(),
            confirm_within: None,
        };
        let job = filing::file(&app, &caller, &task, None).await?;
        return Ok(led_to_job(job));
    }
    match filing::await_done(&app, &caller, &Task::Plan { diff: false }).await? {
        Awaited::Well(job) => Ok(Redirect::to(&format!("/plan?job={job}")).into_response()),
        Awaited::Not(job) => Ok(led_to_job(job)),
    }
}

/// The tasks of a form: only of fields that say something else than when they were shown, so that nothing is wished by
/// merely looking.
fn wishes(fields: &[(String, String)]) -> Vec<Task> {
    let mut pairs: Vec<String> = ["inbound", "outbound", "submission", "smtps"]
        .into_iter()
        .filter(|key| {
            let value = said(fields, key);
            !value.is_empty() && value != said(fields, &format!("was.{key}"))
        })
        .map(|key| format!("{key}={}", said(fields, key)))
        .collect();
    let profile = said(fields, "profile");
    if !profile.is_empty() {
        pairs.push(format!("profile={profile}"));
    }
    let others = said(fields, "others").lines().map(str::trim);
    pairs.extend(others.filter(|line| !line.is_empty()).map(str::to_owned));
    let set = (!pairs.is_empty()).then_some(Task::Set { pairs });
    set.into_iter()
        .chain(certificate(said(fields, "certificate")))
        .collect()
}

fn certificate(said: &str) -> Option<Task> {
    let places = Places::default();
    match said.split_once(' ')? {
        ("bind", name) => Some(Task::CertBind {
            name: name.to_owned(),
            places,
            allow_self_signed: false,
        }),
        ("unbind", name) => Some(Task::CertUnbind {
            name: name.to_owned(),
            places,
        }),
        _ => None,
    }
}

fn said<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    let found = fields.iter().find(|(field, _)| field == name);
    found.map_or("", |(_, value)| value.trim())
}

/// What is wanted of a service or of outgoing mail; where nothing was wished yet, what holds.
fn wanted(levels: &Doc) -> String {
    match levels.text("desired").as_str() {
        "" | "as adopted" => levels.text("effective"),
        desired => desired.to_owned(),
    }
}

/// The same of the first of these services that is there.
fn service(status: &Doc, names: &[&str]) -> Option<String> {
    let services = status.list("services");
    let mut own = services
        .iter()
        .filter(|one| names.contains(&one.text("service").as_str()));
    own.next().map(wanted)
}

fn switch(status: &Doc, names: &[&str]) -> &'static str {
    match service(status, names).as_deref() {
        None | Some("off" | "-" | "") => "off",
        Some(_) => "on",
    }
}

fn all_profiles(seen: &Seen) -> Vec<Profile> {
    let profiles = seen.doc.list("profiles");
    let shown = profiles.iter().map(|doc| Profile {
        name: doc.text("name"),
        meaning: doc.text("meaning"),
        wished: doc.words("wished").join(", "),
        unfit: doc.text("unfit"),
    });
    shown.collect()
}

fn key(doc: &Doc) -> Key {
    Key {
        name: doc.text("key"),
        values: doc.text("values"),
        meaning: doc.text("meaning"),
        default: doc.text("default"),
    }
}
