//! The page of destinations that need authentication, with the rules that they manage.
//!
//! Owns: the lists, the forms, and which task a form is. Never: judges an entry; its job's page says what came of it.

use super::doc::Doc;
use super::frame::{Frame, View};
use super::when::When;
use super::{filters, led_to_job, page};
use crate::app::App;
use crate::caller::Caller;
use crate::filing;
use crate::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use postseal_planner::task::{Checks, CredentialWords, Task};
use serde::Deserialize;

/// The levels at which credentials never go in clear.
const LEVELS: [(&str, &str); 5] = [
    ("encrypt", "TLS or no delivery"),
    ("dane-only", "only to servers with TLSA records that match"),
    ("fingerprint", "only to servers with one of these keys"),
    ("verify", "a trusted certificate, for a name that DNS gave"),
    ("secure", "a trusted certificate for the next hop's name"),
];

#[derive(Template)]
#[template(path = "domains.html")]
struct Page {
    frame: Frame,
    copied: When,
    is_there: bool,
    domains: Vec<Entry>,
    hops: Vec<Hop>,
    levels: [(&'static str, &'static str); 5],
}

#[derive(Template)]
#[template(path = "domain.html")]
struct Edited {
    frame: Frame,
    entry: Entry,
    levels: [(&'static str, &'static str); 5],
}

impl Page {
    /// A form with nothing in it.
    fn empty(&self) -> Entry {
        Entry {
            requires_auth: true,
            ..Entry::default()
        }
    }
}

/// An entry as it is shown.
#[derive(Default)]
struct Entry {
    domain: String,
    next_hop: String,
    level: String,
    names: String,
    note: String,
    manager: String,
    digest: String,
    requires_auth: bool,
    smtps: bool,
    state: &'static str,
    standing: &'static str,
    /// Whether its mail goes there now, and else where.
    routed: bool,
    now: String,
}

/// A next hop that gets credentials.
struct Hop {
    keys: String,
    next_hop: String,
    level: String,
    /// Whether they may go in clear, as far as that is known.
    clear: bool,
    rule: String,
}

impl Entry {
    fn of(doc: &Doc) -> Self {
        let rule = rule(doc);
        let policy = rule.text("policy");
        let mut words = policy.split(' ');
        let level = words.next().unwrap_or_default().to_owned();
        let names = words.find_map(|one| one.strip_prefix("match="));
        let (state, standing) = standing(doc);
        Self {
            domain: doc.text("domain"),
            next_hop: doc.text("next_hop"),
            level,
            names: names.unwrap_or_default().to_owned(),
            note: rule.text("note"),
            manager: doc.text("manager"),
            digest: doc.text("digest"),
            requires_auth: doc.is_true("requires_auth"),
            smtps: doc.is_true("smtps"),
            state,
            standing,
            routed: doc.is_true("routed"),
            now: doc.words("next_hops_now").join(" "),
        }
    }

    fn all(doc: &Doc) -> Vec<Self> {
        doc.list("domains").iter().map(Self::of).collect()
    }
}

/// As it is wished, else as it is.
fn rule(doc: &Doc) -> Doc {
    match doc.at("wanted") {
        wanted if wanted.is_there() => wanted,
        _ => doc.at("in_force"),
    }
}

fn standing(doc: &Doc) -> (&'static str, &'static str) {
    let (now, then) = (doc.at("in_force").is_there(), doc.at("wanted").is_there());
    match (now, then, doc.is_true("pending")) {
        (false, ..) => ("undetermined", "to be added"),
        (_, false, _) => ("undetermined", "to be removed"),
        (_, _, true) => ("undetermined", "to be changed"),
        _ => ("", "in force"),
    }
}

fn hop(doc: &Doc) -> Hop {
    let level = doc.text("level");
    let clear = ["none", "may", "dane"].contains(&level.as_str());
    Hop {
        keys: doc.words("keys").join(" "),
        next_hop: doc.text("next_hop"),
        clear: clear && !doc.at("wanted").is_there(),
        rule: rule(doc).text("policy"),
        level,
    }
}

#[derive(Deserialize)]
pub(crate) struct Which {
    domain: String,
    /// The digest of the entry that was seen.
    #[serde(default)]
    was: String,
}

/// A form of an entry.
#[derive(Deserialize)]
pub(crate) struct Said {
    domain: String,
    /// The digest of the entry that the form was made from.
    #[serde(default)]
    was: String,
    #[serde(default)]
    next_hop: String,
    #[serde(default)]
    level: String,
    #[serde(default)]
    names: String,
    #[serde(default)]
    note: String,
    // A box that is not ticked is not sent.
    requires_auth: Option<String>,
    smtps: Option<String>,
    #[serde(default)]
    reason: String,
}

/// A form of `sync`.
#[derive(Deserialize)]
pub(crate) struct Synced {
    #[serde(default)]
    reason: String,
}

impl Said {
    fn words(&self) -> CredentialWords {
        CredentialWords {
            next_hop: given(&self.next_hop),
            level: given(&self.level),
            names: given(&self.names).filter(|_| !self.level.is_empty()),
            note: given(&self.note),
            requires_auth: Some(self.requires_auth.is_some()),
            smtps: Some(self.smtps.is_some()),
            checks: checks(&self.reason),
        }
    }
}

fn checks(reason: &str) -> Checks {
    Checks {
        force_reason: given(reason),
        ..Checks::default()
    }
}

fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let mut view = View::of(&app, &caller, "domains", &["domains"]).await?;
    let seen = view.take("domains");
    let shown = Page {
        is_there: seen.doc.at("domains").is_there(),
        domains: Entry::all(&seen.doc),
        hops: seen.doc.list("credentials").iter().map(hop).collect(),
        copied: seen.copied,
        frame: view.frame,
        levels: LEVELS,
    };
    Ok(page(StatusCode::OK, &shown))
}

pub(crate) async fn one(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let mut view = View::of(&app, &caller, "domains", &["domains"]).await?;
    let entries = Entry::all(&view.take("domains").doc);
    // Where its next hop changes there are two; the one that is wished is changed.
    let mut found = entries.into_iter().filter(|one| one.domain == which.domain);
    let entry = found.next_back();
    let entry = entry.ok_or_else(|| Problem::not_found("such entry"))?;
    let shown = Edited {
        frame: view.frame,
        entry,
        levels: LEVELS,
    };
    Ok(page(StatusCode::OK, &shown))
}

pub(crate) async fn add(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(said): Form<Said>,
) -> Result<Response, Problem> {
    let task = Task::DomainAdd {
        domain: said.domain.trim().to_owned(),
        words: said.words(),
    };
    filed(&app, &caller, &task).await
}

pub(crate) async fn edit(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(said): Form<Said>,
) -> Result<Response, Problem> {
    let task = Task::DomainEdit {
        words: CredentialWords {
            // The form shows it, so an empty one shall be gone.
            note: Some(said.note.trim().to_owned()),
            ..said.words()
        },
        was: given(&said.was),
        domain: said.domain,
    };
    filed(&app, &caller, &task).await
}

pub(crate) async fn remove(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(which): Form<Which>,
) -> Result<Response, Problem> {
    let task = Task::DomainRemove {
        was: given(&which.was),
        domains: vec![which.domain],
    };
    filed(&app, &caller, &task).await
}

pub(crate) async fn sync(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(said): Form<Synced>,
) -> Result<Response, Problem> {
    let checks = checks(&said.reason);
    filed(&app, &caller, &Task::DomainSync { checks }).await
}

async fn filed(app: &App, caller: &Caller, task: &Task) -> Result<Response, Problem> {
    let job = filing::file(app, caller, task, None).await?;
    Ok(led_to_job(job))
}
