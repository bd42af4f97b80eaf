//! Adding and changing a rule.
//!
//! Owns: the form, which task it is, and what was refused of it. Never: judges a rule; its job's page says what came of it.

use super::super::doc::Doc;
use super::super::frame::{Frame, View};
use super::super::saved::Refused;
use super::super::{filters, led_to_job, page};
use super::LEVELS;
use super::rows::{ATTRIBUTES, Shown};
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
/// The exit code of a task that is refused for what it says.
const REFUSED: u8 = 65;
/// For which names a rule is: Postfix asks for a domain and for the names below it by two keys.
const SCOPES: [(&str, &str); 3] = [
    ("", "as the destination is written"),
    ("subdomains", "all names below it, and not itself"),
    ("both", "itself, and all names below it"),
];

#[derive(Template)]
#[template(path = "policy.html")]
struct Page {
    frame: Frame,
    rule: Shown,
    is_new: bool,
    levels: [(&'static str, &'static str); 8],
    scopes: [(&'static str, &'static str); 3],
    /// For which names it is, whether it is for the next hops that its mail takes, and why it is taken all the same: as typed.
    scope: String,
    follow: bool,
    reason: String,
    /// What was refused of what was typed.
    refused: Vec<Refused>,
}

impl Page {
    fn of(frame: Frame, rule: Shown, is_new: bool) -> Self {
        Self {
            frame,
            rule,
            is_new,
            levels: LEVELS,
            scopes: SCOPES,
            scope: String::new(),
            follow: false,
            reason: String::new(),
            refused: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Which {
    destination: String,
    /// Who manages it.
    #[serde(default)]
    by: String,
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
    protocols: String,
    #[serde(default)]
    ciphers: String,
    #[serde(default)]
    exclude: String,
    #[serde(default)]
    servername: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    follow: String,
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
    /// The attributes of its policy that the form had fields for.
    #[serde(default)]
    had: String,
}

impl Said {
    /// Of a new rule; what is empty is not said.
    fn rule(&self) -> RuleWords {
        RuleWords {
            names: self.names(),
            protocols: given(&self.protocols),
            ciphers: given(&self.ciphers),
            exclude: given(&self.exclude),
            servername: given(&self.servername),
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

    /// The attributes of the policy, as far as the form says them.
    fn attributes(&self) -> impl Iterator<Item = (&'static str, String)> {
        let said = [
            self.names(),
            given(&self.protocols),
            given(&self.ciphers),
            given(&self.exclude),
            given(&self.servername),
        ];
        let named = ATTRIBUTES.into_iter().zip(said);
        named.filter_map(|(name, value)| Some((name, value?)))
    }

    /// Attributes that are taken away.
    fn without(&self) -> Vec<String> {
        let said: Vec<&str> = self.attributes().map(|(name, _)| name).collect();
        let had = self.had.split_whitespace();
        let gone = had.filter(|name| !said.contains(name));
        gone.map(str::to_owned).collect()
    }

    /// The form as it was filled in, over what is known of the rule.
    fn over(self, known: Shown) -> Shown {
        Shown {
            destination: self.destination,
            level: self.level,
            names: self.names,
            protocols: self.protocols,
            ciphers: self.ciphers,
            exclude: self.exclude,
            servername: self.servername,
            had: self.had,
            owner: self.owner,
            note: self.note,
            until: self.until,
            tags: self.tags,
            digest: self.was,
            ..known
        }
    }

    fn checks(&self) -> Checks {
        Checks {
            force_reason: given(&self.reason),
            ..Checks::default()
        }
    }

    /// The policy as it is written.
    pub(super) fn policy(&self) -> String {
        let said = self.attributes();
        let said = said.map(|(name, value)| format!(" {name}={value}"));
        format!("{}{}", self.level.trim(), said.collect::<String>())
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
    let rule = Shown {
        destination: filled.destination,
        level: filled.level,
        names: filled.names,
        ..Shown::default()
    };
    Ok(page(StatusCode::OK, &Page::of(view.frame, rule, true)))
}

pub(crate) async fn one(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let view = View::of(&app, &caller, "policies", &[]).await?;
    let found = known(&app, which, view.now_ms).await?;
    let found = found.filter(|rule| !rule.changed_as.is_empty());
    let rule = found.ok_or_else(|| Problem::not_found("such rule to be changed"))?;
    Ok(page(StatusCode::OK, &Page::of(view.frame, rule, false)))
}

/// A rule as pages show it.
async fn known(app: &App, which: Which, now_ms: i64) -> Result<Option<Shown>, Problem> {
    let instance = app.instance.clone();
    let found = app
        .desks
        .at(move |desk| desk.rule_row(&instance, &which.destination, &which.by));
    Ok(found.await?.map(|rule| Shown::of(&rule, now_ms)))
}

pub(crate) async fn add(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(said): Form<Said>,
) -> Result<Response, Problem> {
    let task = Task::PolicyAdd {
        rule: RuleWords {
            scope: given(&said.scope),
            ..said.rule()
        },
        checks: said.checks(),
        destination: said.destination().to_owned(),
        level: said.level.clone(),
        follow: !said.follow.is_empty(),
    };
    wished(&app, &caller, &task, said, true).await
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
        destination: said.destination.clone(),
    };
    wished(&app, &caller, &task, said, false).await
}

/// Has it wished for. What is refused is shown in the form, with all that was typed.
async fn wished(
    app: &App,
    caller: &Caller,
    task: &Task,
    said: Said,
    is_new: bool,
) -> Result<Response, Problem> {
    let (job, end) = filing::await_end(app, caller, task).await?;
    let Some(end) = end.filter(|end| end.exit == REFUSED) else {
        return Ok(led_to_job(job));
    };
    let view = View::of(app, caller, "policies", &[]).await?;
    let rule = match is_new {
        true => Some(Shown::default()),
        false => {
            let by_hand = Which {
                destination: said.destination.clone(),
                by: String::new(),
            };
            known(app, by_hand, view.now_ms).await?
        }
    };
    // What is gone since cannot be changed any more: the job says so.
    let Some(rule) = rule else {
        return Ok(led_to_job(job));
    };
    let shown = Page {
        scope: said.scope.clone(),
        follow: !said.follow.is_empty(),
        reason: said.reason.clone(),
        refused: Refused::all(&Doc::read(&end.answer)),
        ..Page::of(view.frame, said.over(rule), is_new)
    };
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown))
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
