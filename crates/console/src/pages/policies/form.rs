//! Adding and changing a rule.
//!
//! Owns: the form, and which task it is. Never: judges a rule; its job's page says what came of it.

use super::super::frame::{Frame, View};
use super::super::{filters, led_to_job, page};
use super::LEVELS;
use super::rows::Shown;
use crate::app::App;
use crate::caller::Caller;
use crate::filing;
use crate::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use postseal_planner::task::{Checks, Removal, RuleWords, Task};
use serde::Deserialize;

/// The levels at which names are held against a certificate (postconf(5), smtp_tls_policy_maps).
const NAMED: [&str; 3] = ["fingerprint", "verify", "secure"];

#[derive(Template)]
#[template(path = "policy.html")]
struct Page {
    frame: Frame,
    rule: Shown,
    is_new: bool,
    levels: [(&'static str, &'static str); 8],
}

#[derive(Deserialize)]
pub(crate) struct Which {
    destination: String,
}

/// A rule that is to be gone, and the digest of what was seen of it.
#[derive(Deserialize)]
pub(crate) struct Gone {
    destination: String,
    #[serde(default)]
    was: String,
}

/// What a link may fill in.
#[derive(Deserialize)]
#[serde(default)]
pub(crate) struct Filled {
    destination: String,
    level: String,
    names: String,
}

impl Default for Filled {
    fn default() -> Self {
        Self {
            destination: String::new(),
            level: "encrypt".to_owned(),
            names: String::new(),
        }
    }
}

/// A form of a rule.
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
    tags: String,
    #[serde(default)]
    reason: String,
    /// The digest of the rule that the form was made from.
    #[serde(default)]
    was: String,
    /// The look at servers that this form asked for before.
    #[serde(default)]
    pub(super) before: String,
    /// The names that it had then.
    #[serde(default)]
    had: String,
}

impl Said {
    /// Of a new rule; what is empty is not said.
    fn rule(&self) -> RuleWords {
        RuleWords {
            names: self.names(),
            note: given(&self.note),
            owner: given(&self.owner),
            until: given(&self.until),
            tags: self.tags.split_whitespace().map(str::to_owned).collect(),
            ..RuleWords::default()
        }
    }

    /// Of one that is changed: the form shows all of it, so what is empty shall be gone.
    fn changed(&self) -> RuleWords {
        let all = |text: &str| Some(text.trim().to_owned());
        let tags = self.rule().tags;
        RuleWords {
            note: all(&self.note),
            owner: all(&self.owner),
            until: all(&self.until),
            tags: match tags.is_empty() {
                true => vec![String::new()],
                false => tags,
            },
            ..self.rule()
        }
    }

    /// The names, where the level has some.
    fn names(&self) -> Option<String> {
        given(&self.names).filter(|_| NAMED.contains(&self.level.as_str()))
    }

    /// Attributes that are taken away.
    fn without(&self) -> Vec<String> {
        let gone = self.names().is_none() && !self.had.is_empty();
        Vec::from_iter(gone.then(|| "match".to_owned()))
    }

    fn checks(&self) -> Checks {
        Checks {
            force_reason: given(&self.reason),
            ..Checks::default()
        }
    }

    /// The policy as it is written.
    pub(super) fn policy(&self) -> String {
        let names = self.names().map(|names| format!(" match={names}"));
        format!("{}{}", self.level.trim(), names.unwrap_or_default())
    }

    pub(super) fn destination(&self) -> &str {
        self.destination.trim()
    }
}

fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

pub(crate) async fn new(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(filled): Query<Filled>,
) -> Result<Response, Problem> {
    let view = View::of(&app, &caller, "policies", &[]).await?;
    let shown = Page {
        frame: view.frame,
        rule: Shown {
            destination: filled.destination,
            level: filled.level,
            names: filled.names,
            ..Shown::default()
        },
        is_new: true,
        levels: LEVELS,
    };
    Ok(page(StatusCode::OK, &shown))
}

pub(crate) async fn one(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let view = View::of(&app, &caller, "policies", &[]).await?;
    let instance = app.instance.clone();
    let found = app
        .desks
        .at(move |desk| desk.rule_row(&instance, &which.destination, ""));
    let found = found.await?;
    let rule = found.ok_or_else(|| Problem::not_found("such rule to be changed"))?;
    let shown = Page {
        rule: Shown::of(&rule, view.now_ms),
        frame: view.frame,
        is_new: false,
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
        destination: said.destination().to_owned(),
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
        rule: said.changed(),
        checks: said.checks(),
        without: said.without(),
        was: given(&said.was),
        level: given(&said.level),
        destination: said.destination,
    };
    filed(&app, &caller, &task).await
}

pub(crate) async fn remove(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(gone): Form<Gone>,
) -> Result<Response, Problem> {
    let task = Task::PolicyRemove(Removal {
        was: given(&gone.was),
        destinations: vec![gone.destination],
        ..Removal::default()
    });
    filed(&app, &caller, &task).await
}

async fn filed(app: &App, caller: &Caller, task: &Task) -> Result<Response, Problem> {
    let job = filing::file(app, caller, task, None).await?;
    Ok(led_to_job(job))
}
