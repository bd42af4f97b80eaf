//! The page of rules for destinations.
//!
//! Owns: the table with its search and order, and which task a form is. Never: judges a rule; its job's page says what
//! came of it.

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
use postseal_planner::task::{Checks, RuleWords, Task};
use serde::Deserialize;

/// What each level promises (smtp(8), TLS policies).
const LEVELS: [(&str, &str); 8] = [
    ("none", "mail goes in clear"),
    ("may", "TLS where the server offers it, else in clear"),
    (
        "encrypt",
        "TLS or no delivery; the server is not authenticated",
    ),
    (
        "dane",
        "authenticated where TLSA records are published, else as may",
    ),
    ("dane-only", "only to servers with TLSA records that match"),
    ("fingerprint", "only to servers with one of these keys"),
    ("verify", "a trusted certificate, for a name that DNS gave"),
    (
        "secure",
        "a trusted certificate for the recipient's domain, or the names given",
    ),
];

/// The columns by which the table is sorted: a word, its head.
const COLUMNS: [(&str, &str); 4] = [
    ("destination", "Destination"),
    ("level", "Level"),
    ("owner", "Owner"),
    ("until", "Look again"),
];

#[derive(Template)]
#[template(path = "policies.html")]
struct Page {
    frame: Frame,
    copied: When,
    is_there: bool,
    search: String,
    sort: String,
    /// How many there are, whatever is searched for; one more where the list was cut.
    all: usize,
    more: bool,
    rules: Vec<Shown>,
    columns: [(&'static str, &'static str); 4],
    levels: [(&'static str, &'static str); 8],
}

#[derive(Template)]
#[template(path = "policy.html")]
struct Edited {
    frame: Frame,
    rule: Shown,
    levels: [(&'static str, &'static str); 8],
}

/// A rule as it is shown.
struct Shown {
    destination: String,
    shown: String,
    level: String,
    promise: &'static str,
    names: String,
    owner: String,
    note: String,
    until: String,
    tags: String,
    /// Who makes and changes it, where that is not a form here.
    manager: String,
    /// `pass`, `warning`, `undetermined`, and in words.
    state: &'static str,
    standing: String,
}

impl Shown {
    fn of(doc: &Doc) -> Self {
        let wanted = doc.at("wanted");
        let rule = match wanted.is_there() {
            true => &wanted,
            false => &doc.at("in_force"),
        };
        let policy = rule.text("policy");
        let (level, attributes) = policy.split_once(' ').unwrap_or((&policy, ""));
        let mut attributes = attributes.split_whitespace();
        let names = attributes.find_map(|one| one.strip_prefix("match="));
        let promise = LEVELS.iter().find(|(name, _)| *name == level);
        let (state, standing) = standing(doc);
        Self {
            destination: doc.text("destination"),
            shown: doc.text("shown"),
            level: level.to_owned(),
            promise: promise.map_or("", |(_, promise)| promise),
            names: names.unwrap_or_default().to_owned(),
            owner: rule.text("owner"),
            note: rule.text("note"),
            until: rule.text("until"),
            tags: rule.words("tags").join(" "),
            manager: doc.text("manager"),
            state,
            standing,
        }
    }

    fn all(doc: &Doc) -> Vec<Self> {
        doc.list("rules").iter().map(Self::of).collect()
    }

    /// Whether each of these words, in lower case, is somewhere in it.
    fn has(&self, words: &[String]) -> bool {
        let texts = [
            &self.shown,
            &self.level,
            &self.names,
            &self.owner,
            &self.note,
            &self.tags,
            &self.manager,
        ];
        let text = texts.map(|text| text.to_lowercase()).join("\n");
        words.iter().all(|word| text.contains(word))
    }

    fn key(&self, column: &str) -> String {
        match column {
            "level" => self.level.clone(),
            "owner" => self.owner.to_lowercase(),
            // Those that nobody has to look at again come last.
            "until" if self.until.is_empty() => "~".to_owned(),
            "until" => self.until.clone(),
            _ => String::new(),
        }
    }
}

fn standing(doc: &Doc) -> (&'static str, String) {
    let (now, then) = (doc.at("in_force"), doc.at("wanted"));
    let why = |key| doc.at(key).text("why");
    match (now.is_there(), then.is_there(), doc.is_true("pending")) {
        (false, _, _) => ("undetermined", with("to be added", &why("hindered_wanted"))),
        (_, false, _) => ("undetermined", "to be removed".to_owned()),
        (_, _, true) => (
            "undetermined",
            with("to be changed", &why("hindered_wanted")),
        ),
        _ if why("hindered").is_empty() => ("", "in force".to_owned()),
        _ => ("warning", why("hindered")),
    }
}

fn with(words: &str, more: &str) -> String {
    match more {
        "" => words.to_owned(),
        more => format!("{words}, {more}"),
    }
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    search: String,
    #[serde(default)]
    sort: String,
}

#[derive(Deserialize)]
pub(crate) struct Which {
    destination: String,
}

/// A form of a rule; what is empty is not said.
#[derive(Deserialize)]
pub(crate) struct Said {
    destination: String,
    level: String,
    #[serde(default)]
    names: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    reason: String,
}

impl Said {
    fn rule(&self) -> RuleWords {
        RuleWords {
            names: given(&self.names),
            note: given(&self.note),
            owner: given(&self.owner),
            until: given(&self.until),
            ..RuleWords::default()
        }
    }

    fn checks(&self) -> Checks {
        Checks {
            force_reason: given(&self.reason),
            ..Checks::default()
        }
    }
}

fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let mut view = View::of(&app, &caller, "policies", &["policies"]).await?;
    let seen = view.take("policies");
    let mut rules = Shown::all(&seen.doc);
    let all = rules.len();
    let lower = asked.search.to_lowercase();
    let words: Vec<String> = lower.split_whitespace().map(str::to_owned).collect();
    rules.retain(|rule| rule.has(&words));
    // A stable sort: equal ones stay in the order of their destinations.
    rules.sort_by_key(|rule| rule.key(&asked.sort));
    let shown = Page {
        is_there: seen.doc.is_there(),
        more: seen.doc.is_true("more") || seen.doc.is_cut("rules"),
        search: asked.search,
        sort: asked.sort,
        all,
        rules,
        columns: COLUMNS,
        levels: LEVELS,
        copied: seen.copied,
        frame: view.frame,
    };
    Ok(page(StatusCode::OK, &shown))
}

pub(crate) async fn one(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let mut view = View::of(&app, &caller, "policies", &["policies"]).await?;
    let rules = Shown::all(&view.take("policies").doc);
    let rule = rules
        .into_iter()
        .find(|rule| rule.destination == which.destination && rule.manager.is_empty())
        .ok_or_else(|| Problem::not_found("such rule to be changed"))?;
    let shown = Edited {
        frame: view.frame,
        rule,
        levels: LEVELS,
    };
    Ok(page(StatusCode::OK, &shown))
}

pub(crate) async fn add(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(said): Form<Said>,
) -> Result<Response, Problem> {
    let task = Task::PolicyAdd {
        rule: said.rule(),
        checks: said.checks(),
        destination: said.destination.trim().to_owned(),
        level: said.level,
        follow: false,
    };
    filed(&app, &caller, &task).await
}

pub(crate) async fn edit(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(said): Form<Said>,
) -> Result<Response, Problem> {
    let task = Task::PolicyEdit {
        rule: said.rule(),
        checks: said.checks(),
        destination: said.destination,
        level: given(&said.level),
        without: Vec::new(),
        was: None,
    };
    filed(&app, &caller, &task).await
}

pub(crate) async fn remove(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(which): Form<Which>,
) -> Result<Response, Problem> {
    let destinations = vec![which.destination];
    filed(&app, &caller, &Task::PolicyRemove { destinations }).await
}

async fn filed(app: &App, caller: &Caller, task: &Task) -> Result<Response, Problem> {
    let job = filing::file(app, caller, task, None).await?;
    Ok(led_to_job(job))
}
