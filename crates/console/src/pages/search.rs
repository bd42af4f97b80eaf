//! Search: from a few words to a page, a certificate, a finding, a job or a destination.
//!
//! Owns: what is looked through, and where each leads. Never: looks at the mail server; it knows what the agent copied.

use super::certificate::Shown;
use super::finding::Found;
use super::frame::{Frame, View};
use super::{filters, page};
use crate::api::jobs;
use crate::app::App;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::title;
use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

/// So many of a kind are shown.
const SHOWN: usize = 20;

/// Pages: path, name, and the words by which people look for them.
const PAGES: [(&str, &str, &str); 10] = [
    ("/", "Overview", "status services wire glance"),
    (
        "/smtp-tls",
        "SMTP TLS",
        "mode inbound outbound level profile submission smtps parameters settings",
    ),
    ("/certificates", "Certificates", "keys expiry names issuer"),
    (
        "/policies",
        "Policies",
        "rules destinations domains next hops levels",
    ),
    (
        "/probe",
        "Probe",
        "look at servers hosts starttls dane mta-sts",
    ),
    ("/findings", "Findings", "lint errors warnings"),
    ("/plan", "Plan", "drafts apply diff confirm discard"),
    ("/history", "History", "operations rollback undo"),
    (
        "/settings",
        "Settings",
        "users roles tokens sessions one-time codes password",
    ),
    (
        "/settings/notifications",
        "Notifications",
        "mail alerts told addresses settings",
    ),
];

#[derive(Template)]
#[template(path = "search.html")]
struct Page {
    frame: Frame,
    asked: String,
    hits: Vec<Hit>,
    /// Whether it may be a destination.
    may_be_destination: bool,
}

/// Something with these words.
struct Hit {
    kind: &'static str,
    path: String,
    name: String,
    words: String,
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
}

pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let asked: String = asked.q.trim().chars().take(200).collect();
    let mut view = View::of(&app, &caller, "search", &["certificates", "findings"]).await?;
    let certificates = Shown::all(&view.take("certificates").doc, view.now_ms);
    let findings = Found::all(&view.take("findings").doc, "findings");
    let mut hits = Vec::new();
    hits.extend(job(&app, &asked).await?);
    if !asked.is_empty() {
        hits.extend(pages(&asked).take(SHOWN));
        hits.extend(of_certificates(&certificates, &asked).take(SHOWN));
        hits.extend(of_findings(&findings, &asked).take(SHOWN));
    }
    let shown = Page {
        frame: view.frame,
        may_be_destination: asked.contains('.') && !asked.contains(char::is_whitespace),
        asked,
        hits,
    };
    Ok(page(StatusCode::OK, &shown))
}

/// A job by its number.
async fn job(app: &App, asked: &str) -> Result<Option<Hit>, Problem> {
    let number = asked.trim_start_matches("job").trim().parse::<u64>();
    let Ok(id) = number else {
        return Ok(None);
    };
    match jobs::find(app, id).await {
        Ok(job) => Ok(Some(Hit {
            kind: "Job",
            path: format!("/jobs/{id}"),
            name: id.to_string(),
            words: title::of_text(&job.task),
        })),
        Err(problem) if problem.status == StatusCode::NOT_FOUND => Ok(None),
        Err(problem) => Err(problem),
    }
}

fn pages(asked: &str) -> impl Iterator<Item = Hit> {
    let found = PAGES
        .iter()
        .filter(move |(_, name, words)| has(&format!("{name} {words}"), asked));
    found.map(|(path, name, _)| Hit {
        kind: "Page",
        path: (*path).to_owned(),
        name: (*name).to_owned(),
        words: String::new(),
    })
}

fn of_certificates(all: &[Shown], asked: &str) -> impl Iterator<Item = Hit> {
    let found = all.iter().filter(move |one| has(&one.words(), asked));
    found.map(|one| Hit {
        kind: "Certificate",
        path: "/certificates".to_owned(),
        name: one.name.clone(),
        words: one.names.clone(),
    })
}

fn of_findings(all: &[Found], asked: &str) -> impl Iterator<Item = Hit> {
    let text = |one: &Found| format!("{} {} {}", one.code, one.message, one.severity);
    let found = all.iter().filter(move |one| has(&text(one), asked));
    found.map(|one| Hit {
        kind: "Finding",
        path: "/findings".to_owned(),
        name: one.code.clone(),
        words: one.message.clone(),
    })
}

/// Whether a text has every word. Colons count for nothing: fingerprints and serials are written with and without.
pub(super) fn has(text: &str, asked: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace(':', "");
    let (text, asked) = (plain(text), plain(asked));
    asked.split_whitespace().all(|word| text.contains(word))
}
